use chrono::NaiveDate;
use domain::{DeviceId, Plan};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// What is remembered of a device.
#[derive(Debug)]
pub(super) struct DeviceRow {
    pub id: DeviceId,
    pub plan: Plan,
    pub made_something: bool,
    pub created_on: NaiveDate,
    pub seen_on: NaiveDate,
}

/// The device of a cookie that was used since `earliest`.
pub(super) async fn find(
    pool: &PgPool,
    secret_hash: &[u8],
    earliest: NaiveDate,
) -> Result<Option<DeviceRow>, sqlx::Error> {
    let row: Option<(Uuid, String, bool, NaiveDate, NaiveDate)> = sqlx::query_as(
        "SELECT id, plan, EXISTS (SELECT FROM jobs WHERE device_id = devices.id AND NOT imported),
                (created_at AT TIME ZONE 'UTC')::date, seen_on
         FROM devices WHERE secret_hash = $1 AND seen_on >= $2",
    )
    .bind(secret_hash)
    .bind(earliest)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(id, plan, made_something, created_on, seen_on)| DeviceRow {
        id: DeviceId(id),
        // The column has a CHECK with exactly these names.
        plan: Plan::parse(&plan).unwrap_or_default(),
        made_something,
        created_on,
        seen_on,
    }))
}

pub(super) async fn insert(
    pool: &PgPool,
    device: DeviceId,
    secret_hash: &[u8],
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO devices (id, secret_hash, created_at, seen_on) VALUES ($1, $2, $3, $4)")
        .bind(device.0)
        .bind(secret_hash)
        .bind(now)
        .bind(now.date_naive())
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn seen(pool: &PgPool, device: DeviceId, day: NaiveDate) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE devices SET seen_on = $2 WHERE id = $1 AND seen_on < $2")
        .bind(device.0)
        .bind(day)
        .execute(pool)
        .await?;
    Ok(())
}

/// False: it had Ultra already.
pub(super) async fn attest(
    db: &mut PgConnection,
    device: DeviceId,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<bool, sqlx::Error> {
    let changed = sqlx::query("UPDATE devices SET plan = 'ultra', attested_at = $2 WHERE id = $1 AND plan <> 'ultra'")
        .bind(device.0)
        .bind(now)
        .execute(db)
        .await?;
    Ok(changed.rows_affected() == 1)
}
