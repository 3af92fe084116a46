//! The noise that models of the epsilon kind were trained with, and where a schedule touches it.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::only_known;
use crate::error::LoadError;

/// What the network predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Prediction {
    /// The noise.
    #[serde(rename = "epsilon")]
    Epsilon,
    /// Salimans and Ho, "Progressive Distillation for Fast Sampling of Diffusion Models".
    #[serde(rename = "v_prediction")]
    Velocity,
    /// The clean latents.
    #[serde(rename = "sample")]
    Sample,
}

impl Prediction {
    /// The clean latents are `.0 * latents + .1 * output`, for latents that hold `signal` of the
    /// picture and `noise` of the noise, the squares of which add up to 1.
    pub(super) fn clean(self, signal: f64, noise: f64) -> (f64, f64) {
        match self {
            Prediction::Epsilon => (1.0 / signal, -noise / signal),
            Prediction::Velocity => (signal, -noise),
            Prediction::Sample => (0.0, 1.0),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum Curve {
    #[serde(rename = "linear")]
    Linear,
    #[serde(rename = "scaled_linear")]
    ScaledLinear,
    #[serde(rename = "squaredcos_cap_v2")]
    SquaredCosine,
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
    pub(super) num_train_timesteps: usize,
    #[serde(default = "first_beta")]
    beta_start: f64,
    #[serde(default = "last_beta")]
    beta_end: f64,
    #[serde(default = "linear")]
    pub(super) beta_schedule: Curve,
    #[serde(default = "epsilon")]
    pub(super) prediction_type: Prediction,
    pub(super) timestep_spacing: Option<Spacing>,
    #[serde(default)]
    pub(super) steps_offset: usize,
    #[serde(default)]
    pub(super) rescale_betas_zero_snr: bool,
}

/// The timestep after `i` strides down from `count`. Where halves are rounded depends on how the stride
/// itself was rounded, and this is how numpy does it.
pub(super) fn trailing(count: f64, stride: f64, i: usize) -> f64 {
    let stride = (count - stride) - count;
    (count + i as f64 * stride).round_ties_even() - 1.0
}

fn thousand() -> usize {
    1000
}

fn first_beta() -> f64 {
    0.0001
}

fn last_beta() -> f64 {
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
        only_known(path, &value, &[("trained_betas", Value::Null), ("thresholding", json!(false))])?;
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

    /// Refuses what would divide by the picture's share where there is no picture left.
    pub(super) fn check_last(&self, path: &Path, spacing: Spacing) -> Result<(), LoadError> {
        let reached = spacing != Spacing::Leading;
        if self.rescale_betas_zero_snr && reached && self.prediction_type == Prediction::Epsilon {
            return Err(LoadError::config(path, "`rescale_betas_zero_snr` does not go with \"epsilon\" here"));
        }
        Ok(())
    }

    fn betas(&self) -> Vec<f32> {
        let count = self.num_train_timesteps;
        // Single precision from both ends, rounded once: bit for bit what the models were trained with.
        let between = |start: f64, end: f64, i: usize| {
            let (start, end) = (start as f32, end as f32);
            let step = f64::from((end - start) / (count - 1) as f32);
            if i < count / 2 {
                (f64::from(start) + step * i as f64) as f32
            } else {
                (f64::from(end) - step * (count - 1 - i) as f64) as f32
            }
        };
        // Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", equation 17.
        let cosine = |i: usize| ((i as f64 / count as f64 + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
        (0..count)
            .map(|i| match self.beta_schedule {
                Curve::Linear => between(self.beta_start, self.beta_end, i),
                Curve::ScaledLinear => between(self.beta_start.sqrt(), self.beta_end.sqrt(), i).powi(2),
                Curve::SquaredCosine => (1.0 - cosine(i + 1) / cosine(i)).min(0.999) as f32,
            })
            .collect()
    }

    /// How much of the picture's variance is left at each training timestep.
    pub(super) fn alphas_cumprod(&self) -> Vec<f32> {
        let product = |alphas: &mut dyn Iterator<Item = f32>| {
            let mut product = 1.0f64;
            alphas
                .map(|alpha| {
                    product *= f64::from(alpha);
                    product as f32
                })
                .collect::<Vec<f32>>()
        };
        let alphas = product(&mut self.betas().into_iter().map(|beta| 1.0 - beta));
        if !self.rescale_betas_zero_snr {
            return alphas;
        }
        // Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1.
        let roots: Vec<f32> = alphas.iter().map(|alpha| alpha.sqrt()).collect();
        let (first, last) = (roots[0], roots[roots.len() - 1]);
        let bars: Vec<f32> = roots.iter().map(|root| ((root - last) * (first / (first - last))).powi(2)).collect();
        let alphas = (0..bars.len()).map(|i| if i == 0 { bars[0] } else { bars[i] / bars[i - 1] });
        product(&mut alphas.map(|alpha| 1.0 - (1.0 - alpha)))
    }

    /// The noise levels (noise over picture) at the training timesteps, rising.
    pub(super) fn sigmas(&self) -> Vec<f32> {
        let mut alphas = self.alphas_cumprod();
        if let (true, Some(last)) = (self.rescale_betas_zero_snr, alphas.last_mut()) {
            // Nearly nothing instead of nothing, so that the level is finite.
            *last = 1.0 / 16_777_216.0;
        }
        alphas.into_iter().map(|alpha| ((1.0 - alpha) / alpha).sqrt()).collect()
    }

    /// The timesteps of a schedule of `steps` steps, from noise to picture.
    pub(super) fn timesteps(&self, spacing: Spacing, steps: usize) -> Vec<f64> {
        let count = self.num_train_timesteps as f64;
        let last = count - 1.0;
        let steps = steps.clamp(1, self.num_train_timesteps);
        let timestep = |i: usize| match spacing {
            Spacing::Linspace if steps == 1 => 0.0,
            Spacing::Linspace if i == 0 => last,
            Spacing::Linspace => (steps - 1 - i) as f64 * (last / (steps - 1) as f64),
            Spacing::Leading => ((self.num_train_timesteps / steps) * (steps - 1 - i) + self.steps_offset) as f64,
            Spacing::Trailing => trailing(count, count / steps as f64, i),
        };
        (0..steps).map(|i| timestep(i).clamp(0.0, last)).collect()
    }

    /// Training timesteps between two steps of a schedule.
    pub(super) fn stride(&self, steps: usize) -> usize {
        self.num_train_timesteps / steps.clamp(1, self.num_train_timesteps)
    }
}
