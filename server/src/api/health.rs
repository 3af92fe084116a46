//! `/healthz`, `/readyz` and `/metrics`, for machines that look after machines.

use axum::extract::State;
use axum::http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use services::db;
use services::fleet::Fleet;
use services::jobs::{Models, Outlook};
use sqlx::PgPool;

/// The process is alive.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The studio can take requests: the database answers and some model is known.
pub async fn readyz(State(pool): State<PgPool>, State(models): State<Models>) -> (StatusCode, &'static str) {
    if !db::is_up(&pool).await {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    match models.cards().await {
        Ok(cards) if !cards.is_empty() => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "no worker has announced a model yet\n"),
    }
}

/// Prometheus text format.
pub async fn metrics(
    State(handle): State<PrometheusHandle>,
    State(fleet): State<Fleet>,
    State(outlook): State<Outlook>,
) -> String {
    let workers = fleet.workers();
    metrics::gauge!("mindseye_workers").set(workers.len() as f64);
    metrics::gauge!("mindseye_jobs_running").set(workers.iter().map(|worker| worker.jobs).sum::<usize>() as f64);
    for worker in &workers {
        let name = || worker.id.0.clone();
        metrics::gauge!("mindseye_worker_jobs", "worker" => name()).set(worker.jobs as f64);
        metrics::gauge!("mindseye_worker_draining", "worker" => name()).set(f64::from(u8::from(worker.draining)));
        for model in &worker.models {
            metrics::gauge!("mindseye_worker_model", "worker" => name(), "model" => model.clone()).set(1.0);
        }
        let Some(heat) = &worker.heat else { continue };
        metrics::gauge!("mindseye_worker_celsius", "worker" => name()).set(heat.temperature);
        metrics::gauge!("mindseye_worker_clock_share", "worker" => name()).set(heat.clock_share());
        metrics::gauge!("mindseye_worker_watts", "worker" => name()).set(heat.power_watts);
        let bytes = |mb: u64| mb as f64 * 1_048_576.0;
        metrics::gauge!("mindseye_worker_memory_used_bytes", "worker" => name()).set(bytes(heat.memory_used_mb));
        metrics::gauge!("mindseye_worker_memory_bytes", "worker" => name()).set(bytes(heat.memory_total_mb));
    }
    for condition in fleet.conditions() {
        let name = || condition.worker.0.clone();
        metrics::gauge!("mindseye_worker_resting", "worker" => name()).set(f64::from(u8::from(condition.rests)));
        if let Some(drift) = condition.drift {
            metrics::gauge!("mindseye_worker_time_ratio", "worker" => name()).set(drift);
        }
    }
    let plan = fleet.model_plan();
    for (model, demand) in plan.demand {
        metrics::gauge!("mindseye_model_demand_workers", "model" => model).set(demand);
    }
    for (worker, model, load) in plan.changes {
        let change = if load { "load" } else { "unload" };
        metrics::gauge!("mindseye_model_plan", "worker" => worker.0, "model" => model, "change" => change).set(1.0);
    }
    metrics::gauge!("mindseye_jobs_waiting").set(outlook.queued() as f64);
    services::gauges::tell();
    handle.render()
}
