//! The workers that are connected, and what each holds by the head's own count.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dispatch::{HeldJob, WarmModel, WorkerState};
use domain::worker::{Hello, ToWorker};
use domain::{DeviceId, JobId, WorkerId};
use tokio::sync::mpsc;

/// Messages that may wait for a worker before it counts as stuck.
const OUTBOX: usize = 64;
/// Weight of the newest measurement in the running estimate of a worker's speed.
const LEARNING_RATE: f64 = 0.2;
/// A worker with less work than this, in milliseconds, is about to come free.
const NEARLY_FREE_MS: f64 = 250.0;

/// A worker as people see it.
#[derive(Clone, Debug)]
pub struct FleetWorker {
    pub id: WorkerId,
    pub host: String,
    pub device: String,
    pub models: Vec<String>,
    pub jobs: usize,
}

/// A worker's end of the head: which connection it is, and what to send it.
#[derive(Debug)]
pub struct Connection {
    pub number: u64,
    pub outbox: mpsc::Receiver<ToWorker>,
}

/// A lease that has been committed and is about to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub epoch: i32,
    pub owner: DeviceId,
    pub relative_cost: f64,
    pub pictures: u32,
    /// Expected milliseconds for the whole assignment on this worker.
    pub expected_ms: f64,
    /// Share of the work that is done, from 0 to 1.
    done: f64,
}

impl Held {
    pub(super) fn new(epoch: i32, owner: DeviceId, relative_cost: f64, pictures: u32, expected_ms: f64) -> Self {
        Self { epoch, owner, relative_cost, pictures, expected_ms, done: 0.0 }
    }

    fn remaining_ms(&self) -> f64 {
        self.expected_ms * (1.0 - self.done).max(0.0)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    next_connection: u64,
    /// The head is going away: nothing new is assigned.
    draining: bool,
    workers: HashMap<WorkerId, Worker>,
}

#[derive(Debug)]
struct Worker {
    connection: u64,
    hello: Hello,
    outbox: mpsc::Sender<ToWorker>,
    /// Learned milliseconds for a standard picture, by model.
    standard_ms: HashMap<String, f64>,
    held: HashMap<JobId, (String, Held)>,
    /// Pictures of the current assignments that are complete, by job.
    steps: HashMap<JobId, HashMap<u32, f64>>,
}

impl Registry {
    /// Takes a worker in. One of the same name that was still there is replaced, and its leases are
    /// answered; its connection ends when it sees its outbox closed.
    pub(super) fn join(&self, hello: Hello) -> (Connection, Vec<(JobId, i32)>) {
        let (sender, outbox) = mpsc::channel(OUTBOX);
        let mut inner = self.lock();
        inner.next_connection += 1;
        let number = inner.next_connection;
        let standard_ms = hello.models.iter().map(|warm| (warm.card.name.clone(), warm.standard_ms)).collect();
        let id = hello.id.clone();
        let replaced = inner.workers.insert(
            id,
            Worker {
                connection: number,
                hello,
                outbox: sender,
                standard_ms,
                held: HashMap::new(),
                steps: HashMap::new(),
            },
        );
        let leases = replaced.into_iter().flat_map(|old| old.held).map(|(job, (_, held))| (job, held.epoch)).collect();
        (Connection { number, outbox }, leases)
    }

    /// Removes a worker; answers the leases it held. `None`: that connection was replaced already.
    pub(super) fn leave(&self, id: &WorkerId, connection: u64) -> Option<Vec<(JobId, i32)>> {
        let mut inner = self.lock();
        if inner.workers.get(id)?.connection != connection {
            return None;
        }
        let worker = inner.workers.remove(id)?;
        Some(worker.held.into_iter().map(|(job, (_, held))| (job, held.epoch)).collect())
    }

    /// The fleet as the planner sees it, in a stable order.
    pub(super) fn snapshot(&self) -> Vec<WorkerState> {
        let inner = self.lock();
        let mut workers: Vec<WorkerState> = inner.workers.values().map(|worker| worker.state(inner.draining)).collect();
        workers.sort_by(|a, b| a.id.cmp(&b.id));
        workers
    }

    /// Counts a lease to a worker and sends the assignment. False: the worker is gone or stuck.
    pub(super) fn assign(&self, id: &WorkerId, model: &str, held: Held, job: JobId, message: ToWorker) -> bool {
        let mut inner = self.lock();
        let Some(worker) = inner.workers.get_mut(id) else { return false };
        if worker.outbox.try_send(message).is_err() {
            return false;
        }
        worker.held.insert(job, (model.to_owned(), held));
        true
    }

    /// Notes a step. False: the worker does not hold that lease.
    pub(super) fn progress(&self, id: &WorkerId, job: JobId, epoch: i32, index: u32, step: u32, steps: u32) -> bool {
        let mut inner = self.lock();
        let Some(worker) = inner.workers.get_mut(id) else { return false };
        let Some((_, held)) = worker.held.get_mut(&job).filter(|(_, held)| held.epoch == epoch) else { return false };
        let shares = worker.steps.entry(job).or_default();
        shares.insert(index, f64::from(step) / f64::from(steps.max(1)));
        held.done = (shares.values().sum::<f64>() / f64::from(held.pictures.max(1))).clamp(0.0, 1.0);
        true
    }

    /// Whether the worker has next to nothing left to do.
    pub(super) fn is_nearly_free(&self, id: &WorkerId) -> bool {
        self.lock().workers.get(id).is_some_and(|worker| {
            worker.held.values().map(|(_, held)| held.remaining_ms()).sum::<f64>() <= NEARLY_FREE_MS
        })
    }

    /// A job is done: the lease is closed, and the estimate learns from the time it took.
    pub(super) fn done(&self, id: &WorkerId, job: JobId, epoch: i32, busy_ms: f64) {
        let mut inner = self.lock();
        let Some(worker) = inner.workers.get_mut(id) else { return };
        if worker.held.get(&job).is_none_or(|(_, held)| held.epoch != epoch) {
            return;
        }
        worker.steps.remove(&job);
        if let Some((model, held)) = worker.held.remove(&job) {
            let measured = busy_ms / (held.relative_cost * f64::from(held.pictures.max(1)));
            if measured.is_finite()
                && measured > 0.0
                && let Some(estimate) = worker.standard_ms.get_mut(&model)
            {
                *estimate += LEARNING_RATE * (measured - *estimate);
            }
        }
    }

    pub(super) fn drop_lease(&self, id: &WorkerId, job: JobId, epoch: i32) {
        let mut inner = self.lock();
        let Some(worker) = inner.workers.get_mut(id) else { return };
        if worker.held.get(&job).is_some_and(|(_, held)| held.epoch == epoch) {
            worker.held.remove(&job);
            worker.steps.remove(&job);
        }
    }

    /// Tells whoever holds that lease to stop, and forgets it.
    pub(super) fn cancel(&self, job: JobId, epoch: i32) {
        let mut inner = self.lock();
        for worker in inner.workers.values_mut() {
            if worker.held.get(&job).is_some_and(|(_, held)| held.epoch == epoch) {
                worker.held.remove(&job);
                worker.steps.remove(&job);
                // A worker that can't be told finds out when its picture is refused.
                let _ = worker.outbox.try_send(ToWorker::Cancel { job, epoch });
            }
        }
    }

    /// Removes the worker that holds that lease; answers all the leases it held. Its connection ends when
    /// it sees its outbox closed.
    pub(super) fn evict(&self, job: JobId, epoch: i32) -> Vec<(JobId, i32)> {
        let mut inner = self.lock();
        let holds = |worker: &Worker| worker.held.get(&job).is_some_and(|(_, held)| held.epoch == epoch);
        let holder = inner.workers.iter().find(|(_, worker)| holds(worker)).map(|(id, _)| id.clone());
        let evicted = holder.and_then(|id| inner.workers.remove(&id));
        evicted.into_iter().flat_map(|worker| worker.held).map(|(job, (_, held))| (job, held.epoch)).collect()
    }

    /// Jobs and epochs that a worker holds.
    pub(super) fn leases(&self, id: &WorkerId) -> Vec<(JobId, i32)> {
        let inner = self.lock();
        let Some(worker) = inner.workers.get(id) else { return Vec::new() };
        worker.held.iter().map(|(job, (_, held))| (*job, held.epoch)).collect()
    }

    pub(super) fn list(&self) -> Vec<FleetWorker> {
        let inner = self.lock();
        let mut workers: Vec<FleetWorker> = inner
            .workers
            .values()
            .map(|worker| FleetWorker {
                id: worker.hello.id.clone(),
                host: worker.hello.host.clone(),
                device: worker.hello.device.clone(),
                models: worker.hello.models.iter().map(|warm| warm.card.name.clone()).collect(),
                jobs: worker.held.len(),
            })
            .collect();
        workers.sort_by(|a, b| a.id.cmp(&b.id));
        workers
    }

    /// Gives no worker anything new, and asks each to leave when it has finished.
    pub(super) fn drain(&self) {
        let mut inner = self.lock();
        inner.draining = true;
        for worker in inner.workers.values() {
            let _ = worker.outbox.try_send(ToWorker::Drain);
        }
    }

    /// Whether no worker holds a job.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().workers.values().all(|worker| worker.held.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    fn state(&self, draining: bool) -> WorkerState {
        WorkerState {
            id: self.hello.id.clone(),
            models: self
                .standard_ms
                .iter()
                .map(|(name, ms)| WarmModel { name: name.clone(), standard_ms: *ms })
                .collect(),
            concurrency: self.hello.concurrency.max(1),
            held: self
                .held
                .values()
                .map(|(_, held)| HeldJob { owner: held.owner, remaining_ms: held.remaining_ms() })
                .collect(),
            draining,
        }
    }
}
