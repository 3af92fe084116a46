//! Everything that crosses a wire, and the pure rules about it.
//!
//! No I/O, no clock, no randomness: time and random numbers are arguments.
//! The crate builds for `wasm32-unknown-unknown`, because the browser, the
//! server and the workers all speak in these types.

pub mod archive;
pub mod behaviour;
pub mod credits;
pub mod error;
pub mod examples;
pub mod handover;
pub mod ids;
pub mod job;
pub mod model;
pub mod nudge;
pub mod phrases;
pub mod price;
pub mod request;
pub mod source;
pub mod surprise;
pub mod worker;

pub use archive::{ImportReport, Tally};
pub use behaviour::Behaviour;
pub use credits::{Credits, Plan};
pub use error::{AppError, Challenge, Problem};
pub use ids::{DeviceId, JobId, OutputId, WorkerId};
pub use job::{ErrorView, JobEvent, JobState, JobView, OutputView, StepProgress};
pub use model::ModelCard;
pub use phrases::Language;
pub use request::{GenerationRequest, ValidRequest};
pub use source::{Making, Original, Source, Way};
