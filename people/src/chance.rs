//! Randomness that a seed repeats, and the few distributions that people's days are drawn from.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A seeded generator; passed on as an argument everywhere.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A generator of its own for another purpose, so that one crowd does not disturb another's sequence.
    pub fn branch(&mut self) -> Self {
        Self::new(self.0.next_u64())
    }

    /// From 0 up to but not including 1, evenly.
    pub fn share(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * STEP
    }

    pub fn often(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A whole number below `end`, which must not be 0.
    pub fn below(&mut self, end: u32) -> u32 {
        (self.share() * f64::from(end)) as u32
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// One of `choices`, each as often as its weight says; there must be one.
    pub fn weighted<T: Copy>(&mut self, choices: &[(T, f64)]) -> T {
        let sum: f64 = choices.iter().map(|(_, weight)| weight).sum();
        let mut at = self.share() * sum;
        for (choice, weight) in choices {
            if at < *weight {
                return *choice;
            }
            at -= weight;
        }
        choices[choices.len() - 1].0
    }

    /// Log-normal: `median`, and `spread` as the standard deviation of the logarithm (Box and Muller).
    pub fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.share()).cos();
        median * (spread * normal).exp()
    }

    /// A rank below `ranks`, each as likely as one over its place (Zipf's law): a few things are everywhere.
    pub fn zipf(&mut self, ranks: u32) -> u32 {
        let sum: f64 = (1..=ranks).map(|rank| 1.0 / f64::from(rank)).sum();
        let mut at = self.share() * sum;
        for rank in 0..ranks {
            at -= 1.0 / f64::from(rank + 1);
            if at < 0.0 {
                return rank;
            }
        }
        ranks - 1
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_a_day_and_another_does_not() {
        let draw = |seed| (0..8).map(move |_| ()).scan(Chance::new(seed), |chance, ()| Some(chance.below(1_000)));
        assert!(draw(1).eq(draw(1)));
        assert!(!draw(1).eq(draw(2)));
    }

    #[test]
    fn draws_are_where_they_should_be() {
        let mut chance = Chance::new(7);
        let mut gaps: Vec<f64> = (0..4_001).map(|_| chance.log_normal(45.0, 0.9)).collect();
        gaps.sort_by(f64::total_cmp);
        assert!((40.0..50.0).contains(&gaps[2_000]), "{}", gaps[2_000]);
        let first = (0..4_000).filter(|_| chance.zipf(40) == 0).count();
        assert!((800..1_050).contains(&first), "{first}");
    }
}
