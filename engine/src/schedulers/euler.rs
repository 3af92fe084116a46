//! Euler steps over noise levels (diffusers' `EulerDiscreteScheduler` and
//! `EulerAncestralDiscreteScheduler`; Karras et al., "Elucidating the Design Space of
//! Diffusion-Based Generative Models", algorithm 1).

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::betas::{Betas, Prediction, Spacing};
use super::sigmas::{Final, Ramp, sigma_at, timestep_of};
use super::step::{Schedule, Step};
use crate::config::only_known;
use crate::error::LoadError;

/// Latents are the picture plus sigma times noise; the network sees them scaled to variance 1.
#[derive(Clone, Debug)]
pub struct Euler {
    pub(super) betas: Betas,
    ramp: Ramp,
    settings: Settings,
    ancestral: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    final_sigmas_type: Final,
    sigma_min: Option<f64>,
    sigma_max: Option<f64>,
}

impl Euler {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<Euler, LoadError> {
        only_known(path, &value, &[("interpolation_type", json!("linear")), ("timestep_type", json!("discrete"))])?;
        let ramp = Ramp::from_json(path, &value)?;
        let settings: Settings =
            serde_json::from_value(value.clone()).map_err(|error| LoadError::config(path, error.to_string()))?;
        if [settings.sigma_min, settings.sigma_max].into_iter().flatten().any(|sigma| !(1e-6..1e6).contains(&sigma)) {
            return Err(LoadError::config(path, "`sigma_min` and `sigma_max` must be positive"));
        }
        Ok(Euler { betas: Betas::from_json(path, value)?, ramp, settings, ancestral: false })
    }

    /// The variant that puts fresh noise in at every step.
    pub(super) fn ancestral_from_json(path: &Path, value: Value) -> Result<Euler, LoadError> {
        let betas = Betas::from_json(path, value)?;
        if betas.prediction_type == Prediction::Sample {
            let reason = "`prediction_type` is \"sample\", and only \"epsilon\" and \"v_prediction\" are known here";
            return Err(LoadError::config(path, reason));
        }
        Ok(Euler { betas, ramp: Ramp::Timesteps, settings: Settings::default(), ancestral: true })
    }

    pub(super) fn schedule(&self, steps: usize) -> Schedule {
        let train = self.betas.sigmas();
        let spacing = self.betas.timestep_spacing.unwrap_or(Spacing::Linspace);
        let mut timesteps = self.betas.timesteps(spacing, steps);
        let mut sigmas: Vec<f64> = timesteps.iter().map(|timestep| sigma_at(*timestep, &train)).collect();
        let most = self.settings.sigma_max.unwrap_or(sigmas[0]);
        let least = self.settings.sigma_min.unwrap_or(sigmas[sigmas.len() - 1]);
        if let Some(levels) = self.ramp.levels(most, least, sigmas.len()) {
            timesteps = levels.iter().map(|sigma| timestep_of(*sigma, &train)).collect();
            sigmas = levels;
        }
        sigmas.push(match self.settings.final_sigmas_type {
            Final::Zero => 0.0,
            Final::SigmaMin => f64::from(train[0]),
        });
        let most = sigmas.iter().fold(0.0, |most: f64, sigma| most.max(*sigma));
        let initial = if spacing == Spacing::Leading { most.hypot(1.0) } else { most };
        let steps =
            timesteps.iter().zip(sigmas.windows(2)).map(|(timestep, pair)| self.step(*timestep, pair[0], pair[1]));
        Schedule { initial_scale: initial as f32, steps: steps.collect() }
    }

    fn step(&self, timestep: f64, sigma: f64, next: f64) -> Step {
        // Ancestral steps go further down, and up again with fresh noise.
        let up =
            if self.ancestral { (next.powi(2) * (sigma.powi(2) - next.powi(2))).max(0.0).sqrt() / sigma } else { 0.0 };
        let down = (next.powi(2) - up.powi(2)).max(0.0).sqrt();
        let input_scale = 1.0 / sigma.hypot(1.0);
        // For the scaled latents signal and noise are these; undo the scale on the latents.
        let (keep, push) = self.betas.prediction_type.clean(input_scale, sigma * input_scale);
        let (clean_keep, clean_push) = (keep * input_scale, push);
        let along = (down - sigma) / sigma;
        Step {
            timestep: timestep as f32,
            input_scale: input_scale as f32,
            keep: (1.0 + (1.0 - clean_keep) * along) as f32,
            push: (-clean_push * along) as f32,
            noise: up as f32,
            clean_keep: clean_keep as f32,
            clean_push: clean_push as f32,
            spread: sigma as f32,
            ..Step::default()
        }
    }
}
