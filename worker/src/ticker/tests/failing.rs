use std::time::Duration;

use super::*;
use crate::ticker;

fn rig(stub: Stub) -> (Rig<Stub>, Log) {
    let log = stub.log.clone();
    let rig = Rig::ready(stub, "starter", Sharing::Always);
    passes(&log);
    (rig, log)
}

fn failures(events: &[Event]) -> Vec<(Lease, bool, bool)> {
    let failed = events.iter().filter_map(|event| match event {
        Event::Failed { lease, failure } => Some((*lease, failure.retryable, failure.out_of_memory)),
        _ => None,
    });
    failed.collect()
}

#[test]
fn a_session_that_cannot_step_fails_its_own_job_only() {
    let (mut rig, log) = rig(Stub::new(&["starter"]));
    for (job, prompt) in [(1, "a"), (2, "b"), (3, "broken"), (4, "c")] {
        rig.start(job, request(prompt));
    }
    let events = rig.finish();
    assert_eq!(failures(&events), [(lease(3), true, false)]);
    assert_eq!(pictures(&events), [lease(1), lease(2), lease(4)]);
    assert!(events.iter().any(|event| matches!(event, Event::Sick(reason) if reason == "broken")), "{events:?}");
    assert_eq!(passes(&log)[..6], ["a+b+broken+c", "a+b", "broken+c", "broken", "c", "a+b+c"]);
}

#[test]
fn a_job_fails_once_whatever_many_pictures_it_has() {
    let (mut rig, _) = rig(Stub::new(&["starter"]));
    rig.start(1, ValidRequest { count: 3, ..request("broken") });
    assert_eq!(failures(&rig.finish()), [(lease(1), true, false)]);
}

#[test]
fn too_little_memory_for_many_is_remembered() {
    let (mut rig, log) = rig(Stub { room: 3, pass: Duration::from_millis(10), ..Stub::new(&["starter", "other"]) });
    let sizes = |log| -> Vec<usize> { passes(log).iter().map(|pass| pass.split('+').count()).collect() };
    rig.start(1, ValidRequest { count: 4, ..request("a") });
    assert_eq!(pictures(&rig.finish()).len(), 4);
    assert_eq!(sizes(&log), [2; 8], "the trial found out");

    // When a model goes, there is more memory, or so it seems.
    rig.bench.take(Order::Load("other".into()));
    rig.models();
    rig.bench.take(Order::Unload("other".into()));
    rig.models();
    sizes(&log);
    rig.start(2, ValidRequest { count: 8, steps: 2, ..request("b") });
    let events = rig.finish();
    assert_eq!((pictures(&events).len(), failures(&events)), (8, vec![]));
    assert_eq!(sizes(&log), [8, 4, 2, 2, 4, 2, 2, 2, 2, 2, 2]);
}

#[test]
fn a_picture_too_large_alone_has_to_go_elsewhere() {
    let (mut rig, log) = rig(Stub::new(&["starter"]));
    rig.start(1, request("huge"));
    rig.start(2, request("a"));
    let events = rig.finish();
    assert_eq!(failures(&events), [(lease(1), true, true)]);
    assert!(!events.iter().any(|event| matches!(event, Event::Sick(_))), "the device is well");
    assert_eq!(pictures(&events), [lease(2)]);
    assert_eq!(passes(&log)[..3], ["huge+a", "huge", "a"]);
}

#[test]
fn a_request_that_no_worker_could_fulfil_is_not_tried_again() {
    let (mut rig, _) = rig(Stub::new(&["starter"]));
    rig.start(1, request("unfit"));
    rig.start(2, ValidRequest { model: "stranger".into(), ..request("a") });
    assert_eq!(failures(&rig.finish()), [(lease(1), false, false), (lease(2), true, false)]);
}

#[tokio::test]
async fn a_panic_on_the_thread_is_not_survived() {
    let (told, panicked) = tokio::sync::oneshot::channel();
    let on_panic = move || told.send(()).expect("the test waits");
    let stub = Arc::new(Stub::new(&["starter"]));
    let (ticker, _events) = ticker::spawn(stub, Settings::default(), on_panic).expect("a thread");
    ticker.order(Order::Start(assignment(1, request("panic"))));
    panicked.await.expect("the action for a panic");
}
