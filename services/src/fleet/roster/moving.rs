//! Jobs that may go to another worker while they run, as far as the roster knows.

use std::sync::Arc;

use dispatch::{Estimate, Length};
use domain::worker::Lease;
use domain::{JobId, WorkerId};

use super::{Roster, Worker};
use crate::bus::WorkerRecord;
use crate::fleet::held::{Came, Held};

/// A long job that has made a step where it is.
#[derive(Clone, Debug)]
pub(in crate::fleet) struct Runs {
    pub worker: WorkerId,
    pub lease: Lease,
    pub model: Arc<str>,
    /// Workers that must not have it.
    pub avoid: Vec<WorkerId>,
    /// How often it has moved before.
    pub moves: u32,
}

/// A job that has moved: where it is now, and what it still takes there in milliseconds.
#[derive(Clone, Debug)]
pub(in crate::fleet) struct Moved {
    pub record: WorkerRecord,
    pub length: Length,
    pub remaining_ms: f64,
}

impl Roster {
    /// The long jobs that might move, in a stable order: one of each worker, the one that made a step last. A job
    /// under which a worker died stays where it is.
    pub(in crate::fleet) fn runs(&self) -> Vec<Runs> {
        let able = self.workers.iter().filter(|(_, worker)| worker.record.hello.hands_over);
        let mut runs: Vec<Runs> = able
            .filter_map(|(id, worker)| {
                // What has just come has not begun here.
                let steps = |held: &Held| held.came.is_none() && !held.shares.is_empty();
                let long = |held: &Held| held.length == Length::Long && !held.suspect && steps(held);
                let running = worker.held.iter().filter(|(_, held)| long(held));
                let (job, held) = running.max_by(|(_, a), (_, b)| a.told_at_ms.total_cmp(&b.told_at_ms))?;
                let lease = Lease { job: *job, epoch: held.epoch };
                Some(Runs {
                    worker: id.clone(),
                    lease,
                    model: held.model.clone(),
                    avoid: held.avoid.clone(),
                    moves: held.moves,
                })
            })
            .collect();
        runs.sort_by(|a, b| a.worker.cmp(&b.worker));
        runs
    }

    /// Milliseconds until a job that moves goes on, by those that did.
    pub(in crate::fleet) fn transfer_ms(&self) -> Option<f64> {
        self.transfer.map(|estimate| estimate.mean_ms)
    }

    /// Whether a worker that a job was to move to can still take it.
    pub(in crate::fleet) fn takes(&self, worker: &WorkerId, lease: Lease) -> bool {
        let held =
            self.workers.values().find_map(|worker| worker.held.get(&lease.job)).filter(|h| h.epoch == lease.epoch);
        let (Some(to), Some(job)) = (self.workers.get(worker), held) else { return false };
        let hello = &to.record.hello;
        let has_model = hello.models.iter().any(|warm| warm.card.name == *job.model);
        let free = to.held.values().all(|held| held.length == Length::Short && !held.suspect);
        hello.hands_over && has_model && free && !job.avoid.contains(worker) && !to.leaving && !to.drained
    }

    /// A lease was moved to another worker under a new epoch. `None` if one of the two is gone.
    pub(in crate::fleet) fn moved(&mut self, lease: Lease, to: &WorkerId, epoch: i32, now_ms: f64) -> Option<Moved> {
        let holds = |worker: &&mut Worker| worker.held.get(&lease.job).is_some_and(|held| held.epoch == lease.epoch);
        let from = self.workers.values_mut().find(holds)?;
        let mut held = from.held.remove(&lease.job)?;
        let here_ms = from.estimates.get(&*held.model).map(|estimate| estimate.mean_ms);
        let to = self.workers.get_mut(to)?;
        let there_ms = to.estimates.get(&*held.model).map(|estimate| estimate.mean_ms);
        let ratio = here_ms.zip(there_ms).map_or(1.0, |(here_ms, there_ms)| there_ms / here_ms.max(0.1));
        held.expected = Estimate::prior(held.expected.mean_ms * ratio);
        held.came = Some(Came { left_ms: held.told_at_ms, alone: to.held.is_empty() });
        (held.epoch, held.since_ms, held.told_at_ms) = (epoch, now_ms, now_ms);
        (held.moves, held.whole) = (held.moves + 1, false);
        let remaining_ms = held.expected.mean_ms * (1.0 - held.done) * to.slowdown;
        let moved = Moved { record: to.record.clone(), length: held.length, remaining_ms };
        to.held.insert(lease.job, held);
        Some(moved)
    }
}

impl Worker {
    /// What the way of a job took that has made its first step here, in milliseconds, where nothing else was done
    /// meanwhile.
    pub(super) fn arrived(&mut self, job: JobId, epoch: i32, now_ms: f64) -> Option<f64> {
        let held = self.held.get_mut(&job).filter(|held| held.epoch == epoch)?;
        let came = held.came.take()?;
        let step_ms = held.expected.mean_ms * held.step * self.slowdown;
        let ms = (now_ms - came.left_ms - step_ms).max(0.0);
        (came.alone && self.held.len() == 1).then_some(ms)
    }
}
