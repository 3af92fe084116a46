use chrono::{DateTime, Utc};
use domain::{DeviceId, OutputId};
use sqlx::PgPool;
use uuid::Uuid;

/// How many photos `owner` has, of those kept since then; and how many came from anybody since `lately`.
pub(super) async fn count(
    pool: &PgPool,
    owner: DeviceId,
    since: DateTime<Utc>,
    lately: DateTime<Utc>,
) -> Result<(i64, i64), sqlx::Error> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM photos WHERE device_id = $1 AND created_at > $2),
                (SELECT count(*) FROM photos WHERE created_at > $3)",
    )
    .bind(owner.0)
    .bind(since)
    .bind(lately)
    .fetch_one(pool)
    .await
}

pub(super) async fn insert(
    pool: &PgPool,
    id: OutputId,
    owner: DeviceId,
    (width, height): (u32, u32),
    bytes: usize,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    sqlx::query("INSERT INTO photos (id, device_id, width, height, bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id.0)
        .bind(owner.0)
        .bind(side(width))
        .bind(side(height))
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .bind(at)
        .execute(pool)
        .await?;
    Ok(())
}

/// Photos from before then, the oldest first.
pub(super) async fn outdated(pool: &PgPool, before: DateTime<Utc>, limit: i64) -> Result<Vec<OutputId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM photos WHERE created_at < $1 ORDER BY created_at LIMIT $2")
        .bind(before)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    Ok(ids.into_iter().map(OutputId).collect())
}

pub(super) async fn forget(pool: &PgPool, photo: OutputId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM photos WHERE id = $1").bind(photo.0).execute(pool).await?;
    Ok(())
}
