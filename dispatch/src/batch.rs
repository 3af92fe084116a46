//! How many compatible sessions share one forward pass: learned from how long passes take.

/// Weight of the newest measurement in the running estimate.
const LEARNING_RATE: f64 = 0.2;

/// Measured milliseconds of one pass, by the number of sessions that shared it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassTimes {
    /// `[n - 1]` is the estimate for `n` sessions.
    by_size: Vec<Option<f64>>,
}

impl PassTimes {
    /// Learns from one pass. Times that are not positive numbers are ignored.
    pub fn record(&mut self, size: usize, ms: f64) {
        if size == 0 || !ms.is_finite() || ms <= 0.0 {
            return;
        }
        if self.by_size.len() < size {
            self.by_size.resize(size, None);
        }
        let slot = &mut self.by_size[size - 1];
        *slot = Some(slot.map_or(ms, |before| before + LEARNING_RATE * (ms - before)));
    }

    /// Milliseconds of a pass that `size` sessions share, if it was measured.
    pub fn pass_ms(&self, size: usize) -> Option<f64> {
        *self.by_size.get(size.checked_sub(1)?)?
    }

    /// How many of `available` sessions should share the next pass, `cap` at most.
    ///
    /// Served in groups of `n`, the mean completion of `N` equal sessions is
    /// proportional to `t(n) (N/n + 1)`: a shared pass pays when what it saves
    /// those at the end outweighs what it costs those at the front. A size
    /// that takes longer than its singles never pays. Sizes are tried in
    /// doubling steps for as long as the step before paid, so that a processor
    /// which gains nothing finds out with one pair.
    pub fn best_size(&self, available: usize, cap: usize) -> usize {
        let most = available.min(cap);
        let Some(single) = self.pass_ms(1) else { return 1 };
        let mut best = (1, self.mean(1, single, available));
        let mut size = 2;
        while size <= most {
            let Some(ms) = self.pass_ms(size) else {
                // Never tried, and the half of it pays: try it now.
                return if best.0 == size / 2 { size } else { best.0 };
            };
            let mean = self.mean(size, ms, available);
            if ms <= single * size as f64 && mean < best.1 {
                best = (size, mean);
            }
            size *= 2;
        }
        best.0
    }

    fn mean(&self, size: usize, ms: f64, available: usize) -> f64 {
        ms * (available as f64 / size as f64 + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(times: &[(usize, f64)]) -> PassTimes {
        let mut all = PassTimes::default();
        for (size, ms) in times {
            all.record(*size, *ms);
        }
        all
    }

    #[test]
    fn a_device_that_gains_nothing_finds_out_with_one_pair() {
        let mut times = measured(&[(1, 20.0)]);
        assert_eq!(times.best_size(4, 8), 2);
        times.record(2, 41.0);
        assert_eq!(times.best_size(4, 8), 1);
    }

    #[test]
    fn a_device_that_gains_grows_to_its_cap() {
        let times = measured(&[(1, 20.0), (2, 22.0), (4, 28.0), (8, 44.0)]);
        assert_eq!(times.best_size(100, 8), 8);
        assert_eq!(times.best_size(100, 4), 4);
        assert_eq!(times.best_size(1, 8), 1);
    }

    #[test]
    fn a_small_gain_pays_only_for_a_long_queue() {
        let times = measured(&[(1, 20.0), (2, 36.0)]);
        assert_eq!(times.best_size(2, 2), 1, "two would both wait for the end");
        assert_eq!(times.best_size(50, 2), 2);
    }

    #[test]
    fn nonsense_is_not_learned() {
        assert_eq!(measured(&[(0, 1.0), (1, f64::NAN), (2, -1.0)]), PassTimes::default());
    }
}
