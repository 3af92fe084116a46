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

/// Writes a photo down, unless its owner has `most` of those kept since then; whether there was room. Those of one owner
/// wait for each other: what many of them see at once is not what there will be.
pub(super) async fn insert(
    pool: &PgPool,
    id: OutputId,
    owner: DeviceId,
    (width, height): (u32, u32),
    bytes: usize,
    at: DateTime<Utc>,
    (most, since): (i64, DateTime<Utc>),
) -> Result<bool, sqlx::Error> {
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let mut transaction = pool.begin().await?;
    sqlx::query("SELECT FROM devices WHERE id = $1 FOR NO KEY UPDATE").bind(owner.0).execute(&mut *transaction).await?;
    let written = sqlx::query(
        "INSERT INTO photos (id, device_id, width, height, bytes, created_at)
         SELECT $1, $2, $3, $4, $5, $6
          WHERE (SELECT count(*) FROM photos WHERE device_id = $2 AND created_at > $7) < $8",
    )
    .bind(id.0)
    .bind(owner.0)
    .bind(side(width))
    .bind(side(height))
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    .bind(at)
    .bind(since)
    .bind(most)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(written.rows_affected() == 1)
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
