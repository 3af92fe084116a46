//! Noise levels (sigma: noise over picture) that lie otherwise than the timesteps do.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::only_known;
use crate::error::LoadError;

/// How the noise levels of a schedule lie between its largest and its smallest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ramp {
    /// Where the timesteps put them.
    #[default]
    Timesteps,
    /// Evenly in the seventh root: Karras et al., "Elucidating the Design Space of Diffusion-Based
    /// Generative Models", equation 5.
    Karras,
    /// Evenly in the logarithm.
    Exponential,
}

/// Where a schedule ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Final {
    #[default]
    #[serde(rename = "zero")]
    Zero,
    /// The smallest noise level of the training.
    #[serde(rename = "sigma_min")]
    SigmaMin,
}

impl Ramp {
    /// Reads the switches that choose among these.
    pub(super) fn from_json(path: &Path, value: &Value) -> Result<Ramp, LoadError> {
        only_known(path, value, &[("use_beta_sigmas", json!(false))])?;
        let on = |field: &str| match value.get(field) {
            None | Some(Value::Null | Value::Bool(false)) => Ok(false),
            Some(Value::Bool(true)) => Ok(true),
            Some(other) => {
                Err(LoadError::config(path, format!("`{field}` is {other}, which is neither true nor false")))
            }
        };
        match (on("use_karras_sigmas")?, on("use_exponential_sigmas")?) {
            (false, false) => Ok(Ramp::Timesteps),
            (true, false) => Ok(Ramp::Karras),
            (false, true) => Ok(Ramp::Exponential),
            (true, true) => {
                Err(LoadError::config(path, "only one of `use_karras_sigmas` and `use_exponential_sigmas` can be on"))
            }
        }
    }

    /// `count` levels from `most` down to `least`, or none where the timesteps decide.
    pub(super) fn levels(self, most: f64, least: f64, count: usize) -> Option<Vec<f64>> {
        const RHO: f64 = 7.0;
        let between = |from: f64, to: f64, i: usize| match count {
            0 | 1 => from,
            _ if i + 1 == count => to,
            _ => from + (to - from) * (i as f64 / (count - 1) as f64),
        };
        let root = |sigma: f64| sigma.powf(1.0 / RHO);
        let level = |i: usize| match self {
            Ramp::Timesteps => None,
            Ramp::Karras => Some(between(root(most), root(least), i).powf(RHO)),
            Ramp::Exponential => Some(between(most.ln(), least.ln(), i).exp()),
        };
        (0..count).map(level).collect()
    }
}

/// The training timestep, with a fraction, at which the noise has this level. `train` are the
/// levels at the training timesteps, rising.
pub(super) fn timestep_of(sigma: f64, train: &[f32]) -> f64 {
    let log = |index: usize| f64::from(train.get(index).copied().unwrap_or(1.0).ln());
    let wanted = sigma.max(1e-10).ln();
    let reached = train.partition_point(|level| f64::from(level.ln()) <= wanted);
    let low = reached.saturating_sub(1).min(train.len().saturating_sub(2));
    let part = ((log(low) - wanted) / (log(low) - log(low + 1))).clamp(0.0, 1.0);
    (1.0 - part) * low as f64 + part * (low + 1) as f64
}

/// The noise level at a training timestep, with a fraction.
pub(super) fn sigma_at(timestep: f64, train: &[f32]) -> f64 {
    let last = train.len().saturating_sub(1);
    let timestep = timestep.clamp(0.0, last as f64);
    let level = |index: usize| f64::from(train.get(index.min(last)).copied().unwrap_or(0.0));
    let below = timestep.floor() as usize;
    level(below) + timestep.fract() * (level(below + 1) - level(below))
}
