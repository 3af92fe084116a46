//! Euler steps along a straight path from noise to picture (diffusers' `FlowMatchEulerDiscreteScheduler`).

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::step::{Schedule, Step};
use crate::config::only_known;
use crate::error::LoadError;

/// The network predicts the velocity: noise minus picture.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct FlowMatchEuler {
    num_train_timesteps: u32,
    shift: f64,
    shift_terminal: Option<f64>,
}

impl Default for FlowMatchEuler {
    fn default() -> FlowMatchEuler {
        FlowMatchEuler { num_train_timesteps: 1000, shift: 1.0, shift_terminal: None }
    }
}

impl FlowMatchEuler {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<FlowMatchEuler, LoadError> {
        only_known(
            path,
            &value,
            &[
                ("use_dynamic_shifting", json!(false)),
                ("invert_sigmas", json!(false)),
                ("use_karras_sigmas", json!(false)),
                ("use_exponential_sigmas", json!(false)),
                ("use_beta_sigmas", json!(false)),
                ("stochastic_sampling", json!(false)),
            ],
        )?;
        let scheduler: FlowMatchEuler =
            serde_json::from_value(value).map_err(|error| LoadError::config(path, error.to_string()))?;
        if scheduler.num_train_timesteps == 0 || !(scheduler.shift.is_finite() && scheduler.shift > 0.0) {
            return Err(LoadError::config(path, "`num_train_timesteps` and `shift` must be positive"));
        }
        if scheduler.shift_terminal.is_some_and(|end| !(0.0..1.0).contains(&end)) {
            return Err(LoadError::config(path, "`shift_terminal` must lie between 0 and 1"));
        }
        Ok(scheduler)
    }

    fn shifted(&self, sigma: f64) -> f64 {
        self.shift * sigma / (1.0 + (self.shift - 1.0) * sigma)
    }

    /// The noise levels of `steps` steps, from 1 down, and the 0 at the end.
    fn sigmas(&self, steps: usize) -> Vec<f32> {
        let train = f64::from(self.num_train_timesteps);
        // The ends of the training schedule are kept in single precision, then shifted once more.
        let end = |timestep: f64| f64::from(self.shifted(timestep / train) as f32) * train;
        let (first, last) = (end(train), end(1.0));
        let mut sigmas: Vec<f64> = (0..steps)
            .map(|i| if i == 0 { first } else { first + (last - first) * i as f64 / (steps - 1) as f64 })
            .map(|timestep| self.shifted(timestep / train))
            .collect();
        if let (Some(end), Some(last)) = (self.shift_terminal.filter(|end| *end > 0.0), sigmas.last().copied()) {
            let scale = (1.0 - last) / (1.0 - end);
            sigmas.iter_mut().for_each(|sigma| *sigma = 1.0 - (1.0 - *sigma) / scale);
        }
        sigmas.into_iter().map(|sigma| sigma as f32).chain([0.0]).collect()
    }

    pub(super) fn schedule(&self, steps: usize) -> Schedule {
        let sigmas = self.sigmas(steps.max(1));
        let steps = sigmas
            .windows(2)
            .map(|pair| Step {
                timestep: pair[0] * self.num_train_timesteps as f32,
                push: pair[1] - pair[0],
                clean_push: -pair[0],
                signal: 1.0 - pair[0],
                spread: pair[0],
                ..Step::default()
            })
            .collect();
        Schedule { initial_scale: 1.0, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::FlowMatchEuler;

    fn sigmas(shift: f64, shift_terminal: Option<f64>, steps: usize) -> Vec<f32> {
        FlowMatchEuler { shift, shift_terminal, ..FlowMatchEuler::default() }.sigmas(steps)
    }

    fn close(found: &[f32], wanted: &[f32]) {
        assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 2e-7, "{found} is not {wanted}");
        }
    }

    /// What diffusers 0.42's `set_timesteps` gives for the same settings.
    #[test]
    fn sigmas_are_those_of_diffusers() {
        close(&sigmas(1.0, None, 4), &[1.0, 0.667, 0.334, 0.001, 0.0]);
        close(&sigmas(3.0, None, 5), &[1.0, 0.900_359_1, 0.751_121_1, 0.502_985_06, 0.008_928_572, 0.0]);
        close(&sigmas(1.5, None, 1), &[1.0, 0.0]);
        close(&sigmas(3.0, Some(0.1), 4), &[1.0, 0.870_769_2, 0.638_709_66, 0.1, 0.0]);
    }

    #[test]
    fn the_last_step_ends_without_noise() {
        for steps in [1, 2, 7, 50] {
            let schedule = FlowMatchEuler::default().schedule(steps);
            assert_eq!(schedule.steps.len(), steps);
            let total: f32 = schedule.steps.iter().map(|step| step.push).sum();
            assert!((total + 1.0).abs() < 1e-5);
        }
    }
}
