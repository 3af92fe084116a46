//! Euler steps over noise levels (diffusers' `EulerDiscreteScheduler`).

use std::path::Path;

use serde_json::{Value, json};

use super::betas::{Betas, Spacing};
use super::{Schedule, Step};
use crate::config::only_known;
use crate::error::LoadError;

/// Latents are the picture plus sigma times noise; the network sees them scaled to variance 1.
#[derive(Clone, Debug)]
pub struct Euler(Betas);

impl Euler {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<Euler, LoadError> {
        only_known(
            path,
            &value,
            &[
                ("use_karras_sigmas", json!(false)),
                ("use_exponential_sigmas", json!(false)),
                ("use_beta_sigmas", json!(false)),
                ("interpolation_type", json!("linear")),
                ("timestep_type", json!("discrete")),
                ("final_sigmas_type", json!("zero")),
                ("sigma_min", Value::Null),
                ("sigma_max", Value::Null),
            ],
        )?;
        Betas::from_json(path, value).map(Euler)
    }

    pub(super) fn schedule(&self, steps: usize) -> Schedule {
        let train: Vec<f64> =
            self.0.alphas_cumprod().iter().map(|alpha| f64::from(((1.0 - alpha) / alpha).sqrt())).collect();
        let spacing = self.0.timestep_spacing.unwrap_or(Spacing::Linspace);
        let timesteps = self.0.timesteps(spacing, steps);
        let sigma = |timestep: &f64| {
            let (below, part) = (timestep.floor() as usize, timestep.fract());
            train[below] + part * (train[(below + 1).min(train.len() - 1)] - train[below])
        };
        let sigmas: Vec<f64> = timesteps.iter().map(sigma).chain([0.0]).collect();
        let most = sigmas.iter().fold(0.0, |most: f64, sigma| most.max(*sigma));
        let initial = if spacing == Spacing::Leading { most.hypot(1.0) } else { most };
        let steps = timesteps
            .iter()
            .zip(sigmas.windows(2))
            .map(|(timestep, pair)| {
                let (sigma, next) = (pair[0], pair[1]);
                let input_scale = 1.0 / sigma.hypot(1.0);
                // For the scaled latents signal and noise are these; undo the scale on the latents.
                let (keep, push) = self.0.prediction_type.clean(input_scale, sigma * input_scale);
                let (clean_keep, clean_push) = (keep * input_scale, push);
                let along = (next - sigma) / sigma;
                Step {
                    timestep: *timestep as f32,
                    input_scale: input_scale as f32,
                    keep: (1.0 + (1.0 - clean_keep) * along) as f32,
                    push: (-clean_push * along) as f32,
                    clean_keep: clean_keep as f32,
                    clean_push: clean_push as f32,
                }
            })
            .collect();
        Schedule { initial_scale: initial as f32, steps }
    }
}
