//! Worker processes that hand a job over, take one over, or find that nobody takes it.

use std::path::Path;
use std::sync::atomic::Ordering;

use domain::ValidRequest;
use domain::handover::unpack;
use domain::worker::{Lease, ToWorker};

use crate::head::{TestHead, Worker, request};

/// A picture of the built-in model that takes long enough to be interrupted.
fn long_picture() -> ValidRequest {
    ValidRequest { width: 256, height: 256, steps: 40, ..request("starter") }
}

fn hand_over(Lease { job, epoch }: Lease) -> ToWorker {
    ToWorker::HandOver { job, epoch }
}

#[tokio::test]
async fn a_picture_of_the_starter_that_moves_is_the_picture_that_stayed() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let models = models.to_str().expect("a path");
    let mut head = TestHead::start().await;
    let address = format!("ws://{}", head.address);
    let _old = Worker::with(&address, "cpu", &["--models", models]);
    let mut old = head.welcome().await;
    assert!(old.hello.hands_over);
    let _new = Worker::with(&address, "cpu", &["--models", models]);
    let mut new = head.welcome().await;

    let moved = old.assign_request(1, long_picture()).await;
    old.step().await;
    old.tell(&hand_over(moved)).await;
    old.handed_over(moved).await;
    old.tell(&ToWorker::Cancel { job: moved.job, epoch: moved.epoch }).await;
    let again = Lease { epoch: 2, ..moved };
    let at = {
        let mut kept = head.state.begun.lock().expect("what is kept");
        let begun = kept.remove(&moved).expect("brought");
        let at = unpack(&begun, &long_picture()).expect("it makes sense")[0].step;
        kept.insert(again, begun);
        at
    };
    assert!((1..40).contains(&at));
    new.assign_begun(1, 2, long_picture()).await;
    assert_eq!(new.step().await, at + 1, "it goes on where the other one stopped");
    new.done(again).await;
    let stayed = old.assign_request(2, long_picture()).await;
    old.done(stayed).await;
    assert_eq!((head.pictures.recv().await, head.pictures.recv().await), (Some(again), Some(stayed)));
    let made = head.state.made.lock().expect("the pictures");
    assert!(made[0] == made[1], "the pictures differ");
}

#[tokio::test]
async fn a_job_that_nobody_takes_over_goes_on() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:600ms");
    let mut link = head.welcome().await;
    let lease = link.assign(1, "starter").await;
    link.step().await;
    link.tell(&hand_over(lease)).await;
    link.handed_over(lease).await;
    let next = link.assign(2, "starter").await;
    link.done(next).await;
    link.tell(&ToWorker::GoOn { job: lease.job, epoch: lease.epoch }).await;
    link.done(lease).await;
    assert_eq!((head.pictures.recv().await, head.pictures.recv().await), (Some(next), Some(lease)));
}

#[tokio::test]
async fn a_head_that_does_not_want_it_or_is_lost_does_not_stop_the_job() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:600ms");
    let mut link = head.welcome().await;
    head.state.answer.store(422, Ordering::SeqCst);
    let refused = link.assign(1, "starter").await;
    link.step().await;
    link.tell(&hand_over(refused)).await;
    let step = link.step().await;
    head.state.answer.store(204, Ordering::SeqCst);
    assert!(step >= 2);
    link.done(refused).await;

    let lost = link.assign(2, "starter").await;
    link.step().await;
    link.tell(&hand_over(lost)).await;
    link.handed_over(lost).await;
    drop(link);
    let mut link = head.join().await;
    assert_eq!(link.hello.holding, [lost]);
    link.welcome(&[lost]).await;
    link.done(lost).await;
}

#[tokio::test]
async fn a_begun_job_of_which_nothing_is_left_is_begun_anew() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:10ms");
    let mut link = head.welcome().await;
    let nothing = link.assign_begun(1, 2, request("starter")).await;
    assert_eq!(link.step().await, 1);
    link.done(nothing).await;
    let nonsense = Lease { job: domain::JobId::from_random(2), epoch: 3 };
    head.state.begun.lock().expect("what is kept").insert(nonsense, "nonsense".into());
    link.assign_begun(2, 3, request("starter")).await;
    assert_eq!(link.step().await, 1);
    link.done(nonsense).await;
}
