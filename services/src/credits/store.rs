use chrono::NaiveDate;
use domain::credits::EntryKind;
use domain::{DeviceId, JobId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

pub(super) async fn balance(
    db: impl PgExecutor<'_>,
    device: DeviceId,
    day: NaiveDate,
) -> Result<Option<u32>, sqlx::Error> {
    let credits: Option<i32> =
        sqlx::query_scalar("SELECT credits FROM credit_balances WHERE device_id = $1 AND day = $2")
            .bind(device.0)
            .bind(day)
            .fetch_optional(db)
            .await?;
    Ok(credits.map(|credits| u32::try_from(credits).unwrap_or(0)))
}

/// Grants the day's credits unless that has happened.
pub(super) async fn grant(
    db: &mut PgConnection,
    device: DeviceId,
    day: NaiveDate,
    credits: u32,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH granted AS (
             INSERT INTO credit_entries (device_id, day, kind, credits) VALUES ($1, $2, 'grant', $3)
             ON CONFLICT (device_id, day) WHERE kind = 'grant' DO NOTHING
             RETURNING device_id, day, credits
         )
         INSERT INTO credit_balances (device_id, day, credits) SELECT device_id, day, credits FROM granted",
    )
    .bind(device.0)
    .bind(day)
    .bind(i32::try_from(credits).unwrap_or(i32::MAX))
    .execute(db)
    .await?;
    Ok(())
}

/// Takes `price` from the day's balance if it is there, and writes the entry. False: it was not there.
pub(super) async fn hold(
    db: &mut PgConnection,
    device: DeviceId,
    day: NaiveDate,
    job: JobId,
    price: u32,
) -> Result<bool, sqlx::Error> {
    let held = sqlx::query(
        "WITH taken AS (
             UPDATE credit_balances SET credits = credits - $4
             WHERE device_id = $1 AND day = $2 AND credits >= $4
             RETURNING device_id, day
         )
         INSERT INTO credit_entries (device_id, day, job_id, kind, credits)
         SELECT device_id, day, $3, 'hold', $4 FROM taken",
    )
    .bind(device.0)
    .bind(day)
    .bind(job.0)
    .bind(i32::try_from(price).unwrap_or(i32::MAX))
    .execute(db)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// Closes a hold once; a release gives its credits back to the day they came from.
pub(super) async fn close(db: &mut PgConnection, job: JobId, kind: EntryKind) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH closed AS (
             INSERT INTO credit_entries (device_id, day, job_id, kind, credits)
             SELECT device_id, day, job_id, $2, credits FROM credit_entries WHERE job_id = $1 AND kind = 'hold'
             ON CONFLICT DO NOTHING
             RETURNING device_id, day, kind, credits
         )
         UPDATE credit_balances AS balance SET credits = balance.credits + closed.credits
         FROM closed
         WHERE closed.kind = 'release' AND balance.device_id = closed.device_id AND balance.day = closed.day",
    )
    .bind(job.0)
    .bind(kind.as_str())
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn drift(pool: &PgPool) -> Result<Vec<(DeviceId, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT device_id, coalesce(balance.credits, 0)::bigint - coalesce(entry.credits, 0)
         FROM credit_balances AS balance
         FULL JOIN (
             SELECT device_id, day,
                    sum(CASE kind WHEN 'hold' THEN -credits WHEN 'capture' THEN 0 ELSE credits END)::bigint AS credits
             FROM credit_entries GROUP BY device_id, day
         ) AS entry USING (device_id, day)
         WHERE coalesce(balance.credits, 0) <> coalesce(entry.credits, 0)",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(device, difference)| (DeviceId(device), difference)).collect())
}

pub(super) async fn totals(pool: &PgPool) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as("SELECT kind, sum(credits)::bigint FROM credit_entries GROUP BY kind ORDER BY kind")
        .fetch_all(pool)
        .await
}
