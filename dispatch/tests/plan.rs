//! Placement, by example and by property.

use dispatch::{HeldJob, Plan, Policy, QueuedJob, Snapshot, WarmModel, WorkerState, plan};
use domain::{DeviceId, JobId, WorkerId};
use proptest::prelude::*;

fn job(id: u128, owner: u128, pictures: u32) -> QueuedJob {
    QueuedJob {
        id: JobId::from_random(id),
        owner: DeviceId::from_random(owner),
        model: "starter".into(),
        pictures,
        relative_cost: 1.0,
    }
}

fn worker(name: &str, standard_ms: f64, held_ms: &[f64]) -> WorkerState {
    WorkerState {
        id: WorkerId(name.into()),
        models: vec![WarmModel { name: "starter".into(), standard_ms }],
        concurrency: 1,
        held: held_ms.iter().map(|ms| HeldJob { owner: DeviceId::from_random(u128::MAX), remaining_ms: *ms }).collect(),
        draining: false,
    }
}

/// A plan as a person reads it.
fn timeline(plan: &Plan, queue: &[QueuedJob]) -> String {
    let name = |id: &JobId| queue.iter().position(|job| job.id == *id).map_or("?".into(), |at| format!("job {at}"));
    let mut lines: Vec<String> = plan
        .projections
        .iter()
        .map(|p| {
            let bound = plan.assignments.iter().find(|(id, _)| *id == p.job);
            let place = bound.map_or("waits".into(), |(_, worker)| format!("on {worker}"));
            format!("{} {:>5.0} -> {:>5.0} ms {place}", name(&p.job), p.start_ms, p.finish_ms)
        })
        .collect();
    lines.push(String::new());
    lines.join("\n")
}

#[test]
fn a_busy_fast_worker_is_waited_for_when_that_is_sooner() {
    let snapshot = Snapshot {
        queue: vec![job(1, 1, 1)],
        workers: vec![worker("fast", 1_000.0, &[500.0]), worker("slow", 4_000.0, &[])],
    };
    let plan = plan(&snapshot, &Policy::default());
    assert_eq!(timeline(&plan, &snapshot.queue), "job 0   500 ->  1500 ms waits\n");
}

#[test]
fn a_worker_about_to_come_free_prefetches_one_job_only() {
    let snapshot = Snapshot { queue: vec![job(1, 1, 1), job(2, 2, 1)], workers: vec![worker("a", 1_000.0, &[100.0])] };
    let plan = plan(&snapshot, &Policy::default());
    assert_eq!(timeline(&plan, &snapshot.queue), "job 0   100 ->  1100 ms on a\njob 1  1100 ->  2100 ms waits\n");
}

#[test]
fn one_persons_fifty_jobs_do_not_hold_up_anothers_first() {
    let mut queue: Vec<QueuedJob> = (0..50).map(|id| job(id, 1, 1)).collect();
    queue.push(job(99, 2, 1));
    let snapshot = Snapshot { queue, workers: vec![worker("a", 1_000.0, &[])] };
    let plan = plan(&snapshot, &Policy::default());
    let place = plan.projections.iter().position(|p| p.job == JobId::from_random(99));
    assert_eq!(place, Some(1));
}

#[test]
fn a_model_nobody_has_waits_without_a_promise() {
    let mut strange = job(1, 1, 1);
    strange.model = "sdxl".into();
    let snapshot = Snapshot { queue: vec![strange, job(2, 2, 1)], workers: vec![worker("a", 1_000.0, &[])] };
    let plan = plan(&snapshot, &Policy::default());
    assert_eq!(plan.assignments, [(JobId::from_random(2), WorkerId("a".into()))]);
    assert_eq!(plan.projections.len(), 1);
}

#[test]
fn a_draining_worker_takes_nothing() {
    let mut leaving = worker("a", 1_000.0, &[]);
    leaving.draining = true;
    let snapshot = Snapshot { queue: vec![job(1, 1, 1)], workers: vec![leaving] };
    assert_eq!(plan(&snapshot, &Policy::default()), Plan::default());
}

proptest! {
    #[test]
    fn plans_are_sound(
        owners in prop::collection::vec(0u128..6, 0..40),
        fleet in prop::collection::vec((100.0f64..5_000.0, 1u32..4, prop::collection::vec(0.0f64..9_000.0, 0..4)), 0..6),
    ) {
        let queue: Vec<QueuedJob> = owners.iter().enumerate().map(|(id, owner)| job(id as u128, *owner, 1)).collect();
        let workers: Vec<WorkerState> = fleet
            .iter()
            .enumerate()
            .map(|(at, (ms, concurrency, held))| WorkerState { concurrency: *concurrency, ..worker(&at.to_string(), *ms, held) })
            .collect();
        let snapshot = Snapshot { queue, workers };
        let first = plan(&snapshot, &Policy::default());
        prop_assert_eq!(&first, &plan(&snapshot, &Policy::default()));
        // No job twice.
        let mut seen: Vec<JobId> = first.assignments.iter().map(|(id, _)| *id).collect();
        seen.sort();
        seen.dedup();
        prop_assert_eq!(seen.len(), first.assignments.len());
        // No worker beyond its places and one prefetched job.
        for worker in &snapshot.workers {
            let added = first.assignments.iter().filter(|(_, id)| *id == worker.id).count();
            if added > 0 {
                prop_assert!(worker.held.len() + added <= worker.concurrency as usize + 1);
            }
        }
        // Every job that can run has a projection.
        let expected = if snapshot.workers.is_empty() { 0 } else { snapshot.queue.len() };
        prop_assert_eq!(first.projections.len(), expected);
    }

    #[test]
    fn no_place_stays_empty_while_equal_workers_have_work(jobs in 0u128..20, workers in 1usize..6) {
        let snapshot = Snapshot {
            queue: (0..jobs).map(|id| job(id, id, 1)).collect(),
            workers: (0..workers).map(|at| worker(&at.to_string(), 1_000.0, &[])).collect(),
        };
        let plan = plan(&snapshot, &Policy::default());
        prop_assert_eq!(plan.assignments.len(), (jobs as usize).min(workers));
    }
}
