//! The seam to whatever makes pictures: the engine, or a fake for load tests.

pub mod diffusion;
mod fake;

pub use self::diffusion::EngineBackend;
pub use self::fake::FakeBackend;

use std::str::FromStr;
use std::time::Duration;

use domain::ValidRequest;
use domain::worker::WarmModel;
use thiserror::Error;

/// Makes pictures step by step on one device.
pub trait Backend: Send + 'static {
    /// One picture in the making.
    type Session: Send;

    /// The device, for people.
    fn describe(&self) -> String;

    /// Makes a small picture with every model and measures a standard one.
    fn warm_up(&self) -> Result<Vec<WarmModel>, BackendError>;

    /// Starts a picture.
    fn open(&self, request: &ValidRequest, seed: u64) -> Result<Self::Session, BackendError>;

    /// Sessions with equal keys may be stepped together.
    fn key(&self, session: &Self::Session) -> u64;

    /// Steps done and steps in all.
    fn progress(&self, session: &Self::Session) -> (u32, u32);

    /// Advances every session by one step, in one pass.
    fn step(&self, sessions: &mut [&mut Self::Session]) -> Result<(), BackendError>;

    /// The picture forming, as PNG bytes at a small size, if the backend can tell.
    fn preview(&self, session: &Self::Session) -> Option<Vec<u8>>;

    /// The finished picture, as PNG bytes with its recipe inside.
    fn finish(&self, session: &Self::Session, recipe: &str) -> Result<Vec<u8>, BackendError>;

    /// Most sessions in one pass.
    fn max_batch(&self) -> usize;
}

/// Why a backend could not do something.
#[derive(Debug, Error)]
pub enum BackendError {
    #[error("no model could be loaded from {folder}: {reason}")]
    NoModels { folder: String, reason: String },
    #[error("this worker has no model called “{0}”")]
    UnknownModel(String),
    #[error("{0}")]
    Failed(String),
}

/// Which device to use, as it is written in `MINDSEYE_WORKERS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceSpec {
    Cpu,
    Cuda(usize),
    Fake { per_image: Duration },
}

impl FromStr for DeviceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || format!("“{text}” is not a device: use cpu, cuda:0 or fake:50ms");
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", ordinal)) => ordinal.parse().map(Self::Cuda).map_err(|_| unknown()),
            Some(("fake", pace)) => {
                let ms = pace.strip_suffix("ms").unwrap_or(pace).parse().map_err(|_| unknown())?;
                Ok(Self::Fake { per_image: Duration::from_millis(ms) })
            }
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_written() {
        assert_eq!("cpu".parse(), Ok(DeviceSpec::Cpu));
        assert_eq!("cuda:1".parse(), Ok(DeviceSpec::Cuda(1)));
        assert_eq!("fake:50ms".parse(), Ok(DeviceSpec::Fake { per_image: Duration::from_millis(50) }));
        for wrong in ["", "gpu", "cuda:x", "fake:", "fake:ms", "cpu:0"] {
            assert!(wrong.parse::<DeviceSpec>().is_err(), "{wrong}");
        }
    }
}
