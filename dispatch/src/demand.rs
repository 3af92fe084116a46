//! How much work arrives: a rate that follows the last minutes.

/// Milliseconds after which an arrival counts `1/e` of what it did, by default.
const MEMORY_MS: f64 = 300_000.0;

/// An exponentially fading sum of arrivals. Times are milliseconds of any clock that does not run backwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    memory_ms: f64,
    sum: f64,
    /// When the sum was brought up to date.
    at_ms: f64,
    /// When the first arrival came.
    since_ms: Option<f64>,
}

impl Default for Demand {
    fn default() -> Self {
        Self::over(MEMORY_MS)
    }
}

impl Demand {
    /// Remembers arrivals for about that many milliseconds.
    pub fn over(memory_ms: f64) -> Self {
        Self { memory_ms, sum: 0.0, at_ms: 0.0, since_ms: None }
    }

    /// Counts `work` (in any unit) that arrived.
    pub fn arrived(&mut self, work: f64, now_ms: f64) {
        self.sum = self.faded(now_ms) + work;
        self.at_ms = now_ms;
        self.since_ms.get_or_insert(now_ms);
    }

    /// Work a millisecond, as it arrived in the last minutes.
    pub fn per_ms(&self, now_ms: f64) -> f64 {
        let Some(since_ms) = self.since_ms else { return 0.0 };
        // What arrived before the first arrival is unknown, not nothing: a young sum is divided by its age.
        let seen_ms = self.memory_ms * (1.0 - (-(now_ms - since_ms) / self.memory_ms).exp());
        self.faded(now_ms) / seen_ms.max(self.memory_ms / 10.0)
    }

    fn faded(&self, now_ms: f64) -> f64 {
        self.sum * (-(now_ms - self.at_ms).max(0.0) / self.memory_ms).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_its_rate_and_fades_when_it_ends() {
        let mut demand = Demand::default();
        for second in 0..1_000 {
            demand.arrived(500.0, f64::from(second) * 1_000.0);
        }
        assert!((demand.per_ms(1_000_000.0) - 0.5).abs() < 0.02);
        assert!(demand.per_ms(2_500_000.0) < 0.01);
        assert_eq!(Demand::default().per_ms(5.0), 0.0);
    }
}
