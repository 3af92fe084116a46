use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{AppError, DeviceId, JobId, JobState, OutputId, ValidRequest};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::format::{ArchivedFile, ArchivedJob};

/// Number of the lock that those take in turn who bring something in.
const TURN: i64 = 0x006d_696e_6469_6d70;

/// A picture that should be there.
#[derive(Clone, Debug)]
pub(super) struct OutputRow {
    pub id: OutputId,
    pub index: u32,
    pub seed: u64,
    pub width: u32,
    pub height: u32,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, sqlx::FromRow)]
struct JobRow {
    id: Uuid,
    state: String,
    request: Json<ValidRequest>,
    error: Option<Json<AppError>>,
    pinned: bool,
    parent_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// Jobs of `owner` that have ended, with what pictures they should have, the oldest first; behind `after`.
pub(super) async fn jobs(
    pool: &PgPool,
    owner: DeviceId,
    until: DateTime<Utc>,
    after: Option<(DateTime<Utc>, JobId)>,
    limit: u32,
) -> Result<Vec<(ArchivedJob, Vec<OutputRow>)>, sqlx::Error> {
    let (after_at, after_id) = after.unzip();
    let rows: Vec<JobRow> = sqlx::query_as(
        "SELECT id, state, request, error, pinned, parent_id, created_at, finished_at FROM jobs
         WHERE device_id = $1 AND created_at <= $2 AND state IN ('succeeded', 'failed', 'cancelled')
           AND ($3::timestamptz IS NULL OR (created_at, id) > ($3, $4))
         ORDER BY created_at, id LIMIT $5",
    )
    .bind(owner.0)
    .bind(until)
    .bind(after_at)
    .bind(after_id.map(|id: JobId| id.0))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    let mut outputs = outputs(pool, rows.iter().map(|row| row.id).collect()).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let outputs = outputs.remove(&row.id).unwrap_or_default();
            let job = ArchivedJob {
                id: JobId(row.id),
                // The query asks for nothing else.
                status: JobState::parse(&row.state).unwrap_or(JobState::Failed),
                request: row.request.0,
                error: row.error.map(|error| error.code().to_owned()),
                pinned: row.pinned,
                parent: row.parent_id.map(JobId),
                created_at: row.created_at,
                finished_at: row.finished_at,
                outputs: Vec::new(),
            };
            (job, outputs)
        })
        .collect())
}

async fn outputs(pool: &PgPool, jobs: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<OutputRow>>, sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id: Uuid,
        job_id: Uuid,
        index: i32,
        seed: i64,
        width: i32,
        height: i32,
        created_at: DateTime<Utc>,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, job_id, index, seed, width, height, created_at FROM outputs
         WHERE job_id = ANY($1) ORDER BY job_id, index",
    )
    .bind(jobs)
    .fetch_all(pool)
    .await?;
    let number = |number: i32| u32::try_from(number).unwrap_or(0);
    let mut by_job: HashMap<Uuid, Vec<OutputRow>> = HashMap::new();
    for row in rows {
        by_job.entry(row.job_id).or_default().push(OutputRow {
            id: OutputId(row.id),
            index: number(row.index),
            seed: u64::try_from(row.seed).unwrap_or(0),
            width: number(row.width),
            height: number(row.height),
            created_at: row.created_at,
        });
    }
    Ok(by_job)
}

/// Photos of `owner` with their sizes, the oldest first.
pub(super) async fn photos(pool: &PgPool, owner: DeviceId) -> Result<Vec<(OutputId, u32, u32)>, sqlx::Error> {
    let rows: Vec<(Uuid, i32, i32)> =
        sqlx::query_as("SELECT id, width, height FROM photos WHERE device_id = $1 ORDER BY created_at, id")
            .bind(owner.0)
            .fetch_all(pool)
            .await?;
    let side = |side: i32| u32::try_from(side).unwrap_or(0);
    Ok(rows.into_iter().map(|(id, width, height)| (OutputId(id), side(width), side(height))).collect())
}

/// Whose those jobs are, of those that there are.
pub(super) async fn whose_jobs(pool: &PgPool, ids: &[Uuid]) -> Result<HashMap<Uuid, Uuid>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> =
        sqlx::query_as("SELECT id, device_id FROM jobs WHERE id = ANY($1)").bind(ids).fetch_all(pool).await?;
    Ok(rows.into_iter().collect())
}

/// Whose those pictures and photos are, of those that there are.
pub(super) async fn whose_media(pool: &PgPool, ids: &[Uuid]) -> Result<HashMap<Uuid, Uuid>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT output.id, job.device_id FROM outputs AS output JOIN jobs AS job ON job.id = output.job_id
         WHERE output.id = ANY($1)
         UNION ALL
         SELECT id, device_id FROM photos WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().collect())
}

/// What an owner has: jobs, photos, and bytes of what they brought in.
pub(super) async fn holdings(pool: &PgPool, owner: DeviceId) -> Result<(i64, i64, i64), sqlx::Error> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM jobs WHERE device_id = $1),
                (SELECT count(*) FROM photos WHERE device_id = $1),
                (SELECT coalesce(sum(output.bytes), 0)::bigint FROM outputs AS output
                 JOIN jobs AS job ON job.id = output.job_id WHERE job.device_id = $1 AND job.imported)",
    )
    .bind(owner.0)
    .fetch_one(pool)
    .await
}

/// Writes down that so many bytes come in. False: too many did since then, from everybody together.
pub(super) async fn reserve(
    pool: &PgPool,
    bytes: i64,
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    most: i64,
) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    take_turn(&mut transaction).await?;
    sqlx::query("DELETE FROM imports WHERE created_at <= $1").bind(since).execute(&mut *transaction).await?;
    let done = sqlx::query(
        "INSERT INTO imports (bytes, created_at)
         SELECT $1, $2 WHERE (SELECT coalesce(sum(bytes), 0) FROM imports) + $1 <= $3",
    )
    .bind(bytes)
    .bind(now)
    .bind(most)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Until the transaction ends, nobody else brings anything in: two archives may name the same ids.
pub(super) async fn take_turn(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(TURN).execute(db).await?;
    Ok(())
}

/// Whether a name of a picture is nobody's.
pub(super) async fn is_free(db: &mut PgConnection, id: OutputId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT FROM outputs WHERE id = $1) AND NOT EXISTS (SELECT FROM photos WHERE id = $1)",
    )
    .bind(id.0)
    .fetch_one(db)
    .await
}

/// A job that is over and cost nothing. False: there is one of this id by now.
pub(super) async fn insert_job(
    db: &mut PgConnection,
    owner: DeviceId,
    id: JobId,
    job: &ArchivedJob,
    error: Option<AppError>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO jobs (id, device_id, state, request, model, capability, count, relative_cost, price, error, pinned,
             created_at, finished_at, imported)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0, $8, $9, $10, $11, true)
         ON CONFLICT DO NOTHING",
    )
    .bind(id.0)
    .bind(owner.0)
    .bind(job.status.as_str())
    .bind(Json(&job.request))
    .bind(&job.request.model)
    .bind(&job.request.capability)
    .bind(i32::try_from(job.request.count).unwrap_or(i32::MAX))
    .bind(error.map(Json))
    .bind(job.pinned)
    .bind(job.created_at)
    .bind(job.finished_at)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn insert_output(
    db: &mut PgConnection,
    job: JobId,
    id: OutputId,
    output: &super::format::ArchivedOutput,
) -> Result<(), sqlx::Error> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    sqlx::query(
        "INSERT INTO outputs (id, job_id, index, seed, width, height, media_type, bytes, created_at, imported)
         VALUES ($1, $2, $3, $4, $5, $6, 'image/png', $7, $8, true)",
    )
    .bind(id.0)
    .bind(job.0)
    .bind(number(output.index))
    .bind(i64::try_from(output.seed).unwrap_or(i64::MAX))
    .bind(number(output.file.width))
    .bind(number(output.file.height))
    .bind(i64::try_from(output.file.bytes).unwrap_or(i64::MAX))
    .bind(output.created_at)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn insert_photo(
    db: &mut PgConnection,
    owner: DeviceId,
    id: OutputId,
    file: &ArchivedFile,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    sqlx::query("INSERT INTO photos (id, device_id, width, height, bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id.0)
        .bind(owner.0)
        .bind(number(file.width))
        .bind(number(file.height))
        .bind(i64::try_from(file.bytes).unwrap_or(i64::MAX))
        .bind(at)
        .execute(db)
        .await?;
    Ok(())
}

/// Says which of an owner's jobs follow which of theirs. A job follows what was made before it, so nothing goes in
/// circles.
pub(super) async fn follow(pool: &PgPool, owner: DeviceId, pairs: &[(JobId, JobId)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE jobs AS job SET parent_id = parent.id
         FROM unnest($2::uuid[], $3::uuid[]) AS pair (job, parent)
         JOIN jobs AS parent ON parent.id = pair.parent AND parent.device_id = $1
         WHERE job.id = pair.job AND job.device_id = $1 AND job.imported AND parent.created_at < job.created_at",
    )
    .bind(owner.0)
    .bind(pairs.iter().map(|(job, _)| job.0).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(_, parent)| parent.0).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}
