use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{AppError, DeviceId, JobId, JobState, Making, ModelCard, Original, OutputId, OutputView, ValidRequest};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A job as it is accepted.
#[derive(Clone, Debug)]
pub(crate) struct NewJob {
    pub id: JobId,
    pub owner: DeviceId,
    pub request: ValidRequest,
    pub relative_cost: f64,
    pub price: u32,
    /// The owner's job that this one follows.
    pub parent: Option<JobId>,
    pub created_at: DateTime<Utc>,
}

/// What a view needs of a job.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct JobRow {
    pub id: Uuid,
    pub state: String,
    pub request: Json<ValidRequest>,
    pub price: i32,
    pub error: Option<Json<AppError>>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl JobRow {
    pub(crate) fn state(&self) -> JobState {
        // The column has a CHECK with exactly these names.
        JobState::parse(&self.state).unwrap_or(JobState::Failed)
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct HistoryRow {
    #[sqlx(flatten)]
    pub job: JobRow,
    pub pinned: bool,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct OutputRow {
    pub id: Uuid,
    pub job_id: Uuid,
    pub index: i32,
    pub seed: i64,
    pub width: i32,
    pub height: i32,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct MediaRow {
    pub media_type: String,
    pub public: bool,
}

/// Accepts jobs whose owners can pay them: row and hold in one statement, each owner once. Answers the accepted ones.
pub(super) async fn accept(pool: &PgPool, jobs: &[&NewJob]) -> Result<Vec<JobId>, sqlx::Error> {
    let int = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "WITH wanted AS (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::text[], $5::text[], $6::int[],
                 $7::double precision[], $8::int[], $9::timestamptz[], $10::date[], $11::uuid[])
                 AS t (id, device_id, request, model, capability, count, relative_cost, price, created_at, day, parent_id)
             ORDER BY device_id
         ), taken AS (
             UPDATE credit_balances AS balance SET credits = balance.credits - wanted.price
             FROM wanted
             WHERE balance.device_id = wanted.device_id AND balance.day = wanted.day
               AND balance.credits >= wanted.price
             RETURNING wanted.id
         ), job AS (
             INSERT INTO jobs (id, device_id, state, request, model, capability, count, relative_cost, price, created_at,
                 parent_id)
             SELECT id, device_id, 'queued', request, model, capability, count, relative_cost, price, created_at, parent_id
             FROM wanted WHERE id IN (SELECT id FROM taken)
             RETURNING id
         ), hold AS (
             INSERT INTO credit_entries (device_id, day, job_id, kind, credits)
             SELECT device_id, day, id, 'hold', price FROM wanted WHERE id IN (SELECT id FROM taken)
         )
         SELECT id FROM job",
    )
    .bind(jobs.iter().map(|job| job.id.0).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.owner.0).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| Json(&job.request)).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.request.model.as_str()).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.request.capability.as_str()).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| int(job.request.count)).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.relative_cost).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| int(job.price)).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.created_at).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| domain::credits::day_of(job.created_at)).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.parent.map(|parent| parent.0)).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

pub(super) async fn insert(db: &mut PgConnection, job: &NewJob) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO jobs (id, device_id, state, request, model, count, relative_cost, price, created_at, capability,
             parent_id)
         VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(job.id.0)
    .bind(job.owner.0)
    .bind(Json(&job.request))
    .bind(&job.request.model)
    .bind(i32::try_from(job.request.count).unwrap_or(i32::MAX))
    .bind(job.relative_cost)
    .bind(i32::try_from(job.price).unwrap_or(i32::MAX))
    .bind(job.created_at)
    .bind(&job.request.capability)
    .bind(job.parent.map(|parent| parent.0))
    .execute(db)
    .await?;
    Ok(())
}

/// A job of `owner`.
pub(super) async fn find(pool: &PgPool, job: JobId, owner: DeviceId) -> Result<Option<JobRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, state, request, price, error, created_at, finished_at
         FROM jobs WHERE id = $1 AND device_id = $2",
    )
    .bind(job.0)
    .bind(owner.0)
    .fetch_optional(pool)
    .await
}

/// Whether `owner` has such a job.
pub(super) async fn owns(pool: &PgPool, job: JobId, owner: DeviceId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM jobs WHERE id = $1 AND device_id = $2)")
        .bind(job.0)
        .bind(owner.0)
        .fetch_one(pool)
        .await
}

/// A job of `owner` and what it follows, at most `before` of them, the earliest first; then what followed it, at most
/// `after` of those, the latest first.
pub(super) async fn trail(
    pool: &PgPool,
    job: JobId,
    owner: DeviceId,
    before: u32,
    after: u32,
) -> Result<Vec<JobRow>, sqlx::Error> {
    sqlx::query_as(
        "WITH RECURSIVE back AS (
             SELECT id, parent_id, 0 AS steps FROM jobs WHERE id = $1 AND device_id = $2
             UNION ALL
             SELECT job.id, job.parent_id, back.steps + 1 FROM back
             JOIN jobs AS job ON job.id = back.parent_id AND job.device_id = $2
             WHERE back.steps < $3
         ), forth AS (
             SELECT id, -row_number() OVER (ORDER BY created_at DESC, id DESC) AS steps
             FROM jobs WHERE parent_id = $1 AND device_id = $2
             ORDER BY created_at DESC, id DESC LIMIT $4
         ), trail AS (SELECT id, steps FROM back UNION ALL SELECT id, steps FROM forth)
         SELECT job.id, state, request, price, error, created_at, finished_at
         FROM trail JOIN jobs AS job USING (id) ORDER BY trail.steps DESC",
    )
    .bind(job.0)
    .bind(owner.0)
    .bind(i64::from(before))
    .bind(i64::from(after))
    .fetch_all(pool)
    .await
}

/// Those jobs, whoever owns them.
pub(super) async fn find_all(pool: &PgPool, jobs: &[JobId]) -> Result<Vec<JobRow>, sqlx::Error> {
    sqlx::query_as("SELECT id, state, request, price, error, created_at, finished_at FROM jobs WHERE id = ANY($1)")
        .bind(jobs.iter().map(|job| job.0).collect::<Vec<_>>())
        .fetch_all(pool)
        .await
}

pub(super) async fn recent(pool: &PgPool, owner: DeviceId, limit: u32) -> Result<Vec<JobRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, state, request, price, error, created_at, finished_at
         FROM jobs WHERE device_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
    )
    .bind(owner.0)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
}

/// Jobs of `owner` whose prompts match all patterns, the newest first, behind one of theirs if it is named.
pub(super) async fn history(
    pool: &PgPool,
    owner: DeviceId,
    patterns: &[String],
    pinned: bool,
    before: Option<JobId>,
    limit: u32,
) -> Result<Vec<HistoryRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, state, request, price, error, created_at, finished_at, pinned FROM jobs
         WHERE device_id = $1 AND (pinned OR NOT $2) AND request ->> 'prompt' ILIKE ALL ($3::text[])
           AND ($4::uuid IS NULL
                OR (created_at, id) < (SELECT created_at, id FROM jobs WHERE id = $4 AND device_id = $1))
         ORDER BY created_at DESC, id DESC LIMIT $5",
    )
    .bind(owner.0)
    .bind(pinned)
    .bind(patterns)
    .bind(before.map(|before| before.0))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
}

/// Pins a job of `owner` or takes the pin off. False: there is none.
pub(super) async fn pin(pool: &PgPool, job: JobId, owner: DeviceId, pinned: bool) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE jobs SET pinned = $3 WHERE id = $1 AND device_id = $2")
        .bind(job.0)
        .bind(owner.0)
        .bind(pinned)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn outputs(pool: &PgPool, jobs: &[JobId]) -> Result<HashMap<JobId, Vec<OutputView>>, sqlx::Error> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
    let rows: Vec<OutputRow> = sqlx::query_as(
        "SELECT id, job_id, index, seed, width, height FROM outputs WHERE job_id = ANY($1) ORDER BY job_id, index",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    let mut by_job: HashMap<JobId, Vec<OutputView>> = HashMap::new();
    for row in rows {
        by_job.entry(JobId(row.job_id)).or_default().push(row.into());
    }
    Ok(by_job)
}

/// A picture that `owner` made or sent in, or that anyone may see.
pub(super) async fn output(
    pool: &PgPool,
    output: OutputId,
    owner: Option<DeviceId>,
) -> Result<Option<MediaRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT output.media_type, output.public FROM outputs AS output
         JOIN jobs AS job ON job.id = output.job_id
         WHERE output.id = $1 AND (output.public OR job.device_id = $2)
         UNION ALL
         SELECT 'image/png', false FROM photos WHERE id = $1 AND device_id = $2",
    )
    .bind(output.0)
    .bind(owner.map(|owner| owner.0))
    .fetch_optional(pool)
    .await
}

#[derive(Debug, sqlx::FromRow)]
struct OriginalRow {
    width: i32,
    height: i32,
    job_id: Option<Uuid>,
    seed: Option<i64>,
    request: Option<Json<ValidRequest>>,
}

/// A picture that `owner` made, with what it was made by, or a photo of theirs.
pub(super) async fn original(
    pool: &PgPool,
    output: OutputId,
    owner: DeviceId,
) -> Result<Option<Original>, sqlx::Error> {
    let row: Option<OriginalRow> = sqlx::query_as(
        "SELECT output.width, output.height, job.id AS job_id, output.seed, job.request FROM outputs AS output
         JOIN jobs AS job ON job.id = output.job_id
         WHERE output.id = $1 AND job.device_id = $2
         UNION ALL
         SELECT width, height, NULL, NULL, NULL FROM photos WHERE id = $1 AND device_id = $2",
    )
    .bind(output.0)
    .bind(owner.0)
    .fetch_optional(pool)
    .await?;
    let side = |side: i32| u32::try_from(side).unwrap_or(0);
    Ok(row.map(|row| Original {
        media: output,
        width: side(row.width),
        height: side(row.height),
        making: row.job_id.zip(row.request).map(|(job, request)| Making {
            job: JobId(job),
            seed: row.seed.and_then(|seed| u64::try_from(seed).ok()).unwrap_or(0),
            request: request.0,
        }),
    }))
}

/// Cancels an unfinished job of `owner`; answers the epoch of the lease that ended with it.
pub(super) async fn cancel(db: &mut PgConnection, job: JobId, owner: DeviceId) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE jobs SET state = 'cancelled', lease_until = NULL, finished_at = now(), epoch = epoch + 1
         WHERE id = $1 AND device_id = $2 AND state IN ('queued', 'running')
         RETURNING epoch - 1",
    )
    .bind(job.0)
    .bind(owner.0)
    .fetch_optional(db)
    .await
}

/// Takes back the pictures of a job that ended without being paid for.
pub(crate) async fn drop_outputs(db: &mut PgConnection, job: JobId) -> Result<Vec<OutputId>, sqlx::Error> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("DELETE FROM outputs WHERE job_id = $1 RETURNING id").bind(job.0).fetch_all(db).await?;
    Ok(ids.into_iter().map(OutputId).collect())
}

/// Models that are remembered, those of the shared key first.
pub(super) async fn models(pool: &PgPool) -> Result<Vec<ModelCard>, sqlx::Error> {
    let cards: Vec<Json<ModelCard>> = sqlx::query_scalar(
        "SELECT card FROM models
         ORDER BY coalesce(source, 'shared') = 'shared' DESC, date_trunc('hour', seen_at) DESC, name LIMIT 256",
    )
    .fetch_all(pool)
    .await?;
    Ok(cards.into_iter().map(|card| card.0).collect())
}

/// The cards of those models, in any order, which are marked as seen.
pub(super) async fn models_seen(pool: &PgPool, names: &[String]) -> Result<Vec<ModelCard>, sqlx::Error> {
    sqlx::query("UPDATE models SET seen_at = now() WHERE name = ANY($1) AND seen_at < now() - interval '10 minutes'")
        .bind(names)
        .execute(pool)
        .await?;
    let cards: Vec<Json<ModelCard>> =
        sqlx::query_scalar("SELECT card FROM models WHERE name = ANY($1)").bind(names).fetch_all(pool).await?;
    Ok(cards.into_iter().map(|card| card.0).collect())
}

/// Remembers a card. False: the name belongs to somebody else who was here lately, or the source has too many.
///
/// Whoever has the shared key is the operator, and may change any.
pub(super) async fn remember_model(
    pool: &PgPool,
    card: &ModelCard,
    source: &str,
    most: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO models (name, card, source)
         SELECT $1, $2, $3
         WHERE EXISTS (SELECT FROM models WHERE name = $1)
            OR (SELECT count(*) FROM models WHERE source = $3) < $4
         ON CONFLICT (name) DO UPDATE SET card = EXCLUDED.card, seen_at = now(),
             source = CASE WHEN models.card = EXCLUDED.card AND EXCLUDED.source <> 'shared'
                      THEN coalesce(models.source, EXCLUDED.source) ELSE EXCLUDED.source END
         WHERE models.card = EXCLUDED.card OR models.source IS NULL OR models.source = EXCLUDED.source
            OR EXCLUDED.source = 'shared' OR models.seen_at < now() - interval '1 day'",
    )
    .bind(&card.name)
    .bind(Json(card))
    .bind(source)
    .bind(most)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
