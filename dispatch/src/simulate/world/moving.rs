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
        let ours = matches!(self.dispatcher, Dispatcher::WithTicks | Dispatcher::WithoutTicks);
        let may = long && self.queue.is_empty() && ours;
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

    /// The first short job in the queue.
    pub(super) fn oldest_short(&self) -> Option<usize> {
        self.queue.iter().copied().find(|job| self.workload.classes[self.jobs[*job].class].length() == Length::Short)
    }

    pub(super) fn give_way(&mut self, at: usize, job: usize) -> bool {
        let class = self.jobs[job].class;
        let may = self.workload.classes[class].length() == Length::Long && self.dispatcher == Dispatcher::WithoutTicks;
        let Some(policy) = self.policy.moves.filter(|_| may) else { return false };
        let Some(oldest) = self.oldest_short() else { return false };
        let Some(place) = self.workers[at].bench.iter().position(|session| session.job == job) else { return false };
        let session = &self.workers[at].bench[place];
        if self.now - self.jobs[oldest].arrival_ms < policy.patience_ms
            || self.now - self.gave_way_ms < policy.pause_ms
            || session.moves >= policy.most_moves
            || self.remaining_ms(session) < policy.least_left_ms
        {
            return false;
        }
        let session = self.workers[at].bench.remove(place);
        self.gave_way_ms = self.now;
        self.resting.insert(job, (session.steps_done, session.moves + 1, self.now + policy.longest_rest_ms));
        self.queue.push_back(job);
        self.queue.make_contiguous().sort_unstable();
        true
    }
}
