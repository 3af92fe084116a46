//! Schedulers: which timesteps a picture passes through, and what a step does.
//!
//! Every scheduler here is linear in the latents and the network's output, so a whole schedule is a
//! list of numbers per step. That is what lets sessions at different places of different schedules
//! share one forward pass.

mod betas;
mod ddim;
mod euler;
mod flow_match_euler;

use std::path::Path;

use serde_json::Value;

use crate::config::read_json;
use crate::error::LoadError;

use self::ddim::Ddim;
use self::euler::Euler;
use self::flow_match_euler::FlowMatchEuler;

/// One step: what the network is shown, and what becomes of the latents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// What the network is told about the noise.
    pub timestep: f32,
    /// The network sees the latents times this.
    pub input_scale: f32,
    /// The latents after the step are `keep * latents + push * output`.
    pub keep: f32,
    pub push: f32,
    /// The predicted clean latents are `clean_keep * latents + clean_push * output`.
    pub clean_keep: f32,
    pub clean_push: f32,
}

/// All steps of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Standard normal noise times this is where a picture begins.
    pub initial_scale: f32,
    pub steps: Vec<Step>,
}

/// A scheduler as `scheduler_config.json` describes it.
#[derive(Clone, Debug)]
pub enum Scheduler {
    FlowMatchEuler(FlowMatchEuler),
    Euler(Euler),
    Ddim(Ddim),
}

/// The scheduler classes this engine knows.
pub(crate) const KNOWN: [&str; 3] = ["FlowMatchEulerDiscreteScheduler", "EulerDiscreteScheduler", "DDIMScheduler"];

impl Scheduler {
    /// Reads `scheduler_config.json`.
    ///
    /// # Errors
    /// `MissingFile`, `UnknownClass`, or `BadConfig` naming a setting that is not known.
    pub fn read(path: &Path) -> Result<Scheduler, LoadError> {
        let value: Value = read_json(path)?;
        match value.get("_class_name").and_then(Value::as_str) {
            Some("FlowMatchEulerDiscreteScheduler") => {
                FlowMatchEuler::from_json(path, value).map(Scheduler::FlowMatchEuler)
            }
            Some("EulerDiscreteScheduler") => Euler::from_json(path, value).map(Scheduler::Euler),
            Some("DDIMScheduler") => Ddim::from_json(path, value).map(Scheduler::Ddim),
            Some(found) => {
                Err(LoadError::UnknownClass { found: found.to_owned(), known: KNOWN.map(str::to_owned).to_vec() })
            }
            None => Err(LoadError::config(path, "`_class_name` is missing")),
        }
    }

    /// The schedule of a picture made in `steps` steps, at least one.
    pub fn schedule(&self, steps: usize) -> Schedule {
        match self {
            Scheduler::FlowMatchEuler(scheduler) => scheduler.schedule(steps),
            Scheduler::Euler(scheduler) => scheduler.schedule(steps),
            Scheduler::Ddim(scheduler) => scheduler.schedule(steps),
        }
    }
}
