//! What the planner looks at: the queue and the fleet at one instant.

use domain::{DeviceId, JobId, WorkerId};

/// The queue and the fleet at one instant.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Waiting jobs, oldest first.
    pub queue: Vec<QueuedJob>,
    pub workers: Vec<WorkerState>,
}

/// A job that waits for a worker.
#[derive(Clone, Debug)]
pub struct QueuedJob {
    pub id: JobId,
    /// Who it is for; fairness is between owners, not between jobs.
    pub owner: DeviceId,
    pub model: String,
    /// Pictures still missing.
    pub pictures: u32,
    /// Work of one picture relative to a standard one.
    pub relative_cost: f64,
}

/// A worker that takes jobs.
#[derive(Clone, Debug)]
pub struct WorkerState {
    pub id: WorkerId,
    /// Models that are loaded and tried.
    pub models: Vec<WarmModel>,
    /// Jobs it works on at the same time.
    pub concurrency: u32,
    /// Jobs it holds, by the head's own count.
    pub held: Vec<HeldJob>,
    /// Finishing up: takes nothing new.
    pub draining: bool,
}

/// A model on a worker and how long it takes there.
#[derive(Clone, Debug)]
pub struct WarmModel {
    pub name: String,
    /// Milliseconds for a standard picture on this worker.
    pub standard_ms: f64,
}

/// A job that a worker already holds.
#[derive(Clone, Copy, Debug)]
pub struct HeldJob {
    pub owner: DeviceId,
    /// Expected milliseconds of work that remain.
    pub remaining_ms: f64,
}

impl WorkerState {
    /// Milliseconds for one standard picture of `model` here, if it can run it.
    pub fn standard_ms(&self, model: &str) -> Option<f64> {
        self.models.iter().find(|warm| warm.name == model).map(|warm| warm.standard_ms)
    }
}
