//! A lease, as the dispatcher counts it.

use std::collections::HashMap;
use std::sync::Arc;

use dispatch::{Estimate, HeldJob, Lane, Length};
use domain::{DeviceId, WorkerId};

/// A lease that has been committed.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub epoch: i32,
    pub owner: DeviceId,
    pub lane: Lane,
    pub length: Length,
    pub model: Arc<str>,
    pub batch_key: u64,
    /// Standard pictures that were missing when it was leased.
    pub work: f64,
    pub pictures: u32,
    /// Milliseconds for all of it, were it alone on a worker that is not slowed down: expected, and corrected by
    /// its own steps.
    pub(super) expected: Estimate,
    /// A worker died while it held this job before.
    pub suspect: bool,
    /// When it was leased, or found.
    pub(super) since_ms: f64,
    /// What was expected of all of it when it was leased.
    pub expected_ms: f64,
    /// Share of the work that is done, from 0 to 1, and when that was told.
    pub(super) done: f64,
    pub(super) told_at_ms: f64,
    /// Share of the work that one step is.
    pub(super) step: f64,
    /// Share of each unfinished picture.
    pub(super) shares: HashMap<u32, f64>,
    /// Workers that must not have it.
    pub avoid: Vec<WorkerId>,
    /// How often it went to another worker while it ran.
    pub moves: u32,
    /// All of it is made under this lease: what it takes says how fast the worker is.
    pub whole: bool,
    /// It has just come from another worker.
    pub(super) came: Option<Came>,
}

/// How a job came from another worker, to learn what that takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came {
    /// When the other worker told its last step.
    pub left_ms: f64,
    /// Nothing else was held here, so that only the way and the switch took time.
    pub alone: bool,
}

impl Held {
    pub(super) fn new(epoch: i32, job: &dispatch::QueuedJob, pictures: u32, suspect: bool, now_ms: f64) -> Self {
        Self {
            epoch,
            owner: job.owner,
            lane: job.lane,
            length: job.length,
            model: job.model.clone(),
            batch_key: job.batch_key,
            work: job.work,
            pictures,
            expected: Estimate::prior(0.0),
            suspect,
            since_ms: now_ms,
            expected_ms: 0.0,
            done: 0.0,
            told_at_ms: now_ms,
            step: 0.0,
            shares: HashMap::new(),
            avoid: job.avoid.clone(),
            moves: 0,
            whole: true,
            came: None,
        }
    }

    /// What remains, by the last step that was told and the time since, a step's worth of it at most.
    pub(super) fn as_planned(&self, now_ms: f64, first: bool) -> HeldJob {
        let since_ms = (now_ms - self.told_at_ms).max(0.0);
        let step_ms = self.expected.mean_ms * self.step;
        let into_step_ms = if first { since_ms.min(step_ms) } else { 0.0 };
        HeldJob {
            owner: self.owner,
            lane: self.lane,
            length: self.length,
            batch_key: self.batch_key,
            remaining_ms: (self.expected.mean_ms * (1.0 - self.done) - into_step_ms).max(0.0),
            step_left_ms: (step_ms - into_step_ms).max(0.0),
        }
    }
}
