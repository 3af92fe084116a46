//! The scheduling rules, as a pure library.
//!
//! [`plan`] decides which waiting job goes to which worker; [`tick`] decides,
//! inside one worker, which sessions advance by a denoising step next. Neither
//! knows a clock, a database or a runtime: everything arrives as an argument,
//! so the same code runs in production, in tests and in [`simulate`].

pub mod batch;
pub mod demand;
pub mod estimate;
mod fleet;
pub mod forecast;
pub mod heat;
pub mod moves;
pub mod order;
pub mod plan;
pub mod residency;
pub mod simulate;
pub mod snapshot;
pub mod tick;

pub use batch::PassTimes;
pub use demand::Demand;
pub use estimate::Estimate;
pub use forecast::Forecast;
pub use moves::{Movable, MovePolicy, faster_worker, gives_way};
pub use order::OrderPolicy;
pub use plan::{LongPolicy, Plan, Policy, Projection, plan};
pub use snapshot::{HeldJob, Lane, Length, ModelState, QueuedJob, Recent, Snapshot, WorkerState};
pub use tick::{SessionState, TickPolicy, tick};
