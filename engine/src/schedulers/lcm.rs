//! Consistency steps: jump to the clean latents, then back up with fresh noise (diffusers'
//! `LCMScheduler`; Luo et al., "Latent Consistency Models", algorithm 3).

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::betas::{Betas, Spacing};
use super::ddim::check_clip;
use super::step::{LOOKBACK, Schedule, Step};
use crate::error::LoadError;

/// The deviation of the pictures' latents that the boundary conditions assume.
const DATA_DEVIATION: f64 = 0.5;

#[derive(Clone, Debug)]
pub struct Lcm {
    pub(super) betas: Betas,
    settings: Settings,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
struct Settings {
    original_inference_steps: usize,
    clip_sample: bool,
    clip_sample_range: f32,
    timestep_scaling: f64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { original_inference_steps: 50, clip_sample: false, clip_sample_range: 1.0, timestep_scaling: 10.0 }
    }
}

impl Lcm {
    pub(super) fn from_json(path: &Path, mut value: Value) -> Result<Lcm, LoadError> {
        let settings: Settings =
            serde_json::from_value(value.clone()).map_err(|error| LoadError::config(path, error.to_string()))?;
        check_clip(path, settings.clip_sample_range)?;
        // The defaults of this scheduler differ from those of the others.
        if let Some(fields) = value.as_object_mut() {
            for (field, default) in
                [("beta_start", json!(0.00085)), ("beta_end", json!(0.012)), ("beta_schedule", json!("scaled_linear"))]
            {
                fields.entry(field).or_insert(default);
            }
        }
        let betas = Betas::from_json(path, value)?;
        // Whatever the spacing says, these schedules begin at the last timestep.
        betas.check_last(path, Spacing::Trailing)?;
        if settings.original_inference_steps == 0 || settings.original_inference_steps > betas.num_train_timesteps {
            let reason = "`original_inference_steps` must lie between 1 and `num_train_timesteps`";
            return Err(LoadError::config(path, reason));
        }
        if !settings.timestep_scaling.is_finite() {
            return Err(LoadError::config(path, "`timestep_scaling` must be a number"));
        }
        Ok(Lcm { betas, settings })
    }

    pub(super) fn most_steps(&self) -> usize {
        self.settings.original_inference_steps
    }

    /// Every how-manyth of the timesteps the model was distilled at, from the last one down.
    fn timesteps(&self, steps: usize) -> Vec<usize> {
        let original = self.settings.original_inference_steps;
        let stride = self.betas.num_train_timesteps / original;
        let part = original as f64 / steps as f64;
        (0..steps).map(|i| (original - (i as f64 * part).floor() as usize) * stride - 1).collect()
    }

    pub(super) fn schedule(&self, steps: usize) -> Schedule {
        let alphas = self.betas.alphas_cumprod();
        let timesteps = self.timesteps(steps.clamp(1, self.most_steps()));
        let step = |i: usize| {
            let timestep = timesteps[i];
            let alpha = f64::from(alphas[timestep]);
            let (signal, noise) = (alpha.sqrt(), (1.0 - alpha).sqrt());
            let (clean_keep, clean_push) = self.betas.prediction_type.clean(signal, noise);
            let scaled = timestep as f64 * self.settings.timestep_scaling;
            let skip = DATA_DEVIATION.powi(2) / (scaled.powi(2) + DATA_DEVIATION.powi(2));
            let out = scaled / scaled.hypot(DATA_DEVIATION);
            // The last step stays where it has jumped to.
            let (back, fresh) = match timesteps.get(i + 1) {
                Some(next) => (f64::from(alphas[*next]).sqrt(), (1.0 - f64::from(alphas[*next])).sqrt()),
                None => (1.0, 0.0),
            };
            let mut values = [0.0; LOOKBACK + 1];
            values[0] = (back * out) as f32;
            Step {
                timestep: timestep as f32,
                keep: (back * skip) as f32,
                values,
                noise: fresh as f32,
                clean_keep: clean_keep as f32,
                clean_push: clean_push as f32,
                clip: self.settings.clip_sample.then_some(self.settings.clip_sample_range),
                signal: signal as f32,
                spread: noise as f32,
                ..Step::default()
            }
        };
        Schedule { initial_scale: 1.0, steps: (0..timesteps.len()).map(step).collect() }
    }
}
