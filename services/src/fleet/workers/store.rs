use std::collections::{HashMap, HashSet};

use dispatch::Estimate;
use domain::WorkerId;
use sqlx::PgPool;

use crate::fleet::hello::LONGEST_MS;
use crate::fleet::roster::Observation;

/// What was learned of a worker's models, by name.
pub(in crate::fleet) async fn observations(
    pool: &PgPool,
    worker: &WorkerId,
) -> Result<HashMap<String, Estimate>, sqlx::Error> {
    let rows: Vec<(String, f64, f64, i64)> =
        sqlx::query_as("SELECT model, standard_ms, deviation_ms, count FROM observations WHERE worker_id = $1")
            .bind(&worker.0)
            .fetch_all(pool)
            .await?;
    let sane = |ms: f64, most: f64| if ms.is_finite() { ms.clamp(0.0, most) } else { most };
    let estimate = |mean_ms, deviation_ms, count: i64| Estimate {
        mean_ms: sane(mean_ms, LONGEST_MS),
        deviation_ms: sane(deviation_ms, LONGEST_MS),
        count: u64::try_from(count).unwrap_or(0),
    };
    Ok(rows.into_iter().map(|(model, mean, deviation, count)| (model, estimate(mean, deviation, count))).collect())
}

/// Writes down what was learned.
pub(in crate::fleet) async fn remember(pool: &PgPool, learned: &[Observation]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO observations (worker_id, model, standard_ms, deviation_ms, count)
         SELECT * FROM unnest($1::text[], $2::text[], $3::double precision[], $4::double precision[], $5::bigint[])
         ON CONFLICT (worker_id, model) DO UPDATE
         SET standard_ms = EXCLUDED.standard_ms, deviation_ms = EXCLUDED.deviation_ms, count = EXCLUDED.count,
             updated_at = now()",
    )
    .bind(learned.iter().map(|one| one.worker.0.as_str()).collect::<Vec<_>>())
    .bind(learned.iter().map(|one| one.model.as_str()).collect::<Vec<_>>())
    .bind(learned.iter().map(|one| one.estimate.mean_ms).collect::<Vec<_>>())
    .bind(learned.iter().map(|one| one.estimate.deviation_ms).collect::<Vec<_>>())
    .bind(learned.iter().map(|one| i64::try_from(one.estimate.count).unwrap_or(i64::MAX)).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// Workers that the operator wants to take nothing new.
pub(in crate::fleet) async fn drained(pool: &PgPool) -> Result<HashSet<WorkerId>, sqlx::Error> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT worker_id FROM worker_controls WHERE draining").fetch_all(pool).await?;
    Ok(names.into_iter().map(WorkerId).collect())
}

/// Says whether a worker is to take nothing new.
pub(in crate::fleet) async fn set_draining(
    pool: &PgPool,
    worker: &WorkerId,
    draining: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO worker_controls (worker_id, draining) VALUES ($1, $2)
         ON CONFLICT (worker_id) DO UPDATE SET draining = EXCLUDED.draining, updated_at = now()",
    )
    .bind(&worker.0)
    .bind(draining)
    .execute(pool)
    .await?;
    Ok(())
}
