//! What a plan costs: `cargo run --release -p dispatch --example placement`.
//!
//! Prints the median of several plans, beside what the plainest scan of every
//! worker for every job takes on the same snapshot, which knows no lanes, no
//! long jobs and no sharing.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the time; nothing depends on what it says")]
#![expect(clippy::print_stdout, reason = "a program that prints")]

use std::hint::black_box;
use std::time::Instant;

use dispatch::{HeldJob, Lane, Length, ModelState, Policy, QueuedJob, Snapshot, WorkerState, plan};
use domain::{DeviceId, JobId, WorkerId};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const REPETITIONS: usize = 15;

fn main() {
    println!("| workers | queued | cold workers | fastest | plan, median | slowest | plain scan | times faster |");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (workers, queued, cold) in [(7, 1_000, 0), (100, 10_000, 0), (1_000, 100_000, 0), (1_000, 100_000, 10)] {
        let snapshot = snapshot(workers, queued, f64::from(cold) / 100.0);
        let policy = Policy::default();
        let plans = timed(REPETITIONS, || black_box(plan(black_box(&snapshot), &policy)).projections.len());
        let scans = timed(3, || black_box(scan(black_box(&snapshot))).len());
        let (median, slowest, scan) = (plans[plans.len() / 2], plans[plans.len() - 1], scans[scans.len() / 2]);
        println!(
            "| {workers} | {queued} | {cold} % | {:.2} ms | {median:.2} ms | {slowest:.2} ms | {scan:.2} ms | {:.1} |",
            plans[0],
            scan / median
        );
    }
}

/// Milliseconds of each run, sorted.
fn timed(repetitions: usize, mut run: impl FnMut() -> usize) -> Vec<f64> {
    let mut times: Vec<f64> = (0..repetitions)
        .map(|_| {
            let began = Instant::now();
            black_box(run());
            began.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Least completion by looking at every worker for every job, oldest job first.
fn scan(snapshot: &Snapshot) -> Vec<(usize, f64)> {
    let mut free_ms: Vec<f64> =
        snapshot.workers.iter().map(|worker| worker.held.iter().map(|held| held.remaining_ms).sum()).collect();
    let mut placements = Vec::with_capacity(snapshot.queue.len());
    for job in &snapshot.queue {
        let completion = |at: usize| {
            let model = snapshot.workers[at].models.iter().find(|model| model.name == job.model);
            model.map_or(f64::INFINITY, |model| free_ms[at] + model.load_ms + job.work * model.standard_ms)
        };
        let times = (0..free_ms.len()).map(|at| (at, completion(at)));
        if let Some((best, finish_ms)) = times.min_by(|a, b| a.1.total_cmp(&b.1)) {
            free_ms[best] = finish_ms;
            placements.push((best, finish_ms));
        }
    }
    placements
}

/// Workers of speeds 0.7 to 1.3 that have an image and a video model, a share of them not loaded, most of them
/// busy, half of them such that step aside; jobs of 20,000 owners, of which one in ten has priority and 15 in a thousand are long.
fn snapshot(workers: usize, queued: usize, cold: f64) -> Snapshot {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let names: [std::sync::Arc<str>; 2] = ["image".into(), "video".into()];
    let queue = (0..queued).map(|id| {
        let long = rng.random_bool(0.015);
        QueuedJob {
            id: JobId::from_random(id as u128),
            owner: DeviceId::from_random(rng.random_range(0..20_000)),
            lane: if rng.random_bool(0.1) { Lane::Priority } else { Lane::Standard },
            length: if long { Length::Long } else { Length::Short },
            model: names[usize::from(long)].clone(),
            batch_key: u64::from(long),
            work: if long { rng.random_range(48.0..72.0) } else { rng.random_range(0.8..1.2) },
            waited_ms: (queued - id) as f64 * 10.0,
            avoid: Vec::new(),
        }
    });
    let queue = queue.collect();
    let workers = (0..workers).map(|at| {
        let speed = rng.random_range(0.7..1.3);
        let held = (0..rng.random_range(0..3)).map(|_| HeldJob {
            owner: DeviceId::from_random(rng.random_range(0..20_000)),
            lane: Lane::Standard,
            length: if rng.random_bool(0.2) { Length::Long } else { Length::Short },
            batch_key: 0,
            remaining_ms: rng.random_range(0.0..3_000.0),
            step_left_ms: rng.random_range(0.0..250.0),
        });
        let held = held.collect();
        let load_ms = if rng.random_bool(cold) { 9_000.0 } else { 0.0 };
        let models = names.iter().map(|name| ModelState { name: name.clone(), standard_ms: 3_000.0 / speed, load_ms });
        WorkerState {
            id: WorkerId(at.to_string()),
            models: models.collect(),
            concurrency: 1,
            batch_gain: 1.0,
            steps_aside: rng.random_bool(0.5),
            hands_over: true,
            slowdown: 1.0,
            held,
            draining: false,
        }
    });
    Snapshot { queue, workers: workers.collect(), short_demand: 0.45, ..Snapshot::default() }
}
