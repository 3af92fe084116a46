//! The seam to whatever makes pictures: the engine, or a fake for load tests.

mod device;
pub mod diffusion;
pub mod enlarging;
mod fake;
mod start;

use std::sync::Arc;

use domain::{ModelCard, ValidRequest};
use thiserror::Error;

pub use self::device::DeviceSpec;
pub use self::diffusion::EngineBackend;
pub use self::fake::FakeBackend;
pub use self::start::StartPicture;

/// One device, and the models that could be loaded onto it.
pub trait Backend: Send + Sync + 'static {
    type Model: Model;

    /// The device, for people.
    fn describe(&self) -> String;

    /// Memory of the device that models may use, in MiB; 0 when unknown.
    fn memory_mb(&self) -> u64;

    /// Jobs that are worth working on at the same time, if passes that are shared gain this much.
    fn concurrency(&self, batch_gain: f64) -> u32;

    /// Every model that could be loaded, in a stable order, each name once. Reads no weights.
    fn catalogue(&self) -> Vec<Offer>;

    /// Loads a model by name. Takes as long as it takes: it runs on a thread of its own.
    fn load(&self, model: &str) -> Result<Self::Model, BackendError>;
}

/// One loaded model. Dropping it gives its memory back.
pub trait Model: Send + 'static {
    /// One picture in the making. It never outlives its model.
    type Session: Send;

    fn card(&self) -> &ModelCard;

    /// Starts a picture, from another one where the request names it.
    fn open(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
    ) -> Result<Self::Session, BackendError>;

    /// What another worker needs to go on with this picture, between two steps.
    fn export(&self, session: &Self::Session) -> Result<Vec<u8>, BackendError>;

    /// Starts a picture where another worker left it: `state` is what that one's [`Model::export`] gave.
    fn resume(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
        state: &[u8],
    ) -> Result<Self::Session, BackendError>;

    /// Sessions with equal keys may be stepped together. Never changes; models never share one.
    fn key(&self, session: &Self::Session) -> u64;

    /// Most sessions like this one in one pass, before anything was learned.
    fn batch_cap(&self, session: &Self::Session) -> usize;

    /// Steps done and steps in all.
    fn progress(&self, session: &Self::Session) -> (u32, u32);

    /// Advances every session by one step, in one pass. On an error none has moved.
    fn step(&self, sessions: &mut [&mut Self::Session]) -> Result<(), BackendError>;

    /// The picture forming, as PNG bytes at a small size, if it can be told.
    fn preview(&self, session: &Self::Session) -> Option<Vec<u8>>;

    /// The finished picture, as PNG bytes with its recipe inside.
    fn finish(&self, session: &Self::Session, recipe: &str) -> Result<Vec<u8>, BackendError>;
}

/// A model that could be loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub card: ModelCard,
    /// Memory its weights take on the device, in MiB.
    pub memory_mb: u64,
    /// Milliseconds that loading it takes, estimated.
    pub load_ms: f64,
}

/// Why a backend could not do something.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
    #[error("this worker has no model called “{0}”")]
    UnknownModel(String),
    /// The request itself: it would fail everywhere.
    #[error("{0}")]
    Unfit(String),
    #[error("the picture to go on from is not at hand")]
    NoStart,
    #[error("the device has too little memory: {0}")]
    OutOfMemory(String),
    #[error("{0}")]
    Failed(String),
}
