//! The whole fleet as the dispatcher sees it: who could do what how fast, and who holds what, by its own count.

mod moving;

use std::collections::{HashMap, HashSet};

use dispatch::residency::{Shelf, ShelvedModel};
use dispatch::{Estimate, Length, ModelState, MovePolicy, WorkerState, heat};
use domain::worker::{FromWorker, Heat, Hello, Lease, WarmModel};
use domain::{JobId, WorkerId};

pub(super) use self::moving::{Moved, Runs};
use super::desk::Unable;
use super::health::{Condition, Health};
use super::held::Held;
use super::hello::LONGEST_MS;
use crate::bus::WorkerRecord;

/// What a job's way to another worker is believed to take at most, in milliseconds.
const LONGEST_TRANSFER_MS: f64 = 10_000.0;

/// Where models go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelPlan {
    /// Workers that each model's demand of the last hour would keep busy.
    pub demand: Vec<(String, f64)>,
    /// The latest changes: a worker, a model, and whether it is loaded there or makes room.
    pub changes: Vec<(WorkerId, String, bool)>,
}

/// What a finished job taught.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observation {
    pub worker: WorkerId,
    pub model: String,
    pub estimate: Estimate,
}

#[derive(Debug, Default)]
pub(super) struct Roster {
    workers: HashMap<WorkerId, Worker>,
    /// Estimates that changed since they were last written down.
    learned: HashMap<(WorkerId, String), Estimate>,
    /// Of workers that are here or were lately: who is sick does not get well by dialling in again.
    health: HashMap<WorkerId, Health>,
    pub(super) model_plan: ModelPlan,
    /// What it takes until a job that moves goes on: measured.
    transfer: Option<Estimate>,
}

#[derive(Debug)]
struct Worker {
    record: WorkerRecord,
    estimates: HashMap<String, Estimate>,
    held: HashMap<JobId, Held>,
    /// Whose step was told last.
    last_told: Option<JobId>,
    slowdown: f64,
    readings_above: u32,
    /// It finishes what it has and goes, or its head does.
    leaving: bool,
    /// The operator wants it to take nothing new.
    drained: bool,
}

impl Roster {
    /// Forgets everything: another head may have dispatched meanwhile.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A worker dialled in, with what was learned of it before. What an earlier connection held is forgotten.
    pub(super) fn join(&mut self, record: WorkerRecord, learned: HashMap<String, Estimate>, drained: bool) {
        let mut worker = Worker {
            leaving: record.draining,
            drained,
            estimates: learned,
            held: HashMap::new(),
            last_told: None,
            slowdown: 1.0,
            readings_above: 0,
            record,
        };
        let warm = worker.record.hello.models.clone();
        worker.knows(&warm);
        self.workers.insert(worker.record.hello.id.clone(), worker);
    }

    /// A worker's connection ended.
    pub(super) fn leave(&mut self, id: &WorkerId, connection: u64) {
        if self.workers.get(id).is_some_and(|worker| worker.record.connection == connection) {
            self.workers.remove(id);
        }
    }

    /// Keeps those that are in `records`; answers the records that are new here.
    pub(super) fn reconcile(&mut self, records: Vec<WorkerRecord>) -> Vec<WorkerRecord> {
        let same = |a: &WorkerRecord, b: &WorkerRecord| (a.head, a.connection) == (b.head, b.connection);
        let known: HashSet<WorkerId> = records.iter().map(|record| record.hello.id.clone()).collect();
        self.workers.retain(|id, _| known.contains(id));
        let mut new = Vec::new();
        for record in records {
            match self.workers.get_mut(&record.hello.id) {
                // Its word may be newer than its record.
                Some(worker) if same(&worker.record, &record) => worker.leaving |= record.draining,
                _ => new.push(record),
            }
        }
        new
    }

    pub(super) fn record(&self, id: &WorkerId) -> Option<&WorkerRecord> {
        self.workers.get(id).map(|worker| &worker.record)
    }

    /// Whoever holds that lease.
    pub(super) fn holder(&self, lease: Lease) -> Option<WorkerRecord> {
        let holds = |worker: &&Worker| worker.held.get(&lease.job).is_some_and(|held| held.epoch == lease.epoch);
        self.workers.values().find(holds).map(|worker| worker.record.clone())
    }

    /// Workers that the operator wants to take nothing new; the others may.
    pub(super) fn drain(&mut self, drained: &HashSet<WorkerId>) {
        for (id, worker) in &mut self.workers {
            let now = drained.contains(id);
            if now != worker.drained {
                tracing::info!(worker = %id, drained = now, "as the operator wants");
            }
            worker.drained = now;
        }
    }

    /// A lease was committed for this worker.
    pub(super) fn hold(&mut self, id: &WorkerId, job: JobId, mut held: Held, steps: u32) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        // Also of a model that is loaded for it: of nothing, no step could teach what it really takes.
        let standard_ms = worker.models().find(|model| model.name == held.model).map_or(0.0, |model| model.standard_ms);
        held.expected = Estimate::prior(standard_ms * held.work);
        held.step = 1.0 / f64::from((steps * held.pictures).max(1));
        held.expected_ms = held.expected.mean_ms;
        worker.held.insert(job, held);
    }

    /// A lease is over.
    pub(super) fn release(&mut self, lease: Lease) {
        for worker in self.workers.values_mut() {
            if worker.held.get(&lease.job).is_some_and(|held| held.epoch == lease.epoch) {
                worker.held.remove(&lease.job);
            }
        }
    }

    /// Forgets the leases that are not among these, except those younger than `since_ms`; answers them.
    pub(super) fn keep(&mut self, leases: &HashSet<(Lease, WorkerId)>, since_ms: f64) -> Vec<(WorkerId, Lease)> {
        let mut forgotten = Vec::new();
        for (id, worker) in &mut self.workers {
            worker.held.retain(|job, held| {
                let lease = Lease { job: *job, epoch: held.epoch };
                let stands = held.since_ms > since_ms || leases.contains(&(lease, id.clone()));
                if !stands {
                    forgotten.push((id.clone(), lease));
                }
                stands
            });
        }
        forgotten
    }

    /// What a worker said. True: a place came free or is about to, so looking again may bind something.
    pub(super) fn hear(&mut self, id: &WorkerId, connection: u64, message: &FromWorker, now_ms: f64) -> bool {
        let Some(worker) = self.workers.get_mut(id).filter(|worker| worker.record.connection == connection) else {
            return false;
        };
        match message {
            FromWorker::Hello(_) | FromWorker::Heartbeat { heat: None } => false,
            FromWorker::Heartbeat { heat: Some(heat) } => {
                worker.feels(heat);
                false
            }
            FromWorker::Leaving => {
                worker.leaving = true;
                false
            }
            FromWorker::Models { warm, problem } => {
                if let Some(problem) = problem {
                    tracing::warn!(worker = %id, problem, "a model could not be changed");
                }
                worker.record.hello.models.clone_from(warm);
                worker.knows(warm);
                true
            }
            FromWorker::Progress { job, epoch, index, step, steps, .. } => {
                let transfer_ms = worker.arrived(*job, *epoch, now_ms);
                worker.progress(*job, *epoch, *index, f64::from(*step) / f64::from((*steps).max(1)), now_ms);
                if let Some(ms) = transfer_ms {
                    let prior = Estimate::prior(MovePolicy::default().transfer_ms);
                    // One that took very long would keep all others from trying, and so from teaching better.
                    self.transfer.get_or_insert(prior).record(ms.clamp(1.0, LONGEST_TRANSFER_MS));
                }
                // A long job may step aside now, or move.
                worker.held.values().any(|held| held.length == Length::Long) && worker.held.len() == 1
            }
            FromWorker::Done { job, epoch, busy_ms } => {
                let health = self.health.entry(id.clone()).or_default();
                health.succeeded();
                if let Some(estimate) = worker.done(*job, *epoch, *busy_ms, health) {
                    self.learned.insert((id.clone(), estimate.0), estimate.1);
                }
                true
            }
            FromWorker::Failed { job, epoch, failure } => {
                if worker.held.get(job).is_some_and(|held| held.epoch == *epoch) {
                    worker.held.remove(job);
                }
                // One that is merely too large, or that would fail anywhere, says nothing about the device.
                if failure.retryable && !failure.out_of_memory {
                    let rest_ms = self.health.entry(id.clone()).or_default().failed(*job, now_ms);
                    if let Some(rest_ms) = rest_ms {
                        tracing::error!(worker = %id, rest_ms, reason = failure.reason, "fails job after job and sits out");
                        metrics::counter!("mindseye_worker_rests_total", "worker" => id.0.clone()).increment(1);
                    }
                }
                true
            }
            // The desk sees to it.
            FromWorker::HandedOver { .. } => true,
        }
    }

    /// Forgets how workers did that have not been here for long.
    pub(super) fn forget_health(&mut self, now_ms: f64) {
        let workers = &self.workers;
        self.health.retain(|id, health| workers.contains_key(id) || health.matters(now_ms));
    }

    /// How workers do: who sits out, and observed over expected time.
    pub(super) fn conditions(&self, now_ms: f64) -> Vec<Condition> {
        let condition = |worker: &WorkerId| {
            let health = self.health.get(worker).cloned().unwrap_or_default();
            Condition { worker: worker.clone(), rests: health.rests(now_ms), drift: health.ratio() }
        };
        self.workers.keys().map(condition).collect()
    }

    /// Estimates that changed since this was last asked.
    pub(super) fn learned(&mut self) -> Vec<Observation> {
        let learned = self.learned.drain();
        learned.map(|((worker, model), estimate)| Observation { worker, model, estimate }).collect()
    }

    /// What lies on each worker and could, for the plan of models.
    pub(super) fn shelves(&self) -> Vec<(WorkerRecord, Shelf)> {
        let mut shelves: Vec<(WorkerRecord, Shelf)> = self
            .workers
            .values()
            .filter(|worker| !worker.leaving && !worker.drained)
            .map(|worker| (worker.record.clone(), worker.shelf()))
            .collect();
        shelves.sort_by(|a, b| a.1.worker.cmp(&b.1.worker));
        shelves
    }

    /// Workers of versions that know too little of pictures to go on from.
    pub(super) fn unable(&self) -> Unable {
        let without = |can: fn(&Hello) -> bool| {
            let unable = self.workers.iter().filter(|(_, worker)| !can(&worker.record.hello));
            unable.map(|(id, _)| id.clone()).collect()
        };
        Unable { to_go_on: without(|hello| hello.goes_on), to_extend: without(|hello| hello.goes_on && hello.extends) }
    }

    /// The workers as the planner looks at them, in a stable order.
    pub(super) fn snapshot(&self, now_ms: f64) -> Vec<WorkerState> {
        let state = |(id, worker): (&WorkerId, &Worker)| {
            let rests = self.health.get(id).is_some_and(|health| health.rests(now_ms));
            let state = worker.state(now_ms);
            WorkerState { draining: state.draining || rests, ..state }
        };
        let mut states: Vec<WorkerState> = self.workers.iter().map(state).collect();
        states.sort_by(|a, b| a.id.cmp(&b.id));
        states
    }
}

impl Worker {
    /// Takes note of loaded models; what was measured counts for more than a warm-up.
    fn knows(&mut self, warm: &[WarmModel]) {
        for model in warm {
            let prior = || Estimate::prior(model.standard_ms.max(0.1));
            self.estimates.entry(model.card.name.clone()).or_insert_with(prior);
        }
    }

    fn feels(&mut self, heat: &Heat) {
        let slowdown = heat::slowdown(heat);
        if (slowdown > 1.0) != (self.slowdown > 1.0) {
            tracing::warn!(worker = %self.record.hello.id, slowdown, reasons = ?heat.throttle, "a device holds itself back, or no longer");
        }
        self.slowdown = slowdown;
        if heat::alert_begins(&mut self.readings_above, heat) {
            tracing::error!(worker = %self.record.hello.id, celsius = heat.temperature, "a device stays hot");
            metrics::counter!("mindseye_heat_alerts_total", "worker" => self.record.hello.id.0.clone()).increment(1);
        }
    }

    fn progress(&mut self, job: JobId, epoch: i32, index: u32, share: f64, now_ms: f64) {
        let uninterrupted = self.last_told == Some(job);
        let Some(held) = self.held.get_mut(&job).filter(|held| held.epoch == epoch) else { return };
        let before = held.done;
        held.shares.insert(index, share);
        held.done = (held.shares.values().sum::<f64>() / f64::from(held.pictures.max(1))).clamp(0.0, 1.0);
        // Nobody else had a step in between, so the time is what its own took. Several pictures share passes.
        if uninterrupted && held.pictures == 1 && held.done > before {
            held.expected.record((now_ms - held.told_at_ms) / (held.done - before) / self.slowdown);
        }
        held.told_at_ms = now_ms;
        self.last_told = Some(job);
    }

    /// Closes a lease; answers what was learned of the model.
    fn done(&mut self, job: JobId, epoch: i32, busy_ms: f64, health: &mut Health) -> Option<(String, Estimate)> {
        let held = self.held.get(&job).filter(|held| held.epoch == epoch)?;
        let (model, measured_ms) = (held.model.to_string(), busy_ms / held.work / self.slowdown);
        let expected_ms = held.expected_ms * self.slowdown;
        let whole = held.whole;
        self.held.remove(&job);
        if !whole {
            return None;
        }
        let estimate = self.estimates.get_mut(&model)?;
        if !(measured_ms > 0.0 && measured_ms <= LONGEST_MS) {
            return None;
        }
        if let Some(ratio) = health.took(busy_ms, expected_ms) {
            tracing::warn!(worker = %self.record.hello.id, ratio, "a worker's times are far from what was expected");
        }
        estimate.record(measured_ms);
        Some((model, *estimate))
    }

    /// Loaded models, and those it could load.
    fn models(&self) -> impl Iterator<Item = ModelState> {
        let hello = &self.record.hello;
        let standard_ms = |name: &str| self.estimates.get(name).map(|estimate| estimate.mean_ms);
        let warm = hello.models.iter().map(move |warm| ModelState {
            name: warm.card.name.as_str().into(),
            standard_ms: standard_ms(&warm.card.name).unwrap_or(warm.standard_ms).max(0.1),
            load_ms: 0.0,
        });
        let is_warm = |name: &str| hello.models.iter().any(|warm| warm.card.name == name);
        let cold = hello.available.iter().filter(move |model| !is_warm(&model.card.name));
        // A model nobody has measured here is taken to be as fast as the slowest that was.
        let slowest = self.estimates.values().map(|estimate| estimate.mean_ms).fold(1_000.0, f64::max);
        warm.chain(cold.map(move |model| ModelState {
            name: model.card.name.as_str().into(),
            standard_ms: standard_ms(&model.card.name).unwrap_or(slowest).max(0.1),
            load_ms: model.load_ms.max(1.0),
        }))
    }

    fn shelf(&self) -> Shelf {
        let hello = &self.record.hello;
        let is_warm = |name: &str| hello.models.iter().any(|warm| warm.card.name == name);
        let in_use = |name: &str| self.held.values().any(|held| &*held.model == name);
        let models = hello.available.iter().map(|model| ShelvedModel {
            name: model.card.name.clone(),
            memory_mb: model.memory_mb,
            load_ms: model.load_ms,
            warm: is_warm(&model.card.name),
            pinned: model.pinned,
            in_use: in_use(&model.card.name),
        });
        Shelf {
            worker: hello.id.clone(),
            memory_mb: hello.memory_mb,
            models: models.collect(),
            idle: self.held.is_empty(),
        }
    }

    fn state(&self, now_ms: f64) -> WorkerState {
        let hello = &self.record.hello;
        let first = self.held.values().map(|held| held.told_at_ms).fold(0.0, f64::max);
        WorkerState {
            id: hello.id.clone(),
            models: self.models().collect(),
            concurrency: hello.concurrency.max(1),
            batch_gain: hello.batch_gain.max(1.0),
            // Two loaded models lie side by side, so the one can step aside for the other.
            steps_aside: hello.models.len() > 1,
            hands_over: hello.hands_over,
            slowdown: self.slowdown,
            held: self.held.values().map(|held| held.as_planned(now_ms, held.told_at_ms >= first)).collect(),
            // Nobody joins a job that may take the worker down with it.
            draining: self.leaving || self.drained || self.held.values().any(|held| held.suspect),
        }
    }
}
