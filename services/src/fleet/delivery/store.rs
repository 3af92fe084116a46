use domain::{JobId, OutputId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::fleet::leases::Delivered;

/// Publishes pictures whose leases stand and that nobody delivered before; answers those.
pub(in crate::fleet) async fn insert_outputs(
    pool: &PgPool,
    pictures: &[Delivered],
) -> Result<Vec<OutputId>, sqlx::Error> {
    let int = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    // The row locks, taken in one order, settle this against a cancellation or a new lease at the same moment.
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "WITH picture AS (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::bigint[], $6::int[], $7::int[],
                 $8::bigint[]) AS t (id, job, epoch, index, seed, width, height, bytes)
         ), leased AS (
             SELECT id FROM jobs
             WHERE state = 'running' AND (id, epoch) IN (SELECT job, epoch FROM picture)
             ORDER BY id FOR UPDATE
         )
         INSERT INTO outputs (id, job_id, index, seed, width, height, media_type, bytes)
         SELECT picture.id, job, index, seed, width, height, 'image/png', bytes
         FROM picture JOIN leased ON leased.id = picture.job
         ON CONFLICT (job_id, index) DO NOTHING
         RETURNING id",
    )
    .bind(pictures.iter().map(|p| p.id.0).collect::<Vec<_>>())
    .bind(pictures.iter().map(|p| p.lease.job.0).collect::<Vec<_>>())
    .bind(pictures.iter().map(|p| p.lease.epoch).collect::<Vec<_>>())
    .bind(pictures.iter().map(|p| int(p.index)).collect::<Vec<_>>())
    .bind(pictures.iter().map(|p| i64::try_from(p.seed).unwrap_or(i64::MAX)).collect::<Vec<_>>())
    .bind(pictures.iter().map(|p| int(p.width)).collect::<Vec<_>>())
    .bind(pictures.iter().map(|p| int(p.height)).collect::<Vec<_>>())
    .bind(pictures.iter().map(|p| i64::try_from(p.bytes).unwrap_or(i64::MAX)).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(OutputId).collect())
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

/// The picture that a job goes on from, if it is still its owner's.
pub(super) async fn source(pool: &PgPool, job: JobId) -> Result<Option<OutputId>, sqlx::Error> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "WITH wanted AS (
             SELECT device_id, (request #>> '{source,media}')::uuid AS media FROM jobs WHERE id = $1
         )
         SELECT output.id FROM wanted
         JOIN outputs AS output ON output.id = wanted.media
         JOIN jobs AS maker ON maker.id = output.job_id AND maker.device_id = wanted.device_id
         UNION ALL
         SELECT photo.id FROM wanted
         JOIN photos AS photo ON photo.id = wanted.media AND photo.device_id = wanted.device_id",
    )
    .bind(job.0)
    .fetch_optional(pool)
    .await?;
    Ok(id.map(OutputId))
}
