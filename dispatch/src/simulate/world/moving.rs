//! Long jobs that move between workers while they run.

use super::{Dispatcher, World};
use crate::estimate::Estimate;
use crate::moves::{Movable, faster_worker, gives_way};
use crate::snapshot::{Length, Snapshot};

/// A long job that gave way.
pub(super) struct Resting {
    pub steps_done: u32,
    pub moves: u32,
    /// It waits for short ones until then at most.
    pub until_ms: f64,
}

impl World<'_> {
    /// Moves a long job that has just done a step to a worker that finishes it sooner. Returns whether it did.
    pub(super) fn move_on(&mut self, from: usize, job: usize) -> bool {
        let class = self.jobs[job].class;
        let long = self.workload.classes[class].length() == Length::Long;
        let ours = matches!(self.dispatcher, Dispatcher::WithTicks | Dispatcher::WithoutTicks);
        let may = long && self.queue.is_empty() && ours;
        let Some(policy) = self.policy.moves.filter(|_| may) else { return false };
        let Some(at) = self.workers[from].bench.iter().position(|session| session.job == job) else { return false };
        let moves = self.workers[from].bench[at].moves;
        let workers = self.snapshot().workers;
        let movable = Movable { from, model: &self.models[class], avoid: &[], moves };
        let Some(to) = faster_worker(&workers, &movable, &policy) else { return false };
        let mut session = self.workers[from].bench.remove(at);
        session.moves += 1;
        let step_ms = session.step.mean_ms * self.workload.speeds[from] / self.workload.speeds[to];
        session.step = Estimate::prior(step_ms);
        (session.came_ms, session.transfer_ms) = (self.now, policy.transfer_ms);
        self.workers[to].bench.push(session);
        if self.workers[to].running.is_none() {
            self.step(to);
        }
        true
    }

    /// Puts a long job that has just done a step back into the queue, where it can't step aside and a short one has
    /// waited long enough. Returns whether it did.
    pub(super) fn give_way(&mut self, from: usize, job: usize) -> bool {
        let class = self.jobs[job].class;
        let long = self.workload.classes[class].length() == Length::Long;
        let may = long && self.dispatcher == Dispatcher::WithoutTicks && self.shorts_wait();
        let Some(policy) = self.policy.moves.filter(|_| may) else { return false };
        let Some(at) = self.workers[from].bench.iter().position(|session| session.job == job) else { return false };
        let moves = self.workers[from].bench[at].moves;
        let Snapshot { queue, workers, .. } = self.snapshot();
        let Some(short) = queue.iter().find(|job| job.length == Length::Short) else { return false };
        let movable = Movable { from, model: &self.models[class], avoid: &[], moves };
        if !gives_way(&workers, &movable, short, self.now - self.gave_way_ms, &policy) {
            return false;
        }
        let session = self.workers[from].bench.remove(at);
        self.gave_way_ms = self.now;
        let until_ms = self.now + policy.longest_rest_ms;
        self.resting.insert(job, Resting { steps_done: session.steps_done, moves: moves + 1, until_ms });
        self.queue.push_back(job);
        self.queue.make_contiguous().sort_unstable();
        true
    }

    /// Whether this job has given way to short ones that still wait.
    pub(super) fn rests(&self, job: usize, shorts_wait: bool) -> bool {
        shorts_wait && self.resting.get(&job).is_some_and(|resting| self.now < resting.until_ms)
    }

    /// Whether any short job is in the queue.
    pub(super) fn shorts_wait(&self) -> bool {
        self.queue.iter().any(|job| self.workload.classes[self.jobs[*job].class].length() == Length::Short)
    }
}
