//! Running estimates: how long a standard picture takes on a worker, and how sure that is.

/// Weight of the newest measurement once there are many.
const LEARNING_RATE: f64 = 0.1;
/// A measurement further away than this many mean deviations counts as if it were just that far.
const OUTLIER: f64 = 4.0;
/// Share of the value that the deviation is never believed to be below.
const LEAST_DEVIATION: f64 = 0.02;

/// A robust running mean with its mean absolute deviation, in milliseconds.
///
/// The first measurements are averaged and later ones fade exponentially. A
/// measurement far outside is clipped (Huber, 1964), so that one hiccup does
/// not make a worker slow, and a lasting change is believed after a few.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean_ms: f64,
    /// Mean absolute deviation.
    pub deviation_ms: f64,
    /// Measurements so far; 0 for a prior.
    pub count: u64,
}

impl Estimate {
    /// What is believed before anything was measured.
    pub fn prior(mean_ms: f64) -> Self {
        Self { mean_ms, deviation_ms: mean_ms / 4.0, count: 0 }
    }

    /// Learns from a measurement. What is not a positive number is ignored.
    pub fn record(&mut self, ms: f64) {
        if !ms.is_finite() || ms <= 0.0 {
            return;
        }
        self.count += 1;
        // A prior counts as one measurement: a worker's own warm-up said it.
        let weight = (1.0 / (self.count as f64 + 1.0)).max(LEARNING_RATE);
        let scale = self.deviation_ms.max(LEAST_DEVIATION * self.mean_ms);
        let error = (ms - self.mean_ms).clamp(-OUTLIER * scale, OUTLIER * scale);
        self.mean_ms += weight * error;
        self.deviation_ms += weight * (error.abs() - self.deviation_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_box_is_known_to_be_slow() {
        let mut estimate = Estimate::prior(1_000.0);
        for _ in 0..20 {
            estimate.record(3_000.0);
        }
        assert!((2_800.0..=3_000.0).contains(&estimate.mean_ms), "{estimate:?}");
    }

    #[test]
    fn one_hiccup_changes_little() {
        let mut estimate = Estimate::prior(1_000.0);
        for at in 0..50 {
            estimate.record(1_000.0 + f64::from(at % 3) * 10.0);
        }
        let before = estimate.mean_ms;
        estimate.record(60_000.0);
        assert!(estimate.mean_ms < before * 1.05, "{estimate:?}");
    }

    #[test]
    fn nonsense_is_not_learned() {
        let mut estimate = Estimate::prior(10.0);
        for nonsense in [f64::NAN, f64::INFINITY, 0.0, -3.0] {
            estimate.record(nonsense);
        }
        assert_eq!(estimate, Estimate::prior(10.0));
    }
}
