//! Multistep steps over predicted clean latents (diffusers' `DPMSolverMultistepScheduler`; Lu et
//! al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models", algorithm 2).

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::multistep::{Multistep, Point, Rounding};
use super::sigmas::Final;
use super::step::{LOOKBACK, Remembers, Schedule, Step};
use crate::error::LoadError;

#[derive(Clone, Debug)]
pub struct DpmSolver {
    pub(super) noise: Multistep,
    settings: Settings,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Algorithm {
    #[default]
    #[serde(rename = "dpmsolver++", alias = "deis")]
    Ode,
    /// The same with fresh noise at every step.
    #[serde(rename = "sde-dpmsolver++")]
    Sde,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Solver {
    #[default]
    #[serde(rename = "midpoint", alias = "logrho", alias = "bh1", alias = "bh2")]
    Midpoint,
    #[serde(rename = "heun")]
    Heun,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    algorithm_type: Algorithm,
    solver_type: Solver,
    euler_at_final: bool,
}

impl DpmSolver {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<DpmSolver, LoadError> {
        let settings: Settings =
            serde_json::from_value(value.clone()).map_err(|error| LoadError::config(path, error.to_string()))?;
        Ok(DpmSolver { noise: Multistep::from_json(path, value)?, settings })
    }

    /// Without its first `begin` steps.
    pub(super) fn schedule(&self, steps: usize, begin: usize) -> Schedule {
        self.noise.schedule(steps, begin, Rounding::DpmSolver, |points, index, taken| self.step(points, index, taken))
    }

    /// How many predictions a step looks at: few at both ends of a schedule.
    fn order(&self, index: usize, count: usize, taken: usize) -> usize {
        let settings = &self.noise.settings;
        let short = settings.lower_order_final && count < 15;
        let ends = self.settings.euler_at_final || short || settings.final_sigmas_type == Final::Zero;
        let left = count - index;
        let most = match left {
            1 if ends => 1,
            2 if short => 2,
            _ => 3,
        };
        settings.solver_order.min(taken + 1).min(most)
    }

    /// The step from a point to the next, after so many steps.
    fn step(&self, points: &[Point], index: usize, taken: usize) -> Step {
        let (from, to) = (points[index], points[index + 1]);
        let h = to.lambda - from.lambda;
        let sde = self.settings.algorithm_type == Algorithm::Sde;
        // The equation with noise is the one without, at twice the distance.
        let (x, damping) = if sde { (2.0 * h, (-h).exp()) } else { (h, 1.0) };
        let decay = (-x).exp();
        let order = self.order(index, points.len() - 1, taken);
        // Weights of the value, its first and its second difference.
        let weights = match (order, self.settings.solver_type) {
            (1, _) => [1.0 - decay, 0.0, 0.0],
            (2, Solver::Midpoint) => [1.0 - decay, 0.5 * (1.0 - decay), 0.0],
            (2, Solver::Heun) => [1.0 - decay, (decay - 1.0) / x + 1.0, 0.0],
            _ => {
                let second =
                    if sde { (1.0 - decay - x) / x.powi(2) - 0.5 } else { -((decay - 1.0 + x) / x.powi(2) - 0.5) };
                [1.0 - decay, (decay - 1.0) / x + 1.0, second]
            }
        };
        let back = |steps: usize| (points[index + 1 - steps].lambda - points[index - steps].lambda) / h;
        let mut values = [0.0; LOOKBACK + 1];
        for (factor, difference) in weights.into_iter().zip(differences(order, back)) {
            for (value, part) in values.iter_mut().zip(difference) {
                *value += (to.alpha * factor * part) as f32;
            }
        }
        let (clean_keep, clean_push) = self.noise.betas.prediction_type.clean(from.alpha, from.sigma);
        Step {
            timestep: from.timestep as f32,
            keep: (to.sigma / from.sigma * damping) as f32,
            values,
            noise: if sde { (to.sigma * (1.0 - decay).max(0.0).sqrt()) as f32 } else { 0.0 },
            clean_keep: clean_keep as f32,
            clean_push: clean_push as f32,
            remembers: Remembers::Clean,
            signal: from.alpha as f32,
            spread: from.sigma as f32,
            ..Step::default()
        }
    }
}

/// The newest value, its first and its second difference, each as factors of the last three
/// values. `back(i)` is the length of the `i`th step before this one, in lengths of this one.
fn differences(order: usize, back: impl Fn(usize) -> f64) -> [[f64; 3]; 3] {
    let newest = [1.0, 0.0, 0.0];
    match order {
        1 => [newest, [0.0; 3], [0.0; 3]],
        2 => [newest, [1.0 / back(1), -1.0 / back(1), 0.0], [0.0; 3]],
        _ => {
            let (near, far) = (back(1), back(2));
            let first = [1.0 / near, -1.0 / near, 0.0];
            let before = [0.0, 1.0 / far, -1.0 / far];
            let bend: [f64; 3] = std::array::from_fn(|i| (first[i] - before[i]) / (near + far));
            [newest, std::array::from_fn(|i| first[i] + near * bend[i]), bend]
        }
    }
}
