//! What holds for every queue and every fleet.

use std::collections::HashSet;

use dispatch::{Lane, Length, ModelState, Policy, QueuedJob, Snapshot, WorkerState, plan};
use domain::{DeviceId, WorkerId};
use proptest::prelude::*;

use crate::fleet::{held_image, held_video, image, video, worker};

prop_compose! {
    fn any_job()(
        owner in 0u128..6, long in any::<bool>(), priority in any::<bool>(), key in 0u64..3, work in 0.1f64..80.0,
        waited_ms in 0.0f64..2_000_000.0, avoid in prop::collection::vec(0usize..8, 0..3), strange in 0u8..12,
    ) -> QueuedJob {
        QueuedJob {
            owner: DeviceId::from_random(owner),
            lane: if priority { Lane::Priority } else { Lane::Standard },
            batch_key: key,
            work,
            waited_ms,
            avoid: avoid.into_iter().map(|at| WorkerId(at.to_string())).collect(),
            model: if strange == 0 { "nobody's".into() } else if long { "video".into() } else { "image".into() },
            ..if long { video(0) } else { image(0) }
        }
    }
}

prop_compose! {
    fn any_worker()(
        standard_ms in prop::sample::select(vec![100.0, 1_000.0, 1_020.0, 3_000.0]),
        concurrency in 1u32..5, batch_gain in 1.0f64..4.0, steps_aside in any::<bool>(), slowdown in 1.0f64..3.0,
        draining in 0u8..6, load_ms in prop::sample::select(vec![0.0, 0.0, 9_000.0]), only_images in 0u8..4,
        images in prop::collection::vec(0.0f64..9_000.0, 0..5),
        videos in prop::collection::vec((0.0f64..90_000.0, 0.0f64..3_000.0), 0..2),
    ) -> WorkerState {
        let mut state = WorkerState {
            concurrency, batch_gain, steps_aside, slowdown, draining: draining == 0, ..worker("", standard_ms)
        };
        state.models[0].load_ms = load_ms;
        if only_images == 0 {
            state.models.truncate(1);
        }
        state.held.extend(images.into_iter().map(held_image));
        state.held.extend(videos.into_iter().map(|(remaining_ms, step_ms)| held_video(remaining_ms, step_ms)));
        state
    }
}

/// Seven workers at most, or a hundred so that those of about the same speed are looked at as one.
fn any_fleet() -> impl Strategy<Value = Vec<WorkerState>> {
    prop_oneof![4 => prop::collection::vec(any_worker(), 0..8), 1 => prop::collection::vec(any_worker(), 70..100)]
}

prop_compose! {
    fn any_snapshot()(
        mut queue in prop::collection::vec(any_job(), 0..60), mut workers in any_fleet(), short_demand in 0.0f64..1.5,
    ) -> Snapshot {
        for (id, job) in queue.iter_mut().enumerate() {
            job.id = image(id as u128).id;
        }
        for (at, worker) in workers.iter_mut().enumerate() {
            worker.id = WorkerId(at.to_string());
        }
        Snapshot { queue, workers, short_demand, ..Snapshot::default() }
    }
}

fn can_run(worker: &WorkerState, job: &QueuedJob) -> bool {
    !worker.draining && !job.avoid.contains(&worker.id) && worker.model(&job.model).is_some()
}

/// Capacity for videos, of those workers that `counts`.
fn video_speed(snapshot: &Snapshot, counts: impl Fn(&WorkerState) -> bool) -> f64 {
    let speed = |worker: &WorkerState| {
        let model: &ModelState = worker.model("video")?;
        Some(1.0 / (model.standard_ms * worker.slowdown))
    };
    snapshot.workers.iter().filter(|worker| !worker.draining && counts(worker)).filter_map(speed).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_same_snapshot_gives_the_same_plan(snapshot in any_snapshot()) {
        prop_assert_eq!(plan(&snapshot, &Policy::default()), plan(&snapshot.clone(), &Policy::default()));
    }

    #[test]
    fn every_job_that_can_run_has_one_projection_and_no_other_has(snapshot in any_snapshot()) {
        let plan = plan(&snapshot, &Policy::default());
        let expected: HashSet<_> = snapshot.queue.iter()
            .filter(|job| snapshot.workers.iter().any(|worker| can_run(worker, job)))
            .map(|job| job.id)
            .collect();
        let projected: HashSet<_> = plan.projections.iter().map(|projection| projection.job).collect();
        prop_assert_eq!(projected.len(), plan.projections.len());
        prop_assert_eq!(projected, expected);
        for projection in &plan.projections {
            prop_assert!(projection.start_ms >= 0.0 && projection.finish_ms > projection.start_ms);
        }
    }

    #[test]
    fn a_job_goes_to_one_worker_that_can_run_it(snapshot in any_snapshot()) {
        let plan = plan(&snapshot, &Policy::default());
        let mut seen = HashSet::new();
        for (id, worker) in &plan.assignments {
            prop_assert!(seen.insert(*id), "assigned twice");
            let job = snapshot.queue.iter().find(|job| job.id == *id).expect("a queued job");
            let worker = snapshot.workers.iter().find(|state| state.id == *worker).expect("a worker of the fleet");
            prop_assert!(can_run(worker, job));
        }
        let bound: HashSet<_> = plan.projections.iter().filter(|p| p.bound).map(|p| p.job).collect();
        prop_assert_eq!(seen, bound);
    }

    #[test]
    fn no_worker_is_given_more_than_its_places_and_one_ahead(snapshot in any_snapshot()) {
        let plan = plan(&snapshot, &Policy::default());
        for worker in &snapshot.workers {
            for (length, most) in [(Length::Short, worker.concurrency as usize + 1), (Length::Long, 2)] {
                let held = worker.held.iter().filter(|held| held.length == length).count();
                let given = plan.assignments.iter().filter(|(id, to)| {
                    *to == worker.id && snapshot.queue.iter().any(|job| job.id == *id && job.length == length)
                });
                let given = given.count();
                prop_assert!(given == 0 || held + given <= most, "{held} and {given} on {worker:?}");
            }
        }
    }

    #[test]
    fn videos_that_stay_keep_to_their_share(snapshot in any_snapshot()) {
        let policy = Policy::default();
        let plan = plan(&snapshot, &policy);
        let given = |worker: &WorkerState| plan.assignments.iter().any(|(id, to)| {
            *to == worker.id && snapshot.queue.iter().any(|job| job.id == *id && job.length == Length::Long)
        });
        let holds = |worker: &WorkerState| worker.held.iter().any(|held| held.length == Length::Long);
        let total = video_speed(&snapshot, |_| true);
        let before = video_speed(&snapshot, |worker| !worker.steps_aside && holds(worker));
        let after = video_speed(&snapshot, |worker| !worker.steps_aside && (holds(worker) || given(worker)));
        // What images leave over even for a video that has waited long.
        let share = policy.long.busy_share.max(1.0 - snapshot.short_demand / policy.long.impatient_utilisation);
        let holders = snapshot.workers.iter()
            .filter(|worker| !worker.draining && !worker.steps_aside && (holds(worker) || given(worker)));
        prop_assert!(after <= before.max(share * total) * (1.0 + 1e-9) || holders.count() == 1);
    }

    #[test]
    fn nobody_looks_again_and_again(snapshot in any_snapshot()) {
        let policy = Policy::default();
        let first = plan(&snapshot, &policy);
        prop_assert!(first.look_again_ms.is_none_or(|ms| ms >= 5.0));
        // What was bound is not offered again in the same instant.
        let mut next = snapshot.clone();
        for (id, to) in &first.assignments {
            let at = next.queue.iter().position(|job| job.id == *id).expect("a queued job");
            let job = next.queue.remove(at);
            let worker = next.workers.iter_mut().find(|worker| worker.id == *to).expect("a worker");
            let remaining_ms = job.work * worker.model(&job.model).expect("the model").standard_ms;
            let held = if job.length == Length::Long { held_video(remaining_ms, 0.0) } else { held_image(remaining_ms) };
            worker.held.push(dispatch::HeldJob { owner: job.owner, lane: job.lane, batch_key: job.batch_key, ..held });
        }
        let looks = plan(&next, &policy).look_again_ms;
        prop_assert!(looks.is_none_or(|ms| ms >= 5.0));
    }

    #[test]
    fn no_place_stays_empty_while_equal_workers_have_work(jobs in 0u128..20, workers in 1usize..6) {
        let workers = (0..workers).map(|at| worker(&at.to_string(), 1_000.0));
        let snapshot = crate::fleet::snapshot((0..jobs).map(image), workers);
        let plan = plan(&snapshot, &Policy::default());
        prop_assert_eq!(plan.assignments.len(), (jobs as usize).min(snapshot.workers.len()));
    }
}
