//! A record of what happens to jobs, written by the database itself beside each change.
//!
//! It lies in the same transactions, so it tells exactly what was committed:
//! who was given which lease when, and how often a job was published.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

const BEGIN: &str = "
    CREATE TABLE chaos_trail (
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        job uuid NOT NULL, what text NOT NULL, epoch int, worker text);
    CREATE INDEX ON chaos_trail (what, at);
    CREATE FUNCTION chaos_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO chaos_trail (job, what, epoch, worker)
        VALUES (NEW.id, NEW.state, NEW.epoch, coalesce(NEW.worker_id, OLD.worker_id));
        RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_job AFTER UPDATE ON jobs FOR EACH ROW
        WHEN (OLD.state <> NEW.state OR OLD.epoch <> NEW.epoch) EXECUTE FUNCTION chaos_job();
    CREATE FUNCTION chaos_output() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO chaos_trail (job, what) VALUES (coalesce(NEW.job_id, OLD.job_id),
            CASE TG_OP WHEN 'INSERT' THEN 'picture' ELSE 'picture dropped' END);
        RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_output AFTER INSERT OR DELETE ON outputs FOR EACH ROW EXECUTE FUNCTION chaos_output();";

pub async fn begin(pool: &PgPool) {
    sqlx::raw_sql(BEGIN).execute(pool).await.expect("the trail");
}

/// The first lease that was given after `at`, and how long after.
pub async fn next_lease(pool: &PgPool, at: DateTime<Utc>) -> Option<Duration> {
    let next: Option<DateTime<Utc>> =
        sqlx::query_scalar("SELECT min(at) FROM chaos_trail WHERE what = 'running' AND at > $1")
            .bind(at)
            .fetch_one(pool)
            .await
            .ok()?;
    (next? - at).to_std().ok()
}

/// Jobs that were published more than once: never any.
pub async fn published_twice(pool: &PgPool) -> Vec<Uuid> {
    sqlx::query_scalar("SELECT job FROM chaos_trail WHERE what = 'succeeded' GROUP BY job HAVING count(*) > 1")
        .fetch_all(pool)
        .await
        .expect("the trail")
}

/// Leases of one job, in order: epoch and worker.
pub async fn leases(pool: &PgPool, job: Uuid) -> Vec<(i32, String)> {
    sqlx::query_as("SELECT epoch, worker FROM chaos_trail WHERE job = $1 AND what = 'running' ORDER BY epoch")
        .bind(job)
        .fetch_all(pool)
        .await
        .expect("the trail")
}

/// Everything that happened to one job, a line each.
pub async fn story(pool: &PgPool, job: Uuid) -> String {
    let lines: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', to_char(at AT TIME ZONE 'UTC', 'HH24:MI:SS.MS'), what, epoch, worker) FROM chaos_trail
         WHERE job = $1 ORDER BY at",
    )
    .bind(job)
    .fetch_all(pool)
    .await
    .expect("the trail");
    lines.join("\n        ")
}

/// The first job that `worker` was given and published after `at`, and how long after.
pub async fn next_end(pool: &PgPool, worker: &str, at: DateTime<Utc>) -> Option<Duration> {
    let next: Option<DateTime<Utc>> = sqlx::query_scalar(
        "SELECT min(ended.at) FROM chaos_trail AS given
         JOIN chaos_trail AS ended ON ended.job = given.job AND ended.epoch = given.epoch AND ended.what = 'succeeded'
         WHERE given.what = 'running' AND given.worker = $1 AND given.at > $2",
    )
    .bind(worker)
    .bind(at)
    .fetch_one(pool)
    .await
    .ok()?;
    (next? - at).to_std().ok()
}

/// Of the leases that `worker` held at `began`: those under which it published the job after all, and the others.
pub async fn across(pool: &PgPool, worker: &str, began: DateTime<Utc>, ended: DateTime<Utc>) -> (i64, i64) {
    sqlx::query_as(
        "WITH held AS (
             SELECT given.job, given.epoch FROM chaos_trail AS given
             WHERE given.what = 'running' AND given.worker = $1 AND given.at < $3 AND NOT EXISTS (
                 SELECT FROM chaos_trail AS earlier
                 WHERE earlier.job = given.job AND earlier.epoch >= given.epoch AND earlier.what <> 'running'
                   AND earlier.what NOT LIKE 'picture%' AND earlier.at < $2)
         )
         SELECT count(*) FILTER (WHERE ended), count(*) FILTER (WHERE NOT ended) FROM (
             SELECT EXISTS (SELECT FROM chaos_trail AS last WHERE last.job = held.job AND last.epoch = held.epoch
                 AND last.what = 'succeeded') AS ended
             FROM held) AS leases",
    )
    .bind(worker)
    .bind(began)
    .bind(ended)
    .fetch_one(pool)
    .await
    .expect("the trail")
}

/// Jobs published under a lease of each worker.
pub async fn published_by(pool: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as("SELECT worker, count(*) FROM chaos_trail WHERE what = 'succeeded' GROUP BY worker ORDER BY worker")
        .fetch_all(pool)
        .await
        .expect("the trail")
}
