use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dispatch::{Lane, Length};
use domain::worker::Lease;
use domain::{AppError, DeviceId, JobId, ValidRequest, WorkerId};
use sqlx::postgres::types::PgInterval;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Rows read at once into the dispatcher's memory.
const READ_AT_ONCE: i64 = 50_000;

/// A waiting job.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Waiting {
    pub id: Uuid,
    pub device_id: Uuid,
    pub queued_seq: i64,
    pub capability: String,
    pub lane: String,
    pub avoid: Vec<String>,
    pub request: Json<ValidRequest>,
    pub missing: i32,
    /// Workers that died while they held it.
    pub crashes: i32,
    /// How often it went to another worker while it ran.
    pub moves: i32,
    pub relative_cost: f64,
    pub created_at: DateTime<Utc>,
}

/// A job that a worker holds, as a new dispatcher finds it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Running {
    pub epoch: i32,
    #[sqlx(flatten)]
    pub job: Waiting,
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

/// When to stop trying.
#[derive(Debug)]
pub(super) struct Limits {
    pub attempts: i32,
    pub crashes: i32,
}

/// How a job goes back into the queue.
#[derive(Debug, Default)]
pub(super) struct Requeue {
    /// Its worker died under it.
    pub crashed: bool,
    /// Not to the same worker again, whoever else there is.
    pub avoid: bool,
    /// Not to the same worker again if one of these could take it: workers, each with a model it has.
    pub others: Vec<(WorkerId, String)>,
    /// It was never tried.
    pub uncounted: bool,
    /// No worker ever had it.
    pub unsent: bool,
}

/// Waiting jobs that entered the queue after `after`, oldest first.
pub(super) async fn waiting(pool: &PgPool, after: i64) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as(
        "SELECT job.id, job.device_id, job.queued_seq, job.capability, job.lane, job.avoid, job.request,
                job.relative_cost, job.created_at, job.crashes, job.moves,
                greatest(job.count - (SELECT count(*) FROM outputs WHERE job_id = job.id), 0)::int AS missing
         FROM jobs AS job WHERE job.state = 'queued' AND job.queued_seq > $1
         ORDER BY job.queued_seq LIMIT $2",
    )
    .bind(after)
    .bind(READ_AT_ONCE)
    .fetch_all(pool)
    .await
}

/// Jobs that a worker holds.
pub(super) async fn running(pool: &PgPool, worker: &WorkerId) -> Result<Vec<Running>, sqlx::Error> {
    sqlx::query_as(
        "SELECT job.epoch, job.id, job.device_id, job.queued_seq,
                job.capability, job.lane, job.avoid, job.request, job.relative_cost, job.created_at,
                job.crashes, job.moves,
                greatest(job.count - (SELECT count(*) FROM outputs WHERE job_id = job.id), 0)::int AS missing
         FROM jobs AS job WHERE job.state = 'running' AND job.worker_id = $1",
    )
    .bind(&worker.0)
    .fetch_all(pool)
    .await
}

/// All leases that stand, and whose they are.
pub(super) async fn leases(pool: &PgPool) -> Result<HashSet<(Lease, WorkerId)>, sqlx::Error> {
    let rows: Vec<(Uuid, i32, Option<String>)> =
        sqlx::query_as("SELECT id, epoch, worker_id FROM jobs WHERE state = 'running'").fetch_all(pool).await?;
    let lease = |(job, epoch, worker): (_, _, Option<String>)| {
        (Lease { job: JobId(job), epoch }, WorkerId(worker.unwrap_or_default()))
    };
    Ok(rows.into_iter().map(lease).collect())
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
             worker_id = placed.worker, lease_until = now() + $3, connection_lost = false,
             leased_at = coalesce(job.leased_at, now())
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

/// Renews a worker's leases that still stand; answers their jobs.
pub(super) async fn renew(
    pool: &PgPool,
    worker: &WorkerId,
    leases: &[Lease],
    length: Duration,
) -> Result<Vec<JobId>, sqlx::Error> {
    let (jobs, epochs) = columns(leases);
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE jobs AS job SET lease_until = now() + $4
         FROM unnest($1::uuid[], $2::int[]) AS held (job, epoch)
         WHERE job.id = held.job AND job.epoch = held.epoch AND job.worker_id = $3 AND job.state = 'running'
         RETURNING job.id",
    )
    .bind(jobs)
    .bind(epochs)
    .bind(&worker.0)
    .bind(interval(length))
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Those of a worker's leases that stand, with what they ask for; they are renewed.
pub(super) async fn resume(
    pool: &PgPool,
    worker: &WorkerId,
    leases: &[Lease],
    length: Duration,
) -> Result<Vec<(Lease, ValidRequest)>, sqlx::Error> {
    let (jobs, epochs) = columns(leases);
    let rows: Vec<(Uuid, i32, Json<ValidRequest>)> = sqlx::query_as(
        "UPDATE jobs AS job SET lease_until = now() + $4, connection_lost = false
         FROM unnest($1::uuid[], $2::int[]) AS held (job, epoch)
         WHERE job.id = held.job AND job.epoch = held.epoch AND job.worker_id = $3 AND job.state = 'running'
           AND job.lease_until > now()
         RETURNING job.id, job.epoch, job.request",
    )
    .bind(jobs)
    .bind(epochs)
    .bind(&worker.0)
    .bind(interval(length))
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(job, epoch, request)| (Lease { job: JobId(job), epoch }, request.0)).collect())
}

/// A worker's connection ended: these leases end soon unless it dials in again and resumes them.
///
/// Should it have died of one of them, that was the only one, or the only one under which a worker died before; where
/// nothing speaks against any more than against the others, it may have been each. A crash is counted for those alone.
pub(super) async fn shorten(
    pool: &PgPool,
    worker: &WorkerId,
    leases: &[Lease],
    length: Duration,
) -> Result<(), sqlx::Error> {
    let (jobs, epochs) = columns(leases);
    sqlx::query(
        "WITH lost AS (
             SELECT job.id, job.crashes, count(*) FILTER (WHERE job.crashes > 0) OVER () AS suspects,
                    count(*) OVER () AS jobs
             FROM jobs AS job JOIN unnest($1::uuid[], $2::int[]) AS held (job, epoch)
                 ON job.id = held.job AND job.epoch = held.epoch
             WHERE job.worker_id = $3 AND job.state = 'running'
         )
         UPDATE jobs AS job SET lease_until = least(job.lease_until, now() + $4),
             connection_lost = lost.jobs = 1 OR lost.suspects = 0 OR (lost.suspects = 1 AND lost.crashes > 0)
         FROM lost JOIN unnest($1::uuid[], $2::int[]) AS held (job, epoch) ON lost.id = held.job
         WHERE job.id = lost.id AND job.epoch = held.epoch AND job.state = 'running'",
    )
    .bind(jobs)
    .bind(epochs)
    .bind(&worker.0)
    .bind(interval(length))
    .execute(pool)
    .await?;
    Ok(())
}

/// The leases of a worker that dialled in anew and does not work on them, and whether the head that had passed them
/// on saw its connection end: the others may never have reached it.
pub(super) async fn abandoned_by(
    pool: &PgPool,
    worker: &WorkerId,
    kept: &[Lease],
) -> Result<Vec<(Lease, bool)>, sqlx::Error> {
    let (jobs, epochs) = columns(kept);
    let rows: Vec<(Uuid, i32, bool)> = sqlx::query_as(
        "SELECT id, epoch, connection_lost FROM jobs AS job
         WHERE job.state = 'running' AND job.worker_id = $3 AND NOT EXISTS (
             SELECT FROM unnest($1::uuid[], $2::int[]) AS kept (job, epoch)
             WHERE kept.job = job.id AND kept.epoch = job.epoch)",
    )
    .bind(jobs)
    .bind(epochs)
    .bind(&worker.0)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(job, epoch, lost)| (Lease { job: JobId(job), epoch }, lost)).collect())
}

/// Leases that ended without a word, and whether their worker's connection had ended before.
pub(super) async fn expired(pool: &PgPool) -> Result<Vec<(Lease, bool)>, sqlx::Error> {
    let rows: Vec<(Uuid, i32, bool)> = sqlx::query_as(
        "SELECT id, epoch, connection_lost FROM jobs WHERE state = 'running' AND lease_until < now() LIMIT 1000",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(job, epoch, lost)| (Lease { job: JobId(job), epoch }, lost)).collect())
}

/// Jobs that wait for anything.
pub(super) async fn count_queued(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state = 'queued'").fetch_one(pool).await
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
pub(super) async fn requeue(pool: &PgPool, lease: Lease, how: &Requeue, limits: &Limits) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE jobs SET state = 'queued', lease_until = NULL, crashes = crashes + $3::int, attempts = attempts - $7::int,
             queued_seq = nextval('jobs_queued_seq'),
             leased_at = CASE WHEN $10 AND attempts <= 1 THEN NULL ELSE leased_at END,
             avoid = CASE WHEN worker_id <> ALL (avoid) AND ($6 OR EXISTS (
                     SELECT FROM unnest($8::text[], $9::text[]) AS other (worker, model)
                     WHERE other.model = jobs.model AND other.worker <> jobs.worker_id
                       AND other.worker <> ALL (jobs.avoid)
                       AND NOT EXISTS (
                           SELECT FROM worker_controls AS control
                           WHERE control.worker_id = other.worker AND control.draining)))
                 THEN array_append(avoid, worker_id) ELSE avoid END,
             worker_id = NULL
         WHERE id = $1 AND epoch = $2 AND state = 'running' AND attempts - $7::int < $4
             AND crashes + $3::int < $5",
    )
    .bind(lease.job.0)
    .bind(lease.epoch)
    .bind(i32::from(how.crashed))
    .bind(limits.attempts)
    .bind(limits.crashes)
    .bind(how.avoid)
    .bind(i32::from(how.uncounted))
    .bind(how.others.iter().map(|(worker, _)| worker.0.as_str()).collect::<Vec<_>>())
    .bind(how.others.iter().map(|(_, model)| model.as_str()).collect::<Vec<_>>())
    .bind(how.unsent)
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

/// Publishes finished jobs and captures their holds, all in one statement; answers those that were. The others'
/// leases are over, or a picture is missing.
pub(super) async fn succeed(pool: &PgPool, leases: &[Lease]) -> Result<Vec<JobId>, sqlx::Error> {
    let (jobs, epochs) = columns(leases);
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "WITH finished AS (
             UPDATE jobs AS job SET state = 'succeeded', lease_until = NULL, finished_at = now()
             FROM (SELECT * FROM unnest($1::uuid[], $2::int[]) AS t (job, epoch) ORDER BY job) AS done
             WHERE job.id = done.job AND job.epoch = done.epoch AND job.state = 'running'
               AND job.count = (SELECT count(*) FROM outputs WHERE job_id = job.id)
             RETURNING job.id
         ), captured AS (
             INSERT INTO credit_entries (device_id, day, job_id, kind, credits)
             SELECT hold.device_id, hold.day, hold.job_id, 'capture', hold.credits
             FROM credit_entries AS hold JOIN finished ON finished.id = hold.job_id
             WHERE hold.kind = 'hold'
             ON CONFLICT DO NOTHING
         )
         SELECT id FROM finished",
    )
    .bind(jobs)
    .bind(epochs)
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Those of the leases that stand.
pub(super) async fn standing(pool: &PgPool, leases: &[Lease]) -> Result<Vec<JobId>, sqlx::Error> {
    let (jobs, epochs) = columns(leases);
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT job.id FROM jobs AS job JOIN unnest($1::uuid[], $2::int[]) AS held (job, epoch)
             ON job.id = held.job AND job.epoch = held.epoch
         WHERE job.state = 'running'",
    )
    .bind(jobs)
    .bind(epochs)
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Whether that worker has this lease.
pub(super) async fn is_leased_to(pool: &PgPool, worker: &WorkerId, lease: Lease) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM jobs WHERE id = $1 AND epoch = $2 AND worker_id = $3 AND state = 'running')",
    )
    .bind(lease.job.0)
    .bind(lease.epoch)
    .bind(&worker.0)
    .fetch_one(pool)
    .await
}

pub(super) async fn is_leased(pool: &PgPool, job: JobId, epoch: i32) -> Result<bool, sqlx::Error> {
    leased_request(pool, job, epoch).await.map(|request| request.is_some())
}

/// Who works on a job, and what it asks for, if this lease on it stands.
pub(super) async fn leased_request(
    pool: &PgPool,
    job: JobId,
    epoch: i32,
) -> Result<Option<(WorkerId, ValidRequest)>, sqlx::Error> {
    let row: Option<(String, Json<ValidRequest>)> = sqlx::query_as(
        "SELECT coalesce(worker_id, ''), request FROM jobs WHERE id = $1 AND epoch = $2 AND state = 'running'",
    )
    .bind(job.0)
    .bind(epoch)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(worker, request)| (WorkerId(worker), request.0)))
}

impl Waiting {
    pub(super) fn length(&self) -> Length {
        if self.capability.starts_with("video") { Length::Long } else { Length::Short }
    }

    /// As the planner looks at it.
    pub(super) fn as_planned(&self, now: DateTime<Utc>) -> dispatch::QueuedJob {
        let request = &self.request.0;
        dispatch::QueuedJob {
            id: JobId(self.id),
            owner: DeviceId(self.device_id),
            lane: if self.lane == "priority" { Lane::Priority } else { Lane::Standard },
            length: self.length(),
            model: request.model.as_str().into(),
            batch_key: request.batch_key(),
            // Even with every picture delivered, somebody must say so.
            work: self.relative_cost * f64::from(self.missing.max(0)),
            waited_ms: (now - self.created_at).num_milliseconds().max(0) as f64,
            avoid: self.avoid.iter().cloned().map(WorkerId).collect(),
        }
    }
}

fn columns(leases: &[Lease]) -> (Vec<Uuid>, Vec<i32>) {
    leases.iter().map(|lease| (lease.job.0, lease.epoch)).unzip()
}

pub(super) fn interval(length: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(length.as_micros()).unwrap_or(i64::MAX) }
}
