//! How much of the fleet long jobs may hold where they can't step aside.

use super::worker::{Model, Worker};
use crate::plan::LongPolicy;
use crate::snapshot::{Length, QueuedJob};

/// Room for long jobs, for each model.
pub(super) struct Rooms {
    rooms: Vec<Room>,
    short_demand: f64,
    /// Milliseconds that the whole fleet would take for the short jobs that wait.
    waiting_ms: f64,
}

/// Capacity for one model, in standard pictures a millisecond.
#[derive(Clone, Copy, Default)]
struct Room {
    /// Of all workers that have the model.
    total: f64,
    /// Of those among them that hold a long job, or are about to, and can't put it aside.
    held: f64,
}

impl Rooms {
    pub(super) fn of(workers: &[Worker<'_>], models: usize, short_demand: f64) -> Self {
        let mut rooms = Self { rooms: vec![Room::default(); models], short_demand, waiting_ms: 0.0 };
        for worker in workers.iter().filter(|worker| !worker.state.draining) {
            for model in &worker.models {
                rooms.rooms[model.index].total += model.speed();
            }
            if worker.holds_long() && !worker.state.steps_aside {
                rooms.hold(worker);
            }
        }
        rooms
    }

    /// Counts a job that waits.
    pub(super) fn count_waiting(&mut self, job: &QueuedJob, model: usize) {
        let total = self.rooms[model].total;
        if job.length == Length::Short && total > 0.0 {
            self.waiting_ms += job.work / total;
        }
    }

    /// Counts a worker that held no long job until now.
    pub(super) fn hold(&mut self, worker: &Worker<'_>) {
        for model in &worker.models {
            self.rooms[model.index].held += model.speed();
        }
    }

    /// Whether a long job that does not step aside may have this worker; in place of one that it holds now.
    ///
    /// One worker may always have one, however small the share.
    pub(super) fn has_room(&self, job: &QueuedJob, model: usize, worker: &Worker<'_>, policy: &LongPolicy) -> bool {
        let room = self.rooms[model];
        let speed = worker.model(model).map_or(0.0, Model::speed);
        let others = room.held - if worker.holds_long() { speed } else { 0.0 };
        // The sum and the difference of the same numbers need not be exactly nothing.
        let rounding = 1e-9 * room.total;
        let share = policy.share_for(job, self.short_demand, self.waiting_ms);
        others <= rounding || others + speed <= share * room.total + rounding
    }
}
