//! Long jobs that leave their worker while they run: for another one, or for the queue, to give way to short ones.
//!
//! Asked for by the dispatcher: the worker lets the job's pictures stand still after their present step, brings what
//! there is of them ([`super::delivery`]), and says so. Only then the lease moves, under a new epoch and in one
//! statement, so that the old worker's word counts until then and never after. What was brought is kept until the job
//! ends: should the new worker die, the next one goes on from there.

mod store;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use dispatch::{Movable, MovePolicy, QueuedJob, WorkerState, faster_worker, gives_way};
use domain::worker::{Lease, ToWorker};
use domain::{JobId, WorkerId};

use super::desk::{Desk, millis};
use super::dispatcher::send;
use super::roster::{Moved, Runs};
use super::{Fleet, GiveBack, assignment, lease};
use crate::bus::WorkerRecord;
use crate::jobs::after;

/// A worker that was asked to hand a job over and did not is asked again after so many milliseconds.
const ASK_AGAIN_MS: f64 = 30_000.0;
/// It is not asked more often than this for one lease.
const MOST_ASKS: u32 = 3;
/// Short jobs that are looked at, the oldest first, for one that a place would help.
const MOST_SHORTS: usize = 64;

/// Jobs that workers were asked to hand over.
#[derive(Debug, Default)]
pub(super) struct Asked(HashMap<Lease, Ask>);

/// Where a job is to go.
#[derive(Clone, Debug, PartialEq)]
enum Whither {
    Worker(WorkerId),
    /// Into the queue: it gives way.
    Queue,
}

#[derive(Debug)]
struct Ask {
    to: Whither,
    at_ms: f64,
    times: u32,
    /// Nothing has come of it yet.
    open: bool,
}

impl Asked {
    /// Whether this lease's holder may be asked now.
    fn may_ask(&self, lease: Lease, now_ms: f64) -> bool {
        self.0.get(&lease).is_none_or(|ask| ask.times < MOST_ASKS && now_ms - ask.at_ms >= ASK_AGAIN_MS)
    }

    /// Workers that are to have jobs which are on their way.
    fn awaiting(&self, now_ms: f64) -> impl Iterator<Item = &WorkerId> {
        let open = move |ask: &&Ask| ask.open && now_ms - ask.at_ms < ASK_AGAIN_MS;
        self.0.values().filter(open).filter_map(|ask| match &ask.to {
            Whither::Worker(to) => Some(to),
            Whither::Queue => None,
        })
    }

    /// Whether a job is on its way into the queue.
    fn awaits_place(&self, now_ms: f64) -> bool {
        let open = |ask: &Ask| ask.open && ask.to == Whither::Queue && now_ms - ask.at_ms < ASK_AGAIN_MS;
        self.0.values().any(open)
    }

    fn ask(&mut self, lease: Lease, to: Whither, now_ms: f64) {
        let times = self.0.get(&lease).map_or(0, |ask| ask.times);
        self.0.insert(lease, Ask { to, at_ms: now_ms, times: times + 1, open: true });
    }

    /// Where a job is to go that was handed over, if it was asked for.
    fn answered(&mut self, lease: Lease) -> Option<Whither> {
        let ask = self.0.get_mut(&lease).filter(|ask| ask.open)?;
        ask.open = false;
        Some(ask.to.clone())
    }

    /// Forgets leases that are over.
    pub(super) fn keep(&mut self, stands: impl Fn(Lease) -> bool) {
        self.0.retain(|lease, _| stands(*lease));
    }
}

/// Asks for jobs that would be done sooner elsewhere. To be called when nobody waits.
pub(super) async fn consider(fleet: &Fleet, desk: &mut Desk, now: DateTime<Utc>) {
    let Some(policy) = desk.policy.moves else { return };
    let now_ms = millis(now);
    let (runs, mut workers, transfer_ms) = {
        let roster = fleet.roster();
        let runs = roster.runs();
        if runs.is_empty() {
            return;
        }
        (runs, roster.snapshot(now_ms), roster.transfer_ms())
    };
    let policy = MovePolicy { transfer_ms: transfer_ms.unwrap_or(policy.transfer_ms), ..policy };
    for awaiting in desk.asked.awaiting(now_ms) {
        workers.iter_mut().filter(|worker| worker.id == *awaiting).for_each(|worker| worker.hands_over = false);
    }
    for run in runs {
        let Some(from) = workers.iter().position(|worker| worker.id == run.worker) else { continue };
        let job = Movable { from, model: &run.model, avoid: &run.avoid, moves: run.moves };
        let to = faster_worker(&workers, &job, &policy).filter(|_| desk.asked.may_ask(run.lease, now_ms));
        let Some(to) = to else { continue };
        workers[to].hands_over = false;
        let to = workers[to].id.clone();
        tracing::info!(job = %run.lease.job, from = %run.worker, %to, "a job is to go on elsewhere");
        desk.asked.ask(run.lease, Whither::Worker(to), now_ms);
        let Lease { job, epoch } = run.lease;
        tell(fleet, &run.worker, ToWorker::HandOver { job, epoch }).await;
    }
}

/// Asks for a job that gives way, if short ones have waited long enough that `workers` could do. One at a time: the
/// next one when this one has given way, or did not for long.
pub(super) async fn relieve(fleet: &Fleet, desk: &mut Desk, workers: &[WorkerState], now: DateTime<Utc>) {
    let Some(policy) = desk.policy.moves else { return };
    let now_ms = millis(now);
    let pause_ms = now_ms - desk.gave_way_ms;
    if pause_ms < policy.pause_ms || desk.asked.awaits_place(now_ms) {
        return;
    }
    let waited = |job: &QueuedJob| job.waited_ms >= policy.patience_ms;
    // Most of the time one look at the oldest is all.
    let shorts: Vec<QueuedJob> = desk.shorts(workers, now).take_while(waited).take(MOST_SHORTS).collect();
    if shorts.is_empty() {
        return;
    }
    let runs = fleet.roster().runs();
    let may_go = |run: &&Runs| {
        let from = workers.iter().position(|worker| worker.id == run.worker);
        let job = from.map(|from| Movable { from, model: &run.model, avoid: &run.avoid, moves: run.moves });
        let helps = |job: &Movable<'_>| shorts.iter().any(|short| gives_way(workers, job, short, pause_ms, &policy));
        job.is_some_and(|job| helps(&job)) && desk.asked.may_ask(run.lease, now_ms)
    };
    // The one whose step ends first.
    let step_ms = |run: &Runs| {
        let worker = workers.iter().find(|worker| worker.id == run.worker);
        worker.map_or(0.0, |worker| worker.held.iter().map(|held| held.step_left_ms).fold(0.0, f64::max))
    };
    let first = runs.iter().filter(may_go).min_by(|a, b| step_ms(a).total_cmp(&step_ms(b)));
    let Some(run) = first else { return };
    tracing::info!(job = %run.lease.job, from = %run.worker, "a job is to give way");
    desk.gave_way_ms = now_ms;
    desk.asked.ask(run.lease, Whither::Queue, now_ms);
    let Lease { job, epoch } = run.lease;
    tell(fleet, &run.worker, ToWorker::HandOver { job, epoch }).await;
}

/// A worker has brought what there is of a job: it goes where it is to go, if it still can.
pub(super) async fn handed_over(fleet: &Fleet, desk: &mut Desk, from: &WorkerId, old: Lease) {
    // Somebody else's word is no answer.
    let holder = fleet.roster().holder(old);
    if holder.is_some_and(|record| record.hello.id != *from) {
        return;
    }
    // What is kept of it is of use whoever goes on.
    desk.begun.insert(old.job);
    let gone = match (desk.asked.answered(old), desk.policy.moves) {
        (Some(Whither::Worker(to)), Some(policy)) => move_on(fleet, desk, old, (from, to), &policy).await,
        (Some(Whither::Queue), Some(policy)) => give_way(fleet, desk, old, from, &policy).await,
        _ => Ok(false),
    };
    let gone = gone.unwrap_or_else(|error| {
        // If it is gone all the same, whoever has the new lease does not know, and it runs out.
        tracing::warn!(%error, job = %old.job, "a lease could not be moved");
        false
    });
    if !gone {
        let Lease { job, epoch } = old;
        tell(fleet, from, ToWorker::GoOn { job, epoch }).await;
    }
}

/// Puts a job back into the queue. False: nobody waits for that any more, or its lease is over.
async fn give_way(
    fleet: &Fleet,
    desk: &mut Desk,
    old: Lease,
    from: &WorkerId,
    policy: &MovePolicy,
) -> Result<bool, sqlx::Error> {
    let now = fleet.clock.now();
    let workers = fleet.roster().snapshot(millis(now));
    let wanted = desk.shorts(&workers, now).next().is_some();
    if !wanted || !store::put_back(&fleet.pool, old, from, policy.most_moves).await? {
        return Ok(false);
    }
    let Lease { job, epoch } = old;
    metrics::counter!("mindseye_moves_total", "why" => "gives_way").increment(1);
    tracing::info!(%job, %from, "a job gives way");
    desk.resting.insert(job, after(now, policy.longest_rest_ms));
    desk.gave_way_ms = millis(now);
    tell(fleet, from, ToWorker::Cancel { job, epoch }).await;
    fleet.roster().release(old);
    fleet.outlook.forget(job);
    fleet.jobs.publish(job).await;
    fleet.bell.ring();
    Ok(true)
}

/// Moves a lease to another worker, and tells both. False: it can't take it any more, or the lease is over.
async fn move_on(
    fleet: &Fleet,
    desk: &mut Desk,
    old: Lease,
    (from, to): (&WorkerId, WorkerId),
    policy: &MovePolicy,
) -> Result<bool, sqlx::Error> {
    if !fleet.roster().takes(&to, old) {
        return Ok(false);
    }
    let moved = store::move_lease(&fleet.pool, old, (from, &to), policy.most_moves, lease()).await?;
    let Some(leased) = moved else { return Ok(false) };
    let now = fleet.clock.now();
    let new = Lease { job: old.job, epoch: leased.epoch };
    let Lease { job, epoch } = old;
    tell(fleet, from, ToWorker::Cancel { job, epoch }).await;
    let moved = fleet.roster().moved(old, &to, new.epoch, millis(now));
    let reached = match &moved {
        Some(moved) => send(fleet, &moved.record, ToWorker::Assign(assignment(leased, true))).await,
        None => false,
    };
    if !reached {
        unsent(fleet, new, moved.map(|moved| moved.record)).await;
        return Ok(true);
    }
    metrics::counter!("mindseye_moves_total", "why" => "faster").increment(1);
    tracing::info!(%job, %from, %to, "a job goes on elsewhere");
    if let Some(Moved { length, remaining_ms, .. }) = moved {
        fleet.outlook.started(job, desk.outlook_of(length, remaining_ms, now));
    }
    fleet.jobs.publish_all(&[job]).await;
    // A cancellation between the move and its sending came too early to reach the worker.
    let standing = super::store::standing(&fleet.pool, &[new]).await;
    if standing.is_ok_and(|standing| standing.is_empty()) {
        fleet.cancel_lease(new).await;
    }
    Ok(true)
}

/// Forgets what is kept of jobs that have ended, and learns of what other heads took in.
pub(super) async fn sweep(fleet: &Fleet, desk: &mut Desk) -> Result<(), sqlx::Error> {
    let kept = match fleet.media.begun().await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(%error, "what is kept of begun jobs can't be read");
            return Ok(());
        }
    };
    desk.begun =
        if kept.is_empty() { kept.iter().copied().collect() } else { store::unfinished(&fleet.pool, &kept).await? };
    for job in kept.into_iter().filter(|job| !desk.begun.contains(job)) {
        if let Err(error) = fleet.media.sweep_begun(job).await {
            tracing::warn!(%error, %job, "what is kept of a job that has ended can't be deleted");
        }
    }
    Ok(())
}

impl Fleet {
    /// What is kept of a job's pictures is of no use any more.
    pub(super) async fn forget_begun(&self, job: JobId) {
        if let Err(error) = self.media.delete_begun(job).await {
            tracing::debug!(%error, %job, "the next sweep deletes it");
        }
    }
}

/// The new worker could not be told: the job waits for another one.
async fn unsent(fleet: &Fleet, lease: Lease, record: Option<WorkerRecord>) {
    {
        let mut roster = fleet.roster();
        roster.release(lease);
        if let Some(record) = record {
            roster.leave(&record.hello.id, record.connection);
        }
    }
    if let Err(error) = fleet.give_back(lease, GiveBack::Unsent).await {
        tracing::warn!(%error, job = %lease.job, "an unsent job waits for its lease to end");
    }
}

async fn tell(fleet: &Fleet, worker: &WorkerId, message: ToWorker) {
    let mut record = fleet.roster().record(worker).cloned();
    if record.is_none() {
        // Whoever has just taken office has not taken everybody in yet.
        let known = fleet.bus.workers().await.unwrap_or_default();
        record = known.into_iter().find(|record| record.hello.id == *worker);
    }
    // Who can't be told finds out when its patience ends, it dials in again, or its picture is refused.
    if let Some(record) = record {
        send(fleet, &record, message).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_again_and_again() {
        let (lease, to) = (Lease { job: JobId::from_random(1), epoch: 1 }, || Whither::Worker(WorkerId("b".into())));
        let mut asked = Asked::default();
        let mut now_ms = 0.0;
        for _ in 0..MOST_ASKS {
            assert!(asked.may_ask(lease, now_ms));
            asked.ask(lease, to(), now_ms);
            assert!(!asked.may_ask(lease, now_ms + ASK_AGAIN_MS - 1.0));
            assert_eq!(asked.awaiting(now_ms + 1.0).count(), 1);
            now_ms += ASK_AGAIN_MS;
            assert_eq!(asked.awaiting(now_ms).count(), 0, "it is not waited for any longer");
        }
        assert!(!asked.may_ask(lease, now_ms));
        assert_eq!((asked.answered(lease), asked.answered(lease)), (Some(to()), None));
        asked.keep(|_| false);
        assert!(asked.may_ask(lease, now_ms));
    }
}
