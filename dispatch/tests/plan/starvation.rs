//! Nobody waits for ever: the planner in a loop, against arrivals that mean ill.

use std::collections::HashMap;

use dispatch::{HeldJob, Lane, Length, Policy, QueuedJob, Snapshot, WorkerState, plan};
use domain::{DeviceId, JobId};
use proptest::prelude::*;

use crate::fleet::{image, video, worker};

/// Milliseconds between two looks.
const LOOK_MS: f64 = 250.0;

/// Runs for `minutes` with what `arrivals` brings at each look, and returns how long each job waited for its
/// start, in milliseconds; those that never started have waited to the end.
///
/// Every worker makes one job at a time; one that steps aside lets images pass a video.
fn waits(mut fleet: Vec<WorkerState>, minutes: u32, mut arrivals: impl FnMut(u32) -> Vec<QueuedJob>) -> Waits {
    let mut queue: Vec<(f64, QueuedJob)> = Vec::new();
    let mut waited = HashMap::new();
    let looks = minutes * 240;
    for look in 0..looks {
        let now = f64::from(look) * LOOK_MS;
        queue.extend(arrivals(look).into_iter().map(|job| (now, job)));
        for (since, job) in &mut queue {
            job.waited_ms = now - *since;
        }
        let short_demand = 0.6;
        let snapshot = Snapshot {
            queue: queue.iter().map(|(_, job)| job.clone()).collect(),
            workers: fleet.clone(),
            short_demand,
            ..Snapshot::default()
        };
        for (id, to) in plan(&snapshot, &Policy::default()).assignments {
            let at = queue.iter().position(|(_, job)| job.id == id).expect("a queued job");
            let (since, job) = queue.remove(at);
            waited.insert(id, (job.length, job.lane, now - since));
            let worker = fleet.iter_mut().find(|worker| worker.id == to).expect("a worker");
            let remaining_ms = job.work * worker.model(&job.model).expect("the model").standard_ms;
            worker.held.push(HeldJob {
                owner: job.owner,
                lane: job.lane,
                length: job.length,
                batch_key: job.batch_key,
                remaining_ms,
                step_left_ms: 0.0,
            });
        }
        for worker in &mut fleet {
            run_for(worker, LOOK_MS);
        }
    }
    let end = f64::from(looks) * LOOK_MS;
    let left = queue.into_iter().map(|(since, job)| (job.id, (job.length, job.lane, end - since)));
    waited.extend(left);
    Waits(waited)
}

struct Waits(HashMap<JobId, (Length, Lane, f64)>);

impl Waits {
    fn longest(&self, of: impl Fn(Length, Lane) -> bool) -> f64 {
        self.0.values().filter(|(length, lane, _)| of(*length, *lane)).map(|(_, _, ms)| *ms).fold(0.0, f64::max)
    }
}

fn run_for(worker: &mut WorkerState, mut ms: f64) {
    while ms > 0.0 && !worker.held.is_empty() {
        let first_image = worker.held.iter().position(|held| held.length == Length::Short);
        let at = first_image.filter(|_| worker.steps_aside).unwrap_or(0);
        let spent = worker.held[at].remaining_ms.min(ms);
        worker.held[at].remaining_ms -= spent;
        ms -= spent;
        if worker.held[at].remaining_ms <= 0.0 {
            worker.held.remove(at);
        }
    }
}

fn three(steps_aside: bool) -> Vec<WorkerState> {
    [("fast", 1_000.0), ("even", 1_300.0), ("slow", 2_000.0)]
        .map(|(name, ms)| WorkerState { steps_aside, ..worker(name, ms) })
        .into()
}

/// An image each second or so, and now and then a video: about nine tenths of what the three get done.
fn stream(look: u32, seed: u64) -> Vec<QueuedJob> {
    let id = u128::from(look) * 4;
    let hash = (u64::from(look) + 1).wrapping_mul(seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let lane = if hash & 1 == 0 { Lane::Priority } else { Lane::Standard };
    let mut jobs = Vec::new();
    if hash % 4 == 0 {
        jobs.push(QueuedJob { lane, ..image(id) });
    }
    if hash % 240 == 1 {
        jobs.push(QueuedJob { lane, work: 40.0, ..video(id + 1) });
    }
    jobs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn every_job_starts_in_time_at_nine_tenths_of_the_load(seed in any::<u64>(), steps_aside in any::<bool>()) {
        let waits = waits(three(steps_aside), 40, |look| stream(look, seed));
        let short = waits.longest(|length, _| length == Length::Short);
        let long = waits.longest(|length, _| length == Length::Long);
        // Images wait for images, and for a video's whole length where it can't step aside.
        prop_assert!(short <= if steps_aside { 60_000.0 } else { 300_000.0 }, "an image waited {short} ms");
        prop_assert!(long <= 15.0 * 60_000.0, "a video waited {long} ms");
    }
}

#[test]
fn a_flood_of_new_people_does_not_hold_back_anybodys_second_picture_for_ever() {
    let regular = DeviceId::from_random(7);
    // Ten pictures of one person, and then more first pictures of others than the worker can make.
    let waits = waits(vec![worker("a", 1_000.0)], 90, |look| {
        let id = u128::from(look);
        match look {
            0..10 => vec![QueuedJob { owner: regular, ..image(id) }],
            _ if look % 4 == 0 => vec![image(id)],
            _ => Vec::new(),
        }
    });
    let second = waits.0[&JobId::from_random(1)].2;
    assert!(second <= 11.0 * 60_000.0, "the second picture waited {second} ms");
    let tenth = waits.0[&JobId::from_random(9)].2;
    assert!(tenth < 90.0 * 60_000.0, "the tenth picture never started");
}

#[test]
fn a_flood_in_the_priority_lane_leaves_the_standard_lane_its_share() {
    for workers in [1, 3] {
        let fleet = (0..workers).map(|at| worker(&at.to_string(), 1_000.0)).collect();
        let waits = waits(fleet, 10, |look| {
            let id = u128::from(look) * 20;
            let mut jobs: Vec<_> = (0..8).map(|n| QueuedJob { lane: Lane::Priority, ..image(id + n) }).collect();
            if look % 40 == 0 {
                jobs.push(image(id + 19));
            }
            jobs
        });
        let standard = waits.longest(|_, lane| lane == Lane::Standard);
        assert!(standard <= 10_000.0, "{workers} workers: a standard job waited {standard} ms");
    }
}

#[test]
fn a_flood_of_images_does_not_keep_a_video_from_starting() {
    for steps_aside in [true, false] {
        let waits = waits(three(steps_aside), 20, |look| {
            let id = u128::from(look) * 4;
            // Twice as many images as the fleet can make.
            let mut jobs = vec![image(id), image(id + 1)];
            if look == 400 {
                jobs.push(video(id + 2));
            }
            jobs
        });
        // It waits for those that were there before it, as everybody does, and for nobody who came later.
        let (_, _, video) = waits.0.values().find(|(length, ..)| *length == Length::Long).copied().expect("a video");
        assert!(video <= 400_000.0, "the video waited {video} ms");
    }
}

#[test]
fn workers_that_come_and_go_lose_nobody() {
    let mut fleet = three(true);
    fleet[0].draining = true;
    let waits = waits(fleet, 5, |look| if look < 40 { vec![image(u128::from(look))] } else { Vec::new() });
    assert_eq!(waits.0.len(), 40);
    assert!(waits.longest(|_, _| true) <= 60_000.0);
}
