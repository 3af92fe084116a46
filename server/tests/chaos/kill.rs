//! Kill anything: no accepted job is lost and nothing is charged twice, whatever dies whenever.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use crate::audit::{audit, owners_find, settled};
use crate::chance::Chance;
use crate::client::{Accepted, Refused, client, submit, wish};
use crate::clock::{Stopwatch, now};
use crate::service::Service;
use crate::site::{Plan, Site};
use crate::{setting, trail};

/// Mean pause between two kills.
const PACE: Duration = Duration::from_millis(2_000);
/// Owners who come back; of the others each is new.
const REGULARS: usize = 200;
const STEPS: u32 = 12;
/// From a dead worker, or a dead dispatcher, to the next lease: a lease of 15 s and a sweep of 5 s.
const RECOVERY: Duration = Duration::from_secs(20);
/// What the machine may add: everything here shares a few cores with what else is killed and started meanwhile.
const SLACK: Duration = Duration::from_secs(10);

/// What was killed, and when.
struct Kill {
    kind: &'static str,
    at: DateTime<Utc>,
    was_dispatcher: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a trial: scripts/chaos.sh kill"]
async fn kill_anything() {
    let (jobs, kills) = (setting::size("JOBS", 10_000), setting::size("KILLS", 200));
    let mut chance = Chance::new(setting::seed());
    let site = Arc::new(Site::start(Plan::new(2, &["fake:200ms@4"; 4])).await);
    let whole = Stopwatch::start();
    // Submissions last as long as kills do.
    let pace = PACE.mul_f64(kills as f64 / jobs as f64);
    let crowd = tokio::spawn(crowd(site.clone(), jobs, pace, chance.branch()));
    let killed = kill(&site, kills, chance).await;
    let calm = Stopwatch::start();
    let (promised, refused) = crowd.await.expect("the crowd");
    settled(&site, Duration::from_secs(300)).await;
    let calm = calm.seconds();
    let took = whole.seconds();
    site.ready().await;
    let audit = audit(&site, &promised).await;
    owners_find(&site, &promised).await;

    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for kill in &killed {
        *by_kind.entry(kill.kind).or_default() += 1;
    }
    let mut recoveries = Vec::new();
    for kill in killed.iter().filter(|kill| kill.was_dispatcher) {
        recoveries.extend(trail::next_lease(&site.pool, kill.at).await);
    }
    recoveries.sort();
    let recovery = |share: f64| recoveries.get(((recoveries.len().max(1) - 1) as f64 * share) as usize);
    let seconds = |d: Option<&Duration>| d.map_or("none".into(), |d| format!("{:.1} s", d.as_secs_f64()));
    eprintln!("    kill -9                {} in {took:.0} s: {by_kind:?}", killed.len());
    eprintln!("    accepted (202)         {}; requests without one: {refused:?}", promised.len());
    eprintln!(
        "    jobs in the database   {} (accepted without the client hearing of it: {})",
        audit.jobs,
        audit.jobs - promised.len()
    );
    eprintln!("    succeeded              {}; set aside with credits returned: {}", audit.succeeded, audit.failed);
    eprintln!("    leases given again     {}", audit.retries);
    eprintln!(
        "    from 202 to the end    median {:.1} s, p99 {:.1} s, longest {:.1} s",
        audit.median, audit.p99, audit.longest
    );
    eprintln!("    after the last kill    {calm:.1} s until every job had ended");
    eprintln!(
        "    dispatcher killed      {} times; next lease after: median {}, longest {}",
        recoveries.len(),
        seconds(recovery(0.5)),
        seconds(recovery(1.0))
    );
    eprintln!("    lost 0, charged twice 0, drift 0; files without a row: {}", audit.stray_files);
    let late: Vec<&Duration> = recoveries.iter().filter(|took| **took > RECOVERY + SLACK).collect();
    assert!(late.is_empty(), "the next lease came too late: {late:?}");
    assert!(promised.len() == jobs, "{} of {jobs} were accepted in the end", promised.len());
}

/// Submits jobs at a pace. A request that is not answered with `202` is made anew, at either head.
async fn crowd(
    site: Arc<Site>,
    jobs: usize,
    pace: Duration,
    mut chance: Chance,
) -> (Vec<Accepted>, BTreeMap<Refused, usize>) {
    let client = client(Duration::from_secs(10));
    let regulars: Arc<Mutex<Vec<String>>> = Arc::default();
    let refused: Arc<Mutex<BTreeMap<Refused, usize>>> = Arc::default();
    let mut people = JoinSet::new();
    let mut every = tokio::time::interval(pace);
    for number in 0..jobs {
        every.tick().await;
        let (site, client, regulars, refused) = (site.clone(), client.clone(), regulars.clone(), refused.clone());
        let mut chance = chance.branch();
        people.spawn(async move {
            loop {
                let cookie = {
                    let regulars = regulars.lock().expect("a lock");
                    let pick = chance.below(REGULARS + REGULARS / 4);
                    regulars.get(pick).cloned()
                };
                let head = &site.heads[chance.below(site.heads.len())];
                match submit(&client, &head.base, cookie.as_deref(), &wish(&format!("job {number}"), STEPS)).await {
                    Ok(accepted) => {
                        let mut regulars = regulars.lock().expect("a lock");
                        if cookie.is_none() && regulars.len() < REGULARS {
                            regulars.push(accepted.cookie.clone());
                        }
                        return accepted;
                    }
                    Err(why) => *refused.lock().expect("a lock").entry(why).or_default() += 1,
                }
                tokio::time::sleep(chance.between(Duration::from_millis(100), Duration::from_millis(1_000))).await;
            }
        });
    }
    let promised = people.join_all().await;
    let refused = refused.lock().expect("a lock").clone();
    (promised, refused)
}

/// Kills what chance names, if it is up; what is killed starts again by itself after a moment.
async fn kill(site: &Site, kills: usize, mut chance: Chance) -> Vec<Kill> {
    let mut killed = Vec::new();
    let moment = |low, high| (Duration::from_millis(low), Duration::from_millis(high));
    while killed.len() < kills {
        tokio::time::sleep(chance.between(PACE / 2, PACE * 3 / 2)).await;
        let (kind, victim, (low, high)): (_, &Service, _) = match chance.below(100) {
            0..40 => ("worker", &site.workers[chance.below(site.workers.len())], moment(50, 3_000)),
            40..68 => ("head", &site.heads[chance.below(site.heads.len())].service, moment(50, 3_000)),
            68..82 => ("postgres", &site.postgres, moment(50, 1_500)),
            _ => ("redis", &site.redis, moment(50, 3_000)),
        };
        let was_dispatcher = kind == "head" && {
            let dispatcher = site.dispatcher().await;
            dispatcher.is_some_and(|number| std::ptr::eq(&site.heads[number].service, victim))
        };
        if victim.kill(chance.between(low, high)).await {
            killed.push(Kill { kind, at: now(), was_dispatcher });
            if killed.len().is_multiple_of(20) {
                eprintln!("    {} killed", killed.len());
            }
        }
    }
    killed
}
