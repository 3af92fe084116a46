//! The one loop that assigns work: load, plan, commit, send.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use dispatch::{Policy, QueuedJob, Snapshot, plan};
use domain::worker::ToWorker;
use domain::{JobId, WorkerId};

use super::registry::Held;
use super::{Fleet, GiveBack, assignment, lease, store};
use crate::jobs::Prospect;

/// The loop looks again after this long even if nobody wakes it.
const IDLE: Duration = Duration::from_secs(1);
/// How long a job waits for a model that no worker has.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How often leases that ended without a word are looked for.
const SWEEP: Duration = Duration::from_secs(2);

pub(super) async fn run(fleet: &Fleet) {
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let swept = tokio::select! {
            _ = sweep.tick() => true,
            () = fleet.wake.notified() => false,
            () = tokio::time::sleep(IDLE) => false,
        };
        let round = async {
            let models: Vec<String> = fleet.models.announced().into_iter().map(|card| card.name).collect();
            if swept {
                reclaim(fleet).await?;
                let queued = store::count_queued(&fleet.pool).await?;
                fleet.outlook.count_queued(usize::try_from(queued).unwrap_or(0));
                // With no worker at all a job waits for one; with workers that lack its model it waits in vain.
                if !models.is_empty() {
                    for job in store::hopeless(&fleet.pool, &models, PATIENCE).await? {
                        fleet.abandon(job).await?;
                    }
                }
            }
            round(fleet, &models).await
        };
        if let Err(error) = round.await {
            tracing::warn!(%error, "dispatching pauses until the database answers");
        }
    }
}

/// Places jobs again whose worker fell silent.
async fn reclaim(fleet: &Fleet) -> Result<(), sqlx::Error> {
    for (job, epoch) in store::expired(&fleet.pool).await? {
        tracing::warn!(%job, epoch, "a lease ran out");
        // Its worker is silent, or could not renew: it must neither get the job again nor work on two leases
        // of it. If it is well, it dials in again at once.
        let others = fleet.registry.evict(job, epoch);
        for (other, epoch) in others.into_iter().filter(|(other, _)| *other != job) {
            if let Err(error) = fleet.give_back(other, epoch, GiveBack::Unsent).await {
                tracing::warn!(%error, job = %other, "the job waits for its lease to end");
            }
        }
        // Silence is not proof that the job killed anything: it may have been this head that died.
        if let Err(error) = fleet.give_back(job, epoch, GiveBack::Unsent).await {
            tracing::warn!(%error, %job, "the job stays leased until the next sweep");
        }
    }
    Ok(())
}

async fn round(fleet: &Fleet, models: &[String]) -> Result<(), sqlx::Error> {
    let queue: Vec<QueuedJob> = store::waiting(&fleet.pool, models).await?.into_iter().map(Into::into).collect();
    let snapshot = Snapshot { queue, workers: fleet.registry.snapshot() };
    let plan = plan(&snapshot, &Policy::default());

    let leased = if plan.assignments.is_empty() {
        Vec::new()
    } else {
        store::lease(&fleet.pool, &plan.assignments, lease()).await?
    };
    let now = fleet.clock.now();
    let queued: HashMap<JobId, &QueuedJob> = snapshot.queue.iter().map(|job| (job.id, job)).collect();
    let places: HashMap<JobId, &WorkerId> = plan.assignments.iter().map(|(job, worker)| (*job, worker)).collect();
    for lease in leased {
        let (job, epoch) = (lease.job, lease.epoch);
        let (Some(queued), Some(worker)) = (queued.get(&job), places.get(&job)) else { continue };
        let expected_ms = snapshot
            .workers
            .iter()
            .find(|state| state.id == **worker)
            .and_then(|state| state.standard_ms(&queued.model))
            .map_or(0.0, |standard| standard * queued.relative_cost * f64::from(queued.pictures));
        let pictures = u32::try_from(lease.missing.len()).unwrap_or(u32::MAX);
        let held = Held::new(epoch, queued.owner, queued.relative_cost, pictures, expected_ms);
        let message = ToWorker::Assign(assignment(lease));
        if fleet.registry.assign(worker, &queued.model, held, job, message) {
            let finish_ms = plan.projections.iter().find(|p| p.job == job).map_or(expected_ms, |p| p.finish_ms);
            fleet.outlook.started(job, now + TimeDelta::milliseconds(finish_ms as i64));
            fleet.jobs.publish(job).await;
            // A cancellation between the lease and its sending came too early to reach the worker.
            if !store::is_leased(&fleet.pool, job, epoch).await? {
                fleet.cancel_lease(job, epoch);
            }
        } else if let Err(error) = fleet.give_back(job, epoch, GiveBack::Unsent).await {
            tracing::warn!(%error, %job, "an unsent job waits for its lease to end");
        }
    }

    let waiting = plan.projections.iter().filter(|p| !places.contains_key(&p.job));
    let prospects = waiting
        .enumerate()
        .map(|(position, p)| {
            let finish_at = now + TimeDelta::milliseconds(p.finish_ms as i64);
            (p.job, Prospect { position: u32::try_from(position).unwrap_or(u32::MAX), finish_at })
        })
        .collect();
    for job in fleet.outlook.replace_waiting(prospects) {
        fleet.jobs.publish(job).await;
    }
    Ok(())
}
