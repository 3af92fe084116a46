//! The worker protocol: JSON text frames over one WebSocket, pictures over HTTP.
//!
//! A worker dials in, says [`Hello`], is answered with [`ToWorker::Welcome`],
//! and from then on takes assignments. Every message about a job carries the
//! job's fencing `epoch`: a worker that lost its lease without noticing is
//! refused by that number, whatever it says.
//!
//! A connection may end without the work ending: a worker that dials in again
//! names the leases it still works on, and is told which of them stand.

use serde::{Deserialize, Serialize};

use crate::ids::{JobId, WorkerId};
use crate::model::ModelCard;
use crate::request::ValidRequest;

/// Answered by `/internal/source` where the picture to go on from is not there any more. Not 404: that might be said by
/// whatever stands before the head.
pub const GONE: u16 = 410;

/// Version of this protocol; a worker of another version is turned away with a sentence.
pub const PROTOCOL: u32 = 2;
/// How often a worker says that it is alive.
pub const HEARTBEAT_MS: u64 = 5_000;
/// A worker silent for this long is gone, and its leases are placed again.
pub const LEASE_MS: u64 = 15_000;
/// A worker whose connection ended keeps its leases for this long, in case it dials in again.
pub const RESUME_MS: u64 = 3_000;
/// A worker that has handed a job over and hears nothing more of it goes on with it after so long.
pub const HAND_OVER_MS: u64 = 10_000;

/// How a worker introduces itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    pub id: WorkerId,
    pub host: String,
    /// Device for people, for example `cpu (2 threads)`.
    pub device: String,
    /// Memory of the device that models may use, in MiB; 0 when unknown.
    #[serde(default)]
    pub memory_mb: u64,
    /// Jobs it works on at the same time.
    pub concurrency: u32,
    /// Work it gets done at full concurrency, relative to one job at a time; 1 where sharing a pass gains nothing.
    #[serde(default = "one")]
    pub batch_gain: f64,
    /// Models that are loaded and tried: they run at once.
    pub models: Vec<WarmModel>,
    /// Models that could be loaded; those in `models` are among them.
    #[serde(default)]
    pub available: Vec<AvailableModel>,
    /// Leases of an earlier connection that it still works on.
    #[serde(default)]
    pub holding: Vec<Lease>,
    /// It can hand over a job between two steps, and go on with one that another worker handed over.
    #[serde(default)]
    pub hands_over: bool,
    /// It fetches the picture that a job goes on from, and looks at [`crate::request::ValidRequest::source`] at all.
    #[serde(default)]
    pub goes_on: bool,
    /// It knows parts that are painted and pictures with more room: [`crate::source::Source::is_newer`].
    #[serde(default)]
    pub extends: bool,
}

/// One lease on one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    pub job: JobId,
    pub epoch: i32,
}

/// A model that a worker has loaded and tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmModel {
    pub card: ModelCard,
    /// Milliseconds a standard picture took in the warm-up job.
    pub standard_ms: f64,
}

/// A model that lies in a worker's models folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AvailableModel {
    pub card: ModelCard,
    /// Memory its weights take on the device, in MiB.
    pub memory_mb: u64,
    /// Milliseconds loading and warming up takes: measured, or estimated from its size.
    pub load_ms: f64,
    /// Never unloaded.
    #[serde(default)]
    pub pinned: bool,
}

/// Condition of a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    /// Degrees Celsius.
    pub temperature: f64,
    /// Clock now, and the highest the device is made for, in MHz.
    pub clock_mhz: u32,
    pub max_clock_mhz: u32,
    /// Why the device holds itself back, in NVML's terms, for example `sw_thermal_slowdown`. Empty: it does not.
    #[serde(default)]
    pub throttle: Vec<String>,
    pub power_watts: f64,
    pub memory_used_mb: u64,
    pub memory_total_mb: u64,
}

/// One job for one worker. `indices` are the pictures that are still missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    pub job: JobId,
    pub epoch: i32,
    pub request: ValidRequest,
    pub indices: Vec<u32>,
    /// The head keeps what another worker had made of them: see [`crate::handover`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
}

/// From the head to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "few are on their way at once; and in a browser it is not large")]
pub enum ToWorker {
    Welcome {
        heartbeat_ms: u64,
        /// Those of [`Hello::holding`] that stand; work on the others is to be dropped.
        #[serde(default)]
        resumed: Vec<Lease>,
    },
    Assign(Assignment),
    Cancel {
        job: JobId,
        epoch: i32,
    },
    /// Stop after the present step, bring what there is of the pictures, and say [`FromWorker::HandedOver`]. The lease
    /// stands until it is cancelled. Only for workers that say they can.
    HandOver {
        job: JobId,
        epoch: i32,
    },
    /// Nobody takes this job over: go on with it.
    GoOn {
        job: JobId,
        epoch: i32,
    },
    /// Load and try this model; answered with [`FromWorker::Models`], whether it worked or not.
    Load {
        model: String,
    },
    /// Unload this model once nothing uses it; answered with [`FromWorker::Models`].
    Unload {
        model: String,
    },
    /// This head is about to end: finish what is in flight, then dial in again, wherever that leads.
    HeadLeaves,
}

/// From a worker to the head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    Hello(Hello),
    Heartbeat {
        /// Measured every 15 s where the device can tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heat: Option<Heat>,
    },
    /// It was told to leave: it finishes what it has, takes nothing new, and then closes the connection.
    Leaving,
    /// The models that are loaded now, after a change or a failure to change.
    Models {
        warm: Vec<WarmModel>,
        /// What did not work, for the operator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
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
        /// Device time, in milliseconds; a pass shared by several pictures counts in equal parts.
        busy_ms: f64,
    },
    Failed {
        job: JobId,
        epoch: i32,
        failure: Failure,
    },
    /// The head has what there is of this job's pictures, and they stand still here.
    HandedOver {
        job: JobId,
        epoch: i32,
    },
}

/// Why a worker gave a job back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// For the log and the operator; never shown to the owner.
    pub reason: String,
    /// Another attempt, perhaps elsewhere, may succeed.
    pub retryable: bool,
    /// The device had too little memory, even for this job alone: it must go elsewhere.
    #[serde(default)]
    pub out_of_memory: bool,
    /// The picture to go on from was not to be had. The head looks for itself.
    #[serde(default)]
    pub source_gone: bool,
}

impl Failure {
    /// A failure that another attempt may not meet.
    pub fn retryable(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retryable: true, out_of_memory: false, source_gone: false }
    }

    /// A failure that every attempt would meet.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retryable: false, out_of_memory: false, source_gone: false }
    }
}

fn one() -> f64 {
    1.0
}

impl Hello {
    /// The cards of its models, loaded or not; those of loaded ones come first.
    pub fn cards(&self) -> impl Iterator<Item = &ModelCard> {
        let available = self.available.iter().map(|model| &model.card);
        self.models.iter().map(|model| &model.card).chain(available)
    }
}

impl Heat {
    /// Share of the device's full speed that its clock allows now, from 0 to 1.
    pub fn clock_share(&self) -> f64 {
        if self.max_clock_mhz == 0 {
            return 1.0;
        }
        (f64::from(self.clock_mhz) / f64::from(self.max_clock_mhz)).clamp(0.0, 1.0)
    }
}
