//! A job under which a worker died goes alone: if it was the job, it takes nobody else's down with it, and if it was
//! not, that shows.

use dispatch::{Plan, Projection, QueuedJob, Snapshot, WorkerState};
use domain::{JobId, WorkerId};

/// What is planned for such jobs, apart from the others.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Alone {
    assignments: Vec<(JobId, WorkerId)>,
    projections: Vec<Projection>,
}

/// Takes the suspects out of the queue, and the workers that they are given or wait for out of the fleet.
///
/// Each in turn, the oldest first, takes the worker that would be done with it first, and is bound to it once that
/// holds nothing; until then the worker is given nothing else. So no suspect waits for ever, and of the workers that
/// take jobs at least half are left to the others, or where there is one alone, it does both in turn.
pub(super) fn set_apart(snapshot: &mut Snapshot, is_suspect: impl Fn(JobId) -> bool) -> Alone {
    let mut suspects: Vec<QueuedJob> = snapshot.queue.extract_if(.., |job| is_suspect(job.id)).collect();
    suspects.sort_by(|a, b| b.waited_ms.total_cmp(&a.waited_ms));
    let taking = snapshot.workers.iter().filter(|worker| !worker.draining).count();
    let mut left = (taking / 2).max(1).min(taking);
    let mut alone = Alone::default();
    for job in suspects {
        let best = snapshot.workers.iter_mut().filter(|worker| !worker.draining && !job.avoid.contains(&worker.id));
        let times = best.filter_map(|worker| Some((times(&job, worker)?, worker)));
        let Some(((start_ms, finish_ms), worker)) = times.min_by(|(a, _), (b, _)| a.1.total_cmp(&b.1)) else {
            continue;
        };
        let bound = left > 0 && worker.held.is_empty();
        alone.projections.push(Projection { job: job.id, start_ms, finish_ms, bound });
        if bound {
            alone.assignments.push((job.id, worker.id.clone()));
        }
        if left > 0 {
            worker.draining = true;
            left -= 1;
        }
    }
    alone
}

impl Alone {
    /// Adds it to the plan for the others.
    pub(super) fn join(self, plan: &mut Plan) {
        plan.assignments.extend(self.assignments);
        // They waited longest, having been handed out before.
        plan.projections.splice(..0, self.projections);
    }
}

/// When the job could start here alone, and finish, in milliseconds from now.
fn times(job: &QueuedJob, worker: &WorkerState) -> Option<(f64, f64)> {
    let model = worker.model(&job.model)?;
    let held_ms: f64 = worker.held.iter().map(|held| held.remaining_ms).sum();
    let start_ms = held_ms * worker.slowdown + model.load_ms;
    Some((start_ms, start_ms + job.work * model.standard_ms * worker.slowdown))
}

#[cfg(test)]
mod tests {
    use dispatch::{HeldJob, Lane, Length, ModelState};
    use domain::DeviceId;

    use super::*;

    fn job(number: u128, avoid: &[&str]) -> QueuedJob {
        QueuedJob {
            id: JobId::from_random(number),
            owner: DeviceId::from_random(number),
            lane: Lane::Standard,
            length: Length::Short,
            model: "starter".into(),
            batch_key: 0,
            work: 1.0,
            waited_ms: 100.0 - number as f64,
            avoid: avoid.iter().map(|name| WorkerId((*name).into())).collect(),
        }
    }

    fn worker(name: &str, held: usize) -> WorkerState {
        let busy = HeldJob {
            owner: DeviceId::from_random(99),
            lane: Lane::Standard,
            length: Length::Short,
            batch_key: 0,
            remaining_ms: 500.0,
            step_left_ms: 50.0,
        };
        WorkerState {
            id: WorkerId(name.into()),
            models: vec![ModelState { name: "starter".into(), standard_ms: 1_000.0, load_ms: 0.0 }],
            concurrency: 4,
            batch_gain: 2.0,
            steps_aside: false,
            hands_over: true,
            slowdown: 1.0,
            held: vec![busy; held],
            draining: false,
        }
    }

    fn names(alone: &Alone) -> Vec<(JobId, &str)> {
        alone.assignments.iter().map(|(job, worker)| (*job, worker.0.as_str())).collect()
    }

    #[test]
    fn a_suspect_goes_to_an_empty_worker_that_nobody_else_gets() {
        let workers = vec![worker("a", 1), worker("b", 0), worker("c", 0)];
        let mut snapshot = Snapshot { queue: vec![job(1, &[]), job(2, &["b"])], workers, ..Snapshot::default() };
        let alone = set_apart(&mut snapshot, |job| job == JobId::from_random(2));
        assert_eq!(names(&alone), [(JobId::from_random(2), "c")]);
        let open: Vec<bool> = snapshot.workers.iter().map(|worker| worker.draining).collect();
        assert_eq!((open, snapshot.queue.len()), (vec![false, false, true], 1));
    }

    #[test]
    fn where_all_are_busy_one_is_kept_free_for_it_and_at_most_half_are() {
        let workers = vec![worker("a", 3), worker("b", 1), worker("c", 2), worker("d", 2)];
        let queue = (1..=4).map(|number| job(number, &[])).collect();
        let mut snapshot = Snapshot { queue, workers, ..Snapshot::default() };
        let alone = set_apart(&mut snapshot, |_| true);
        assert_eq!((names(&alone), alone.projections.len()), (vec![], 4));
        assert!(snapshot.workers[1].draining, "the one that is free first");
        assert_eq!(snapshot.workers.iter().filter(|worker| worker.draining).count(), 2);
    }

    #[test]
    fn the_only_worker_does_it_when_it_is_done_with_the_rest() {
        let mut snapshot = Snapshot { queue: vec![job(1, &[])], workers: vec![worker("a", 1)], ..Snapshot::default() };
        assert_eq!(names(&set_apart(&mut snapshot.clone(), |_| true)), []);
        snapshot.workers[0].held.clear();
        assert_eq!(names(&set_apart(&mut snapshot, |_| true)).len(), 1);
    }
}
