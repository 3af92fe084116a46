//! What the planner looks at: the queue and the fleet at one instant.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{DeviceId, JobId, WorkerId};

/// The queue and the fleet at one instant.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Waiting jobs, oldest first.
    pub queue: Vec<QueuedJob>,
    pub workers: Vec<WorkerState>,
    /// Short work that lately arrived, as a share of what the fleet can do: 0 is none, 1 all it can.
    pub short_demand: f64,
    pub recent: Recent,
}

/// Jobs that were handed out lately, held ones among them: a turn that was had a moment ago counts, also when the
/// planner looks at a fleet that happens to hold nothing.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    pub owners: HashMap<DeviceId, u32>,
    pub priority: u32,
    pub standard: u32,
}

/// How long jobs of a kind take: what decides who steps aside for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Length {
    /// Seconds: an image.
    #[default]
    Short,
    /// Minutes: a video. It steps aside for short ones between its steps.
    Long,
}

/// What a job's owner may expect when many wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    #[default]
    Standard,
    Priority,
}

/// A job that waits for a worker.
#[derive(Clone, Debug)]
pub struct QueuedJob {
    pub id: JobId,
    /// Who it is for; fairness is between owners, not between jobs.
    pub owner: DeviceId,
    pub lane: Lane,
    pub length: Length,
    pub model: Arc<str>,
    /// Jobs with equal keys share forward passes.
    pub batch_key: u64,
    /// Work in standard pictures: what is still missing, times what one costs relative to a standard one.
    pub work: f64,
    /// Milliseconds since it was accepted.
    pub waited_ms: f64,
    /// Workers that must not have it: it was too large for them, or they died under it.
    pub avoid: Vec<WorkerId>,
}

/// A worker that takes jobs.
#[derive(Clone, Debug)]
pub struct WorkerState {
    pub id: WorkerId,
    /// Models it has or can load.
    pub models: Vec<ModelState>,
    /// Short jobs it works on at the same time.
    pub concurrency: u32,
    /// Work it gets done at full concurrency relative to one job at a time, when all share passes.
    pub batch_gain: f64,
    /// A long job here steps aside for short ones between its steps: their models fit side by side.
    pub steps_aside: bool,
    /// It can give a job away between two steps, and go on with one that another worker gave away.
    pub hands_over: bool,
    /// How many times longer than usual everything takes now, 1 or more: a hot or throttled device.
    pub slowdown: f64,
    /// Jobs it holds, by the head's own count.
    pub held: Vec<HeldJob>,
    /// Finishing up: takes nothing new.
    pub draining: bool,
}

/// A model on a worker.
#[derive(Clone, Debug)]
pub struct ModelState {
    pub name: Arc<str>,
    /// Milliseconds for a standard picture on this worker when it is not slowed down.
    pub standard_ms: f64,
    /// Milliseconds until it could begin: 0 when it is loaded and tried.
    pub load_ms: f64,
}

/// A job that a worker already holds.
#[derive(Clone, Copy, Debug)]
pub struct HeldJob {
    pub owner: DeviceId,
    pub lane: Lane,
    pub length: Length,
    pub batch_key: u64,
    /// Expected milliseconds of work that remain, were it alone.
    pub remaining_ms: f64,
    /// Expected milliseconds until its current step ends, when it could step aside.
    pub step_left_ms: f64,
}

impl WorkerState {
    /// The state of `model` here, if this worker has it or can load it.
    pub fn model(&self, name: &str) -> Option<&ModelState> {
        self.models.iter().find(|model| &*model.name == name)
    }
}
