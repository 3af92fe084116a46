//! What several web heads tell each other.
//!
//! Postgres holds the truth; the bus only makes things happen sooner. Whatever
//! it loses costs time, never a job: a job's lease ends by the database's clock
//! within 15 s ([`domain::worker::LEASE_MS`]), the dispatcher looks at the queue
//! every second whether it is woken or not, and a watcher reads the state of its
//! job again. Whatever it says twice or late is refused by the epoch of the lease.
//!
//! | part | promise |
//! |---|---|
//! | broadcasts | at most once, to every *other* live head; after a loss each subscriber hears [`Heard::Gap`] |
//! | mailboxes | at least once, in order, kept while the receiving head is away for up to [`BusSettings::mailbox_ttl`] |
//! | registry | a worker's record stands until it is withdrawn or its time to live runs out |
//!
//! [`LocalBus`] serves one machine without Redis, [`RedisBus`] any number of
//! heads. `services/tests/bus/` runs one suite against both.
//!
//! # How the fleet uses it
//!
//! Every head takes in workers, tells the dispatcher about them, and passes on
//! what the dispatcher sends them. One head, elected by [`crate::election`],
//! runs the dispatcher, which treats the workers of its own head like all others.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use services::bus::{Bus, BusError, Broadcast, Delivery, Heard, Letter, Renewal, To, WorkerRecord};
//! # use domain::{JobEvent, JobId, worker::{FromWorker, LEASE_MS, ToWorker}};
//! const TTL: Duration = Duration::from_millis(LEASE_MS);
//!
//! // A worker dials in at this head, and says something.
//! async fn joined(bus: &dyn Bus, record: WorkerRecord) -> Result<(), BusError> {
//!     bus.announce(&record, TTL).await?;
//!     bus.send(To::Dispatcher, &Letter::Joined(Box::new(record))).await
//! }
//! async fn heartbeat(bus: &dyn Bus, record: &WorkerRecord) -> Result<(), BusError> {
//!     if bus.renew(record, TTL).await? == Renewal::Replaced { /* it dialled in elsewhere: close this connection */ }
//!     Ok(())
//! }
//! async fn said(bus: &dyn Bus, record: &WorkerRecord, message: FromWorker) -> Result<(), BusError> {
//!     let (worker, connection) = (record.hello.id.clone(), record.connection);
//!     bus.send(To::Dispatcher, &Letter::FromWorker { worker, connection, message }).await
//! }
//!
//! // The dispatcher plans over the registry, commits leases, and sends. A refused letter is given back at once.
//! async fn assign(bus: &dyn Bus, record: &WorkerRecord, message: ToWorker) -> Result<(), BusError> {
//!     let (worker, connection) = (record.hello.id.clone(), record.connection);
//!     bus.send(To::Head(record.head), &Letter::ToWorker { worker, connection, message }).await
//! }
//!
//! // Every head passes its letters on to the outboxes of its connections.
//! async fn pass_on(bus: &dyn Bus, outbox: impl Fn(Letter)) -> Result<(), BusError> {
//!     let mut mailbox = bus.open_own_mailbox().await?;
//!     loop {
//!         let Delivery { receipt, letter, .. } = mailbox.next().await;
//!         outbox(letter);
//!         // Without it the letter comes again: the epoch of its lease makes that harmless.
//!         if let Err(error) = mailbox.acknowledge(receipt).await { tracing::debug!(%error, "acknowledged later") }
//!     }
//! }
//!
//! // A browser watches a job at this head, whose worker may be connected to another.
//! async fn events(bus: &dyn Bus, job: JobId) {
//!     let _watch = bus.watch(job).await; // from here on the job's events arrive here
//!     // ... subscribe to the event hub, then read the job's state, then stream
//! }
//! async fn listen(bus: &dyn Bus, look: impl Fn(), tell: impl Fn(JobId, JobEvent), stop: impl Fn(JobId, i32)) {
//!     let mut broadcasts = bus.subscribe();
//!     while let Some(heard) = broadcasts.next().await {
//!         match heard {
//!             Heard::Message { broadcast: Broadcast::Wake, .. } => look(),
//!             Heard::Message { broadcast: Broadcast::JobEvent { job, event }, .. } => tell(job, event),
//!             Heard::Message { broadcast: Broadcast::Cancelled { job, epoch }, .. } => stop(job, epoch),
//!             Heard::Message { broadcast: Broadcast::Pace { .. }, .. } => {} // how fast the queue is served
//!             Heard::Gap => look(), // and every watcher of this head reads its job's state again
//!         }
//!     }
//! }
//! ```
//!
//! The head that took a worker's message changes the database by itself (a
//! finished job, a failed one, renewed leases), publishes the job's event, and
//! only then tells the dispatcher, who counts what each worker holds.

mod local;
mod message;
mod over_redis;
mod watched;

pub use local::{LocalBus, LocalHub};
pub use message::{Broadcast, Delivery, HeadId, Heard, Letter, Receipt, To, WorkerRecord};
pub use over_redis::{RedisBus, RedisSettings};
pub use watched::Watch;

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use domain::{JobId, WorkerId};
use thiserror::Error;
use tokio::sync::broadcast;

/// Letters that a mailbox keeps; beyond that the oldest are dropped.
pub const MAILBOX_CAPACITY: usize = 20_000;
/// How long letters to the dispatcher wait while no head is the dispatcher.
pub const DISPATCHER_MAILBOX_TTL: Duration = Duration::from_secs(60);

/// One head's access to the bus. Every call ends within a few seconds, whatever happens to Redis, and works
/// again by itself when Redis is back.
#[async_trait]
pub trait Bus: Send + Sync + fmt::Debug {
    /// The head that speaks here.
    fn head(&self) -> HeadId;

    /// No other head can be listening, so nothing has to be told to one.
    fn is_alone(&self) -> bool;

    /// Tells every other live head, at most once. [`Broadcast::JobEvent`] goes only to heads that watch the
    /// job. The sender itself hears nothing.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]: some or all heads may not hear it.
    async fn publish(&self, broadcast: &Broadcast) -> Result<(), BusError>;

    /// What other heads publish from now on.
    fn subscribe(&self) -> Broadcasts;

    /// Makes this head hear the events of `job` until the watch is dropped. When it returns they arrive, or a
    /// [`Heard::Gap`] will tell from when on they do.
    async fn watch(&self, job: JobId) -> Watch;

    /// Jobs that some other head watches now; those of this head may be among them.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn watched(&self) -> Result<HashSet<JobId>, BusError>;

    /// Puts a letter into a mailbox.
    ///
    /// # Errors
    /// [`BusError::NobodyThere`]: that head has no mailbox (any more); the letter is dropped.
    /// [`BusError::Unavailable`]: nobody knows whether the letter was taken.
    async fn send(&self, to: To, letter: &Letter) -> Result<(), BusError>;

    /// Opens the mailbox of this head, whereby the head is alive for the others. A mailbox has one reader at a
    /// time: what an earlier one did not acknowledge comes first.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]. Once open, the mailbox waits through outages by itself.
    async fn open_own_mailbox(&self) -> Result<Box<dyn Mailbox>, BusError>;

    /// Opens the mailbox of the dispatcher: for the elected head only.
    ///
    /// # Errors
    /// As [`Bus::open_own_mailbox`].
    async fn open_dispatcher_mailbox(&self) -> Result<Box<dyn Mailbox>, BusError>;

    /// Heads whose mailbox is open, in a stable order.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn heads(&self) -> Result<Vec<HeadId>, BusError>;

    /// Enters a worker that has just connected, for `ttl`. An older record of it is replaced, whoever's it was.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]; the next [`Bus::renew`] makes up for it.
    async fn announce(&self, record: &WorkerRecord, ttl: Duration) -> Result<(), BusError>;

    /// Keeps a worker's record for another `ttl` and brings it up to date, or enters it again if it was lost.
    /// A newer connection of the same worker is left alone and answered with [`Renewal::Replaced`].
    ///
    /// # Errors
    /// [`BusError::Unavailable`]; the record stands until its time is over.
    async fn renew(&self, record: &WorkerRecord, ttl: Duration) -> Result<Renewal, BusError>;

    /// Removes the record that this head made for that connection, if it is still there.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]; the record goes when its time is over.
    async fn withdraw(&self, worker: &WorkerId, connection: u64) -> Result<(), BusError>;

    /// The workers of all heads, ordered by their names.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn workers(&self) -> Result<Vec<WorkerRecord>, BusError>;
}

/// The letters of one address. Dropping it leaves what was not acknowledged to the next reader.
#[async_trait]
pub trait Mailbox: Send + fmt::Debug {
    /// The next letter, however long that takes. May be dropped while waiting: nothing is lost by it.
    async fn next(&mut self) -> Delivery;

    /// A letter was dealt with and must not come again.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]: it is acknowledged later, by itself. If this reader dies before that, the
    /// letter comes again.
    async fn acknowledge(&mut self, receipt: Receipt) -> Result<(), BusError>;
}

/// Why the bus did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BusError {
    /// Redis can't be reached or does not answer in time. Nobody knows whether the call had its effect.
    #[error("the bus is out of reach: {0}")]
    Unavailable(String),
    /// The head is gone.
    #[error("no head has this mailbox")]
    NobodyThere,
    /// Redis answers, but refuses: its configuration, its version or the password is not what is needed.
    #[error("Redis refuses: {0}")]
    Refused(String),
    /// The message can't be written as JSON.
    #[error("this message can't be sent: {0}")]
    Unfit(String),
}

/// What became of a worker's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    Kept,
    /// The worker has dialled in again since, here or at another head.
    Replaced,
}

/// What both kinds of bus can be told.
#[derive(Clone, Debug)]
pub struct BusSettings {
    /// How long a head counts as alive, and its letters are kept, after its mailbox was last read.
    pub mailbox_ttl: Duration,
}

impl Default for BusSettings {
    fn default() -> Self {
        Self { mailbox_ttl: Duration::from_millis(domain::worker::LEASE_MS) }
    }
}

/// A subscriber's place. It may fall behind by [`Broadcasts::BACKLOG`] messages before it hears a gap.
#[derive(Debug)]
pub struct Broadcasts {
    receiver: broadcast::Receiver<Heard>,
}

impl Broadcasts {
    /// Messages that wait for a slow subscriber.
    pub const BACKLOG: usize = 256;

    /// The next message, however long that takes; `None` when the bus is gone. May be dropped while waiting.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.receiver.recv().await {
            Ok(heard) => Some(heard),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Heard::Gap),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
