//! Partitions: a worker elsewhere is cut off, half cut off, or badly connected, and every job is published once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::audit::{audit, owners_find, settled};
use crate::client::{Accepted, client, submit, wish};
use crate::clock::now;
use crate::site::{Plan, Site};
use crate::trail;
use crate::until::within;
use crate::wire::Wire;

/// From the cable's repair until the worker elsewhere finishes a job it was given since.
const BAR: Duration = Duration::from_secs(20);
const DEVICE: &str = "fake:1500ms@2";
/// Its name, and the name its key goes with.
const FAR: &str = "far";

/// What happens to the cable: share lost from there to here and back, and for how long, in seconds.
const CUTS: [(&str, f64, f64, u64); 5] = [
    ("cut for 2 s", 1.0, 1.0, 2),
    ("cut for 25 s", 1.0, 1.0, 25),
    ("cut from there to here for 20 s", 1.0, 0.0, 20),
    ("cut from here to there for 20 s", 0.0, 1.0, 20),
    ("30 % lost for 30 s", 0.3, 0.3, 30),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a trial: scripts/chaos.sh partition"]
async fn partitions_heal() {
    let Some(mut wire) = Wire::lay().await else { return };
    let mut plan = Plan::new(2, &[DEVICE; 2]);
    plan.listen = "0.0.0.0".into();
    let mut site = Site::start(plan).await;
    let key = site.command(&["worker", "key", FAR], "key").await;
    let head = format!("ws://{}:{}", wire.here, site.ports.heads[0]);
    let far = site.worker(FAR, DEVICE, &head, &key, &wire.within());
    site.workers.push(far);
    site.ready().await;
    let site = Arc::new(site);
    let stop = Arc::new(AtomicBool::new(false));
    let people = tokio::spawn(people(site.clone(), stop.clone()));
    let mut healed = Vec::new();
    worked(&site, now()).await;
    for (what, up, down, seconds) in CUTS {
        let began = now();
        wire.lose(up, down).await;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let repaired = now();
        wire.lose(0.0, 0.0).await;
        let took = worked(&site, repaired).await;
        let (resumed, redone) = trail::across(&site.pool, FAR, began, repaired).await;
        healed.push((what, took, resumed, redone));
    }
    stop.store(true, Ordering::Relaxed);
    let promised = people.await.expect("people");
    settled(&site, Duration::from_secs(60)).await;
    let audit = audit(&site, &promised).await;
    owners_find(&site, &promised).await;
    for (what, took, resumed, redone) in &healed {
        let took = took.as_secs_f64();
        eprintln!("    {what:<32} healed {took:>4.1} s after; jobs in hand: {resumed} ended there, {redone} elsewhere");
    }
    eprintln!(
        "    {} jobs, {} succeeded, each published once; set aside {}",
        audit.jobs, audit.succeeded, audit.failed
    );
    assert_eq!((audit.succeeded, audit.failed), (audit.jobs, 0));
    assert!(healed.iter().all(|(_, took, ..)| *took < BAR), "{healed:?}");
}

/// Waits until the worker elsewhere ends a job that it was given after `at`; how long after.
async fn worked(site: &Site, at: DateTime<Utc>) -> Duration {
    let patience = Duration::from_secs(60);
    within(patience, "the worker elsewhere works again", || trail::next_end(&site.pool, FAR, at)).await
}

/// Two jobs a second, a little more than the two workers here get done.
async fn people(site: Arc<Site>, stop: Arc<AtomicBool>) -> Vec<Accepted> {
    let client = client(Duration::from_secs(10));
    let mut every = tokio::time::interval(Duration::from_millis(350));
    let mut promised = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        every.tick().await;
        let head = &site.heads[promised.len() % site.heads.len()].base;
        promised.push(submit(&client, head, None, &wish("a sea", 12)).await.expect("accepted"));
    }
    promised
}
