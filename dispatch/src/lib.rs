//! The scheduling rules, as a pure library.
//!
//! [`plan`] decides which waiting job goes to which worker; [`tick`] decides,
//! inside one worker, which sessions advance by a denoising step next. Neither
//! knows a clock, a database or a runtime: everything arrives as an argument,
//! so the same code runs in production, in tests and in a simulation.

pub mod batch;
pub mod plan;
pub mod snapshot;
pub mod tick;

pub use batch::PassTimes;
pub use plan::{Plan, Policy, Projection, plan};
pub use snapshot::{HeldJob, QueuedJob, Snapshot, WarmModel, WorkerState};
pub use tick::{SessionState, TickPolicy, tick};
