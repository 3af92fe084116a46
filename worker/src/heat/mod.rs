//! The condition of the device: how warm it is, and whether it holds itself back.

mod file;
#[cfg(feature = "nvml")]
mod nvml;

use std::path::Path;
use std::sync::Arc;

use domain::worker::Heat;

use crate::backend::DeviceSpec;

/// Something that tells the condition of one device.
pub trait HeatSource: Send + Sync {
    /// The condition now; `None` when it can't be told this time. May block for a moment.
    fn read(&self) -> Option<Heat>;
}

/// What tells the condition of this device, if anything does. `file` stands in for it.
pub fn source(device: &DeviceSpec, file: Option<&Path>) -> Option<Arc<dyn HeatSource>> {
    if let Some(path) = file {
        return Some(Arc::new(file::HeatFile::new(path)));
    }
    match device {
        DeviceSpec::Cuda(ordinal) => card(*ordinal),
        DeviceSpec::Cpu | DeviceSpec::Fake { .. } => None,
    }
}

#[cfg(feature = "nvml")]
fn card(ordinal: usize) -> Option<Arc<dyn HeatSource>> {
    match nvml::Card::open(ordinal) {
        Ok(card) => Some(Arc::new(card)),
        Err(error) => {
            tracing::info!(%error, "the card's condition can't be read");
            None
        }
    }
}

#[cfg(not(feature = "nvml"))]
fn card(_ordinal: usize) -> Option<Arc<dyn HeatSource>> {
    None
}
