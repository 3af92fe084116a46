use domain::worker::Heat;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::HeatSource;

/// What counts as holding back. An idle card also runs slowly, but not for want of anything.
const REASONS: [(ThrottleReasons, &str); 6] = [
    (ThrottleReasons::SW_POWER_CAP, "sw_power_cap"),
    (ThrottleReasons::HW_SLOWDOWN, "hw_slowdown"),
    (ThrottleReasons::SYNC_BOOST, "sync_boost"),
    (ThrottleReasons::SW_THERMAL_SLOWDOWN, "sw_thermal_slowdown"),
    (ThrottleReasons::HW_THERMAL_SLOWDOWN, "hw_thermal_slowdown"),
    (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, "hw_power_brake_slowdown"),
];

/// One NVIDIA card, asked through the driver's own library.
#[derive(Debug)]
pub struct Card {
    nvml: Nvml,
    place: Place,
}

/// How the library finds a card.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Index(u32),
    Uuid(String),
}

impl Card {
    /// The card with this CUDA ordinal.
    ///
    /// # Errors
    /// When the library is not installed, or knows no such card.
    pub fn open(ordinal: usize) -> Result<Self, NvmlError> {
        let place = place(ordinal, std::env::var("CUDA_VISIBLE_DEVICES").ok().as_deref());
        let card = Self { nvml: Nvml::init()?, place };
        card.device()?;
        Ok(card)
    }

    fn device(&self) -> Result<Device<'_>, NvmlError> {
        match &self.place {
            Place::Index(index) => self.nvml.device_by_index(*index),
            Place::Uuid(uuid) => self.nvml.device_by_uuid(uuid.as_str()),
        }
    }

    fn try_read(&self) -> Result<Heat, NvmlError> {
        let device = self.device()?;
        let memory = device.memory_info()?;
        let mb = |bytes: u64| bytes >> 20;
        // Not every card tells everything; what it does not tell reads as nothing to worry about.
        let throttle = device.current_throttle_reasons().unwrap_or(ThrottleReasons::empty());
        Ok(Heat {
            temperature: f64::from(device.temperature(TemperatureSensor::Gpu)?),
            clock_mhz: device.clock_info(Clock::Graphics).unwrap_or_default(),
            max_clock_mhz: device.max_clock_info(Clock::Graphics).unwrap_or_default(),
            throttle: names(throttle),
            power_watts: f64::from(device.power_usage().unwrap_or_default()) / 1_000.0,
            memory_used_mb: mb(memory.used),
            memory_total_mb: mb(memory.total),
        })
    }
}

impl HeatSource for Card {
    fn read(&self) -> Option<Heat> {
        self.try_read().inspect_err(|error| tracing::warn!(%error, "the card's condition can't be read")).ok()
    }
}

/// Where the library finds the card with this ordinal: CUDA counts only those that are visible to it.
///
/// On a machine with cards of several kinds, both count alike only with `CUDA_DEVICE_ORDER=PCI_BUS_ID`.
fn place(ordinal: usize, visible: Option<&str>) -> Place {
    let entry = visible.and_then(|list| list.split(',').nth(ordinal)).map(str::trim);
    match entry {
        Some(uuid) if uuid.starts_with("GPU-") || uuid.starts_with("MIG-") => Place::Uuid(uuid.to_owned()),
        Some(index) => Place::Index(index.parse().unwrap_or(ordinal as u32)),
        None => Place::Index(ordinal as u32),
    }
}

fn names(reasons: ThrottleReasons) -> Vec<String> {
    REASONS.iter().filter(|(reason, _)| reasons.contains(*reason)).map(|(_, name)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_found_as_cuda_counts_them() {
        assert_eq!(place(1, None), Place::Index(1));
        assert_eq!(place(1, Some("3, 5")), Place::Index(5));
        assert_eq!(place(0, Some("GPU-8932f937")), Place::Uuid("GPU-8932f937".into()));
        assert_eq!(place(4, Some("3,5")), Place::Index(4));
    }

    #[test]
    fn an_idle_card_does_not_hold_back() {
        assert!(names(ThrottleReasons::GPU_IDLE | ThrottleReasons::APPLICATIONS_CLOCKS_SETTING).is_empty());
        assert_eq!(names(ThrottleReasons::GPU_IDLE | ThrottleReasons::SW_THERMAL_SLOWDOWN), ["sw_thermal_slowdown"]);
    }
}
