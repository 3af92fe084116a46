//! When a long job that runs leaves its worker between two steps, its latents carried along: because it is better
//! finished on another one, or because short ones have waited long enough for a worker that can't put it aside.

use domain::WorkerId;

use crate::snapshot::{Length, QueuedJob, WorkerState};

/// Numbers that shape a move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovePolicy {
    /// Milliseconds until the other worker can go on: sending the latents, and switching to the model.
    pub transfer_ms: f64,
    /// A move must bring the end forward by this many milliseconds, or small differences would send jobs around.
    pub least_gain_ms: f64,
    /// How often one job may move.
    pub most_moves: u32,
    /// Where long jobs can't step aside, one gives way once a short one has waited this many milliseconds: it goes
    /// back into the queue with what there is of it.
    pub patience_ms: f64,
    /// Milliseconds between two that give way: the first may be enough.
    pub pause_ms: f64,
    /// One that gave way stays in the queue while short ones wait, but not longer than this many milliseconds.
    pub longest_rest_ms: f64,
    /// One that is done within this many milliseconds does not give way.
    pub least_left_ms: f64,
}

/// The long job that might move.
#[derive(Clone, Copy, Debug)]
pub struct Movable<'a> {
    /// The worker, by position, that works on it.
    pub from: usize,
    pub model: &'a str,
    /// Workers that must not have it.
    pub avoid: &'a [WorkerId],
    /// How often it has moved before.
    pub moves: u32,
}

impl Default for MovePolicy {
    fn default() -> Self {
        Self {
            transfer_ms: 1_300.0,
            least_gain_ms: 5_000.0,
            most_moves: 4,
            patience_ms: 10_000.0,
            pause_ms: 3_000.0,
            longest_rest_ms: 60_000.0,
            least_left_ms: 20_000.0,
        }
    }
}

/// The worker, by position, on which the job would be done soonest, if it is worth it.
///
/// Both workers must be able to hand sessions over. The other one must have the job's model loaded, hold no long job,
/// and be able to put one aside for short ones if the first one is. What short ones it holds are waited for. A job moves only while nobody
/// waits in the queue, so it takes nobody's place; the caller sees to that. A worker that is to get empty gives its
/// job away although it ends no sooner elsewhere, unless it is almost done.
pub fn faster_worker(workers: &[WorkerState], job: &Movable<'_>, policy: &MovePolicy) -> Option<usize> {
    let of_length = |worker: &WorkerState, length| -> Option<f64> {
        let held = worker.held.iter().filter(|held| held.length == length);
        held.map(|held| held.remaining_ms.max(0.0) * worker.slowdown.max(1.0)).reduce(|a, b| a + b)
    };
    let standard_ms = |worker: &WorkerState| {
        let loaded = worker.model(job.model).filter(|model| model.load_ms <= 0.0);
        loaded.map(|model| (model.standard_ms * worker.slowdown.max(1.0)).max(1e-3))
    };
    let from = workers.get(job.from).filter(|from| from.hands_over && job.moves < policy.most_moves)?;
    let remaining_ms = of_length(from, Length::Long)?;
    let here_ms = standard_ms(from)?;
    let finish_ms = |to: &WorkerState| {
        let takes_it = to.hands_over
            && (to.steps_aside || !from.steps_aside)
            && !to.draining
            && !job.avoid.contains(&to.id)
            && of_length(to, Length::Long).is_none();
        let there_ms = standard_ms(to).filter(|_| takes_it)?;
        let busy_ms = of_length(to, Length::Short).unwrap_or(0.0);
        Some(busy_ms + policy.transfer_ms + remaining_ms * there_ms / here_ms)
    };
    let places = workers.iter().enumerate().filter(|(at, _)| *at != job.from);
    let finishes = places.filter_map(|(at, worker)| Some((at, finish_ms(worker)?)));
    let (at, finish_ms) = finishes.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let gain_ms = if from.draining { remaining_ms - policy.transfer_ms } else { remaining_ms - finish_ms };
    (gain_ms >= policy.least_gain_ms).then_some(at)
}

/// Whether the job gives way to a short one that waits, on a worker that can't put it aside.
///
/// `pause_ms` is how long ago the last one gave way, in milliseconds. The worker must have the short one's model, or
/// load it in the time that short ones have patience for.
pub fn gives_way(
    workers: &[WorkerState],
    job: &Movable<'_>,
    short: &QueuedJob,
    pause_ms: f64,
    policy: &MovePolicy,
) -> bool {
    let Some(worker) = workers.get(job.from) else { return false };
    let long = worker.held.iter().filter(|held| held.length == Length::Long);
    let left_ms: f64 = long.map(|held| held.remaining_ms * worker.slowdown.max(1.0)).sum();
    let takes_it = !worker.draining && !short.avoid.contains(&worker.id);
    worker.hands_over
        && !worker.steps_aside
        && job.moves < policy.most_moves
        && left_ms >= policy.least_left_ms
        && short.waited_ms >= policy.patience_ms
        && pause_ms >= policy.pause_ms
        && worker.model(&short.model).is_some_and(|model| takes_it && model.load_ms <= policy.patience_ms)
}

#[cfg(test)]
mod tests {
    use domain::{DeviceId, JobId};

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
            hands_over: true,
            slowdown: 1.0,
            held: held.iter().map(job).collect(),
            draining: false,
        }
    }

    fn from(from: WorkerState, moves: u32, others: Vec<WorkerState>) -> Option<usize> {
        let mut workers = vec![from];
        workers.extend(others);
        faster_worker(&workers, &Movable { from: 0, model: "film", avoid: &[], moves }, &MovePolicy::default())
    }

    fn to(others: Vec<WorkerState>) -> Option<usize> {
        from(worker(1_000.0, &[(Length::Long, 60_000.0)]), 0, others)
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
        let stubborn = |worker| WorkerState { steps_aside: false, ..worker };
        assert_eq!(to(vec![stubborn(worker(500.0, &[]))]), None, "it would not let short ones pass any more");
        let stays = stubborn(worker(1_000.0, &[(Length::Long, 60_000.0)]));
        assert_eq!(from(stays, 0, vec![stubborn(worker(500.0, &[]))]), Some(1));
        assert_eq!(to(vec![WorkerState { slowdown: 2.0, ..worker(500.0, &[]) }]), None);
        assert_eq!(to(vec![WorkerState { models: Vec::new(), ..worker(500.0, &[]) }]), None);
        assert_eq!(to(vec![WorkerState { hands_over: false, ..worker(500.0, &[]) }]), None);
        let old = WorkerState { hands_over: false, ..worker(1_000.0, &[(Length::Long, 60_000.0)]) };
        assert_eq!(from(old, 0, vec![worker(500.0, &[])]), None);
    }

    #[test]
    fn nor_where_it_must_not_go() {
        let workers = [worker(1_000.0, &[(Length::Long, 60_000.0)]), worker(500.0, &[])];
        let avoid = [workers[1].id.clone()];
        let job = Movable { from: 0, model: "film", avoid: &avoid, moves: 0 };
        assert_eq!(faster_worker(&workers, &job, &MovePolicy::default()), None);
        assert_eq!(faster_worker(&workers, &Movable { avoid: &[], ..job }, &MovePolicy::default()), Some(1));
    }

    #[test]
    fn a_job_does_not_move_for_ever() {
        let moved = |moves| from(worker(1_000.0, &[(Length::Long, 60_000.0)]), moves, vec![worker(500.0, &[])]);
        assert_eq!((moved(3), moved(4)), (Some(1), None));
    }

    #[test]
    fn a_long_job_gives_way_when_a_short_one_has_waited_long_enough() {
        let short = |waited_ms| QueuedJob {
            id: JobId::from_random(1),
            owner: DeviceId::from_random(2),
            lane: Lane::Standard,
            length: Length::Short,
            model: "film".into(),
            batch_key: 0,
            work: 1.0,
            waited_ms,
            avoid: Vec::new(),
        };
        let busy = || WorkerState { steps_aside: false, ..worker(1_000.0, &[(Length::Long, 60_000.0)]) };
        let gives = |worker: WorkerState, moves, short: QueuedJob, pause_ms| {
            let job = Movable { from: 0, model: "film", avoid: &[], moves };
            gives_way(&[worker], &job, &short, pause_ms, &MovePolicy::default())
        };
        assert!(gives(busy(), 0, short(10_000.0), f64::INFINITY));
        assert!(!gives(busy(), 0, short(9_999.0), f64::INFINITY), "it has not waited for long");
        assert!(!gives(busy(), 0, short(10_000.0), 2_999.0), "another one has just given way");
        assert!(!gives(busy(), 4, short(10_000.0), f64::INFINITY), "it has moved often enough");
        assert!(!gives(WorkerState { steps_aside: true, ..busy() }, 0, short(10_000.0), f64::INFINITY));
        assert!(!gives(WorkerState { hands_over: false, ..busy() }, 0, short(10_000.0), f64::INFINITY));
        assert!(!gives(WorkerState { draining: true, ..busy() }, 0, short(10_000.0), f64::INFINITY));
        let almost_done = WorkerState { steps_aside: false, ..worker(1_000.0, &[(Length::Long, 19_999.0)]) };
        assert!(!gives(almost_done, 0, short(10_000.0), f64::INFINITY));
        let other = QueuedJob { model: "other".into(), ..short(10_000.0) };
        assert!(!gives(busy(), 0, other, f64::INFINITY), "it would not help");
        let avoided = QueuedJob { avoid: vec![busy().id], ..short(10_000.0) };
        assert!(!gives(busy(), 0, avoided, f64::INFINITY));
        let mut cold = busy();
        cold.models[0].load_ms = 10_001.0;
        assert!(!gives(cold, 0, short(10_000.0), f64::INFINITY), "loading would take too long");
    }

    #[test]
    fn a_worker_that_is_to_get_empty_gives_its_job_away() {
        let leaving = |remaining_ms| WorkerState { draining: true, ..worker(1_000.0, &[(Length::Long, remaining_ms)]) };
        let slower = || vec![worker(1_500.0, &[]), worker(2_000.0, &[])];
        assert_eq!(from(leaving(60_000.0), 0, slower()), Some(1));
        assert_eq!(from(leaving(6_000.0), 0, slower()), None, "it is almost done");
        assert_eq!(from(leaving(60_000.0), 0, vec![worker(500.0, &[(Length::Long, 1.0)])]), None);
    }
}
