//! A burst of real pictures on three workers: two on this machine, one elsewhere with a key of its own.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::audit::{audit, owners_find, settled};
use crate::client::{client, submit, wish};
use crate::clock::Stopwatch;
use crate::site::{Plan, Site};
use crate::until::until;
use crate::wire::Wire;
use crate::{setting, trail};

const FAR: &str = "far";
const SHOWN: [&str; 5] =
    ["mindseye_workers", "mindseye_worker_jobs", "mindseye_jobs_", "mindseye_retries", "mindseye_requests_total"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a trial: scripts/chaos.sh burst"]
async fn burst_of_real_pictures() {
    let Some(wire) = Wire::lay().await else { return };
    let jobs = setting::size("JOBS", 200).min(1_000);
    let mut plan = Plan::new(1, &["cpu"; 2]);
    plan.listen = "0.0.0.0".into();
    let mut site = Site::start(plan).await;
    let key = site.command(&["worker", "key", FAR], "key").await;
    let head = format!("ws://{}:{}", wire.here, site.ports.heads[0]);
    let far = site.worker(FAR, "cpu", &head, &key, &wire.within());
    site.workers.push(far);
    site.ready().await;
    let watch = Stopwatch::start();
    let client = client(Duration::from_secs(30));
    let mut people = JoinSet::new();
    for number in 0..jobs {
        let (client, base) = (client.clone(), site.heads[0].base.clone());
        let wish = wish(&format!("a red sun over a dark sea, number {number}"), 4);
        people.spawn(async move { submit(&client, &base, None, &wish).await.expect("accepted") });
    }
    let promised = people.join_all().await;
    let accepted = watch.seconds();
    eprintln!("    {jobs} jobs accepted in {accepted:.1} s; half way, /metrics says:");
    until("half of them are done", || async {
        let done = site.metric(0, r#"mindseye_jobs_total{end="succeeded"} "#).await?;
        (done >= jobs as f64 / 2.0).then_some(())
    })
    .await;
    show(&site).await;
    settled(&site, Duration::from_secs(400)).await;
    let took = watch.seconds();
    let audit = audit(&site, &promised).await;
    owners_find(&site, &promised).await;
    eprintln!(
        "    {} succeeded in {took:.1} s, {:.1} a second; at the end, /metrics says:",
        audit.succeeded,
        jobs as f64 / took
    );
    show(&site).await;
    let by = trail::published_by(&site.pool).await;
    eprintln!("    by worker: {by:?}");
    assert_eq!((audit.succeeded, audit.failed), (jobs, 0));
    assert_eq!(by.len(), 3, "all three did some");
}

async fn show(site: &Site) {
    let text = site.metrics(0).await.expect("metrics");
    for line in text.lines().filter(|line| SHOWN.iter().any(|start| line.starts_with(start))) {
        eprintln!("      {line}");
    }
}
