//! The one loop that assigns work: listen, load, plan, commit, send.
//!
//! Run by the elected head. What it keeps in memory is derived: the queue is
//! read again in full every sweep, the roster is rebuilt when a head takes
//! office, and a lease is given only by a conditional update.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dispatch::{Lane, QueuedJob, Snapshot, plan};
use domain::worker::{FromWorker, Lease, ToWorker};
use domain::{JobId, WorkerId};

use super::desk::Desk;
pub(super) use super::desk::millis;
use super::held::Held;
use super::store::{Running, Waiting};
use super::{Fleet, GiveBack, assignment, hello, isolation, lease, moving, store, sweep, workers};
use crate::bus::{Letter, Mailbox, To, WorkerRecord};

/// The loop looks again after this long even if nobody wakes it.
const IDLE: Duration = Duration::from_secs(1);
/// How often leases that ended without a word are looked for, and memory is compared with the database.
const SWEEP: Duration = Duration::from_secs(2);
/// How often those who wait are told anew what to expect.
const TELL_EVERY: TimeDelta = TimeDelta::milliseconds(250);
/// Letters handled before the next look.
const LETTERS_AT_ONCE: usize = 512;

pub(super) async fn run(fleet: &Fleet) {
    let Ok(mut mailbox) = open_mailbox(fleet).await else { return };
    let mut desk = Desk::default();
    fleet.roster().clear();
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut pause = IDLE;
    loop {
        let mut swept = false;
        let mut letter = None;
        tokio::select! {
            _ = sweep.tick() => swept = true,
            () = fleet.bell.rung() => {}
            () = tokio::time::sleep(pause) => {}
            first = mailbox.next() => letter = Some(first),
        }
        // Whatever woke it: it plans by all it was told, so that nobody who left in time is chosen.
        let (by_letter, first) = match letter {
            Some(first) => (true, Some(first)),
            None => (false, futures::FutureExt::now_or_never(pin!(mailbox.next()))),
        };
        if let Some(first) = first {
            let look = read_letters(fleet, &mut desk, mailbox.as_mut(), first).await;
            if by_letter && !look {
                continue;
            }
        }
        let round = async {
            if swept {
                sweep::sweep(fleet, &mut desk).await?;
            }
            self::round(fleet, &mut desk).await
        };
        pause = match round.await {
            Ok(look_again) => look_again.unwrap_or(IDLE).min(IDLE),
            Err(error) => {
                tracing::warn!(%error, "dispatching pauses until the database answers");
                IDLE
            }
        };
    }
}

async fn open_mailbox(fleet: &Fleet) -> Result<Box<dyn Mailbox>, ()> {
    // A bus that is out of reach when a head takes office is tried again by the next campaign.
    fleet.bus.open_dispatcher_mailbox().await.map_err(|error| tracing::warn!(%error, "the dispatcher can't begin"))
}

/// Takes in what arrived. True: looking again may bind something.
async fn read_letters(fleet: &Fleet, desk: &mut Desk, mailbox: &mut dyn Mailbox, first: crate::bus::Delivery) -> bool {
    let mut look = false;
    let mut next = Some(first);
    for _ in 0..LETTERS_AT_ONCE {
        let Some(crate::bus::Delivery { receipt, letter, .. }) = next.take() else { break };
        look |= read(fleet, desk, letter).await;
        if let Err(error) = mailbox.acknowledge(receipt).await {
            tracing::debug!(%error, "a letter may come again");
        }
        next = futures::FutureExt::now_or_never(pin!(mailbox.next()));
    }
    if let Some(unread) = next {
        look |= read(fleet, desk, unread.letter).await;
        let _ = mailbox.acknowledge(unread.receipt).await;
    }
    look
}

async fn read(fleet: &Fleet, desk: &mut Desk, letter: Letter) -> bool {
    match letter {
        Letter::Joined(record) => {
            let known = fleet.roster().record(&record.hello.id).cloned();
            if known.is_none_or(|known| (known.head, known.connection) != (record.head, record.connection)) {
                take_in(fleet, *record).await;
            }
            true
        }
        Letter::Left { worker, connection } => {
            fleet.roster().leave(&worker, connection);
            true
        }
        Letter::FromWorker { worker, connection, message } => {
            let now = fleet.clock.now();
            match &message {
                FromWorker::Done { job, .. } => {
                    desk.kept_promise(*job, now);
                    desk.delays.remove(job);
                    fleet.outlook.forget(*job);
                }
                FromWorker::Failed { job, failure, .. } => {
                    if !failure.out_of_memory {
                        desk.delay(*job, now);
                    }
                    desk.begun.remove(job);
                    fleet.outlook.forget(*job);
                }
                FromWorker::HandedOver { job, epoch } => {
                    moving::handed_over(fleet, desk, &worker, Lease { job: *job, epoch: *epoch }).await;
                }
                _ => {}
            }
            fleet.roster().hear(&worker, connection, &message, millis(now))
        }
        // Not for the dispatcher.
        Letter::ToWorker { .. } => false,
    }
}

/// A worker that this desk did not know: what was learned of it, and what it holds.
pub(super) async fn take_in(fleet: &Fleet, record: WorkerRecord) {
    let worker = record.hello.id.clone();
    // Its head has looked, unless that is of an older version.
    if let Err(why) = hello::check(&record.hello) {
        tracing::warn!(%worker, why, "a worker of another head is left out");
        return;
    }
    let learned = workers::store::observations(&fleet.pool, &worker).await.unwrap_or_else(|error| {
        tracing::warn!(%error, %worker, "what was learned of a worker could not be read");
        HashMap::new()
    });
    let known = async {
        let drained = workers::store::drained(&fleet.pool).await?.contains(&worker);
        Ok::<_, sqlx::Error>((store::running(&fleet.pool, &worker).await?, drained))
    };
    let (running, drained) = match known.await {
        Ok(known) => known,
        Err(error) => {
            // Without its leases it would be overloaded; the next sweep takes it in.
            tracing::warn!(%error, %worker, "a worker's leases could not be read");
            return;
        }
    };
    let now = fleet.clock.now();
    let mut roster = fleet.roster();
    roster.join(record, learned, drained);
    for Running { epoch, job, .. } in running {
        let pictures = u32::try_from(job.missing).unwrap_or(0);
        let held = Held::new(epoch, &job.as_planned(now), pictures, job.crashes > 0, millis(now));
        let held = Held { moves: u32::try_from(job.moves).unwrap_or(0), whole: job.moves == 0, ..held };
        roster.hold(&worker, JobId(job.id), held, job.request.0.passes());
    }
}

/// One look. Answers when another one could bind something though nothing else happens.
async fn round(fleet: &Fleet, desk: &mut Desk) -> Result<Option<Duration>, sqlx::Error> {
    desk.read_queue(fleet).await?;
    let now = fleet.clock.now();
    if desk.queue.is_empty() {
        fleet.outlook.replace_waiting(HashMap::new());
        moving::consider(fleet, desk, now).await;
        return Ok(None);
    }
    desk.unable = fleet.roster().unable();
    let workers = fleet.roster().snapshot(millis(now));
    let short_demand = desk.short_demand.per_ms(millis(now)) / (workers.len().max(1) as f64);
    let shorts_wait = desk.shorts(&workers, now).next().is_some();
    let waits = |job: &&Waiting| !desk.is_delayed(job, now) && !desk.rests(job, shorts_wait, now);
    let queue: Vec<QueuedJob> = desk.queue.values().filter(waits).map(|job| desk.as_planned(job, now)).collect();
    let mut snapshot = Snapshot { queue, workers, short_demand, recent: desk.recent(now) };
    let alone = isolation::set_apart(&mut snapshot, |job| desk.find(job).is_some_and(|job| job.crashes > 0));
    let mut plan = plan(&snapshot, &desk.policy);
    alone.join(&mut plan);

    if !plan.assignments.is_empty() {
        let leased = store::lease(&fleet.pool, &plan.assignments, lease()).await?;
        let finish: HashMap<JobId, f64> =
            plan.projections.iter().filter(|p| p.bound).map(|p| (p.job, p.finish_ms)).collect();
        hand_over(fleet, desk, &plan.assignments, leased, &finish, now).await?;
    }
    let workers = fleet.roster().snapshot(millis(now));
    moving::relieve(fleet, desk, &workers, now).await;
    // A moment late rather than a moment early, which would be a look in vain.
    let look_again = plan.look_again_ms.map(|ms| Duration::from_micros(((ms * 1_000.0) as u64).saturating_add(1_000)));
    let since_told = desk.told_at.map_or(TELL_EVERY, |told| now - told);
    if since_told < TELL_EVERY && plan.assignments.is_empty() {
        // Whoever came since is told with the next look, which must not be far.
        let rest = (TELL_EVERY - since_told).to_std().unwrap_or(IDLE);
        return Ok(Some(look_again.unwrap_or(rest).min(rest)));
    }
    desk.told_at = Some(now);
    tell(fleet, desk, &plan.projections, now).await;
    Ok(look_again)
}

/// Sends committed leases to their workers.
async fn hand_over(
    fleet: &Fleet,
    desk: &mut Desk,
    assignments: &[(JobId, WorkerId)],
    leased: Vec<store::Leased>,
    finish: &HashMap<JobId, f64>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let places: HashMap<JobId, &WorkerId> = assignments.iter().map(|(job, worker)| (*job, worker)).collect();
    let mut sent = Vec::with_capacity(leased.len());
    for leased in leased {
        let lease = Lease { job: leased.job, epoch: leased.epoch };
        let Some(worker) = places.get(&lease.job) else { continue };
        let Some(job) = desk.remove(lease.job) else { continue };
        let planned = desk.as_planned(&job, now);
        let begun = desk.begun.contains(&lease.job);
        let pictures = u32::try_from(leased.missing.len()).unwrap_or(u32::MAX);
        let record = {
            let mut roster = fleet.roster();
            let held = Held::new(lease.epoch, &planned, pictures, job.crashes > 0, millis(now));
            let held = Held { moves: u32::try_from(job.moves).unwrap_or(0), whole: !begun, ..held };
            roster.hold(worker, lease.job, held, leased.request.passes());
            roster.record(worker).cloned()
        };
        let reached = match &record {
            Some(record) => send(fleet, record, ToWorker::Assign(assignment(leased, begun))).await,
            None => false,
        };
        if !reached {
            fleet.roster().release(lease);
            if let Some(record) = record {
                // Else the next look would choose it again. A sweep takes it in anew if it is still there.
                fleet.roster().leave(worker, record.connection);
            }
            if let Err(error) = fleet.give_back(lease, GiveBack::Unsent).await {
                tracing::warn!(%error, job = %lease.job, "an unsent job waits for its lease to end");
            }
            continue;
        }
        desk.handed_out.push_back((now, planned.owner, planned.lane));
        let finish_ms = finish.get(&lease.job).copied().unwrap_or(0.0);
        desk.promise(&planned, finish_ms, now);
        fleet.outlook.started(lease.job, desk.prospect(&planned, 0, finish_ms, now));
        sent.push(lease);
    }
    let started: Vec<JobId> = sent.iter().map(|lease| lease.job).collect();
    fleet.jobs.publish_all(&started).await;
    // Assignments that the plan made and the database did not: cancelled or leased since they were read.
    for (job, _) in assignments {
        desk.remove(*job);
    }
    // A cancellation between the lease and its sending came too early to reach the worker.
    let standing: HashSet<JobId> = store::standing(&fleet.pool, &sent).await?.into_iter().collect();
    for lease in sent.into_iter().filter(|lease| !standing.contains(&lease.job)) {
        fleet.cancel_lease(lease).await;
    }
    Ok(())
}

/// Tells those who wait what to expect.
async fn tell(fleet: &Fleet, desk: &mut Desk, projections: &[dispatch::Projection], now: DateTime<Utc>) {
    let mut prospects = HashMap::with_capacity(projections.len());
    let mut priority_ahead = false;
    let waiting: Vec<(QueuedJob, f64)> = projections
        .iter()
        .filter(|projection| !projection.bound)
        .filter_map(|projection| Some((desk.find(projection.job)?.as_planned(now), projection.finish_ms)))
        .collect();
    for (position, (job, finish_ms)) in waiting.into_iter().enumerate() {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        desk.promise(&job, finish_ms, now);
        priority_ahead |= job.lane == Lane::Priority;
        let mut prospect = desk.prospect(&job, position, finish_ms, now);
        prospect.overtaken = priority_ahead && job.lane == Lane::Standard;
        prospects.insert(job.id, prospect);
    }
    let last_ms = projections.iter().map(|projection| projection.finish_ms).fold(0.0, f64::max);
    fleet.outlook.learn_pace(projections.len() as f64 / (last_ms / 1_000.0), now);
    // Every start moves everybody behind it: most of them with nobody watching.
    fleet.jobs.publish_all(&fleet.outlook.replace_waiting(prospects)).await;
}

/// Puts a message for a worker into the mailbox of its head.
pub(super) async fn send(fleet: &Fleet, record: &WorkerRecord, message: ToWorker) -> bool {
    let (worker, connection) = (record.hello.id.clone(), record.connection);
    if record.head == fleet.bus.head() {
        return fleet.connections.pass(&worker, connection, message).is_ok();
    }
    match fleet.bus.send(To::Head(record.head), &Letter::ToWorker { worker, connection, message }).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, worker = %record.hello.id, "a worker's head can't be reached");
            false
        }
    }
}
