//! Standby takeover: when the head that dispatches is killed, the other one does within 10 s.

use std::time::Duration;

use crate::audit::{audit, settled};
use crate::client::{client, submit, wish};
use crate::clock::{Stopwatch, now};
use crate::site::{Plan, Site};
use crate::trail;
use crate::until::{until, within};

const ROUNDS: usize = 6;
/// From the kill to the next lease.
const BAR: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a trial: scripts/chaos.sh takeover"]
async fn standby_takeover() {
    let site = Site::start(Plan::new(2, &["fake:100ms@4"; 4])).await;
    let client = client(Duration::from_secs(10));
    let mut promised = Vec::new();
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let leader = until("a head dispatches", || site.dispatcher()).await;
        let standby = &site.heads[1 - leader];
        let watch = Stopwatch::start();
        site.heads[leader].service.kill_for_now().await;
        let gone = now();
        let before = watch.elapsed();
        for number in 0..5 {
            let job = wish(&format!("round {round}, job {number}"), 12);
            promised.push(submit(&client, &standby.base, None, &job).await.expect("the standby accepts"));
        }
        let next = within(BAR, "the standby assigns", || trail::next_lease(&site.pool, gone)).await;
        took.push(before + next);
        site.heads[leader].service.revive();
        site.ready().await;
    }
    settled(&site, Duration::from_secs(60)).await;
    let audit = audit(&site, &promised).await;
    assert_eq!((audit.succeeded, audit.failed), (promised.len(), 0));
    took.sort();
    let seconds: Vec<String> = took.iter().map(|took| format!("{:.1}", took.as_secs_f64())).collect();
    eprintln!("    from kill -9 of the dispatching head to the next lease, in seconds: {}", seconds.join(", "));
    assert!(took.iter().all(|took| *took < BAR), "{took:?}");
}
