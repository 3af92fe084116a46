//! The workers that are connected to this head, and the leases that passed through it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::worker::{Assignment, Heat, Hello, Lease, ToWorker, WarmModel};
use domain::{JobId, ValidRequest, WorkerId};
use tokio::sync::mpsc;

use crate::bus::{HeadId, WorkerRecord};

/// Messages that may wait for a worker before it counts as stuck.
const OUTBOX: usize = 256;

/// A worker as people see it.
#[derive(Clone, Debug)]
pub struct FleetWorker {
    pub id: WorkerId,
    pub host: String,
    pub device: String,
    /// Loaded models.
    pub models: Vec<String>,
    /// Jobs it holds.
    pub jobs: usize,
    pub draining: bool,
    pub heat: Option<Heat>,
}

/// A worker's end of the head: which connection it is, and what to send it.
#[derive(Debug)]
pub struct Connection {
    pub number: u64,
    pub outbox: mpsc::Receiver<ToWorker>,
    /// Leases of an earlier connection that stand.
    pub resumed: Vec<Lease>,
}

/// That connection is not (or no longer) here, or its worker takes no messages, or no new work.
#[derive(Debug)]
pub(super) struct NotHere;

#[derive(Clone, Debug)]
pub(super) struct Connections {
    head: HeadId,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    last_number: u64,
    draining: bool,
    /// Workers that the operator wants to take nothing new.
    drained: HashSet<WorkerId>,
    workers: HashMap<WorkerId, Connected>,
}

#[derive(Debug)]
struct Connected {
    record: WorkerRecord,
    outbox: mpsc::Sender<ToWorker>,
    leases: HashMap<JobId, (i32, Arc<ValidRequest>)>,
    heat: Option<Heat>,
}

impl Connections {
    pub(super) fn new(head: HeadId) -> Self {
        Self { head, inner: Arc::default() }
    }

    /// Takes a worker in with the leases it resumes. One of the same name that was still here is replaced; its
    /// connection ends when it sees its outbox closed.
    pub(super) fn join(
        &self,
        hello: Hello,
        named: bool,
        resumed: Vec<(Lease, ValidRequest)>,
    ) -> (Connection, WorkerRecord) {
        let (sender, outbox) = mpsc::channel(OUTBOX);
        let mut inner = self.lock();
        inner.last_number += 1;
        let number = inner.last_number;
        let record = WorkerRecord { head: self.head, connection: number, hello, draining: inner.draining, named };
        let leases = resumed.iter().map(|(lease, request)| (lease.job, (lease.epoch, Arc::new(request.clone()))));
        if inner.draining {
            let _ = sender.try_send(ToWorker::HeadLeaves);
        }
        let connected = Connected { record: record.clone(), outbox: sender, leases: leases.collect(), heat: None };
        inner.workers.insert(record.hello.id.clone(), connected);
        (Connection { number, outbox, resumed: resumed.into_iter().map(|(lease, _)| lease).collect() }, record)
    }

    /// Removes a worker; answers the leases it held. `None`: that connection was replaced already.
    pub(super) fn leave(&self, id: &WorkerId, number: u64) -> Option<Vec<Lease>> {
        let mut inner = self.lock();
        if inner.workers.get(id)?.record.connection != number {
            return None;
        }
        let gone = inner.workers.remove(id)?;
        Some(gone.leases.into_iter().map(|(job, (epoch, _))| Lease { job, epoch }).collect())
    }

    /// Puts a message into a worker's outbox. A head that ends hands out nothing new.
    pub(super) fn pass(&self, id: &WorkerId, number: u64, message: ToWorker) -> Result<(), NotHere> {
        let mut inner = self.lock();
        if inner.draining && matches!(message, ToWorker::Assign(_)) {
            return Err(NotHere);
        }
        let connected = inner.workers.get_mut(id).filter(|c| c.record.connection == number).ok_or(NotHere)?;
        match &message {
            ToWorker::Assign(assignment) => {
                let request = Arc::new(assignment.request.clone());
                connected.leases.insert(assignment.job, (assignment.epoch, request));
            }
            ToWorker::Cancel { job, epoch } => connected.forget(*job, *epoch),
            ToWorker::HandOver { .. } | ToWorker::GoOn { .. } => {}
            ToWorker::Welcome { .. } | ToWorker::Load { .. } | ToWorker::Unload { .. } | ToWorker::HeadLeaves => {}
        }
        connected.outbox.try_send(message).map_err(|refused| {
            if let ToWorker::Assign(Assignment { job, epoch, .. }) = refused.into_inner() {
                connected.forget(job, epoch);
            }
            NotHere
        })
    }

    /// Who works on an assignment that passed through here, and what it asks for.
    pub(super) fn holder(&self, job: JobId, epoch: i32) -> Option<(WorkerId, Arc<ValidRequest>)> {
        let inner = self.lock();
        let mut leases = inner.workers.iter().filter_map(|(id, connected)| Some((id, connected.leases.get(&job)?)));
        leases.find(|(_, (other, _))| *other == epoch).map(|(id, (_, request))| (id.clone(), request.clone()))
    }

    /// What this worker makes under that lease, as far as this head knows.
    pub(super) fn request_of(&self, id: &WorkerId, job: JobId, epoch: i32) -> Option<Arc<ValidRequest>> {
        let inner = self.lock();
        let (_, request) = inner.workers.get(id)?.leases.get(&job).filter(|(other, _)| *other == epoch)?;
        Some(request.clone())
    }

    /// Whether the worker still has this lease, as far as this head knows.
    pub(super) fn has(&self, id: &WorkerId, job: JobId, epoch: i32) -> bool {
        self.lock().workers.get(id).is_some_and(|c| c.leases.get(&job).is_some_and(|(other, _)| *other == epoch))
    }

    /// A lease ended by the worker's own word.
    pub(super) fn ended(&self, id: &WorkerId, job: JobId, epoch: i32) {
        if let Some(connected) = self.lock().workers.get_mut(id) {
            connected.forget(job, epoch);
        }
    }

    /// Tells whoever holds that lease here to stop.
    pub(super) fn cancel(&self, job: JobId, epoch: i32) {
        for connected in self.lock().workers.values_mut() {
            if connected.leases.get(&job).is_some_and(|(other, _)| *other == epoch) {
                connected.leases.remove(&job);
                // A worker that can't be told finds out when its picture is refused.
                let _ = connected.outbox.try_send(ToWorker::Cancel { job, epoch });
            }
        }
    }

    /// Ends the connection of whoever holds that lease here, which must not go on working on it; answers who that
    /// was and the other leases it had.
    pub(super) fn evict(&self, lease: Lease) -> Option<(WorkerRecord, Vec<Lease>)> {
        let mut inner = self.lock();
        let holds = |c: &Connected| c.leases.get(&lease.job).is_some_and(|(epoch, _)| *epoch == lease.epoch);
        let id = inner.workers.iter().find(|(_, connected)| holds(connected)).map(|(id, _)| id.clone())?;
        let gone = inner.workers.remove(&id)?;
        let others = gone.leases.into_iter().map(|(job, (epoch, _))| Lease { job, epoch });
        Some((gone.record, others.filter(|other| *other != lease).collect()))
    }

    pub(super) fn leases(&self, id: &WorkerId) -> Vec<Lease> {
        let inner = self.lock();
        let leases = inner.workers.get(id).into_iter().flat_map(|connected| &connected.leases);
        leases.map(|(job, (epoch, _))| Lease { job: *job, epoch: *epoch }).collect()
    }

    pub(super) fn record(&self, id: &WorkerId) -> Option<WorkerRecord> {
        self.lock().workers.get(id).map(|connected| connected.record.clone())
    }

    pub(super) fn records(&self) -> Vec<WorkerRecord> {
        self.lock().workers.values().map(|connected| connected.record.clone()).collect()
    }

    /// The worker finishes what it has and takes nothing new.
    pub(super) fn leaving(&self, id: &WorkerId) {
        if let Some(connected) = self.lock().workers.get_mut(id) {
            connected.record.draining = true;
        }
    }

    pub(super) fn models_changed(&self, id: &WorkerId, warm: Vec<WarmModel>) {
        if let Some(connected) = self.lock().workers.get_mut(id) {
            connected.record.hello.models = warm;
        }
    }

    pub(super) fn felt(&self, id: &WorkerId, heat: Heat) {
        if let Some(connected) = self.lock().workers.get_mut(id) {
            connected.heat = Some(heat);
        }
    }

    pub(super) fn list(&self) -> Vec<FleetWorker> {
        let inner = self.lock();
        let mut workers: Vec<FleetWorker> = inner
            .workers
            .values()
            .map(|connected| FleetWorker {
                id: connected.record.hello.id.clone(),
                host: connected.record.hello.host.clone(),
                device: connected.record.hello.device.clone(),
                models: connected.record.hello.models.iter().map(|warm| warm.card.name.clone()).collect(),
                jobs: connected.leases.len(),
                draining: connected.record.draining || inner.drained.contains(&connected.record.hello.id),
                heat: connected.heat.clone(),
            })
            .collect();
        workers.sort_by(|a, b| a.id.cmp(&b.id));
        workers
    }

    /// The workers that the operator wants to take nothing new, at whichever head.
    pub(super) fn drained(&self, drained: HashSet<WorkerId>) {
        self.lock().drained = drained;
    }

    /// Whether this head is about to end.
    pub(super) fn is_draining(&self) -> bool {
        self.lock().draining
    }

    /// Asks every worker to finish and dial in elsewhere, and those that still come; answers their records.
    pub(super) fn drain(&self) -> Vec<WorkerRecord> {
        let mut inner = self.lock();
        inner.draining = true;
        for connected in inner.workers.values_mut() {
            connected.record.draining = true;
            // One that can't be told dials in again when the connection ends.
            let _ = connected.outbox.try_send(ToWorker::HeadLeaves);
        }
        inner.workers.values().map(|connected| connected.record.clone()).collect()
    }

    /// Whether no worker here holds a job.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().workers.values().all(|connected| connected.leases.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected {
    fn forget(&mut self, job: JobId, epoch: i32) {
        if self.leases.get(&job).is_some_and(|(other, _)| *other == epoch) {
            self.leases.remove(&job);
        }
    }
}
