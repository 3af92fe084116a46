use chrono::{DateTime, NaiveDate, Utc};
use domain::credits::{EntryKind, LASTING, StatementLine};
use domain::{DeviceId, JobId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

/// An entry as it is stored.
#[derive(Debug, sqlx::FromRow)]
struct StoredEntry {
    id: i64,
    created_at: DateTime<Utc>,
    day: NaiveDate,
    kind: String,
    credits: i32,
    job_id: Option<Uuid>,
}

/// What an owner has: of today, if anything was granted yet, and for good.
#[derive(Debug, Default)]
pub(super) struct Pots {
    pub today: Option<u32>,
    pub lasting: u32,
}

impl Pots {
    fn from_rows(rows: Vec<(NaiveDate, i32)>) -> Self {
        let mut pots = Self::default();
        for (day, credits) in rows {
            let credits = u32::try_from(credits).unwrap_or(0);
            if day == LASTING {
                pots.lasting = credits;
            } else {
                pots.today = Some(credits);
            }
        }
        pots
    }
}

pub(super) async fn pots(db: impl PgExecutor<'_>, device: DeviceId, today: NaiveDate) -> Result<Pots, sqlx::Error> {
    let rows = sqlx::query_as("SELECT day, credits FROM credit_balances WHERE device_id = $1 AND day IN ($2, $3)")
        .bind(device.0)
        .bind(today)
        .bind(LASTING)
        .fetch_all(db)
        .await?;
    Ok(Pots::from_rows(rows))
}

pub(super) async fn lock_pots(db: &mut PgConnection, device: DeviceId, today: NaiveDate) -> Result<Pots, sqlx::Error> {
    let rows = sqlx::query_as(
        "SELECT day, credits FROM credit_balances WHERE device_id = $1 AND day IN ($2, $3) ORDER BY day FOR UPDATE",
    )
    .bind(device.0)
    .bind(today)
    .bind(LASTING)
    .fetch_all(db)
    .await?;
    Ok(Pots::from_rows(rows))
}

/// Adds credits to a pot, unless a grant of this kind was made into it before.
pub(super) async fn grant(
    db: &mut PgConnection,
    device: DeviceId,
    day: NaiveDate,
    kind: EntryKind,
    credits: u32,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH granted AS (
             INSERT INTO credit_entries (device_id, day, kind, credits) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING
             RETURNING device_id, day, credits
         )
         INSERT INTO credit_balances AS balance (device_id, day, credits) SELECT device_id, day, credits FROM granted
         ON CONFLICT (device_id, day) DO UPDATE SET credits = balance.credits + EXCLUDED.credits",
    )
    .bind(device.0)
    .bind(day)
    .bind(kind.as_str())
    .bind(i32::try_from(credits).unwrap_or(i32::MAX))
    .execute(db)
    .await?;
    Ok(())
}

/// Takes `credits` from a pot whose lock the caller holds, and writes the entry. None are no entry.
pub(super) async fn hold(
    db: &mut PgConnection,
    device: DeviceId,
    day: NaiveDate,
    job: JobId,
    credits: u32,
) -> Result<(), sqlx::Error> {
    if credits == 0 {
        return Ok(());
    }
    sqlx::query(
        "WITH taken AS (
             UPDATE credit_balances SET credits = credits - $4 WHERE device_id = $1 AND day = $2
             RETURNING device_id, day
         )
         INSERT INTO credit_entries (device_id, day, job_id, kind, credits)
         SELECT device_id, day, $3, 'hold', $4 FROM taken",
    )
    .bind(device.0)
    .bind(day)
    .bind(job.0)
    .bind(i32::try_from(credits).unwrap_or(i32::MAX))
    .execute(db)
    .await?;
    Ok(())
}

/// Closes a hold once; a release gives its credits back to the pots they came from.
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

/// Gives a captured job's credits back, once: to their pots, or to the lasting one where their day is over.
pub(super) async fn refund(db: &mut PgConnection, job: JobId, today: NaiveDate) -> Result<u32, sqlx::Error> {
    // The job's row orders refunds: on another day they would go to another pot, where no index stops them.
    sqlx::query("SELECT FROM jobs WHERE id = $1 FOR UPDATE").bind(job.0).execute(&mut *db).await?;
    let credits: Option<i64> = sqlx::query_scalar(
        "WITH refunded AS (
             INSERT INTO credit_entries (device_id, day, job_id, kind, credits)
             SELECT device_id, CASE WHEN day < $2 THEN $3 ELSE day END AS pot, job_id, 'refund', sum(credits)::int
             FROM credit_entries AS captured
             WHERE job_id = $1 AND kind = 'capture'
               AND NOT EXISTS (SELECT FROM credit_entries WHERE job_id = $1 AND kind = 'refund')
             GROUP BY device_id, pot, job_id
             RETURNING device_id, day, credits
         ), pot AS (
             INSERT INTO credit_balances AS balance (device_id, day, credits)
             SELECT device_id, day, credits FROM refunded
             ON CONFLICT (device_id, day) DO UPDATE SET credits = balance.credits + EXCLUDED.credits
         )
         SELECT sum(credits)::bigint FROM refunded",
    )
    .bind(job.0)
    .bind(today)
    .bind(LASTING)
    .fetch_one(db)
    .await?;
    Ok(credits.and_then(|credits| u32::try_from(credits).ok()).unwrap_or(0))
}

/// Writes off what is left of days before `today`, some balances at a time; answers how many.
pub(super) async fn expire(pool: &PgPool, today: NaiveDate, most: i64) -> Result<u64, sqlx::Error> {
    let expired = sqlx::query(
        "WITH left_over AS (
             SELECT device_id, day, credits FROM credit_balances WHERE day < $1 AND credits > 0
             ORDER BY day, device_id LIMIT $2 FOR UPDATE SKIP LOCKED
         ), emptied AS (
             UPDATE credit_balances AS balance SET credits = 0 FROM left_over
             WHERE balance.device_id = left_over.device_id AND balance.day = left_over.day
         )
         INSERT INTO credit_entries (device_id, day, kind, credits)
         SELECT device_id, day, 'expire', credits FROM left_over",
    )
    .bind(today)
    .bind(most)
    .execute(pool)
    .await?;
    Ok(expired.rows_affected())
}

pub(super) async fn statement(
    pool: &PgPool,
    device: DeviceId,
    before: i64,
    limit: i64,
) -> Result<Vec<StatementLine>, sqlx::Error> {
    let rows: Vec<StoredEntry> = sqlx::query_as(
        "SELECT id, created_at, day, kind, credits, job_id FROM credit_entries
         WHERE device_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
    )
    .bind(device.0)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let kind = EntryKind::parse(&row.kind)?;
            let credits = u32::try_from(row.credits).unwrap_or(0);
            let job = row.job_id.map(JobId);
            Some(StatementLine { id: row.id, at: row.created_at, day: row.day, kind, credits, job })
        })
        .collect())
}

pub(super) async fn drift(pool: &PgPool) -> Result<Vec<(DeviceId, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT device_id, coalesce(balance.credits, 0)::bigint - coalesce(entry.credits, 0)
         FROM credit_balances AS balance
         FULL JOIN (
             SELECT device_id, day,
                    sum(CASE WHEN kind IN ('hold', 'expire') THEN -credits WHEN kind = 'capture' THEN 0
                        ELSE credits END)::bigint AS credits
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
