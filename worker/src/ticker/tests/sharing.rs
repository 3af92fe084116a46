use super::*;
use crate::backend::FakeBackend;

fn shared() -> (Rig<Stub>, Log) {
    let stub = Stub::new(&["starter"]);
    let log = stub.log.clone();
    let rig = Rig::ready(stub, "starter", Sharing::Always);
    passes(&log);
    (rig, log)
}

#[test]
fn requests_join_and_leave_passes_as_they_come() {
    let (mut rig, log) = shared();
    rig.start(1, request("a"));
    rig.bench.turn();
    rig.bench.turn();
    rig.start(2, request("b"));
    rig.bench.turn();
    rig.start(3, ValidRequest { steps: 2, ..request("c") });
    assert_eq!(pictures(&rig.finish()), [lease(1), lease(3), lease(2)]);
    assert_eq!(passes(&log), ["a", "a", "a+b", "a+b+c", "b+c", "b"]);
}

#[test]
fn pictures_of_one_request_share_passes_and_the_last_says_so() {
    let (mut rig, log) = shared();
    rig.start(1, ValidRequest { count: 3, ..request("a") });
    let events = rig.finish();
    let last: Vec<bool> = events.iter().map(|event| matches!(event, Event::Picture { last: true, .. })).collect();
    assert_eq!(last, [false, false, true]);
    assert_eq!(passes(&log), ["a+a+a"; 4]);
}

#[test]
fn a_cancelled_job_is_gone_before_the_next_pass() {
    let (mut rig, log) = shared();
    rig.start(1, ValidRequest { count: 4, ..request("a") });
    rig.start(2, request("b"));
    rig.bench.turn();
    rig.bench.take(Order::Cancel(lease(1)));
    assert_eq!(pictures(&rig.finish()), [lease(2)]);
    assert_eq!(passes(&log), ["a+a+a+a+b", "b", "b", "b"]);
}

#[test]
fn without_sharing_pictures_come_one_after_another() {
    let (mut rig, log) = shared();
    rig.bench.take(Order::Share(Sharing::Never));
    rig.start(1, ValidRequest { count: 2, ..request("a") });
    rig.start(2, ValidRequest { steps: 1, ..request("b") });
    assert_eq!(rig.finish().len(), 3);
    assert!(passes(&log).iter().all(|pass| !pass.contains('+')));
}

#[test]
fn every_step_and_picture_is_told_once() {
    let mut rig = Rig::ready(FakeBackend::new(std::time::Duration::ZERO, 4), "starter", Sharing::Always);
    rig.start(1, ValidRequest { count: 3, ..request("a sea") });
    let (mut steps, mut made) = (0, Vec::new());
    while made.len() < 3 {
        match rig.next() {
            Event::Step { .. } => steps += 1,
            Event::Picture { index, .. } => made.push(index),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((steps, made), (12, vec![0, 1, 2]));
}

#[test]
fn a_fake_device_that_batches_says_how_much_it_gains() {
    let mut rig = Rig::new(FakeBackend::new(std::time::Duration::from_millis(24), 4), Settings::default());
    rig.bench.take(Order::Load("starter".into()));
    let now = rig.models();
    assert_eq!(now.concurrency, 4);
    // Four pass for the price of one, but for what sleeping costs on a busy machine.
    assert!(now.batch_gain > 1.0, "{}", now.batch_gain);

    let mut rig = Rig::new(FakeBackend::new(std::time::Duration::ZERO, 1), Settings::default());
    rig.bench.take(Order::Load("starter".into()));
    let now = rig.models();
    assert_eq!((now.concurrency, now.batch_gain), (1, 1.0));
}
