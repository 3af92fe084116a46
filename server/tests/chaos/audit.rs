//! What must hold when the dust has settled.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::client::{self, Accepted};
use crate::site::Site;
use crate::trail;
use crate::until::within;

/// How a trial's jobs ended.
#[derive(Debug, Default)]
pub struct Audit {
    pub jobs: usize,
    pub succeeded: usize,
    /// Set aside, their credits returned.
    pub failed: usize,
    /// Leases beyond the first of each job.
    pub retries: i64,
    /// From acceptance to the end, in seconds.
    pub longest: f64,
    pub median: f64,
    pub p99: f64,
    /// Files without a row: harmless, and counted.
    pub stray_files: usize,
}

/// Waits until no job waits or runs any more.
pub async fn settled(site: &Site, patience: Duration) {
    within(patience, "every job ends", || async {
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')")
            .fetch_one(&site.pool)
            .await
            .ok()?;
        (open == 0).then_some(())
    })
    .await;
}

/// Checks jobs, pictures, files and money; `promised` is what clients were answered `202` for.
pub async fn audit(site: &Site, promised: &[Accepted]) -> Audit {
    let pool = &site.pool;
    let states: Vec<(Uuid, String, i32, i32, f64)> = sqlx::query_as(
        "SELECT id, state, count, attempts, extract(epoch FROM finished_at - created_at)::float8 FROM jobs
         ORDER BY finished_at - created_at",
    )
    .fetch_all(pool)
    .await
    .expect("jobs");
    let state: HashMap<Uuid, &str> = states.iter().map(|(id, state, ..)| (*id, state.as_str())).collect();
    let lost: Vec<&Accepted> = promised.iter().filter(|accepted| !state.contains_key(&accepted.job)).collect();
    assert!(lost.is_empty(), "accepted and lost: {lost:?}");
    let odd: Vec<_> = states.iter().filter(|(_, s, ..)| !["succeeded", "failed"].contains(&s.as_str())).collect();
    assert!(odd.is_empty(), "jobs that ended in no good way: {odd:?}");
    money(pool).await;
    let stray_files = pictures(site).await;
    let twice = trail::published_twice(pool).await;
    assert!(twice.is_empty(), "published twice: {twice:?}");
    tell_of_failed(pool).await;
    let took = |share: f64| states.get(((states.len().max(1) - 1) as f64 * share) as usize).map_or(0.0, |job| job.4);
    Audit {
        jobs: states.len(),
        succeeded: states.iter().filter(|(_, state, ..)| state == "succeeded").count(),
        failed: states.iter().filter(|(_, state, ..)| state == "failed").count(),
        retries: states.iter().map(|(.., attempts, _)| i64::from(attempts - 1).max(0)).sum(),
        longest: took(1.0),
        median: took(0.5),
        p99: took(0.99),
        stray_files,
    }
}

/// Every owner finds what they were promised, through the front door.
pub async fn owners_find(site: &Site, promised: &[Accepted]) {
    let http = client::keeping_client();
    for (number, accepted) in promised.iter().enumerate() {
        let base = &site.heads[number % site.heads.len()].base;
        let (status, job) = client::read(&http, base, accepted).await.expect("an answer");
        assert_eq!(status, 200, "{accepted:?}");
        let outputs = job["outputs"].as_array().map_or(0, Vec::len);
        match job["status"].as_str() {
            Some("succeeded") => assert_eq!(outputs, 1, "{job}"),
            Some("failed") => assert_eq!(outputs, 0, "{job}"),
            _ => panic!("not at its end: {job}"),
        }
        if number.is_multiple_of(100) && outputs > 0 {
            see(&http, base, accepted, &job).await;
        }
    }
}

/// The picture is there, and is a picture.
async fn see(client: &reqwest::Client, base: &str, accepted: &Accepted, job: &Value) {
    let url = job["outputs"][0]["url"].as_str().expect("an address");
    let answer = client.get(format!("{base}{url}")).header("cookie", &accepted.cookie).send().await;
    let bytes = answer.expect("an answer").bytes().await.expect("bytes");
    assert_eq!(bytes.get(1..4), Some(b"PNG".as_slice()));
}

/// One hold for every job, closed once and in the way the job ended; balances that are the sum of their entries.
async fn money(pool: &PgPool) {
    let wrong: Vec<(Uuid, String, Vec<String>)> = sqlx::query_as(
        "SELECT job.id, job.state, coalesce(array_agg(entry.kind ORDER BY entry.kind) FILTER (WHERE entry.id IS NOT NULL), '{}')
         FROM jobs AS job LEFT JOIN credit_entries AS entry ON entry.job_id = job.id
         GROUP BY job.id
         HAVING coalesce(string_agg(entry.kind, ',' ORDER BY entry.kind), '') <>
             CASE job.state WHEN 'succeeded' THEN 'capture,hold' ELSE 'hold,release' END
             OR bool_or(entry.credits <> job.price)",
    )
    .fetch_all(pool)
    .await
    .expect("entries");
    assert!(wrong.is_empty(), "jobs whose money is wrong: {wrong:?}");
    let drift = services::credits::drift(pool).await.expect("the audit of balances");
    assert!(drift.is_empty(), "balances that are not the sum of their entries: {drift:?}");
}

/// A succeeded job has exactly its pictures, each with its file; others have none. Answers how many files nobody has.
async fn pictures(site: &Site) -> usize {
    let wrong: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "SELECT job.id, job.state, count(output.id) FROM jobs AS job LEFT JOIN outputs AS output ON output.job_id = job.id
         GROUP BY job.id
         HAVING count(output.id) <> CASE job.state WHEN 'succeeded' THEN job.count ELSE 0 END",
    )
    .fetch_all(&site.pool)
    .await
    .expect("outputs");
    assert!(wrong.is_empty(), "jobs with too few or too many pictures: {wrong:?}");
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT id, bytes FROM outputs").fetch_all(&site.pool).await.expect("outputs");
    let files = files(&site.media());
    for (id, bytes) in &rows {
        let size = files.get(&format!("{}.png", id.simple()));
        assert_eq!(size.copied(), u64::try_from(*bytes).ok(), "the file of picture {id}");
    }
    let known: HashSet<String> = rows.iter().map(|(id, _)| format!("{}.png", id.simple())).collect();
    files.keys().filter(|name| !known.contains(*name)).count()
}

/// Names and sizes of the picture files.
fn files(media: &Path) -> HashMap<String, u64> {
    let folders = std::fs::read_dir(media).expect("the media folder").map(|folder| folder.expect("a folder").path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    files
        .map(|file| {
            let file = file.expect("a file");
            (file.file_name().to_string_lossy().into_owned(), file.metadata().expect("its size").len())
        })
        .collect()
}

/// Says of some jobs that were set aside how that came.
async fn tell_of_failed(pool: &PgPool) {
    let failed: Vec<(Uuid, i32, i32)> =
        sqlx::query_as("SELECT id, attempts, crashes FROM jobs WHERE state = 'failed' ORDER BY created_at LIMIT 5")
            .fetch_all(pool)
            .await
            .expect("jobs");
    for (job, attempts, crashes) in failed {
        let story = trail::story(pool, job).await;
        eprintln!(
            "    {job} was set aside after {attempts} leases, {crashes} of them lost with a worker:\n        {story}"
        );
    }
}
