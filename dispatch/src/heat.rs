//! A hot device: how much slower to expect it, and when to tell the operator.

use domain::worker::Heat;

/// Degrees Celsius above which a device that stays there is worth an alert.
pub const ALERT_CELSIUS: f64 = 78.0;
/// Readings in a row above it that make it sustained: a minute, at one every 15 s.
pub const SUSTAINED_READINGS: u32 = 4;
/// Reasons for which a device holds itself back because of heat or power, in NVML's terms.
const THROTTLING: [&str; 4] = ["thermal", "power_brake", "hw_slowdown", "power_cap"];
/// Nothing is believed to be more than this many times slower.
const MOST: f64 = 4.0;

/// How many times longer than usual everything takes on this device, 1 or more.
///
/// A clock that is low because the device idles means nothing, so the clock
/// counts only while the device says that it holds itself back.
pub fn slowdown(heat: &Heat) -> f64 {
    let throttled = heat.throttle.iter().any(|reason| THROTTLING.iter().any(|word| reason.contains(word)));
    if throttled { (1.0 / heat.clock_share().max(1e-3)).clamp(1.0, MOST) } else { 1.0 }
}

/// Counts readings above [`ALERT_CELSIUS`] in a row; true when the alert begins.
pub fn alert_begins(readings_above: &mut u32, heat: &Heat) -> bool {
    if heat.temperature <= ALERT_CELSIUS {
        *readings_above = 0;
        return false;
    }
    *readings_above += 1;
    *readings_above == SUSTAINED_READINGS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat(temperature: f64, clock_mhz: u32, throttle: &[&str]) -> Heat {
        Heat {
            temperature,
            clock_mhz,
            max_clock_mhz: 2_000,
            throttle: throttle.iter().map(|reason| (*reason).to_owned()).collect(),
            ..Heat::default()
        }
    }

    #[test]
    fn only_a_device_that_holds_itself_back_is_slow() {
        assert_eq!(slowdown(&heat(60.0, 300, &["gpu_idle"])), 1.0);
        assert_eq!(slowdown(&heat(88.0, 1_000, &["sw_thermal_slowdown"])), 2.0);
        assert_eq!(slowdown(&heat(88.0, 0, &["hw_slowdown"])), MOST);
    }

    #[test]
    fn an_alert_begins_once_when_heat_lasts() {
        let mut readings = 0;
        let hot = heat(80.0, 2_000, &[]);
        let alerts: Vec<bool> = (0..6).map(|_| alert_begins(&mut readings, &hot)).collect();
        assert_eq!(alerts, [false, false, false, true, false, false]);
        assert!(!alert_begins(&mut readings, &heat(70.0, 2_000, &[])));
        assert_eq!(readings, 0);
    }
}
