//! Honest time: how far projections were off lately says how wide a range must be.

use std::collections::VecDeque;

/// Outcomes that are remembered.
const MEMORY: usize = 256;
/// Outcomes before a range is dared at all.
const ENOUGH: usize = 8;
/// Share of the outcomes left out at each end: what remains is right more often than four times in five.
const TAIL: f64 = 0.06;
/// Differences this small, in milliseconds, are nothing anybody waits for.
const GRAIN_MS: f64 = 500.0;

/// Turns one projected duration into a range, from the ratios of lately measured to projected ones.
///
/// The quantiles of past errors, applied to the next projection: split
/// conformal prediction (Vovk et al., 2005) over a sliding window.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// Measured over projected, the newest last.
    ratios: VecDeque<f64>,
}

impl Forecast {
    /// Learns what became of a projection. Durations in milliseconds.
    pub fn record(&mut self, projected_ms: f64, measured_ms: f64) {
        let ratio = (measured_ms + GRAIN_MS) / (projected_ms + GRAIN_MS);
        if !ratio.is_finite() || ratio <= 0.0 {
            return;
        }
        if self.ratios.len() == MEMORY {
            self.ratios.pop_front();
        }
        self.ratios.push_back(ratio);
    }

    /// Earliest and latest likely duration, in milliseconds; `None` while too little is known to say.
    pub fn range(&self, projected_ms: f64) -> Option<(f64, f64)> {
        if self.ratios.len() < ENOUGH || !projected_ms.is_finite() {
            return None;
        }
        let mut sorted: Vec<f64> = self.ratios.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        let low = sorted[((sorted.len() as f64 * TAIL).floor() as usize).min(last)];
        let high = sorted[((sorted.len() as f64 * (1.0 - TAIL)).ceil() as usize).min(last)];
        let at = |ratio: f64| ((projected_ms + GRAIN_MS) * ratio - GRAIN_MS).max(0.0);
        // Never narrower than the grain: nobody reads tenths of a second off a range.
        Some((at(low.min(1.0)), at(high.max(1.0)) + GRAIN_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_before_enough_is_known() {
        let mut forecast = Forecast::default();
        assert_eq!(forecast.range(1_000.0), None);
        for _ in 0..ENOUGH {
            forecast.record(1_000.0, 1_100.0);
        }
        let (low, high) = forecast.range(1_000.0).expect("known");
        assert!(low <= 1_000.0 && high >= 1_100.0, "{low} {high}");
    }

    /// A projection that is off by a random factor is within its range more than four times in five.
    #[test]
    fn a_range_is_right_at_least_four_times_in_five() {
        let mut forecast = Forecast::default();
        let (mut right, mut said) = (0, 0);
        let mut state = 7_u64;
        for _ in 0..2_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let uniform = (state >> 11) as f64 / (1_u64 << 53) as f64;
            let projected = 1_000.0 + 60_000.0 * uniform;
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let uniform = (state >> 11) as f64 / (1_u64 << 53) as f64;
            let measured = projected * (0.6 + uniform * 1.2);
            if let Some((low, high)) = forecast.range(projected) {
                said += 1;
                right += u32::from(low <= measured && measured <= high);
            }
            forecast.record(projected, measured);
        }
        assert!(f64::from(right) / f64::from(said) >= 0.8, "{right} of {said}");
    }
}
