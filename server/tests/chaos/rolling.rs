//! Rolling restarts under load: nobody sees an error, nothing is lost, and every head leaves cleanly.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use reqwest::Client;
use reqwest::header::COOKIE;
use serde_json::json;
use tokio::task::JoinSet;

use crate::audit::{audit, owners_find, settled};
use crate::chance::Chance;
use crate::client::{Accepted, Refused, client, submit, why, wish};
use crate::clock::Stopwatch;
use crate::service::Service;
use crate::setting;
use crate::site::{Plan, Site};
use crate::until::until;

const A_SECOND: u64 = 50;
const STREAMS: usize = 20;
/// Longest time for a head to leave.
const BAR: Duration = Duration::from_secs(30);

/// What everybody met.
#[derive(Default)]
struct Tally {
    answers: Mutex<BTreeMap<u16, usize>>,
    /// Requests that went to the other head, by what the first one did.
    elsewhere: Mutex<BTreeMap<Refused, usize>>,
    bad: Mutex<Vec<String>>,
    promised: Mutex<Vec<Accepted>>,
    followed: AtomicUsize,
    resumed: AtomicUsize,
    stop: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a trial: scripts/chaos.sh rolling"]
async fn rolling_restarts() {
    let restarts = setting::size("RESTARTS", 20);
    let mut chance = Chance::new(setting::seed());
    let plan = Plan { revive_workers: false, ..Plan::new(2, &["fake:200ms@4"; 4]) };
    let site = Arc::new(Site::start(plan).await);
    let workers = || site.workers.iter().map(Service::pid).collect::<Vec<_>>();
    let at_first = workers();
    let tally = Arc::new(Tally::default());
    let mut people = JoinSet::new();
    people.spawn(visit(site.clone(), tally.clone(), chance.branch()));
    for _ in 0..STREAMS {
        people.spawn(follow(site.clone(), tally.clone(), chance.branch()));
    }
    let whole = Stopwatch::start();
    let mut exits = Vec::new();
    for number in 0..restarts {
        tokio::time::sleep(chance.between(Duration::from_secs(1), Duration::from_secs(2))).await;
        let head = &site.heads[number % site.heads.len()];
        let watch = Stopwatch::start();
        let status = head.service.stop().await.expect("it was running");
        let took = watch.elapsed();
        assert!(status.success(), "{} left with {status}", head.service.name);
        assert!(took < BAR, "{} took {took:?} to leave", head.service.name);
        exits.push(took);
        head.service.revive();
        until("the head is ready again", || async {
            let answer = client(Duration::from_secs(2)).get(format!("{}/readyz", head.base)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
    let took = whole.seconds();
    tally.stop.store(true, Ordering::Relaxed);
    people.join_all().await;
    settled(&site, Duration::from_secs(60)).await;
    assert_eq!(workers(), at_first, "no worker ends because a head does");
    let promised = tally.promised.lock().expect("a lock").clone();
    let audit = audit(&site, &promised).await;
    owners_find_all(&site, &promised).await;
    exits.sort();
    let answers = tally.answers.lock().expect("a lock").clone();
    eprintln!(
        "    restarts               {restarts} in {took:.0} s, all clean; leaving took {:.1} s at most, {:.1} s at the median",
        exits[restarts - 1].as_secs_f64(),
        exits[restarts / 2].as_secs_f64()
    );
    eprintln!("    answers by status      {answers:?}");
    eprintln!("    sent to the other head {:?}", tally.elsewhere.lock().expect("a lock"));
    eprintln!(
        "    event streams          {} followed to the end, resumed {} times",
        tally.followed.load(Ordering::Relaxed),
        tally.resumed.load(Ordering::Relaxed)
    );
    eprintln!(
        "    jobs                   {} accepted, {} succeeded, {} set aside; leases given again {}",
        promised.len(),
        audit.succeeded,
        audit.failed,
        audit.retries
    );
    let bad = tally.bad.lock().expect("a lock");
    assert!(bad.is_empty(), "{} bad answers, such as {:?}", bad.len(), bad.iter().take(5).collect::<Vec<_>>());
    assert_eq!(audit.failed, 0);
}

/// 50 requests a second: submissions, reads, the page.
async fn visit(site: Arc<Site>, tally: Arc<Tally>, mut chance: Chance) {
    let client = client(Duration::from_secs(20));
    let mut every = tokio::time::interval(Duration::from_secs(1) / A_SECOND as u32);
    let mut requests = JoinSet::new();
    while !tally.stop.load(Ordering::Relaxed) {
        every.tick().await;
        let (site, tally, client, mut chance) = (site.clone(), tally.clone(), client.clone(), chance.branch());
        requests.spawn(async move {
            let known = {
                let promised = tally.promised.lock().expect("a lock");
                if promised.is_empty() { None } else { promised.get(chance.below(promised.len())).cloned() }
            };
            match (chance.below(10), known) {
                (0..2, _) | (_, None) => {
                    if let Some(accepted) = ask(&site, &tally, &client, &mut chance, &wish("a sea", 12)).await {
                        tally.promised.lock().expect("a lock").push(accepted);
                    }
                }
                (2..7, Some(known)) => {
                    let path = format!("/api/v1/generations/{}", known.job);
                    get(&site, &tally, &client, &mut chance, &path, &known.cookie).await;
                }
                (_, Some(known)) => get(&site, &tally, &client, &mut chance, "/", &known.cookie).await,
            }
        });
        while requests.try_join_next().is_some() {}
    }
    requests.join_all().await;
}

/// Follows one job after the other by its events, at whichever head answers.
async fn follow(site: Arc<Site>, tally: Arc<Tally>, mut chance: Chance) {
    let client = client(Duration::from_secs(60));
    let long = json!({"prompt": "a long one", "count": 4, "width": 64, "height": 64, "steps": 50});
    while !tally.stop.load(Ordering::Relaxed) {
        let Some(accepted) = ask(&site, &tally, &client, &mut chance, &long).await else { return };
        tally.promised.lock().expect("a lock").push(accepted.clone());
        let mut streams = 0;
        while !follow_once(&site, &tally, &client, &mut chance, &accepted).await {
            streams += 1;
            if streams > 100 {
                return tally.bad.lock().expect("a lock").push(format!("no end of {accepted:?} in {streams} streams"));
            }
        }
        tally.followed.fetch_add(1, Ordering::Relaxed);
        tally.resumed.fetch_add(streams, Ordering::Relaxed);
    }
}

/// One stream; whether it told of the job's end.
async fn follow_once(site: &Site, tally: &Tally, client: &Client, chance: &mut Chance, accepted: &Accepted) -> bool {
    let base = &site.heads[chance.below(site.heads.len())].base;
    let url = format!("{base}/api/v1/generations/{}/events", accepted.job);
    let Ok(answer) = client.get(url).header(COOKIE, &accepted.cookie).send().await else {
        tokio::time::sleep(Duration::from_millis(200)).await;
        return false;
    };
    if !answer.status().is_success() {
        tally.bad.lock().expect("a lock").push(format!("a stream: {}", answer.status()));
        return false;
    }
    let (mut bytes, mut text) = (answer.bytes_stream(), String::new());
    while let Some(Ok(more)) = bytes.next().await {
        text.push_str(&String::from_utf8_lossy(&more));
        if text.contains(r#""status":"succeeded""#) {
            return true;
        }
    }
    false
}

async fn ask(
    site: &Site,
    tally: &Tally,
    client: &Client,
    chance: &mut Chance,
    wish: &serde_json::Value,
) -> Option<Accepted> {
    let first = chance.below(site.heads.len());
    for turn in 0..site.heads.len() {
        let base = &site.heads[(first + turn) % site.heads.len()].base;
        match submit(client, base, None, wish).await {
            Ok(accepted) => {
                tally.note(202);
                return Some(accepted);
            }
            Err(Refused::Status(status)) => {
                tally.note(status);
                tally.bad.lock().expect("a lock").push(format!("a submission: {status}"));
                return None;
            }
            Err(why) => tally.turned_away(why),
        }
    }
    tally.bad.lock().expect("a lock").push("a submission: no head answered".into());
    None
}

async fn get(site: &Site, tally: &Tally, client: &Client, chance: &mut Chance, path: &str, cookie: &str) {
    let first = chance.below(site.heads.len());
    for turn in 0..site.heads.len() {
        let base = &site.heads[(first + turn) % site.heads.len()].base;
        match client.get(format!("{base}{path}")).header(COOKIE, cookie).send().await {
            Ok(answer) => {
                let status = answer.status();
                tally.note(status.as_u16());
                let whole = answer.bytes().await.is_ok();
                if !status.is_success() || !whole {
                    tally.bad.lock().expect("a lock").push(format!("GET {path}: {status}, whole: {whole}"));
                }
                return;
            }
            Err(error) => tally.turned_away(why(&error)),
        }
    }
    tally.bad.lock().expect("a lock").push(format!("GET {path}: no head answered"));
}

async fn owners_find_all(site: &Site, promised: &[Accepted]) {
    // Those with one picture; the long ones have four, which the audit has counted.
    let ones: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT id FROM jobs WHERE count = 1").fetch_all(&site.pool).await.expect("jobs");
    let ones: std::collections::HashSet<uuid::Uuid> = ones.into_iter().collect();
    let small: Vec<Accepted> = promised.iter().filter(|accepted| ones.contains(&accepted.job)).cloned().collect();
    owners_find(site, &small).await;
}

impl Tally {
    fn note(&self, status: u16) {
        *self.answers.lock().expect("a lock").entry(status).or_default() += 1;
    }

    fn turned_away(&self, why: Refused) {
        *self.elsewhere.lock().expect("a lock").entry(why).or_default() += 1;
    }
}
