use std::collections::HashSet;
use std::time::Duration;

use domain::worker::Lease;
use domain::{JobId, ValidRequest, WorkerId};
use sqlx::PgPool;
use sqlx::types::Json;

use crate::fleet::store::{Leased, interval};

/// Moves a lease that stands from one worker to another under a new epoch. It is no new attempt. `None`: the lease is
/// over, or the job has moved `most` times.
pub(super) async fn move_lease(
    pool: &PgPool,
    lease: Lease,
    (from, to): (&WorkerId, &WorkerId),
    most: u32,
    length: Duration,
) -> Result<Option<Leased>, sqlx::Error> {
    let row: Option<(i32, Json<ValidRequest>, Vec<i32>)> = sqlx::query_as(
        "UPDATE jobs AS job
         SET epoch = job.epoch + 1, worker_id = $4, lease_until = now() + $6, connection_lost = false,
             moves = job.moves + 1
         WHERE job.id = $1 AND job.epoch = $2 AND job.worker_id = $3 AND job.state = 'running' AND job.moves < $5
           AND $4 <> ALL (job.avoid)
         RETURNING job.epoch, job.request,
                   array(SELECT wanted FROM generate_series(0, job.count - 1) AS wanted
                         WHERE NOT EXISTS (SELECT FROM outputs WHERE job_id = job.id AND index = wanted)
                         ORDER BY wanted)",
    )
    .bind(lease.job.0)
    .bind(lease.epoch)
    .bind(&from.0)
    .bind(&to.0)
    .bind(i32::try_from(most).unwrap_or(i32::MAX))
    .bind(interval(length))
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(epoch, request, missing)| Leased {
        job: lease.job,
        epoch,
        request: request.0,
        missing: missing.into_iter().filter_map(|index| u32::try_from(index).ok()).collect(),
    }))
}

/// Puts a job whose lease stands back into the queue, keeping its place: it gave way, and what was tried is no attempt.
/// False: the lease is over, or the job has moved `most` times.
pub(super) async fn put_back(pool: &PgPool, lease: Lease, worker: &WorkerId, most: u32) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE jobs SET state = 'queued', lease_until = NULL, worker_id = NULL, attempts = attempts - 1,
             moves = moves + 1, queued_seq = nextval('jobs_queued_seq')
         WHERE id = $1 AND epoch = $2 AND worker_id = $3 AND state = 'running' AND moves < $4",
    )
    .bind(lease.job.0)
    .bind(lease.epoch)
    .bind(&worker.0)
    .bind(i32::try_from(most).unwrap_or(i32::MAX))
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those of the jobs that have not ended.
pub(super) async fn unfinished(pool: &PgPool, jobs: &[JobId]) -> Result<HashSet<JobId>, sqlx::Error> {
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT id FROM jobs WHERE id = ANY ($1) AND state IN ('queued', 'running')")
            .bind(jobs.iter().map(|job| job.0).collect::<Vec<_>>())
            .fetch_all(pool)
            .await?;
    Ok(ids.into_iter().map(JobId).collect())
}
