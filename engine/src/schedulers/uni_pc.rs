//! Predictor and corrector over predicted clean latents (diffusers' `UniPCMultistepScheduler`;
//! Zhao et al., "UniPC: A Unified Predictor-Corrector Framework", algorithms 5 to 8).

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::multistep::{Multistep, Point, Rounding};
use super::step::{Correction, LOOKBACK, Remembers, Schedule, Step};
use crate::config::only_known;
use crate::error::LoadError;

#[derive(Clone, Debug)]
pub struct UniPc {
    pub(super) noise: Multistep,
    settings: Settings,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Solver {
    #[serde(rename = "bh1")]
    Bh1,
    #[default]
    #[serde(rename = "bh2", alias = "midpoint", alias = "heun", alias = "logrho")]
    Bh2,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    solver_type: Solver,
    /// Steps after which the latents are not corrected.
    disable_corrector: Vec<usize>,
}

/// The coefficients of one step's integral, for its length in log signal to noise ratio.
struct Integral {
    /// e⁻ʰ - 1.
    first: f64,
    /// B(h) of the paper.
    scale: f64,
    /// The right-hand sides, by order.
    sides: [f64; 3],
}

impl UniPc {
    pub(super) fn from_json(path: &Path, value: Value) -> Result<UniPc, LoadError> {
        only_known(path, &value, &[("predict_x0", json!(true)), ("solver_p", Value::Null)])?;
        let settings: Settings =
            serde_json::from_value(value.clone()).map_err(|error| LoadError::config(path, error.to_string()))?;
        Ok(UniPc { noise: Multistep::from_json(path, value)?, settings })
    }

    /// Without its first `begin` steps.
    pub(super) fn schedule(&self, steps: usize, begin: usize) -> Schedule {
        self.noise.schedule(steps, begin, Rounding::UniPc, |points, index, taken| self.step(points, index, taken))
    }

    fn order(&self, points: &[Point], index: usize, taken: usize) -> usize {
        let settings = &self.noise.settings;
        // Where no noise is left there is nothing to extrapolate over.
        let ends = settings.lower_order_final || points[index + 1].level == 0.0;
        let most = if ends { points.len() - 1 - index } else { settings.solver_order };
        settings.solver_order.min(most).min(taken + 1)
    }

    /// The step from a point to the next, after so many steps.
    fn step(&self, points: &[Point], index: usize, taken: usize) -> Step {
        let (from, to) = (points[index], points[index + 1]);
        let (clean_keep, clean_push) = self.noise.betas.prediction_type.clean(from.alpha, from.sigma);
        let corrected = taken > 0 && !self.settings.disable_corrector.contains(&(index - 1));
        Step {
            timestep: from.timestep as f32,
            keep: (to.sigma / from.sigma) as f32,
            values: self.predictor(points, index, self.order(points, index, taken)),
            correction: corrected.then(|| self.corrector(points, index, self.order(points, index - 1, taken - 1))),
            clean_keep: clean_keep as f32,
            clean_push: clean_push as f32,
            remembers: Remembers::Clean,
            signal: from.alpha as f32,
            spread: from.sigma as f32,
            ..Step::default()
        }
    }

    /// Factors of the last values, newest first, in the latents a step leads to.
    fn predictor(&self, points: &[Point], index: usize, order: usize) -> [f32; LOOKBACK + 1] {
        let (from, to) = (points[index], points[index + 1]);
        let integral = self.integral(to.lambda - from.lambda);
        let ratios = ratios(points, index, order);
        let shares = match order {
            1 => vec![],
            2 => vec![0.5],
            _ => solve(&ratios, &integral.sides),
        };
        let mut values = [0.0; LOOKBACK + 1];
        values[0] = -to.alpha * integral.first;
        for (i, (share, ratio)) in shares.iter().zip(&ratios).enumerate() {
            let factor = -to.alpha * integral.scale * share / ratio;
            values[i + 1] += factor;
            values[0] -= factor;
        }
        values.map(|value| value as f32)
    }

    /// The step that led to point `index`, taken anew with what is known at its end.
    fn corrector(&self, points: &[Point], index: usize, order: usize) -> Correction {
        let (from, to) = (points[index - 1], points[index]);
        let integral = self.integral(to.lambda - from.lambda);
        let mut ratios = ratios(points, index - 1, order);
        ratios.push(1.0);
        let shares = if order == 1 { vec![0.5] } else { solve(&ratios, &integral.sides) };
        // This step's value is the newest; the one the step began with is the next.
        let mut values = [0.0; LOOKBACK + 1];
        values[1] = -to.alpha * integral.first;
        for (i, (share, ratio)) in shares.iter().zip(&ratios).enumerate() {
            let factor = -to.alpha * integral.scale * share / ratio;
            values[if i + 1 == shares.len() { 0 } else { i + 2 }] += factor;
            values[1] -= factor;
        }
        Correction { previous: (to.sigma / from.sigma) as f32, values: values.map(|value| value as f32) }
    }

    fn integral(&self, h: f64) -> Integral {
        let x = -h;
        let first = x.exp_m1();
        let scale = match self.settings.solver_type {
            Solver::Bh1 => x,
            Solver::Bh2 => first,
        };
        let mut phi = first / x - 1.0;
        let mut factorial = 1.0;
        let sides = std::array::from_fn(|i| {
            let side = phi * factorial / scale;
            factorial *= (i + 2) as f64;
            phi = phi / x - 1.0 / factorial;
            side
        });
        Integral { first, scale, sides }
    }
}

/// How far back the values before `index` lie, in lengths of the step from there: negative.
fn ratios(points: &[Point], index: usize, order: usize) -> Vec<f64> {
    let (from, to) = (points[index], points[index + 1]);
    (1..order).map(|i| (points[index - i].lambda - from.lambda) / (to.lambda - from.lambda)).collect()
}

/// Solves `Σ shares[k] * ratios[k]^i = sides[i]` by elimination with pivots. At most three unknowns.
fn solve(ratios: &[f64], sides: &[f64; 3]) -> Vec<f64> {
    let size = ratios.len().min(sides.len());
    let mut rows: Vec<Vec<f64>> = (0..size)
        .map(|i| ratios.iter().take(size).map(|ratio| ratio.powi(i as i32)).chain([sides[i]]).collect())
        .collect();
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        rows.swap(column, pivot.unwrap_or(column));
        let base = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = row[column] / base[column];
            row.iter_mut().zip(&base).for_each(|(value, base)| *value -= factor * base);
        }
    }
    (0..size).map(|i| rows[i][size] / rows[i][i]).collect()
}
