//! Long jobs that move between workers while they run.

use super::{Dispatcher, World};
use crate::estimate::Estimate;
use crate::moves::{Movable, faster_worker};
use crate::snapshot::Length;

impl World<'_> {
    /// Moves a long job that has just done a step to a worker that finishes it sooner. Returns whether it did.
    pub(super) fn move_on(&mut self, from: usize, job: usize) -> bool {
        let class = self.jobs[job].class;
        let long = self.workload.classes[class].length() == Length::Long;
        let may = long && self.queue.is_empty() && self.dispatcher == Dispatcher::WithTicks;
        let Some(policy) = self.policy.moves.filter(|_| may) else { return false };
        let Some(at) = self.workers[from].bench.iter().position(|session| session.job == job) else { return false };
        let moves = self.workers[from].bench[at].moves;
        let workers = self.snapshot().workers;
        let movable = Movable { from, model: &self.models[class], moves };
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
}
