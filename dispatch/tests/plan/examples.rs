//! Short jobs: who goes where, who waits, who is first.

use dispatch::{Lane, ModelState, OrderPolicy, Plan, Policy, QueuedJob, plan};
use domain::{DeviceId, JobId, WorkerId};

use crate::fleet::{assert_timeline, held_image, holding, image, snapshot, timeline, worker};

#[test]
fn a_busy_fast_worker_is_waited_for_when_that_is_sooner() {
    let fast = holding(worker("fast", 1_000.0), [held_image(500.0)]);
    assert_timeline(
        &snapshot([image(0)], [fast, worker("slow", 4_000.0)]),
        "image 0: 500 to 1500 ms, waits
         look again in 250 ms",
    );
}

#[test]
fn a_busy_fast_worker_is_not_waited_for_when_another_is_sooner() {
    let fast = holding(worker("fast", 1_000.0), [held_image(3_500.0)]);
    assert_timeline(&snapshot([image(0)], [fast, worker("slow", 4_000.0)]), "image 0: 0 to 4000 ms, goes to slow");
}

#[test]
fn a_worker_about_to_come_free_is_handed_one_job_only() {
    let busy = holding(worker("a", 1_000.0), [held_image(100.0)]);
    assert_timeline(
        &snapshot([image(0), image(1)], [busy]),
        "image 0: 100 to 1100 ms, goes to a
         image 1: 1100 to 2100 ms, waits",
    );
}

#[test]
fn one_persons_fifty_jobs_do_not_hold_up_anothers_first() {
    let mut queue: Vec<QueuedJob> =
        (0..50).map(|id| QueuedJob { owner: DeviceId::from_random(7), ..image(id) }).collect();
    queue.push(image(99));
    let plan = plan(&snapshot(queue, [worker("a", 1_000.0)]), &Policy::default());
    assert_eq!(plan.projections[0].job, JobId::from_random(0));
    assert_eq!(plan.projections[1].job, JobId::from_random(99));
}

#[test]
fn a_job_that_is_being_made_counts_as_its_owners_first() {
    let busy = holding(worker("a", 1_000.0), [held_image(5_000.0)]);
    let second = QueuedJob { owner: held_image(0.0).owner, ..image(0) };
    assert_timeline(
        &snapshot([second, image(1)], [busy]),
        "image 1: 5000 to 6000 ms, waits
         image 0: 6000 to 7000 ms, waits
         look again in 4750 ms",
    );
}

#[test]
fn lanes_share_by_weight_and_the_standard_lane_is_served() {
    let lane = |id| if id < 8 { Lane::Standard } else { Lane::Priority };
    let queue = (0..16).map(|id| QueuedJob { lane: lane(id), ..image(id) });
    let plan = plan(&snapshot(queue, [worker("a", 1_000.0)]), &Policy::default());
    let lanes: String = (plan.projections.iter())
        .map(|projection| if (8..16).any(|id| JobId::from_random(id) == projection.job) { 'P' } else { 's' })
        .collect();
    assert_eq!(lanes, "PsPPPsPPPsPsssss");
}

#[test]
fn waiting_makes_up_for_earlier_jobs_of_the_same_owner() {
    let owner = DeviceId::from_random(7);
    let ageing_ms = OrderPolicy::default().ageing_ms;
    let first = |waited_ms| QueuedJob { owner, waited_ms, ..image(0) };
    let second = |waited_ms| QueuedJob { owner, waited_ms, ..image(1) };
    let order = |waited_ms| {
        let snapshot = snapshot([first(waited_ms), second(waited_ms), image(2)], [worker("a", 1_000.0)]);
        timeline(&snapshot).lines().map(|line| line.split(':').next().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order(0.0)[..3], ["image 0", "image 2", "image 1"]);
    assert_eq!(order(ageing_ms + 1.0)[..3], ["image 0", "image 1", "image 2"]);
}

#[test]
fn loading_a_model_is_counted_once() {
    let mut cold = worker("cold", 1_000.0);
    cold.models = vec![ModelState { name: "image".into(), standard_ms: 1_000.0, load_ms: 9_000.0 }];
    let warm = holding(worker("warm", 1_000.0), [held_image(7_500.0)]);
    assert_timeline(
        &snapshot((0..4).map(image), [cold, warm]),
        "image 0: 7500 to 8500 ms, waits
         image 1: 8500 to 9500 ms, waits
         image 2: 9000 to 10000 ms, goes to cold
         image 3: 9500 to 10500 ms, waits
         look again in 7250 ms",
    );
}

#[test]
fn of_equal_times_the_loaded_model_is_taken() {
    let mut cold = worker("cold", 1_000.0);
    cold.models[0].load_ms = 500.0;
    let warm = holding(worker("warm", 1_000.0), [held_image(500.0)]);
    assert_timeline(
        &snapshot([image(0)], [cold, warm]),
        "image 0: 500 to 1500 ms, waits
         look again in 250 ms",
    );
}

#[test]
fn a_worker_that_died_under_a_job_does_not_get_it_again() {
    let careful = QueuedJob { avoid: vec![WorkerId("fast".into())], ..image(0) };
    assert_timeline(
        &snapshot([careful.clone(), image(1)], [worker("fast", 1_000.0), worker("slow", 4_000.0)]),
        "image 0: 0 to 4000 ms, goes to slow
         image 1: 0 to 1000 ms, goes to fast",
    );
    assert_eq!(plan(&snapshot([careful], [worker("fast", 1_000.0)]), &Policy::default()), Plan::default());
}

#[test]
fn a_draining_worker_takes_nothing() {
    let mut leaving = worker("a", 1_000.0);
    leaving.draining = true;
    assert_eq!(plan(&snapshot([image(0)], [leaving]), &Policy::default()), Plan::default());
}

#[test]
fn a_model_that_nobody_has_waits_without_a_promise() {
    let strange = QueuedJob { model: "sdxl".into(), ..image(0) };
    assert_timeline(&snapshot([strange, image(1)], [worker("a", 1_000.0)]), "image 1: 0 to 1000 ms, goes to a");
}

#[test]
fn a_hot_worker_gets_less() {
    let given = |slowdown| {
        let mut hot = worker("hot", 1_000.0);
        hot.slowdown = slowdown;
        let snapshot = snapshot((0..30).map(image), [hot, worker("cool", 1_000.0)]);
        let finishes = plan(&snapshot, &Policy::default()).projections;
        // The cool worker finishes at whole seconds; so does the hot one unless it is slower.
        finishes.iter().filter(|p| (p.finish_ms / (1_000.0 * slowdown)).fract() < 1e-9).count()
    };
    assert_eq!(given(1.0), 30);
    let hot = timeline(&snapshot(
        (0..2).map(image),
        [
            {
                let mut hot = worker("hot", 1_000.0);
                hot.slowdown = 2.5;
                hot
            },
            worker("cool", 1_000.0),
        ],
    ));
    assert_eq!(hot, "image 0: 0 to 1000 ms, goes to cool\nimage 1: 1000 to 2000 ms, waits\nlook again in 750 ms\n");
}

#[test]
fn concurrency_is_places_and_one_ahead() {
    let mut wide = worker("wide", 1_000.0);
    (wide.concurrency, wide.batch_gain) = (3, 3.0);
    // Three share passes at no cost; the fourth is not handed over, because its turn is far off.
    assert_timeline(
        &snapshot((0..4).map(image), [wide.clone()]),
        "image 0: 0 to 1000 ms, goes to wide
         image 1: 0 to 1000 ms, goes to wide
         image 2: 0 to 1000 ms, goes to wide
         image 3: 1000 to 2000 ms, waits
         look again in 750 ms",
    );
    // Three that are almost done: exactly one goes ahead.
    let nearly = holding(wide, [50.0, 60.0, 70.0].map(held_image));
    assert_timeline(
        &snapshot([image(0), image(1)], [nearly]),
        "image 0: 50 to 1050 ms, goes to wide
         image 1: 60 to 1060 ms, waits",
    );
}

#[test]
fn compatible_jobs_gather_where_sharing_gains() {
    let sharing = |name: &str, key| {
        let mut worker = worker(name, 1_000.0);
        (worker.concurrency, worker.batch_gain) = (4, 2.0);
        let mut held = held_image(5_000.0);
        held.batch_key = key;
        holding(worker, [held; 2])
    };
    let of_key = |id, batch_key| QueuedJob { batch_key, ..image(id) };
    assert_timeline(
        &snapshot([of_key(0, 22), of_key(1, 11)], [sharing("eleven", 11), sharing("twenty-two", 22)]),
        "image 0: 0 to 1800 ms, goes to twenty-two
         image 1: 0 to 1800 ms, goes to eleven",
    );
}

#[test]
fn an_idle_worker_is_better_than_sharing() {
    let mut one = worker("one", 1_000.0);
    (one.concurrency, one.batch_gain) = (4, 2.0);
    let mut two = one.clone();
    two.id = WorkerId("two".into());
    assert_timeline(
        &snapshot([image(0)], [holding(one, [held_image(1_000.0)]), two]),
        "image 0: 0 to 1000 ms, goes to two",
    );
}
