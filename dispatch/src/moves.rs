//! When a long job that runs is better finished on another worker, its latents carried along between two steps.
//!
//! So far only the simulator asks: workers can't hand over a session yet.

use crate::snapshot::{Length, WorkerState};

/// Numbers that shape a move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovePolicy {
    /// Milliseconds until the other worker can go on: sending the latents, and switching to the model.
    pub transfer_ms: f64,
    /// A move must bring the end forward by this many milliseconds, or small differences would send jobs around.
    pub least_gain_ms: f64,
}

impl Default for MovePolicy {
    fn default() -> Self {
        Self { transfer_ms: 1_300.0, least_gain_ms: 5_000.0 }
    }
}

/// The worker, by position, on which the long job of `workers[from]` would be done soonest, if it is worth it.
///
/// It must have the job's model loaded, hold no long job, and be able to put one aside for short ones. What short
/// ones it holds are waited for. A job moves only while nobody waits in the queue, so it takes nobody's place; the
/// caller sees to that.
pub fn faster_worker(workers: &[WorkerState], from: usize, model: &str, policy: &MovePolicy) -> Option<usize> {
    let of_length = |worker: &WorkerState, length| -> Option<f64> {
        let held = worker.held.iter().filter(|held| held.length == length);
        held.map(|held| held.remaining_ms.max(0.0) * worker.slowdown.max(1.0)).reduce(|a, b| a + b)
    };
    let standard_ms = |worker: &WorkerState| {
        let loaded = worker.model(model).filter(|model| model.load_ms <= 0.0);
        loaded.map(|model| (model.standard_ms * worker.slowdown.max(1.0)).max(1e-3))
    };
    let remaining_ms = of_length(&workers[from], Length::Long)?;
    let here_ms = standard_ms(&workers[from])?;
    let finish_ms = |to: &WorkerState| {
        let takes_it = to.steps_aside && !to.draining && of_length(to, Length::Long).is_none();
        let there_ms = standard_ms(to).filter(|_| takes_it)?;
        let busy_ms = of_length(to, Length::Short).unwrap_or(0.0);
        Some(busy_ms + policy.transfer_ms + remaining_ms * there_ms / here_ms)
    };
    let places = workers.iter().enumerate().filter(|(at, _)| *at != from);
    let finishes = places.filter_map(|(at, worker)| Some((at, finish_ms(worker)?)));
    let (at, finish_ms) = finishes.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (remaining_ms - finish_ms >= policy.least_gain_ms).then_some(at)
}

#[cfg(test)]
mod tests {
    use domain::{DeviceId, WorkerId};

    use super::*;
    use crate::snapshot::{HeldJob, Lane, ModelState};

    fn worker(standard_ms: f64, held: &[(Length, f64)]) -> WorkerState {
        let job = |(length, remaining_ms): &(Length, f64)| HeldJob {
            owner: DeviceId::from_random(1),
            lane: Lane::Standard,
            length: *length,
            batch_key: 0,
            remaining_ms: *remaining_ms,
            step_left_ms: 0.0,
        };
        WorkerState {
            id: WorkerId(standard_ms.to_string()),
            models: vec![ModelState { name: "film".into(), standard_ms, load_ms: 0.0 }],
            concurrency: 1,
            batch_gain: 1.0,
            steps_aside: true,
            slowdown: 1.0,
            held: held.iter().map(job).collect(),
            draining: false,
        }
    }

    fn to(others: Vec<WorkerState>) -> Option<usize> {
        let mut workers = vec![worker(1_000.0, &[(Length::Long, 60_000.0)])];
        workers.extend(others);
        faster_worker(&workers, 0, "film", &MovePolicy::default())
    }

    #[test]
    fn a_video_moves_to_the_worker_that_finishes_it_first() {
        assert_eq!(to(vec![worker(800.0, &[]), worker(700.0, &[])]), Some(2));
        // Behind ten seconds of images the fastest would be later than the next.
        assert_eq!(to(vec![worker(800.0, &[]), worker(700.0, &[(Length::Short, 10_000.0)])]), Some(1));
    }

    #[test]
    fn it_stays_where_little_would_be_won_or_nobody_can_take_it() {
        assert_eq!(to(vec![worker(900.0, &[])]), None);
        assert_eq!(to(vec![worker(500.0, &[(Length::Long, 1_000.0)])]), None);
        assert_eq!(to(vec![WorkerState { draining: true, ..worker(500.0, &[]) }]), None);
        assert_eq!(to(vec![WorkerState { steps_aside: false, ..worker(500.0, &[]) }]), None);
        assert_eq!(to(vec![WorkerState { slowdown: 2.0, ..worker(500.0, &[]) }]), None);
        assert_eq!(to(vec![WorkerState { models: Vec::new(), ..worker(500.0, &[]) }]), None);
    }
}
