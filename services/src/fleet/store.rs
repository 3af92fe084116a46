use std::time::Duration;

use domain::{AppError, DeviceId, JobId, OutputId, ValidRequest, WorkerId};
use sqlx::postgres::types::PgInterval;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Waiting jobs that one plan looks at.
const PLANNED_AT_ONCE: i64 = 1_000;

/// A waiting job.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Waiting {
    pub id: Uuid,
    pub device_id: Uuid,
    pub model: String,
    pub missing: i32,
    pub relative_cost: f64,
}

/// A lease that has been committed.
#[derive(Debug)]
pub(super) struct Leased {
    pub job: JobId,
    pub epoch: i32,
    pub request: ValidRequest,
    /// Pictures that earlier attempts did not deliver.
    pub missing: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct NewOutput {
    pub id: OutputId,
    pub index: u32,
    pub seed: u64,
    pub bytes: usize,
}

/// When to stop trying.
#[derive(Debug)]
pub(super) struct Limits {
    pub attempts: i32,
    pub crashes: i32,
}

/// The oldest waiting jobs whose model is one of `models`.
pub(super) async fn waiting(pool: &PgPool, models: &[String]) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as(
        "SELECT job.id, job.device_id, job.model, job.relative_cost,
                greatest(job.count - (SELECT count(*) FROM outputs WHERE job_id = job.id), 0)::int AS missing
         FROM jobs AS job WHERE job.state = 'queued' AND job.model = ANY($2)
         ORDER BY job.created_at, job.id LIMIT $1",
    )
    .bind(PLANNED_AT_ONCE)
    .bind(models)
    .fetch_all(pool)
    .await
}

/// Leases waiting jobs to workers. A job that is no longer waiting is left out of the answer.
pub(super) async fn lease(
    pool: &PgPool,
    assignments: &[(JobId, WorkerId)],
    length: Duration,
) -> Result<Vec<Leased>, sqlx::Error> {
    let jobs: Vec<Uuid> = assignments.iter().map(|(job, _)| job.0).collect();
    let workers: Vec<&str> = assignments.iter().map(|(_, worker)| worker.0.as_str()).collect();
    let rows: Vec<(Uuid, i32, Json<ValidRequest>, Vec<i32>)> = sqlx::query_as(
        "UPDATE jobs AS job
         SET state = 'running', epoch = job.epoch + 1, attempts = job.attempts + 1,
             worker_id = placed.worker, lease_until = now() + $3
         FROM unnest($1::uuid[], $2::text[]) AS placed (job, worker)
         WHERE job.id = placed.job AND job.state = 'queued'
         RETURNING job.id, job.epoch, job.request,
                   array(SELECT wanted FROM generate_series(0, job.count - 1) AS wanted
                         WHERE NOT EXISTS (SELECT FROM outputs WHERE job_id = job.id AND index = wanted)
                         ORDER BY wanted)",
    )
    .bind(jobs)
    .bind(workers)
    .bind(interval(length))
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(job, epoch, request, missing)| Leased {
            job: JobId(job),
            epoch,
            request: request.0,
            missing: missing.into_iter().filter_map(|index| u32::try_from(index).ok()).collect(),
        })
        .collect())
}

/// Renews a worker's leases that still stand.
pub(super) async fn renew(
    pool: &PgPool,
    worker: &WorkerId,
    leases: &[(JobId, i32)],
    length: Duration,
) -> Result<(), sqlx::Error> {
    let jobs: Vec<Uuid> = leases.iter().map(|(job, _)| job.0).collect();
    let epochs: Vec<i32> = leases.iter().map(|(_, epoch)| *epoch).collect();
    sqlx::query(
        "UPDATE jobs AS job SET lease_until = now() + $4
         FROM unnest($1::uuid[], $2::int[]) AS held (job, epoch)
         WHERE job.id = held.job AND job.epoch = held.epoch AND job.worker_id = $3 AND job.state = 'running'",
    )
    .bind(jobs)
    .bind(epochs)
    .bind(&worker.0)
    .bind(interval(length))
    .execute(pool)
    .await?;
    Ok(())
}

/// Leases that ended without a word.
pub(super) async fn expired(pool: &PgPool) -> Result<Vec<(JobId, i32)>, sqlx::Error> {
    let rows: Vec<(Uuid, i32)> =
        sqlx::query_as("SELECT id, epoch FROM jobs WHERE state = 'running' AND lease_until < now() LIMIT 1000")
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|(job, epoch)| (JobId(job), epoch)).collect())
}

/// Jobs that wait for anything.
pub(super) async fn count_queued(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state = 'queued'").fetch_one(pool).await
}

/// Jobs that have waited for `patience` for a model that is not one of `models`.
pub(super) async fn hopeless(pool: &PgPool, models: &[String], patience: Duration) -> Result<Vec<JobId>, sqlx::Error> {
    let jobs: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM jobs WHERE state = 'queued' AND NOT model = ANY($1) AND created_at < now() - $2 LIMIT 1000",
    )
    .bind(models)
    .bind(interval(patience))
    .fetch_all(pool)
    .await?;
    Ok(jobs.into_iter().map(JobId).collect())
}

/// Ends a waiting job that nobody can do.
pub(super) async fn abandon(db: &mut PgConnection, job: JobId, error: &AppError) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE jobs SET state = 'failed', finished_at = now(), error = $2 WHERE id = $1 AND state = 'queued'",
    )
    .bind(job.0)
    .bind(Json(error))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a leased job back into the queue, keeping its place. False: its limits are reached, or the lease is over.
pub(super) async fn requeue(
    pool: &PgPool,
    job: JobId,
    epoch: i32,
    crashed: bool,
    limits: &Limits,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE jobs SET state = 'queued', worker_id = NULL, lease_until = NULL, crashes = crashes + $3::int
         WHERE id = $1 AND epoch = $2 AND state = 'running' AND attempts < $4 AND crashes + $3::int < $5",
    )
    .bind(job.0)
    .bind(epoch)
    .bind(i32::from(crashed))
    .bind(limits.attempts)
    .bind(limits.crashes)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn fail(db: &mut PgConnection, job: JobId, epoch: i32, error: &AppError) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE jobs SET state = 'failed', lease_until = NULL, finished_at = now(), error = $3
         WHERE id = $1 AND epoch = $2 AND state = 'running'",
    )
    .bind(job.0)
    .bind(epoch)
    .bind(Json(error))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Marks a leased job with all its pictures as succeeded. False: the lease is over, or a picture is missing.
pub(super) async fn succeed(db: &mut PgConnection, job: JobId, epoch: i32) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE jobs SET state = 'succeeded', lease_until = NULL, finished_at = now()
         WHERE id = $1 AND epoch = $2 AND state = 'running'
           AND count = (SELECT count(*) FROM outputs WHERE job_id = $1)",
    )
    .bind(job.0)
    .bind(epoch)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn is_leased(pool: &PgPool, job: JobId, epoch: i32) -> Result<bool, sqlx::Error> {
    leased_request(pool, job, epoch).await.map(|request| request.is_some())
}

/// The request of a job, if this lease on it stands.
pub(super) async fn leased_request(pool: &PgPool, job: JobId, epoch: i32) -> Result<Option<ValidRequest>, sqlx::Error> {
    let request: Option<Json<ValidRequest>> =
        sqlx::query_scalar("SELECT request FROM jobs WHERE id = $1 AND epoch = $2 AND state = 'running'")
            .bind(job.0)
            .bind(epoch)
            .fetch_optional(pool)
            .await?;
    Ok(request.map(|request| request.0))
}

/// Publishes one picture, if the lease stands and nobody delivered it before.
pub(super) async fn insert_output(
    pool: &PgPool,
    job: JobId,
    epoch: i32,
    request: &ValidRequest,
    output: &NewOutput,
) -> Result<bool, sqlx::Error> {
    // The row lock orders this against a cancellation or a new lease at the same moment.
    let done = sqlx::query(
        "WITH leased AS (SELECT id FROM jobs WHERE id = $2 AND epoch = $3 AND state = 'running' FOR UPDATE)
         INSERT INTO outputs (id, job_id, index, seed, width, height, media_type, bytes)
         SELECT $1, id, $4, $5, $6, $7, 'image/png', $8 FROM leased
         ON CONFLICT (job_id, index) DO NOTHING",
    )
    .bind(output.id.0)
    .bind(job.0)
    .bind(epoch)
    .bind(i32::try_from(output.index).unwrap_or(i32::MAX))
    .bind(i64::try_from(output.seed).unwrap_or(i64::MAX))
    .bind(i32::try_from(request.width).unwrap_or(i32::MAX))
    .bind(i32::try_from(request.height).unwrap_or(i32::MAX))
    .bind(i64::try_from(output.bytes).unwrap_or(i64::MAX))
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn has_output(pool: &PgPool, job: JobId, epoch: i32, index: u32) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM outputs JOIN jobs ON jobs.id = outputs.job_id
             WHERE jobs.id = $1 AND jobs.epoch = $2 AND jobs.state = 'running' AND outputs.index = $3)",
    )
    .bind(job.0)
    .bind(epoch)
    .bind(i32::try_from(index).unwrap_or(i32::MAX))
    .fetch_one(pool)
    .await
}

impl From<Waiting> for dispatch::QueuedJob {
    fn from(row: Waiting) -> Self {
        Self {
            id: JobId(row.id),
            owner: DeviceId(row.device_id),
            model: row.model,
            pictures: u32::try_from(row.missing).unwrap_or(0),
            relative_cost: row.relative_cost,
        }
    }
}

fn interval(length: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(length.as_micros()).unwrap_or(i64::MAX) }
}
