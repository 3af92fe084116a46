//! How many compatible sessions share one forward pass: learned from how long passes take.

/// Latest passes of a size that count.
const WINDOW: usize = 8;
/// Measurements of a size before it is believed.
const BELIEVED_AFTER: usize = 2;
/// A size is measured again after so many passes of others for every one in its window:
/// machines get busier, and calmer, and what little is known may have been an accident.
const STALE_AFTER: u32 = 8;

/// Measured milliseconds of one pass, by the number of sessions that shared it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassTimes {
    /// `[n - 1]` is what is known of passes of `n` sessions.
    by_size: Vec<Measured>,
}

/// The latest passes of one size.
#[derive(Clone, Debug, Default, PartialEq)]
struct Measured {
    /// Milliseconds, the oldest first.
    ms: Vec<f64>,
    /// Passes of other sizes since.
    passes_since: u32,
}

impl PassTimes {
    /// Learns from one pass. Times that are not positive numbers are ignored.
    pub fn record(&mut self, size: usize, ms: f64) {
        if size == 0 || !ms.is_finite() || ms <= 0.0 {
            return;
        }
        if self.by_size.len() < size {
            self.by_size.resize(size, Measured::default());
        }
        for other in &mut self.by_size {
            other.passes_since = other.passes_since.saturating_add(1);
        }
        let measured = &mut self.by_size[size - 1];
        if measured.ms.len() == WINDOW {
            measured.ms.remove(0);
        }
        measured.ms.push(ms);
        measured.passes_since = 0;
    }

    /// Milliseconds of a usual pass that `size` sessions share, if it was measured: the median of the latest.
    pub fn pass_ms(&self, size: usize) -> Option<f64> {
        let mut sorted = self.measured(size)?.ms.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get((sorted.len() - 1) / 2).copied()
    }

    /// Milliseconds of such a pass when nothing else happened: the shortest of the latest.
    ///
    /// Whatever disturbs a pass makes it longer, never shorter, so sizes are compared by this.
    pub fn calm_ms(&self, size: usize) -> Option<f64> {
        self.measured(size)?.ms.iter().copied().min_by(f64::total_cmp)
    }

    /// Work that a pass of the best measured size does in the time of one session's, 1 at least.
    pub fn gain(&self, cap: usize) -> f64 {
        let Some(single) = self.calm_ms(1) else { return 1.0 };
        let gains =
            (2..=cap.min(self.by_size.len())).filter_map(|size| Some(size as f64 * single / self.calm_ms(size)?));
        gains.fold(1.0, f64::max)
    }

    /// How many of `available` sessions should share the next pass, `cap` at most.
    ///
    /// Served in groups of `n`, the mean completion of `N` equal sessions is
    /// proportional to `t(n) (N/n + 1)`: a shared pass pays when what it saves
    /// those at the end outweighs what it costs those at the front. A size
    /// that takes longer than its singles never pays. Larger sizes are tried in
    /// doubling steps for as long as the step before paid, so that a processor
    /// which gains nothing finds out with two pairs; what was decided long ago
    /// is looked at again with a single pass.
    pub fn best_size(&self, available: usize, cap: usize) -> usize {
        let most = available.min(cap);
        let Some(single) = self.calm_ms(1) else { return 1 };
        if most < 2 || !self.is_believed(1) {
            return 1;
        }
        let mean = |size: usize, ms: f64| ms * (available as f64 / size as f64 + 1.0);
        let mut best = (1, mean(1, single));
        for size in 2..=most {
            let Some(ms) = self.estimate(size) else { break };
            if ms <= single * size as f64 && mean(size, ms) < best.1 {
                best = (size, mean(size, ms));
            }
        }
        let best = best.0;
        let next = (best * 2).min(most);
        if next > best && !self.is_believed(next) {
            return next;
        }
        // Beside the winner, only its neighbours could win next time; singles are what all are compared with.
        let stale = [1, best / 2, next].into_iter().filter(|size| *size != best);
        let stale = stale.filter(|size| self.measured(*size).is_some_and(Measured::is_stale));
        stale.max_by_key(|size| self.measured(*size).map(|known| known.passes_since)).unwrap_or(best)
    }

    fn measured(&self, size: usize) -> Option<&Measured> {
        self.by_size.get(size.checked_sub(1)?).filter(|measured| !measured.ms.is_empty())
    }

    fn is_believed(&self, size: usize) -> bool {
        self.measured(size).is_some_and(|measured| measured.ms.len() >= BELIEVED_AFTER)
    }

    /// Measured, or on the straight line between the measured neighbours.
    fn estimate(&self, size: usize) -> Option<f64> {
        if let Some(ms) = self.calm_ms(size) {
            return Some(ms);
        }
        let below = (1..size).rev().find_map(|near| Some((near as f64, self.calm_ms(near)?)))?;
        let above = (size + 1..=self.by_size.len()).find_map(|near| Some((near as f64, self.calm_ms(near)?)))?;
        Some(below.1 + (above.1 - below.1) * (size as f64 - below.0) / (above.0 - below.0))
    }
}

impl Measured {
    fn is_stale(&self) -> bool {
        self.passes_since as usize >= STALE_AFTER as usize * self.ms.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(times: &[(usize, f64)]) -> PassTimes {
        let mut all = PassTimes::default();
        for (size, ms) in times {
            all.record(*size, *ms);
            all.record(*size, *ms);
        }
        all
    }

    #[test]
    fn a_device_that_gains_nothing_finds_out_with_two_pairs() {
        let mut times = measured(&[(1, 20.0)]);
        for _ in 0..2 {
            assert_eq!(times.best_size(4, 8), 2);
            times.record(2, 41.0);
        }
        assert_eq!(times.best_size(4, 8), 1);
    }

    #[test]
    fn one_slow_first_pass_settles_nothing() {
        let mut times = PassTimes::default();
        times.record(1, 500.0);
        assert_eq!(times.best_size(8, 8), 1, "a single that was measured once may have paid for a warm-up");
        times.record(1, 20.0);
        times.record(2, 300.0);
        assert_eq!(times.best_size(8, 8), 2, "so may a pair");
        times.record(2, 22.0);
        assert_eq!(times.best_size(8, 8), 4);
        assert_eq!(times.calm_ms(1), Some(20.0));
    }

    #[test]
    fn noise_on_singles_does_not_make_pairs_look_good_for_long() {
        // Measured in a bad moment: a pair, which gains nothing, seems to cost no more than one.
        let mut times = measured(&[(1, 40.0), (2, 41.0)]);
        let mut shared = 0;
        for pass in 0..1_000 {
            let size = times.best_size(4, 4);
            shared += usize::from(size > 1);
            let disturbed = if pass % 3 == 0 { 1.5 } else { 1.0 };
            times.record(size, 20.5 * size as f64 * disturbed);
        }
        assert!(shared < 60, "{shared} of 1000 passes were shared for nothing");
    }

    #[test]
    fn a_usual_pass_is_the_median_of_the_latest() {
        let mut times = PassTimes::default();
        for ms in [500.0, 20.0, 30.0] {
            times.record(1, ms);
        }
        assert_eq!((times.pass_ms(1), times.calm_ms(1)), (Some(30.0), Some(20.0)));
        for _ in 0..8 {
            times.record(1, 60.0);
        }
        assert_eq!((times.pass_ms(1), times.calm_ms(1)), (Some(60.0), Some(60.0)), "a slower machine is noticed");
    }

    #[test]
    fn a_device_that_gains_grows_to_its_cap() {
        let times = measured(&[(1, 20.0), (2, 22.0), (4, 28.0), (8, 44.0)]);
        assert_eq!(times.best_size(100, 8), 8);
        assert_eq!(times.best_size(100, 4), 4);
        assert_eq!(times.best_size(1, 8), 1);
        assert_eq!(times.gain(8), 20.0 * 8.0 / 44.0);
        assert_eq!(times.gain(1), 1.0);
    }

    #[test]
    fn sizes_between_measured_ones_are_used_too() {
        let times = measured(&[(1, 20.0), (2, 22.0), (4, 28.0)]);
        assert_eq!(times.best_size(3, 8), 3);
        assert_eq!(measured(&[(1, 20.0), (2, 22.0)]).best_size(3, 8), 3, "tried, for the pair pays");
    }

    #[test]
    fn a_small_gain_pays_only_for_a_long_queue() {
        let times = measured(&[(1, 20.0), (2, 36.0), (4, 80.0)]);
        assert_eq!(times.best_size(2, 2), 1, "two would both wait for the end");
        assert_eq!(times.best_size(50, 4), 2);
    }

    #[test]
    fn what_lost_long_ago_is_measured_again_ever_less_often() {
        let mut times = measured(&[(1, 20.0), (2, 41.0)]);
        let mut sizes = Vec::new();
        for _ in 0..200 {
            let size = times.best_size(4, 8);
            sizes.push(size);
            times.record(size, 20.5 * size as f64);
        }
        assert_eq!(sizes.iter().filter(|size| **size == 2).count(), 5);
        assert!(sizes.iter().all(|size| *size <= 2));
    }

    #[test]
    fn a_device_that_became_calm_shares_passes_again() {
        let mut times = measured(&[(1, 20.0), (2, 60.0)]);
        let mut shared = 0;
        for _ in 0..2_000 {
            let size = times.best_size(4, 2);
            shared += usize::from(size == 2);
            times.record(size, if size == 2 { 22.0 } else { 20.0 });
        }
        assert!(shared > 1_000, "{shared} of 2000");
    }

    #[test]
    fn nonsense_is_not_learned() {
        assert_eq!(measured(&[(0, 1.0), (1, f64::NAN), (2, -1.0)]), PassTimes::default());
    }
}
