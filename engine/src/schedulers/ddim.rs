//! Deterministic steps between training timesteps (diffusers' `DDIMScheduler` with eta 0).

use std::path::Path;

use serde_json::{Value, json};

use super::betas::{Betas, Spacing};
use super::{Schedule, Step};
use crate::config::only_known;
use crate::error::LoadError;

#[derive(Clone, Debug)]
pub struct Ddim {
    betas: Betas,
    /// Whether the last step ends at a picture without any noise.
    to_one: bool,
}

impl Ddim {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<Ddim, LoadError> {
        only_known(path, &value, &[("clip_sample", json!(false))])?;
        if value.get("clip_sample").is_none() {
            return Err(LoadError::config(path, "`clip_sample` is true when absent, and only false is known here"));
        }
        let to_one = value.get("set_alpha_to_one").and_then(Value::as_bool).unwrap_or(true);
        Ok(Ddim { betas: Betas::from_json(path, value)?, to_one })
    }

    pub(super) fn schedule(&self, steps: usize) -> Schedule {
        let alphas = self.betas.alphas_cumprod();
        let last = if self.to_one { 1.0 } else { alphas[0] };
        let stride = self.betas.stride(steps);
        let spacing = self.betas.timestep_spacing.unwrap_or(Spacing::Leading);
        let steps = self
            .betas
            .timesteps(spacing, steps)
            .into_iter()
            .map(|timestep| {
                let timestep = timestep.round_ties_even() as usize;
                let alpha = f64::from(alphas[timestep]);
                let next = f64::from(timestep.checked_sub(stride).map_or(last, |next| alphas[next]));
                let (signal, noise) = (alpha.sqrt(), (1.0 - alpha).sqrt());
                let (clean_keep, clean_push) = self.betas.prediction_type.clean(signal, noise);
                // The noise is what is left of the latents, and the next latents mix both anew.
                let (rest_keep, rest_push) = ((1.0 - signal * clean_keep) / noise, -signal * clean_push / noise);
                let mix = |clean: f64, rest: f64| (next.sqrt() * clean + (1.0 - next).sqrt() * rest) as f32;
                Step {
                    timestep: timestep as f32,
                    input_scale: 1.0,
                    keep: mix(clean_keep, rest_keep),
                    push: mix(clean_push, rest_push),
                    clean_keep: clean_keep as f32,
                    clean_push: clean_push as f32,
                }
            })
            .collect();
        Schedule { initial_scale: 1.0, steps }
    }
}
