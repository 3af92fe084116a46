//! What work costs on this device, learned from doing it.

use std::collections::HashMap;

use dispatch::PassTimes;

use super::trial::Tried;

/// Weight of the newest measurement in a running estimate.
const LEARNING_RATE: f64 = 0.2;
/// Decoding and encoding, in steps' worth of work, until they were measured.
const FINISH_STEPS: f64 = 3.0;

/// Measured costs, by the key of sessions that may share a pass.
#[derive(Debug, Default)]
pub struct Costs {
    keys: HashMap<u64, KeyCosts>,
    switch_ms: Option<f64>,
}

#[derive(Debug)]
struct KeyCosts {
    /// The loaded model that these sessions belong to.
    model: u64,
    times: PassTimes,
    /// Most sessions that had enough memory together.
    cap: usize,
    finish_ms: Option<f64>,
}

/// A pass that went through at once.
#[derive(Clone, Copy, Debug)]
pub struct CleanPass {
    pub key: u64,
    pub model: u64,
    /// Whether the pass before was another model's.
    pub switched: bool,
    pub size: usize,
    pub ms: f64,
}

impl Costs {
    /// What a model's trial measured.
    pub fn begin(&mut self, model: u64, tried: &Tried) {
        let Tried { key, times, cap, finish_ms, .. } = tried;
        let costs = KeyCosts { model, times: times.clone(), cap: *cap, finish_ms: Some(*finish_ms) };
        self.keys.insert(*key, costs);
    }

    /// Learns from a pass: how long such passes take or, right after a change of model, what the change costs.
    pub fn learn(&mut self, pass: CleanPass) {
        let CleanPass { key, model, switched, size, ms } = pass;
        let costs = self.key(key, model);
        match costs.times.pass_ms(size) {
            Some(usual) if switched => {
                let sample = (ms - usual).max(0.0);
                self.switch_ms = Some(running(self.switch_ms, sample));
            }
            _ => costs.times.record(size, ms),
        }
    }

    pub fn learn_finish(&mut self, key: u64, model: u64, ms: f64) {
        let costs = self.key(key, model);
        costs.finish_ms = Some(running(costs.finish_ms, ms));
    }

    /// So many had too little memory: half as many, from now on.
    pub fn shrink(&mut self, key: u64, model: u64, too_many: usize) {
        let costs = self.key(key, model);
        costs.cap = costs.cap.min(too_many / 2).max(1);
        tracing::warn!(cap = costs.cap, "fewer sessions share a pass: the device ran out of memory");
    }

    /// A model is gone: so is what was known of it, and the others have more memory.
    pub fn forget(&mut self, model: u64) {
        self.keys.retain(|_, costs| costs.model != model);
        for costs in self.keys.values_mut() {
            costs.cap = usize::MAX;
        }
    }

    /// Most sessions of this key that may share a pass.
    pub fn cap(&self, key: u64) -> usize {
        self.keys.get(&key).map_or(usize::MAX, |costs| costs.cap)
    }

    /// How many of `available` sessions should share the next pass.
    pub fn best_size(&self, key: u64, available: usize, cap: usize) -> usize {
        self.keys.get(&key).map_or(1, |costs| costs.times.best_size(available, cap))
    }

    /// Milliseconds until a picture with so many steps left would be done, were it alone.
    /// `guess` is a step's time if none was measured.
    pub fn remaining_ms(&self, key: u64, steps_left: u32, guess: f64) -> f64 {
        let costs = self.keys.get(&key);
        let step_ms = costs.and_then(|costs| costs.times.pass_ms(1)).unwrap_or(guess);
        let finish_ms = costs.and_then(|costs| costs.finish_ms).unwrap_or(FINISH_STEPS * step_ms);
        f64::from(steps_left) * step_ms + finish_ms
    }

    /// Milliseconds that the first pass after a change of model takes longer.
    pub fn switch_ms(&self) -> f64 {
        self.switch_ms.unwrap_or(0.0)
    }

    fn key(&mut self, key: u64, model: u64) -> &mut KeyCosts {
        let unknown = || KeyCosts { model, times: PassTimes::default(), cap: usize::MAX, finish_ms: None };
        self.keys.entry(key).or_insert_with(unknown)
    }
}

fn running(before: Option<f64>, sample: f64) -> f64 {
    before.map_or(sample, |before| before + LEARNING_RATE * (sample - before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(model: u64, switched: bool, ms: f64) -> CleanPass {
        CleanPass { key: model, model, switched, size: 1, ms }
    }

    #[test]
    fn a_switch_costs_what_its_first_pass_took_longer() {
        let mut costs = Costs::default();
        for model in [1, 2] {
            costs.learn(pass(model, model == 2, 20.0));
            costs.learn(pass(model, false, 20.0));
        }
        assert_eq!(costs.switch_ms(), 0.0, "an unknown key's first pass says nothing of switching");
        costs.learn(pass(1, true, 320.0));
        assert_eq!(costs.switch_ms(), 300.0);
        costs.learn(pass(2, true, 220.0));
        assert_eq!(costs.switch_ms(), 280.0);
        assert_eq!(costs.remaining_ms(1, 4, 1.0), 4.0 * 20.0 + 3.0 * 20.0, "what a switch took is not a step's time");
    }

    #[test]
    fn a_cap_is_remembered_until_memory_is_freed() {
        let mut costs = Costs::default();
        costs.shrink(7, 1, 8);
        assert_eq!((costs.cap(7), costs.cap(8)), (4, usize::MAX));
        costs.shrink(7, 1, 3);
        assert_eq!(costs.cap(7), 1);
        costs.forget(2);
        assert_eq!(costs.cap(7), usize::MAX);
    }

    #[test]
    fn finishing_counts_as_measured() {
        let mut costs = Costs::default();
        assert_eq!(costs.remaining_ms(1, 2, 10.0), 50.0);
        costs.learn_finish(1, 1, 5.0);
        assert_eq!(costs.remaining_ms(1, 2, 10.0), 25.0);
    }
}
