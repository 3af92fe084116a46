//! The simulator: repeatable, complete, and what it says of incidents.

use dispatch::Policy;
use dispatch::simulate::{
    Comparison, Dispatcher, Incident, IncidentKind, Outcome, Workload, compare, picture, simulate, summarise,
};

/// The files of `docs/workloads`, checked.
fn workloads() -> Vec<(&'static str, Workload)> {
    let files = [
        ("home", include_str!("../../docs/workloads/home.toml")),
        ("equal", include_str!("../../docs/workloads/equal.toml")),
        ("wrong-estimates", include_str!("../../docs/workloads/wrong-estimates.toml")),
        ("incidents", include_str!("../../docs/workloads/incidents.toml")),
    ];
    files.map(|(name, text)| (name, toml::from_str(text).expect(name))).into()
}

/// A short run of the reference workload.
fn small(jobs: usize) -> Workload {
    let (_, home) = workloads().swap_remove(0);
    Workload { jobs, loads: vec![0.8], seeds: vec![1, 2], ..home }
}

fn run(workload: &Workload, dispatcher: Dispatcher) -> Vec<Outcome> {
    simulate(workload, 0.8, 1, dispatcher, &Policy::default())
}

#[test]
fn the_workload_files_are_sound() {
    for (name, workload) in workloads() {
        assert_eq!(workload.check(), Ok(()), "{name}");
    }
}

#[test]
fn a_seed_repeats_a_run_and_another_does_not() {
    let workload = small(3_000);
    for dispatcher in Dispatcher::ALL {
        assert_eq!(run(&workload, dispatcher), run(&workload, dispatcher), "{dispatcher:?}");
    }
    assert_ne!(workload.jobs(0.8, 1), workload.jobs(0.8, 2));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let workload = small(600);
    let policy = Policy::default();
    assert_eq!(compare(&workload, &policy, 1), compare(&workload, &policy, 3));
}

#[test]
fn a_load_is_work_over_what_blind_dealing_gets_done() {
    let workload = small(60_000);
    let jobs = workload.jobs(0.8, 1);
    let (work_ms, span_ms) = (jobs.iter().map(|job| job.work_ms).sum::<f64>(), jobs[jobs.len() - 1].arrival_ms);
    let capacity: f64 = workload.speeds.iter().sum();
    let load = work_ms / span_ms / capacity / workload.blind_share();
    assert!((load - 0.8).abs() < 0.02, "{load}");
    assert!((1.0 / workload.blind_share() - 1.041).abs() < 0.001);
}

#[test]
fn every_job_is_finished_whatever_breaks() {
    let mut workload = small(3_000);
    let down = |worker, at_s, for_s| Incident { worker, at_s, for_s, kind: IncidentKind::Down };
    workload.incidents = vec![
        down(0, 60.0, 300.0),
        down(1, 100.0, 10.0),
        Incident { worker: 2, at_s: 50.0, for_s: 600.0, kind: IncidentKind::Hot { speed: 0.4 } },
        down(3, 900.0, 5.0),
    ];
    // For a moment there is nobody.
    workload.incidents.extend((0..7).map(|worker| down(worker, 1_200.0, 20.0)));
    for dispatcher in Dispatcher::ALL {
        let outcomes = run(&workload, dispatcher);
        assert_eq!(outcomes.len(), workload.jobs);
        for outcome in outcomes {
            let in_order = outcome.arrival_ms <= outcome.start_ms && outcome.start_ms < outcome.finish_ms;
            assert!(in_order && outcome.finish_ms.is_finite(), "{dispatcher:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_dead_workers_jobs_run_elsewhere() {
    // Two workers, one of which is gone from the first second on.
    let mut workload = small(40);
    workload.speeds = vec![1.0, 1.0];
    workload.incidents = vec![Incident { worker: 0, at_s: 1.0, for_s: 1e6, kind: IncidentKind::Down }];
    for dispatcher in [Dispatcher::WithTicks, Dispatcher::WithoutTicks] {
        let outcomes = run(&workload, dispatcher);
        // One after another on the worker that is left.
        let work_ms: f64 = workload.jobs(0.8, 1).iter().map(|job| job.work_ms).sum();
        let end_ms = outcomes.iter().map(|outcome| outcome.finish_ms).fold(0.0, f64::max);
        assert!(end_ms >= work_ms && end_ms < 1e6 * 1_000.0, "{dispatcher:?}: {end_ms} of {work_ms}");
    }
}

#[test]
fn a_hot_worker_that_is_seen_costs_less_than_one_that_is_not() {
    let mut workload = small(6_000);
    workload.incidents = vec![Incident { worker: 0, at_s: 0.0, for_s: 1e6, kind: IncidentKind::Hot { speed: 0.25 } }];
    let p95 = |dispatcher| summarise(&workload, &run(&workload, dispatcher)).classes[0].p95_s;
    let (ours, blind) = (p95(Dispatcher::WithTicks), p95(Dispatcher::BoundOnArrival));
    assert!(ours * 3.0 < blind, "{ours} s against {blind} s");
}

#[test]
fn images_are_far_better_off_than_with_placement_on_arrival() {
    let workload = small(6_000);
    let p95 = |dispatcher| summarise(&workload, &run(&workload, dispatcher)).classes[0].p95_s;
    let (ours, fixed, dealt) =
        (p95(Dispatcher::WithTicks), p95(Dispatcher::BoundOnArrival), p95(Dispatcher::RoundRobin));
    assert!(ours * 3.0 < fixed && fixed < dealt, "{ours}, {fixed}, {dealt}");
    // Nobody is better off than where everything is known.
    assert!(p95(Dispatcher::ShortFirst) < ours);
}

#[test]
fn a_wrong_estimate_is_corrected_by_the_jobs_own_steps_before_anybody_waits_long_for_it() {
    let workload = Workload { wrong_estimates: 0.333, ..small(20_000) };
    let image = &summarise(&workload, &run(&workload, Dispatcher::WithTicks)).classes[0];
    assert!(image.longest_wait_s <= 3.0 * image.p95_s, "{image:?}");
}

#[test]
fn videos_that_move_to_faster_workers_end_sooner_in_a_quiet_fleet() {
    let workload = small(20_000);
    let mean = |policy: &Policy| {
        let outcomes = simulate(&workload, 0.5, 1, Dispatcher::WithTicks, policy);
        assert!(outcomes.iter().all(|outcome| outcome.finish_ms.is_finite()));
        summarise(&workload, &outcomes).classes[1].mean_s
    };
    let stays = Policy { moves: None, ..Policy::default() };
    assert!(mean(&Policy::default()) < mean(&stays));
}

#[test]
fn a_wrong_file_is_refused_with_a_sentence() {
    let broken = |change: fn(&mut Workload)| {
        let mut workload = small(10);
        change(&mut workload);
        workload.check().expect_err("it is broken")
    };
    assert_eq!(broken(|w| w.speeds[2] = 0.0), "a speed must be above 0, not 0");
    assert_eq!(broken(|w| w.classes[0].share = 0.5), "the classes' shares add up to 0.515, not to 1");
    assert!(broken(|w| w.seeds.clear()).contains("must not be empty"));
    let nobody = Incident { worker: 9, at_s: 0.0, for_s: 1.0, kind: IncidentKind::Down };
    let mut workload = small(10);
    workload.incidents.push(nobody);
    assert_eq!(workload.check().unwrap_err(), "an incident names worker 9, and there are 7");
}

#[test]
fn the_table_and_the_picture_name_every_dispatcher() {
    let workload = small(600);
    let comparisons = compare(&workload, &Policy::default(), 2);
    let comparison: &Comparison = &comparisons[0];
    let table = comparison.table(&workload);
    let svg = picture(&workload, comparison).expect("an image and a video class");
    for dispatcher in Dispatcher::ALL {
        assert!(table.contains(dispatcher.title()) && svg.contains(dispatcher.title()), "{dispatcher:?}");
    }
    let columns = |line: &str| line.matches('|').count();
    let widths: Vec<usize> = table.lines().map(columns).collect();
    assert_eq!(widths, vec![widths[0]; 2 + Dispatcher::ALL.len()]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"));
    assert!(!svg.contains("http") || svg.matches("http").count() == 1, "no outside assets but the namespace");
}
