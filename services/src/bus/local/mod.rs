//! The bus within one process: for one machine, and for tests with several heads.

mod mail;
mod registry;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{JobId, WorkerId};
use tokio::sync::broadcast;

use super::watched::Watched;
use super::{
    Broadcast, Broadcasts, Bus, BusError, BusSettings, HeadId, Heard, Letter, Mailbox, Renewal, To, Watch, WorkerRecord,
};
use crate::clock::SharedClock;
use mail::LocalMailbox;

/// What the heads of one process share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LocalHub {
    clock: SharedClock,
    settings: BusSettings,
    shared: Arc<Mutex<Shared>>,
}

/// One head's access. The head is gone when this is dropped.
#[derive(Debug)]
pub struct LocalBus {
    hub: LocalHub,
    head: HeadId,
    sender: broadcast::Sender<Heard>,
    watched: Arc<Watched>,
}

#[derive(Debug, Default)]
struct Shared {
    listeners: Vec<Listener>,
    mail: mail::Mail,
    workers: registry::Workers,
}

#[derive(Debug)]
struct Listener {
    head: HeadId,
    sender: broadcast::Sender<Heard>,
    watched: Arc<Watched>,
}

impl LocalHub {
    pub fn new(clock: SharedClock, settings: BusSettings) -> Self {
        Self { clock, settings, shared: Arc::default() }
    }

    /// Takes a head in.
    pub fn join(&self, head: HeadId) -> LocalBus {
        let sender = broadcast::Sender::new(Broadcasts::BACKLOG);
        let watched = Watched::new(|_| ());
        self.lock().listeners.push(Listener { head, sender: sender.clone(), watched: watched.clone() });
        LocalBus { hub: self.clone(), head, sender, watched }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

impl LocalBus {
    /// The bus of a head that is alone.
    pub fn alone(head: HeadId, clock: SharedClock) -> Self {
        LocalHub::new(clock, BusSettings::default()).join(head)
    }

    fn open(&self, address: To) -> Box<dyn Mailbox> {
        Box::new(LocalMailbox::open(&self.hub, address))
    }
}

#[async_trait]
impl Bus for LocalBus {
    fn head(&self) -> HeadId {
        self.head
    }

    fn is_alone(&self) -> bool {
        self.hub.lock().listeners.len() == 1
    }

    async fn publish(&self, broadcast: &Broadcast) -> Result<(), BusError> {
        let shared = self.hub.lock();
        for listener in shared.listeners.iter().filter(|listener| listener.head != self.head) {
            if let Broadcast::JobEvent { job, .. } = broadcast
                && !listener.watched.contains(*job)
            {
                continue;
            }
            // An error means that nobody listens there, which is fine.
            let _ = listener.sender.send(Heard::Message { from: self.head, broadcast: broadcast.clone() });
        }
        Ok(())
    }

    fn subscribe(&self) -> Broadcasts {
        Broadcasts { receiver: self.sender.subscribe() }
    }

    async fn watch(&self, job: JobId) -> Watch {
        self.watched.watch(job)
    }

    async fn watched(&self) -> Result<HashSet<JobId>, BusError> {
        let shared = self.hub.lock();
        let others = shared.listeners.iter().filter(|listener| listener.head != self.head);
        Ok(others.flat_map(|listener| listener.watched.all()).collect())
    }

    async fn send(&self, to: To, letter: &Letter) -> Result<(), BusError> {
        let now = self.hub.now();
        self.hub.lock().mail.send(to, self.head, letter.clone(), now)
    }

    async fn open_own_mailbox(&self) -> Result<Box<dyn Mailbox>, BusError> {
        Ok(self.open(To::Head(self.head)))
    }

    async fn open_dispatcher_mailbox(&self) -> Result<Box<dyn Mailbox>, BusError> {
        Ok(self.open(To::Dispatcher))
    }

    async fn heads(&self) -> Result<Vec<HeadId>, BusError> {
        let now = self.hub.now();
        Ok(self.hub.lock().mail.heads(now))
    }

    async fn announce(&self, record: &WorkerRecord, ttl: Duration) -> Result<(), BusError> {
        let until = later(self.hub.now(), ttl);
        self.hub.lock().workers.announce(record.clone(), until);
        Ok(())
    }

    async fn renew(&self, record: &WorkerRecord, ttl: Duration) -> Result<Renewal, BusError> {
        let now = self.hub.now();
        Ok(self.hub.lock().workers.renew(record.clone(), now, later(now, ttl)))
    }

    async fn withdraw(&self, worker: &WorkerId, connection: u64) -> Result<(), BusError> {
        self.hub.lock().workers.withdraw(worker, self.head, connection);
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerRecord>, BusError> {
        let now = self.hub.now();
        Ok(self.hub.lock().workers.list(now))
    }
}

impl Drop for LocalBus {
    fn drop(&mut self) {
        self.hub.lock().listeners.retain(|listener| !listener.sender.same_channel(&self.sender));
    }
}

fn later(now: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(span).ok().and_then(|span| now.checked_add_signed(span)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
