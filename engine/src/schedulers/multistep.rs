//! What the multistep solvers share: where their schedules touch the training noise.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::betas::{Betas, Curve, Spacing, trailing};
use super::sigmas::{Final, Ramp, sigma_at, timestep_of};
use super::step::{Schedule, Step};
use crate::config::only_known;
use crate::error::LoadError;

/// The noise settings of a multistep scheduler. Latents are of variance 1 at every noise level.
#[derive(Clone, Debug)]
pub(super) struct Multistep {
    pub(super) betas: Betas,
    ramp: Ramp,
    pub(super) settings: Settings,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) solver_order: usize,
    pub(super) lower_order_final: bool,
    pub(super) final_sigmas_type: Final,
    /// Timesteps whose log signal to noise ratio lies below this are left out.
    lambda_min_clipped: Option<f64>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { solver_order: 2, lower_order_final: true, final_sigmas_type: Final::Zero, lambda_min_clipped: None }
    }
}

/// Where a schedule meets the noise: a step leads from one point to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) timestep: f64,
    /// Noise over picture; 0 at the end of a schedule.
    pub(super) level: f64,
    /// Shares of picture and noise in the latents; their squares add up to 1.
    pub(super) alpha: f64,
    pub(super) sigma: f64,
    /// The logarithm of alpha over sigma; infinite where there is no noise.
    pub(super) lambda: f64,
}

impl Point {
    fn new(timestep: f64, level: f64) -> Point {
        // These were stored in single precision.
        let level = f64::from(level as f32);
        let alpha = 1.0 / level.hypot(1.0);
        Point { timestep, level, alpha, sigma: level * alpha, lambda: -level.ln() }
    }
}

/// Which of its two users a schedule is for: they round their timesteps differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    DpmSolver,
    UniPc,
}

impl Multistep {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<Multistep, LoadError> {
        only_known(
            path,
            &value,
            &[
                ("use_flow_sigmas", json!(false)),
                ("use_dynamic_shifting", json!(false)),
                ("use_lu_lambdas", json!(false)),
                ("variance_type", Value::Null),
                ("sigma_min", Value::Null),
                ("sigma_max", Value::Null),
                ("shift_terminal", Value::Null),
            ],
        )?;
        let ramp = Ramp::from_json(path, &value)?;
        let settings: Settings =
            serde_json::from_value(value.clone()).map_err(|error| LoadError::config(path, error.to_string()))?;
        if !(1..=3).contains(&settings.solver_order) {
            let reason = format!("`solver_order` is {}, and only 1, 2 and 3 are known here", settings.solver_order);
            return Err(LoadError::config(path, reason));
        }
        Ok(Multistep { betas: Betas::from_json(path, value)?, ramp, settings })
    }

    /// A schedule of `steps` steps without its first `begin`. `step` makes the one that leads from a point, by its place
    /// among them and the number of steps taken before it.
    pub(super) fn schedule(
        &self,
        steps: usize,
        begin: usize,
        rounding: Rounding,
        step: impl Fn(&[Point], usize, usize) -> Step,
    ) -> Schedule {
        let points = self.points(steps, rounding);
        let steps = (begin..points.len() - 1).map(|index| step(&points, index, index - begin)).collect();
        Schedule { initial_scale: 1.0, steps }
    }

    /// The points of a schedule of `steps` steps, and the one it ends at: `steps + 1` of them.
    fn points(&self, steps: usize, rounding: Rounding) -> Vec<Point> {
        let train = self.betas.sigmas();
        let count = steps.clamp(1, self.betas.num_train_timesteps);
        let levels = self.ramp.levels(f64::from(train[train.len() - 1]), f64::from(train[0]), count);
        let pairs: Vec<(f64, f64)> = match levels {
            Some(levels) => levels.into_iter().map(|level| (self.round(level, &train, rounding), level)).collect(),
            None => self
                .timesteps(count, &train)
                .into_iter()
                .map(|timestep| (timestep, sigma_at(timestep, &train)))
                .collect(),
        };
        let end = match (self.settings.final_sigmas_type, self.ramp, rounding) {
            (Final::Zero, ..) => 0.0,
            // There the last step leads nowhere; it is how diffusers does it.
            (Final::SigmaMin, Ramp::Karras | Ramp::Exponential, Rounding::UniPc) => {
                pairs.last().map_or(0.0, |(_, level)| *level)
            }
            (Final::SigmaMin, ..) => f64::from(train[0]),
        };
        pairs.into_iter().chain([(0.0, end)]).map(|(timestep, level)| Point::new(timestep, level)).collect()
    }

    /// The whole timestep the network is told for a noise level between the trained ones.
    fn round(&self, level: f64, train: &[f32], rounding: Rounding) -> f64 {
        let timestep = timestep_of(level, train);
        let nearest = match (self.ramp, rounding) {
            (Ramp::Karras, Rounding::UniPc) => true,
            (Ramp::Karras, Rounding::DpmSolver) => !matches!(self.betas.beta_schedule, Curve::SquaredCosine),
            _ => false,
        };
        if nearest { timestep.round_ties_even() } else { timestep.floor() }
    }

    /// As many timesteps as there are steps; the one a further step would have is the end.
    fn timesteps(&self, steps: usize, train: &[f32]) -> Vec<f64> {
        let least = self.settings.lambda_min_clipped.unwrap_or(f64::NEG_INFINITY);
        let clipped = train.iter().filter(|level| -f64::from(**level).ln() < least).count();
        let count = (self.betas.num_train_timesteps - clipped).max(1);
        match self.betas.timestep_spacing.unwrap_or(Spacing::Linspace) {
            Spacing::Linspace => {
                let part = (count - 1) as f64 / steps as f64;
                (1..=steps).rev().map(|i| (i as f64 * part).round_ties_even()).collect()
            }
            Spacing::Leading => {
                let stride = count / (steps + 1);
                (1..=steps).rev().map(|i| (i * stride + self.betas.steps_offset) as f64).collect()
            }
            Spacing::Trailing => {
                let part = self.betas.num_train_timesteps as f64 / steps as f64;
                let timestep = |i: usize| trailing(count as f64, part, i);
                (0..steps).map(timestep).take_while(|timestep| *timestep >= 0.0).collect()
            }
        }
    }
}
