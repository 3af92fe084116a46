//! What the service wrote down about device time it gave away.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row};

/// One hour: what was set aside for visitors, and what their jobs come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hour {
    pub reserved_ms: i64,
    pub jobs: i64,
    /// Standard pictures' worth of device time in the jobs that were accepted and did not fail.
    pub standard_pictures: f64,
}

pub async fn connect(url: &str) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new().max_connections(2).connect(url).await
}

/// Every hour from `since` on in which something was set aside, in order.
pub async fn hours(pool: &PgPool, since: DateTime<Utc>) -> Result<Vec<Hour>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT hour.reserved_ms, count(job.id) AS jobs,
                coalesce(sum(job.count * job.relative_cost), 0)::double precision AS pictures
         FROM anonymous_hours AS hour
         LEFT JOIN jobs AS job ON job.created_at >= hour.hour AND job.created_at < hour.hour + interval '1 hour'
             AND job.state <> 'failed'
         WHERE hour.hour >= $1
         GROUP BY hour.hour ORDER BY hour.hour",
    )
    .bind(since)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Hour {
                reserved_ms: row.try_get("reserved_ms")?,
                jobs: row.try_get("jobs")?,
                standard_pictures: row.try_get("pictures")?,
            })
        })
        .collect()
}

/// What workers were measured to take for a standard picture, in milliseconds on average.
pub async fn standard_ms(pool: &PgPool) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce(max(standard_ms), 0) FROM observations").fetch_one(pool).await
}

/// Jobs that ended without pictures: their credits came back, which would blur what is measured.
pub async fn failed(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state = 'failed'").fetch_one(pool).await
}
