//! Linear multistep over the network's outputs (diffusers' `PNDMScheduler` without Runge-Kutta
//! steps; Liu et al., "Pseudo Numerical Methods for Diffusion Models on Manifolds", equations 9 to 13).
//!
//! The second timestep is visited twice, so a schedule has one step more than was asked for.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::betas::{Betas, Prediction, Spacing};
use super::step::{Correction, LOOKBACK, Remembers, Schedule, Step};
use crate::config::only_known;
use crate::error::LoadError;

#[derive(Clone, Debug)]
pub struct Pndm {
    pub(super) betas: Betas,
    settings: Settings,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    /// Whether the last step ends at a picture without any noise.
    set_alpha_to_one: bool,
}

impl Pndm {
    pub(super) fn from_json(path: &Path, mut value: Value) -> Result<Pndm, LoadError> {
        let settings: Settings =
            serde_json::from_value(value.clone()).map_err(|error| LoadError::config(path, error.to_string()))?;
        if value.get("skip_prk_steps").is_none_or(Value::is_null) {
            return Err(LoadError::config(path, "`skip_prk_steps` is false when absent, and only true is known here"));
        }
        only_known(path, &value, &[("skip_prk_steps", json!(true))])?;
        // Not a setting of this scheduler; it may lie around from another one.
        value.as_object_mut().map(|fields| fields.remove("rescale_betas_zero_snr"));
        let betas = Betas::from_json(path, value)?;
        if betas.prediction_type == Prediction::Sample {
            let reason = "`prediction_type` is \"sample\", and only \"epsilon\" and \"v_prediction\" are known here";
            return Err(LoadError::config(path, reason));
        }
        Ok(Pndm { betas, settings })
    }

    /// Without its first `begin` steps.
    pub(super) fn schedule(&self, steps: usize, begin: usize) -> Schedule {
        let alphas = self.betas.alphas_cumprod();
        let last = if self.settings.set_alpha_to_one { 1.0 } else { alphas[0] };
        let spacing = self.betas.timestep_spacing.unwrap_or(Spacing::Leading);
        let stride = self.betas.stride(steps);
        let mut visited: Vec<usize> =
            self.betas.timesteps(spacing, steps).iter().map(|timestep| timestep.round_ties_even() as usize).collect();
        if let Some(second) = visited.get(1).copied() {
            visited.insert(1, second);
        }
        visited.drain(..begin.min(visited.len()));
        let alpha_at = |timestep: usize| f64::from(alphas[timestep.min(alphas.len() - 1)]);
        let step = |(index, timestep): (usize, &usize)| {
            // After the first step it is taken anew, with what was learned at its end.
            let repeated = index == 1;
            let (from, to) =
                if repeated { (timestep + stride, Some(*timestep)) } else { (*timestep, timestep.checked_sub(stride)) };
            let (alpha, next) = (alpha_at(from), to.map_or(f64::from(last), alpha_at));
            let keep = (next / alpha).sqrt();
            let push = -(next - alpha) / (alpha * (1.0 - next).sqrt() + (alpha * (1.0 - alpha) * next).sqrt());
            let (from_start, from_output) = match self.betas.prediction_type {
                Prediction::Velocity => ((1.0 - alpha).sqrt(), alpha.sqrt()),
                Prediction::Epsilon | Prediction::Sample => (0.0, 1.0),
            };
            let outputs = match index {
                0 => [1.0, 0.0, 0.0, 0.0],
                1 => [1.0 / 2.0, 1.0 / 2.0, 0.0, 0.0],
                2 => [3.0 / 2.0, -1.0 / 2.0, 0.0, 0.0],
                3 => [23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0, 0.0],
                _ => [55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
            };
            let outputs = outputs.map(|factor: f64| (push * from_output * factor) as f32);
            let seen = alpha_at(*timestep);
            let (signal, noise) = (seen.sqrt(), (1.0 - seen).sqrt());
            let (clean_keep, clean_push) = self.betas.prediction_type.clean(signal, noise);
            let again = Correction { previous: 1.0, values: [0.0; LOOKBACK + 1] };
            Step {
                timestep: *timestep as f32,
                keep: (keep + push * from_start) as f32,
                push: if repeated { outputs[0] } else { 0.0 },
                values: if repeated { [0.0, outputs[1], 0.0, 0.0] } else { outputs },
                correction: repeated.then_some(again),
                // What the repetition says is used once and forgotten.
                remembers: if repeated { Remembers::Nothing } else { Remembers::Output },
                clean_keep: clean_keep as f32,
                clean_push: clean_push as f32,
                signal: signal as f32,
                spread: noise as f32,
                ..Step::default()
            }
        };
        Schedule { initial_scale: 1.0, steps: visited.iter().enumerate().map(step).collect() }
    }
}
