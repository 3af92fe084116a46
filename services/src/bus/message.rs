//! What crosses the bus. Heads of two neighbouring versions may run side by
//! side: new fields get a default, and what a head can't read it skips.

use std::fmt;

use domain::worker::{FromWorker, Hello, ToWorker};
use domain::{JobEvent, JobId, WorkerId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One web head, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeadId(pub Uuid);

/// For every other head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Broadcast {
    /// The dispatcher has something to look at.
    Wake,
    /// Something happened to a job; for heads that watch it.
    JobEvent { job: JobId, event: JobEvent },
    /// The owner cancelled a job: whoever works on this lease stops.
    Cancelled { job: JobId, epoch: i32 },
    /// How fast the queue is served, from the head that dispatches.
    Pace { jobs_per_second: f64 },
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Message {
        from: HeadId,
        broadcast: Broadcast,
    },
    /// Some messages may have been missed: read again whatever they would have told.
    Gap,
}

/// Whose mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum To {
    Head(HeadId),
    /// Whichever head runs the dispatcher. Letters wait for the next one if there is none.
    Dispatcher,
}

/// For one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Letter {
    /// From the dispatcher, for a worker connected to the addressed head. If that connection is gone, the head
    /// answers with [`Letter::Left`].
    ToWorker { worker: WorkerId, connection: u64, message: ToWorker },
    /// To the dispatcher: what a worker said.
    FromWorker { worker: WorkerId, connection: u64, message: FromWorker },
    /// To the dispatcher: a worker dialled in.
    Joined(Box<WorkerRecord>),
    /// To the dispatcher: a worker's connection ended.
    Left { worker: WorkerId, connection: u64 },
}

/// A letter as it arrives.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub receipt: Receipt,
    pub from: HeadId,
    pub letter: Letter,
}

/// Names one delivery to the mailbox it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub(super) String);

/// A connected worker as all heads know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerRecord {
    /// The head that has its connection.
    pub head: HeadId,
    /// Number of the connection at that head.
    pub connection: u64,
    /// What it said of itself, with the models that it has loaded by now.
    pub hello: Hello,
    /// It finishes what it has and takes nothing new.
    #[serde(default)]
    pub draining: bool,
    /// It came in with a key of its own.
    #[serde(default)]
    pub named: bool,
}

impl HeadId {
    /// An id made of 128 random bits drawn by the caller.
    pub fn from_random(bits: u128) -> Self {
        Self(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
    }
}

impl fmt::Display for HeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}
