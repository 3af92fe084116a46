//! Zombies: a worker that was frozen beyond its lease comes back, and what it says late is refused.

use std::time::Duration;

use reqwest::StatusCode;
use uuid::Uuid;

use crate::audit::{audit, settled};
use crate::client::{client, keeping_client, submit, wish};
use crate::clock::Stopwatch;
use crate::data::WORKER_KEY;
use crate::site::{Plan, Site};
use crate::trail;
use crate::until::within;

const ROUNDS: usize = 3;
const ZOMBIES: usize = 2;

/// A worker frozen with a job.
struct Zombie {
    job: Uuid,
    epoch: i32,
    worker: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a trial: scripts/chaos.sh zombie"]
async fn zombies_are_refused() {
    // One step takes a second: long enough to be frozen in, and over at once when time goes on.
    let site = Site::start(Plan::new(2, &["fake:12000ms@1"; 4])).await;
    let client = client(Duration::from_secs(10));
    let (mut promised, mut elsewhere, mut refused, mut own_words) = (Vec::new(), Vec::new(), 0, 0.0);
    for round in 0..ROUNDS {
        let mut zombies = Vec::new();
        for number in 0..ZOMBIES {
            let head = &site.heads[number % site.heads.len()].base;
            let job = wish(&format!("round {round}, job {number}"), 1);
            let accepted = submit(&client, head, None, &job).await.expect("accepted");
            zombies.push(freeze(&site, accepted.job).await);
            promised.push(accepted);
        }
        let watch = Stopwatch::start();
        settled(&site, Duration::from_secs(60)).await;
        elsewhere.push(format!("{:.1}", watch.seconds()));
        let before = refusals(&site).await;
        for zombie in &zombies {
            site.workers[zombie.worker].signal("-CONT").await;
        }
        // What a zombie made is sent under its old lease, unless it hears first that the lease is over.
        for zombie in &zombies {
            assert_eq!(write_late(&site, zombie).await, StatusCode::CONFLICT, "a late write");
            refused += 1;
        }
        // They are taken in again, and are told that their leases are over.
        site.ready().await;
        own_words += refusals(&site).await - before - ZOMBIES as f64;
    }
    let audit = audit(&site, &promised).await;
    assert_eq!((audit.succeeded, audit.failed), (promised.len(), 0), "every job was finished elsewhere, once");
    eprintln!("    frozen with a job in hand     {}", promised.len());
    eprintln!("    finished elsewhere after      {} s", elsewhere.join(" s, "));
    eprintln!("    late writes refused (409)     {refused} made by the trial, {own_words} by the zombies themselves");
    eprintln!("    published                     {} jobs, each once", audit.succeeded);
}

/// Freezes whoever gets the job, in the middle of it.
async fn freeze(site: &Site, job: Uuid) -> Zombie {
    let lease = || async { trail::leases(&site.pool, job).await.pop() };
    let (epoch, name) = within(Duration::from_secs(30), "the job is placed", lease).await;
    let worker = site.workers.iter().position(|worker| worker.name == name).expect("a worker of ours");
    // It has its assignment a few milliseconds after the lease, and works on it for a second.
    tokio::time::sleep(Duration::from_millis(300)).await;
    site.workers[worker].signal("-STOP").await;
    Zombie { job, epoch, worker }
}

/// What the zombie would say: a picture under the lease that is over.
async fn write_late(site: &Site, zombie: &Zombie) -> StatusCode {
    let base = &site.heads[zombie.worker % site.heads.len()].base;
    let url = format!("{base}/internal/results/{}/{}/0", zombie.job, zombie.epoch);
    let answer = keeping_client().post(url).bearer_auth(WORKER_KEY).body("late").send().await;
    answer.expect("an answer").status()
}

/// Requests of workers that all heads refused so far.
async fn refusals(site: &Site) -> f64 {
    let mut refusals = 0.0;
    for head in 0..site.heads.len() {
        let metric = r#"mindseye_requests_total{action="worker",class="4xx"} "#;
        refusals += site.metric(head, metric).await.unwrap_or(0.0);
    }
    refusals
}
