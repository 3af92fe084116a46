//! What the dispatcher does every few seconds: leases that ended without a word, and memory against the database.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use dispatch::residency;
use domain::JobId;
use domain::worker::ToWorker;

use super::desk::{Desk, millis};
use super::dispatcher::{send, take_in};
use super::roster::ModelPlan;
use super::store::Waiting;
use super::{Fleet, GiveBack, moving, store, workers};
use crate::bus::Broadcast;

/// How long a job waits for a model that no worker has.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// How often models may change places.
const ROTATE_EVERY: TimeDelta = TimeDelta::seconds(10);
/// A lease this young may have been given while the others were read, in milliseconds.
const YOUNG_MS: f64 = 2_000.0;

pub(super) async fn sweep(fleet: &Fleet, desk: &mut Desk) -> Result<(), sqlx::Error> {
    reclaim(fleet).await?;
    match fleet.bus.workers().await {
        Ok(records) => {
            let new = fleet.roster().reconcile(records);
            for record in new {
                take_in(fleet, record).await;
            }
        }
        Err(error) => tracing::warn!(%error, "the registry of workers can't be read; the known ones stay"),
    }
    forget_phantoms(fleet).await?;
    {
        let roster = fleet.roster();
        desk.asked.keep(|lease| roster.holder(lease).is_some());
    }
    moving::sweep(fleet, desk).await?;
    let drained = workers::store::drained(&fleet.pool).await?;
    {
        let mut roster = fleet.roster();
        roster.drain(&drained);
        roster.forget_health(millis(fleet.clock.now()));
    }
    rotate_models(fleet, desk).await;
    if let Some(jobs_per_second) = fleet.outlook.pace(fleet.clock.now())
        && let Err(error) = fleet.bus.publish(&Broadcast::Pace { jobs_per_second }).await
    {
        tracing::debug!(%error, "other heads may not know how fast the queue is served");
    }
    let learned = fleet.roster().learned();
    if !learned.is_empty() {
        workers::store::remember(&fleet.pool, &learned).await?;
    }
    // Everything is read again: what was committed out of order, cancelled or given back elsewhere.
    desk.queue.clear();
    desk.accepted.clear();
    desk.last_seq = 0;
    desk.read_queue(fleet).await?;
    desk.forget_old_promises(fleet.clock.now());
    give_up_hopeless(fleet, desk).await
}

/// Loads ahead what the last hour asked for, where that holds nobody up.
async fn rotate_models(fleet: &Fleet, desk: &mut Desk) {
    let now = fleet.clock.now();
    if desk.rotated_at.is_some_and(|rotated| now - rotated < ROTATE_EVERY) {
        return;
    }
    desk.rotated_at = Some(now);
    let demand: HashMap<String, f64> =
        desk.model_demand.iter().map(|(model, demand)| (model.clone(), demand.per_ms(millis(now)))).collect();
    let (records, shelves): (Vec<_>, Vec<_>) = fleet.roster().shelves().into_iter().unzip();
    let changes = residency::changes(&shelves, &demand);
    let told = changes.iter().flat_map(|change| {
        let unloads = change.unload.iter().map(|model| (change.worker.clone(), model.clone(), false));
        unloads.chain([(change.worker.clone(), change.load.clone(), true)])
    });
    let model_plan = ModelPlan { demand: demand.into_iter().collect(), changes: told.collect() };
    fleet.roster().model_plan = model_plan;
    for change in changes {
        let Some(record) = records.iter().find(|record| record.hello.id == change.worker) else { continue };
        tracing::info!(worker = %change.worker, load = change.load, unload = ?change.unload, "models rotate");
        for model in change.unload {
            send(fleet, record, ToWorker::Unload { model }).await;
        }
        send(fleet, record, ToWorker::Load { model: change.load }).await;
    }
}

/// Places jobs again whose lease ran out.
async fn reclaim(fleet: &Fleet) -> Result<(), sqlx::Error> {
    for (lease, connection_lost) in store::expired(&fleet.pool).await? {
        tracing::warn!(job = %lease.job, epoch = lease.epoch, connection_lost, "a lease ran out");
        // Its worker is silent, or could not renew: it must neither get the job again nor work on two leases of it.
        let holder = fleet.roster().holder(lease);
        if let Some((record, others)) = fleet.connections.evict(lease) {
            fleet.gone(&record.hello.id, record.connection, &others).await;
        } else if let Some(record) = holder {
            send(fleet, &record, ToWorker::Cancel { job: lease.job, epoch: lease.epoch }).await;
        }
        fleet.roster().release(lease);
        // Silence is not proof that the job killed anything: it may have been a head that died.
        let why = if connection_lost { GiveBack::WorkerLost } else { GiveBack::Silent };
        if let Err(error) = fleet.give_back(lease, why).await {
            tracing::warn!(%error, job = %lease.job, "the job stays leased until the next sweep");
        }
    }
    Ok(())
}

/// With no worker at all a job waits for one; with workers that lack its model it waits in vain. Only the time counts
/// in which that was so and this head could see it: whoever takes office gives workers the time to dial in.
async fn give_up_hopeless(fleet: &Fleet, desk: &mut Desk) -> Result<(), sqlx::Error> {
    let present = fleet.roster().snapshot(0.0);
    if present.is_empty() {
        desk.hopeless(&HashSet::new(), fleet.clock.now(), PATIENCE);
        return Ok(());
    }
    let now = fleet.clock.now();
    desk.unable = fleet.roster().unable();
    let can = |job: &Waiting| {
        let avoid = desk.as_planned(job, now).avoid;
        present.iter().any(|w| w.model(&job.request.0.model).is_some() && !avoid.contains(&w.id))
    };
    let stuck: HashSet<JobId> = desk.queue.values().filter(|job| !can(job)).map(|job| JobId(job.id)).collect();
    for job in desk.hopeless(&stuck, now, PATIENCE) {
        fleet.abandon(job).await?;
        desk.remove(job);
    }
    Ok(())
}

/// Forgets leases that have ended without this head hearing of it: a letter may be lost.
async fn forget_phantoms(fleet: &Fleet) -> Result<(), sqlx::Error> {
    let leases = store::leases(&fleet.pool).await?;
    let forgotten = fleet.roster().keep(&leases, millis(fleet.clock.now()) - YOUNG_MS);
    for (worker, lease) in forgotten {
        tracing::debug!(%worker, job = %lease.job, "a lease had ended unheard");
        fleet.outlook.forget(lease.job);
    }
    Ok(())
}
