//! Worker processes that fetch the picture they go on from.

use domain::worker::{Failure, FromWorker, Lease};
use domain::{OutputId, Source, ValidRequest, Way};

use crate::head::{Link, TestHead, request};

fn from(way: Way) -> ValidRequest {
    let source = Source { media: OutputId::from_random(1), width: 64, height: 64, way };
    ValidRequest { source: Some(source), ..request("starter") }
}

fn vary() -> ValidRequest {
    from(Way::Vary { strength: 0.5, region: Vec::new() })
}

async fn failed(link: &mut Link) -> (Lease, Failure) {
    loop {
        if let Some(FromWorker::Failed { job, epoch, failure }) = link.hear().await {
            return (Lease { job, epoch }, failure);
        }
    }
}

#[tokio::test]
async fn a_picture_is_fetched_for_each_lease() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:10ms");
    let mut link = head.welcome().await;
    assert!(link.hello.goes_on);
    let first = link.assign(1, "starter").await;
    link.done(first).await;
    let picture = head.state.made.lock().expect("the pictures")[0].clone();
    *head.state.source.lock().expect("the source") = Some(picture.clone());

    let second = link.assign_request(2, vary()).await;
    let steps = link.until(|message| match message {
        FromWorker::Progress { steps, .. } => Some(*steps),
        _ => None,
    });
    assert_eq!(steps.await, 6, "half of twelve");
    link.done(second).await;

    // A job that waits again, or moves, fetches it again.
    let third = link.assign_begun(3, 2, vary()).await;
    link.done(third).await;
    let made = head.state.made.lock().expect("the pictures");
    assert!(made[1] == made[2] && made[1] != picture);
}

#[tokio::test]
async fn what_cannot_be_gone_on_from_is_said_and_the_worker_goes_on() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:10ms");
    let mut link = head.welcome().await;
    let gone = link.assign_request(1, vary()).await;
    let (lease, failure) = failed(&mut link).await;
    assert_eq!((lease, failure.source_gone, failure.retryable), (gone, true, false));

    let bad = [vec![7; 200], vec![7; 64 * 64 * 4 + 256 * 1024 + 1]];
    for (job, bytes) in (2..).zip(bad) {
        *head.state.source.lock().expect("the source") = Some(bytes.into());
        let unfit = link.assign_request(job, vary()).await;
        let (lease, failure) = failed(&mut link).await;
        assert_eq!((lease, failure.source_gone, failure.retryable), (unfit, false, false), "{}", failure.reason);
    }
    let good = link.assign(9, "starter").await;
    link.done(good).await;
}
