//! Deterministic steps between training timesteps (diffusers' `DDIMScheduler` with eta 0; Song et
//! al., "Denoising Diffusion Implicit Models", equation 12).

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::betas::{Betas, Spacing};
use super::step::{LOOKBACK, Schedule, Step};
use crate::error::LoadError;

#[derive(Clone, Debug)]
pub struct Ddim {
    pub(super) betas: Betas,
    settings: Settings,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
struct Settings {
    clip_sample: bool,
    clip_sample_range: f32,
    /// Whether the last step ends at a picture without any noise.
    set_alpha_to_one: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { clip_sample: true, clip_sample_range: 1.0, set_alpha_to_one: true }
    }
}

impl Ddim {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<Ddim, LoadError> {
        let settings: Settings =
            serde_json::from_value(value.clone()).map_err(|error| LoadError::config(path, error.to_string()))?;
        check_clip(path, settings.clip_sample_range)?;
        let betas = Betas::from_json(path, value)?;
        betas.check_last(path, betas.timestep_spacing.unwrap_or(Spacing::Leading))?;
        Ok(Ddim { betas, settings })
    }

    pub(super) fn schedule(&self, steps: usize) -> Schedule {
        let alphas = self.betas.alphas_cumprod();
        let last = if self.settings.set_alpha_to_one { 1.0 } else { alphas[0] };
        let stride = self.betas.stride(steps);
        let spacing = self.betas.timestep_spacing.unwrap_or(Spacing::Leading);
        let clip = self.settings.clip_sample.then_some(self.settings.clip_sample_range);
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
                // Clean latents that are cut off are no longer linear in latents and output.
                let (straight, cut) = if clip.is_some() { (0.0, next.sqrt()) } else { (next.sqrt(), 0.0) };
                let mix = |clean: f64, rest: f64| (straight * clean + (1.0 - next).sqrt() * rest) as f32;
                let mut values = [0.0; LOOKBACK + 1];
                values[0] = cut as f32;
                Step {
                    timestep: timestep as f32,
                    keep: mix(clean_keep, rest_keep),
                    push: mix(clean_push, rest_push),
                    values,
                    clean_keep: clean_keep as f32,
                    clean_push: clean_push as f32,
                    clip,
                    signal: signal as f32,
                    spread: noise as f32,
                    ..Step::default()
                }
            })
            .collect();
        Schedule { initial_scale: 1.0, steps }
    }
}

/// Refuses a bound that nothing can lie within.
pub(super) fn check_clip(path: &Path, range: f32) -> Result<(), LoadError> {
    if range.is_finite() && range > 0.0 {
        return Ok(());
    }
    Err(LoadError::config(path, "`clip_sample_range` must be positive"))
}
