use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::JobId;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::allowance::Use;
use super::day_key::SignalKey;
use super::decision::Changes;

/// A bucket's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct BucketKey {
    pub kind: i16,
    pub key: SignalKey,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BucketRow {
    pub turnover: i32,
    pub credits: i32,
    pub last_device: Option<Uuid>,
}

/// What a request that was let through changed in one bucket, as far as it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Counted {
    pub at: BucketKey,
    /// Credits in the bucket.
    pub credits: i32,
    /// Credits of the device that count as turnover.
    pub counted: i32,
    pub returns: i16,
}

/// A pass whose job has ended, or never came to be.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct EndedPass {
    pub day: NaiveDate,
    pub device_id: Uuid,
    pub decided_at: DateTime<Utc>,
    pub ms: i64,
    pub counted: Json<Vec<Counted>>,
    /// None where there is no such job.
    pub state: Option<String>,
    /// From when a worker first had it until its end, in milliseconds; none where no worker ever had it.
    pub worked_ms: Option<i64>,
}

/// What is counted under one signal, and what each device had in it.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub buckets: Vec<(BucketKey, BucketRow)>,
    pub uses: Vec<(Uuid, BucketKey, Use)>,
}

/// A bucket, or one device's part in one.
#[derive(Debug, sqlx::FromRow)]
struct StoredRow {
    kind: i16,
    key: Vec<u8>,
    /// None for the bucket itself.
    device_id: Option<Uuid>,
    turnover: i32,
    credits: i32,
    last_device: Option<Uuid>,
    jobs: i32,
    returns: i16,
    last_at: Option<DateTime<Utc>>,
    gap_mean: f32,
    gap_m2: f32,
}

pub(super) async fn day_key(pool: &PgPool, day: NaiveDate, drawn: &[u8; 32]) -> Result<[u8; 32], sqlx::Error> {
    sqlx::query("INSERT INTO signal_keys (day, key) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(day)
        .bind(drawn.as_slice())
        .execute(pool)
        .await?;
    let key: Vec<u8> =
        sqlx::query_scalar("SELECT key FROM signal_keys WHERE day = $1").bind(day).fetch_one(pool).await?;
    // The column has a CHECK for its length.
    Ok(key.try_into().unwrap_or(*drawn))
}

pub(super) async fn proof_keys(pool: &PgPool, most: usize) -> Result<Vec<[u8; 32]>, sqlx::Error> {
    let keys: Vec<Vec<u8>> = sqlx::query_scalar("SELECT secret FROM proof_keys ORDER BY id DESC LIMIT $1")
        .bind(most as i64)
        .fetch_all(pool)
        .await?;
    Ok(keys.into_iter().filter_map(|key| key.try_into().ok()).collect())
}

pub(super) async fn add_proof_key(pool: &PgPool, secret: &[u8; 32], now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO proof_keys (secret, created_at) VALUES ($1, $2)")
        .bind(secret.as_slice())
        .bind(now)
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn drop_old_proof_keys(pool: &PgPool, kept: usize) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM proof_keys WHERE id NOT IN (SELECT id FROM proof_keys ORDER BY id DESC LIMIT $1)")
        .bind(kept as i64)
        .execute(pool)
        .await?;
    Ok(())
}

/// Takes note that an answer was used. False: it had been.
pub(super) async fn spend_proof(pool: &PgPool, id: &[u8; 32], expires_at: DateTime<Utc>) -> Result<bool, sqlx::Error> {
    let spent = sqlx::query("INSERT INTO spent_proofs (id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(id.as_slice())
        .bind(expires_at)
        .execute(pool)
        .await?;
    Ok(spent.rows_affected() == 1)
}

/// Begins to count. These sums may be lost with the machine that holds the database, and with nothing else: nobody
/// waits for a disk. Said together with the beginning, which saves a round trip.
pub(super) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    pool.begin_with("BEGIN; SET LOCAL synchronous_commit TO OFF").await
}

/// Locks the hour's account, which orders all decisions, and answers what was given away in it.
pub(super) async fn lock_hour(db: &mut PgConnection, hour: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO anonymous_hours (hour) VALUES ($1)
         ON CONFLICT (hour) DO UPDATE SET reserved_ms = anonymous_hours.reserved_ms
         RETURNING reserved_ms",
    )
    .bind(hour)
    .fetch_one(db)
    .await
}

/// Device time that was given away in that hour.
pub(super) async fn reserved(pool: &PgPool, hour: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    let reserved = sqlx::query_scalar("SELECT reserved_ms FROM anonymous_hours WHERE hour = $1");
    Ok(reserved.bind(hour).fetch_optional(pool).await?.unwrap_or(0))
}

/// Today's counts under these keys, and everything that these devices had today. A statement of its own, after the lock:
/// it sees what the one before it wrote. Each key is looked up by itself: all rows are of today, and a plan that begins
/// with the day would read every one of them.
pub(super) async fn read(
    db: &mut PgConnection,
    day: NaiveDate,
    keys: &[BucketKey],
    devices: &[Uuid],
) -> Result<Stored, sqlx::Error> {
    let rows: Vec<StoredRow> = sqlx::query_as(
        "SELECT bucket.*
         FROM unnest($2::smallint[], $3::bytea[]) AS wanted (kind, key), LATERAL (
             SELECT kind, key, NULL::uuid AS device_id, turnover, credits, last_device, 0 AS jobs,
                    0::smallint AS returns, NULL::timestamptz AS last_at, 0::real AS gap_mean, 0::real AS gap_m2
             FROM limit_buckets AS bucket
             WHERE bucket.day = $1 AND bucket.kind = wanted.kind AND bucket.key = wanted.key
             LIMIT 1
         ) AS bucket
         UNION ALL
         SELECT used.*
         FROM unnest($4::uuid[]) AS wanted (device), LATERAL (
             SELECT kind, key, device_id, 0, credits, NULL::uuid, jobs, returns, last_at, gap_mean, gap_m2
             FROM limit_uses AS used
             WHERE used.device_id = wanted.device AND used.day = $1
             OFFSET 0
         ) AS used",
    )
    .bind(day)
    .bind(keys.iter().map(|key| key.kind).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.key.to_vec()).collect::<Vec<_>>())
    .bind(devices)
    .fetch_all(db)
    .await?;
    Ok(stored(rows))
}

/// All of today's counts of these kinds, at most so many of buckets and of devices' parts in them.
pub(super) async fn read_day(pool: &PgPool, day: NaiveDate, without: i16, most: usize) -> Result<Stored, sqlx::Error> {
    let rows: Vec<StoredRow> = sqlx::query_as(
        "(SELECT kind, key, NULL::uuid AS device_id, turnover, credits, last_device, 0 AS jobs,
                 0::smallint AS returns, NULL::timestamptz AS last_at, 0::real AS gap_mean, 0::real AS gap_m2
          FROM limit_buckets WHERE day = $1 AND kind <> $2 LIMIT $3)
         UNION ALL
         (SELECT kind, key, device_id, 0, credits, NULL, jobs, returns, last_at, gap_mean, gap_m2
          FROM limit_uses WHERE day = $1 AND kind <> $2 LIMIT $3)",
    )
    .bind(day)
    .bind(without)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    Ok(stored(rows))
}

/// Writes what decisions changed; answers the buckets that were changed, as they are now. Sums grow by differences, so
/// that several may write; always in one order, so that they don't wait for each other in a circle.
pub(super) async fn write(
    db: &mut PgConnection,
    day: NaiveDate,
    changes: &Changes,
) -> Result<Vec<(BucketKey, BucketRow)>, sqlx::Error> {
    let Changes { reserved_ms, buckets, uses, passes } = changes;
    let hours: BTreeMap<_, _> = reserved_ms.iter().collect();
    let buckets: BTreeMap<_, _> = buckets.iter().collect();
    let uses: BTreeMap<_, _> = uses.iter().map(|((device, key), used)| ((key, device), used)).collect();
    let passes: Vec<_> = passes.values().collect();
    let rows: Vec<StoredRow> = sqlx::query_as(
        "WITH hour AS (
             INSERT INTO anonymous_hours (hour, reserved_ms) SELECT * FROM unnest($2::timestamptz[], $3::bigint[])
             ON CONFLICT (hour) DO UPDATE
             SET reserved_ms = greatest(anonymous_hours.reserved_ms + EXCLUDED.reserved_ms, 0)
         ), used AS (
             INSERT INTO limit_uses (day, device_id, kind, key, credits, jobs, returns, last_at, gap_mean, gap_m2)
             SELECT $1, * FROM unnest($9::uuid[], $10::smallint[], $11::bytea[], $12::int[], $13::int[],
                 $14::smallint[], $15::timestamptz[], $16::real[], $17::real[])
             ON CONFLICT (day, kind, key, device_id) DO UPDATE
             SET credits = EXCLUDED.credits, jobs = EXCLUDED.jobs, returns = EXCLUDED.returns,
                 last_at = EXCLUDED.last_at, gap_mean = EXCLUDED.gap_mean, gap_m2 = EXCLUDED.gap_m2
         ), pass AS (
             INSERT INTO limit_passes (day, job_id, device_id, decided_at, ms, counted)
             SELECT $1, * FROM unnest($18::uuid[], $19::uuid[], $20::timestamptz[], $21::bigint[], $22::jsonb[])
             ON CONFLICT DO NOTHING
         )
         INSERT INTO limit_buckets (day, kind, key, turnover, credits, last_device)
         SELECT $1, * FROM unnest($4::smallint[], $5::bytea[], $6::int[], $7::int[], $8::uuid[])
         ON CONFLICT (day, kind, key) DO UPDATE
         SET turnover = limit_buckets.turnover + EXCLUDED.turnover,
             credits = limit_buckets.credits + EXCLUDED.credits,
             last_device = coalesce(EXCLUDED.last_device, limit_buckets.last_device)
         RETURNING kind, key, NULL::uuid AS device_id, turnover, credits, last_device, 0 AS jobs,
                   0::smallint AS returns, NULL::timestamptz AS last_at, 0::real AS gap_mean, 0::real AS gap_m2",
    )
    .bind(day)
    .bind(hours.keys().map(|hour| **hour).collect::<Vec<_>>())
    .bind(hours.values().map(|ms| **ms).collect::<Vec<_>>())
    .bind(buckets.keys().map(|key| key.kind).collect::<Vec<_>>())
    .bind(buckets.keys().map(|key| key.key.to_vec()).collect::<Vec<_>>())
    .bind(buckets.values().map(|row| row.turnover).collect::<Vec<_>>())
    .bind(buckets.values().map(|row| row.credits).collect::<Vec<_>>())
    .bind(buckets.values().map(|row| row.last_device).collect::<Vec<_>>())
    .bind(uses.keys().map(|(_, device)| **device).collect::<Vec<_>>())
    .bind(uses.keys().map(|(key, _)| key.kind).collect::<Vec<_>>())
    .bind(uses.keys().map(|(key, _)| key.key.to_vec()).collect::<Vec<_>>())
    .bind(uses.values().map(|used| used.credits).collect::<Vec<_>>())
    .bind(uses.values().map(|used| used.jobs).collect::<Vec<_>>())
    .bind(uses.values().map(|used| used.returns).collect::<Vec<_>>())
    .bind(uses.values().map(|used| used.last_at).collect::<Vec<_>>())
    .bind(uses.values().map(|used| used.gap_mean).collect::<Vec<_>>())
    .bind(uses.values().map(|used| used.gap_m2).collect::<Vec<_>>())
    .bind(passes.iter().map(|pass| pass.job.0).collect::<Vec<_>>())
    .bind(passes.iter().map(|pass| pass.device.0).collect::<Vec<_>>())
    .bind(passes.iter().map(|pass| pass.now).collect::<Vec<_>>())
    .bind(passes.iter().map(|pass| pass.ms).collect::<Vec<_>>())
    .bind(passes.iter().map(|pass| Json(&pass.counted)).collect::<Vec<_>>())
    .fetch_all(db)
    .await?;
    Ok(stored(rows).buckets)
}

/// Takes out the pass of a job that was not accepted after all. False: there is none.
pub(super) async fn take_pass(db: &mut PgConnection, job: JobId) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query("DELETE FROM limit_passes WHERE job_id = $1").bind(job.0).execute(db).await?;
    Ok(taken.rows_affected() == 1)
}

/// Takes passes out whose jobs have ended, and those from before `orphaned` whose jobs never came to be.
pub(super) async fn take_ended(
    db: &mut PgConnection,
    orphaned: DateTime<Utc>,
    most: i64,
) -> Result<Vec<EndedPass>, sqlx::Error> {
    sqlx::query_as(
        "WITH ended AS (
             SELECT pass.job_id, job.state,
                    (extract(epoch FROM job.finished_at - job.leased_at) * 1000)::bigint AS worked_ms
             FROM limit_passes AS pass LEFT JOIN jobs AS job ON job.id = pass.job_id
             WHERE job.state IN ('succeeded', 'failed', 'cancelled') OR (job.id IS NULL AND pass.decided_at < $1)
             LIMIT $2
             FOR UPDATE OF pass SKIP LOCKED
         )
         DELETE FROM limit_passes AS pass USING ended WHERE pass.job_id = ended.job_id
         RETURNING pass.day, pass.device_id, pass.decided_at, pass.ms, pass.counted, ended.state, ended.worked_ms",
    )
    .bind(orphaned)
    .bind(most)
    .fetch_all(db)
    .await
}

/// What a standard picture of each model costs in device time at most, as far as workers were measured.
pub(super) async fn standard_ms(pool: &PgPool) -> Result<Vec<(String, f64)>, sqlx::Error> {
    sqlx::query_as("SELECT model, max(standard_ms + deviation_ms) FROM observations GROUP BY model")
        .fetch_all(pool)
        .await
}

pub(super) async fn met(
    db: impl PgExecutor<'_>,
    day: NaiveDate,
    person: &SignalKey,
    code: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO limit_meetings (day, person, code) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(day)
        .bind(person.as_slice())
        .bind(code)
        .execute(db)
        .await?;
    Ok(())
}

/// People who were served today and people who met a limit, and what the hour has given away.
pub(super) async fn watch(pool: &PgPool, day: NaiveDate, hour: DateTime<Utc>) -> Result<(i64, i64, i64), sqlx::Error> {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM devices WHERE seen_on = $1),
                (SELECT count(DISTINCT person) FROM limit_meetings WHERE day = $1),
                coalesce((SELECT reserved_ms FROM anonymous_hours WHERE hour = $2), 0)",
    )
    .bind(day)
    .bind(hour)
    .fetch_one(pool)
    .await
}

fn stored(rows: Vec<StoredRow>) -> Stored {
    let mut stored = Stored::default();
    for row in rows {
        // The column has a CHECK for its length.
        let Ok(key) = row.key.try_into() else { continue };
        let key = BucketKey { kind: row.kind, key };
        let StoredRow { turnover, credits, last_device, jobs, returns, last_at, gap_mean, gap_m2, .. } = row;
        match row.device_id {
            None => stored.buckets.push((key, BucketRow { turnover, credits, last_device })),
            Some(device) => stored.uses.push((device, key, Use { credits, jobs, returns, last_at, gap_mean, gap_m2 })),
        }
    }
    stored
}

/// Deletes everything about days before `day`, with the keys that gave it meaning, and what expired before `now`.
pub(super) async fn sweep(pool: &PgPool, day: NaiveDate, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let mut gone = 0;
    for table in ["signal_keys", "limit_uses", "limit_buckets", "limit_meetings", "limit_passes"] {
        gone +=
            sqlx::query(&format!("DELETE FROM {table} WHERE day < $1")).bind(day).execute(pool).await?.rows_affected();
    }
    sqlx::query("DELETE FROM spent_proofs WHERE expires_at < $1").bind(now).execute(pool).await?;
    sqlx::query("DELETE FROM anonymous_hours WHERE hour < $1 - interval '26 hours'").bind(now).execute(pool).await?;
    Ok(gone)
}
