//! Long jobs: when they step aside, and how much of the fleet they may hold where they can't.

use dispatch::{Policy, QueuedJob, Snapshot, WorkerState, plan};
use domain::WorkerId;

use crate::fleet::{assert_timeline, held_image, held_video, holding, image, snapshot, video, worker};

fn stubborn(name: &str, standard_ms: f64) -> WorkerState {
    WorkerState { steps_aside: false, ..worker(name, standard_ms) }
}

#[test]
fn an_image_steps_in_at_the_end_of_the_videos_step() {
    // 200 ms are left of the step, and 300 ms go by for the switch.
    let busy = holding(worker("a", 1_000.0), [held_video(50_000.0, 200.0)]);
    assert_timeline(&snapshot([image(0)], [busy]), "image 0: 500 to 1500 ms, goes to a");
}

#[test]
fn a_long_step_is_looked_at_again_before_it_ends() {
    let busy = holding(worker("a", 1_000.0), [held_video(50_000.0, 4_000.0)]);
    assert_timeline(
        &snapshot([image(0)], [busy]),
        "image 0: 4300 to 5300 ms, waits
         look again in 3750 ms",
    );
}

#[test]
fn a_video_that_has_stepped_aside_is_not_waited_for_again() {
    let busy = holding(worker("a", 1_000.0), [held_video(50_000.0, 4_000.0), held_image(700.0)]);
    assert_timeline(
        &snapshot([image(0)], [busy]),
        "image 0: 700 to 1700 ms, waits
         look again in 450 ms",
    );
}

#[test]
fn where_it_costs_a_video_nothing_an_image_goes_elsewhere() {
    // Stepping in would end at 1,300 ms; the other worker ends at 1,600 ms, and the video loses nothing.
    let busy = holding(worker("a", 1_000.0), [held_video(50_000.0, 0.0)]);
    assert_timeline(&snapshot([image(0)], [busy, worker("b", 1_600.0)]), "image 0: 0 to 1600 ms, goes to b");
}

#[test]
fn an_image_that_has_waited_defers_no_longer() {
    let fleet = || {
        let video = holding(worker("a", 1_000.0), [held_video(50_000.0, 0.0)]);
        [video, holding(worker("b", 1_000.0), [held_image(4_000.0)])]
    };
    let mut quiet = snapshot([image(0)], fleet());
    quiet.short_demand = 0.0;
    assert_timeline(
        &quiet,
        "image 0: 4000 to 5000 ms, waits
         look again in 3750 ms",
    );
    quiet.queue[0].waited_ms = Policy::default().long.longest_deference_ms;
    assert_timeline(&quiet, "image 0: 300 to 1300 ms, goes to a");
}

#[test]
fn a_video_waits_for_the_images_that_are_there() {
    let busy = holding(worker("a", 1_000.0), [held_image(2_000.0)]);
    assert_timeline(
        &snapshot([video(0)], [busy]),
        "video 0: 2000 to 62000 ms, waits
         look again in 1750 ms",
    );
}

fn seven(short_demand: f64) -> Snapshot {
    let workers = (1..=7).map(|at| stubborn(&at.to_string(), 1_000.0));
    Snapshot { short_demand, ..snapshot((0..7).map(video), workers) }
}

fn bound(snapshot: &Snapshot) -> usize {
    plan(snapshot, &Policy::default()).assignments.len()
}

#[test]
fn videos_that_stay_have_the_whole_fleet_when_it_is_quiet_and_three_of_seven_when_it_is_busy() {
    assert_eq!(bound(&seven(0.0)), 7);
    assert_eq!(bound(&seven(0.3)), 4);
    assert_eq!(bound(&seven(0.9)), 3);
    let mut adaptable = seven(0.9);
    adaptable.workers.iter_mut().for_each(|worker| worker.steps_aside = true);
    assert_eq!(bound(&adaptable), 7, "videos that step aside need no limit");
}

#[test]
fn beyond_their_share_videos_queue_behind_videos_and_images_have_the_rest() {
    let mut busy = seven(0.9);
    busy.queue.truncate(4);
    busy.queue.extend((4..9).map(image));
    assert_timeline(
        &busy,
        "video 0: 0 to 60000 ms, goes to 1
         video 1: 0 to 60000 ms, goes to 2
         video 2: 0 to 60000 ms, goes to 3
         video 3: 60000 to 120000 ms, waits
         image 4: 0 to 1000 ms, goes to 4
         image 5: 0 to 1000 ms, goes to 5
         image 6: 0 to 1000 ms, goes to 6
         image 7: 0 to 1000 ms, goes to 7
         image 8: 1000 to 2000 ms, waits
         look again in 750 ms",
    );
}

#[test]
fn videos_that_are_only_expected_count_for_their_share() {
    let mut busy = seven(0.9);
    busy.queue.truncate(4);
    busy.queue.push(image(4));
    busy.workers.iter_mut().for_each(|worker| worker.held.push(held_image(1_000.0)));
    assert_timeline(
        &busy,
        "video 0: 1000 to 61000 ms, waits
         video 1: 1000 to 61000 ms, waits
         video 2: 1000 to 61000 ms, waits
         video 3: 61000 to 121000 ms, waits
         image 4: 1000 to 2000 ms, waits
         look again in 750 ms",
    );
}

#[test]
fn a_video_that_waits_may_press_harder_but_not_without_limit() {
    let bound_after = |waited_ms: f64, short_demand: f64| {
        let mut snapshot = seven(short_demand);
        snapshot.queue.iter_mut().for_each(|job| job.waited_ms = waited_ms);
        bound(&snapshot)
    };
    assert_eq!((bound_after(0.0, 0.45), bound_after(600_000.0, 0.45)), (3, 4));
    assert_eq!(bound_after(600_000.0, 0.9), 3);
}

#[test]
fn images_that_wait_are_left_room_even_below_the_share_until_a_video_has_waited_for_long() {
    let bound_videos = |images: u128, waited_ms: f64| {
        let mut busy = seven(0.9);
        busy.queue.extend((7..7 + images).map(image));
        busy.queue.iter_mut().for_each(|job| job.waited_ms = waited_ms);
        let videos: Vec<_> = busy.queue[..7].iter().map(|video| video.id).collect();
        let bound = plan(&busy, &Policy::default()).assignments;
        bound.into_iter().filter(|(job, _)| videos.contains(job)).count()
    };
    // A hundred images are 14 s of work for all seven: to be done with them in 100 s takes one worker.
    assert_eq!((bound_videos(0, 0.0), bound_videos(100, 0.0), bound_videos(200, 0.0)), (3, 2, 1));
    assert_eq!(bound_videos(10_000, 0.0), 1, "one worker may always have one");
    assert_eq!(bound_videos(200, 300_000.0), 3);
}

#[test]
fn a_single_worker_makes_videos_too() {
    let alone = snapshot([video(0), image(1)], [stubborn("a", 1_000.0)]);
    assert_timeline(
        &Snapshot { short_demand: 2.0, ..alone },
        "video 0: 0 to 60000 ms, goes to a
         image 1: 60000 to 61000 ms, waits
         look again in 59750 ms",
    );
}

#[test]
fn where_the_share_is_used_up_by_workers_it_avoids_a_video_still_has_a_projection() {
    let holder = holding(stubborn("a", 1_000.0), [held_video(9_000.0, 0.0)]);
    let careful = QueuedJob { avoid: vec![WorkerId("a".into())], ..video(0) };
    let full = snapshot([careful, image(1)], [holder, stubborn("b", 1_000.0)]);
    // The image is not held up by a video that may not start.
    assert_timeline(
        &Snapshot { short_demand: 1.0, ..full },
        "video 0: 9000 to 69000 ms, waits
         image 1: 0 to 1000 ms, goes to b
         look again in 1000 ms",
    );
}
