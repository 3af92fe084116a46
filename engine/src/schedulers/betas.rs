//! The noise that models of the epsilon kind were trained with, and where a schedule touches it.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::only_known;
use crate::error::LoadError;

/// What the network predicts.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum Prediction {
    #[serde(rename = "epsilon")]
    Epsilon,
    #[serde(rename = "v_prediction")]
    Velocity,
}

impl Prediction {
    /// The clean latents are `.0 * latents + .1 * output`, for latents that hold `signal` of the
    /// picture and `noise` of the noise, the squares of which add up to 1.
    pub(super) fn clean(self, signal: f64, noise: f64) -> (f64, f64) {
        match self {
            Prediction::Epsilon => (1.0 / signal, -noise / signal),
            Prediction::Velocity => (signal, -noise),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Curve {
    #[serde(rename = "linear")]
    Linear,
    #[serde(rename = "scaled_linear")]
    ScaledLinear,
}

/// Which of the training timesteps a schedule visits.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) enum Spacing {
    #[serde(rename = "linspace")]
    Linspace,
    #[serde(rename = "leading")]
    Leading,
    #[serde(rename = "trailing")]
    Trailing,
}

/// The settings that schedulers of this kind share.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Betas {
    #[serde(default = "thousand")]
    num_train_timesteps: usize,
    #[serde(default = "first_beta")]
    beta_start: f32,
    #[serde(default = "last_beta")]
    beta_end: f32,
    #[serde(default = "linear")]
    beta_schedule: Curve,
    #[serde(default = "epsilon")]
    pub(super) prediction_type: Prediction,
    pub(super) timestep_spacing: Option<Spacing>,
    #[serde(default)]
    steps_offset: usize,
}

fn thousand() -> usize {
    1000
}

fn first_beta() -> f32 {
    0.0001
}

fn last_beta() -> f32 {
    0.02
}

fn linear() -> Curve {
    Curve::Linear
}

fn epsilon() -> Prediction {
    Prediction::Epsilon
}

impl Betas {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<Betas, LoadError> {
        only_known(
            path,
            &value,
            &[("trained_betas", Value::Null), ("rescale_betas_zero_snr", json!(false)), ("thresholding", json!(false))],
        )?;
        let betas: Betas = serde_json::from_value(value).map_err(|error| LoadError::config(path, error.to_string()))?;
        let Betas { num_train_timesteps: count, beta_start: start, beta_end: end, steps_offset: offset, .. } = betas;
        if !(2..=100_000).contains(&count)
            || !(1e-6..1.0).contains(&start)
            || !(0.0..1.0).contains(&end)
            || offset > 100
        {
            return Err(LoadError::config(path, "the training schedule's numbers are out of range"));
        }
        Ok(betas)
    }

    /// How much of the picture's variance is left at each training timestep.
    pub(super) fn alphas_cumprod(&self) -> Vec<f32> {
        let last = (self.num_train_timesteps - 1) as f32;
        let between = |start: f32, end: f32, i: usize| start + (end - start) * (i as f32 / last);
        let mut product = 1.0f32;
        (0..self.num_train_timesteps)
            .map(|i| {
                let beta = match self.beta_schedule {
                    Curve::Linear => between(self.beta_start, self.beta_end, i),
                    Curve::ScaledLinear => between(self.beta_start.sqrt(), self.beta_end.sqrt(), i).powi(2),
                };
                product *= 1.0 - beta;
                product
            })
            .collect()
    }

    /// The timesteps of a schedule of `steps` steps, from noise to picture.
    pub(super) fn timesteps(&self, spacing: Spacing, steps: usize) -> Vec<f64> {
        let count = self.num_train_timesteps as f64;
        let last = count - 1.0;
        let steps = steps.clamp(1, self.num_train_timesteps);
        let timestep = |i: usize| match spacing {
            Spacing::Linspace if steps == 1 => 0.0,
            Spacing::Linspace => last * (steps - 1 - i) as f64 / (steps - 1) as f64,
            Spacing::Leading => ((self.num_train_timesteps / steps) * (steps - 1 - i) + self.steps_offset) as f64,
            Spacing::Trailing => (count - i as f64 * count / steps as f64).round_ties_even() - 1.0,
        };
        (0..steps).map(|i| timestep(i).clamp(0.0, last)).collect()
    }

    /// Training timesteps between two steps of a schedule.
    pub(super) fn stride(&self, steps: usize) -> usize {
        self.num_train_timesteps / steps.clamp(1, self.num_train_timesteps)
    }
}
