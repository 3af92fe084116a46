//! The worker protocol: JSON text frames over one WebSocket, pictures over HTTP.
//!
//! A worker dials in, says [`Hello`], is answered with [`ToWorker::Welcome`],
//! and from then on takes assignments. Every message about a job carries the
//! job's fencing `epoch`: a worker that lost its lease without noticing is
//! refused by that number, whatever it says.

use serde::{Deserialize, Serialize};

use crate::ids::{JobId, WorkerId};
use crate::model::ModelCard;
use crate::request::ValidRequest;

/// Version of this protocol; a worker of another version is turned away with a sentence.
pub const PROTOCOL: u32 = 1;
/// How often a worker says that it is alive.
pub const HEARTBEAT_MS: u64 = 5_000;
/// A worker silent for this long is gone, and its leases are placed again.
pub const LEASE_MS: u64 = 15_000;

/// How a worker introduces itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    pub id: WorkerId,
    pub host: String,
    /// Device for people, for example `cpu (2 threads)`.
    pub device: String,
    /// Pictures it works on at the same time.
    pub concurrency: u32,
    /// Models it can run; all of them are warm.
    pub models: Vec<WarmModel>,
}

/// A model that a worker has loaded and tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmModel {
    pub card: ModelCard,
    /// Milliseconds a standard picture took in the warm-up job.
    pub standard_ms: f64,
}

/// One job for one worker. `indices` are the pictures that are still missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    pub job: JobId,
    pub epoch: i32,
    pub request: ValidRequest,
    pub indices: Vec<u32>,
}

/// From the head to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    Welcome {
        heartbeat_ms: u64,
    },
    Assign(Assignment),
    Cancel {
        job: JobId,
        epoch: i32,
    },
    /// Finish what is in flight, take nothing new, then leave.
    Drain,
}

/// From a worker to the head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    Hello(Hello),
    Heartbeat,
    Progress {
        job: JobId,
        epoch: i32,
        index: u32,
        step: u32,
        steps: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preview: Option<String>,
    },
    /// Every picture of the assignment has been delivered.
    Done {
        job: JobId,
        epoch: i32,
        busy_ms: f64,
    },
    Failed {
        job: JobId,
        epoch: i32,
        failure: Failure,
    },
}

/// Why a worker gave a job back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// For the log and the operator; never shown to the owner.
    pub reason: String,
    /// Another attempt, perhaps elsewhere, may succeed.
    pub retryable: bool,
}
