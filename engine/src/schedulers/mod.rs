//! Schedulers: which timesteps a picture passes through, and what a step does.
//!
//! Every scheduler here is linear in the latents, the network's output, what earlier steps remember
//! and fresh noise, so a whole schedule is a list of numbers per step. That is what lets sessions
//! at different places of different schedules share one forward pass.

mod betas;
mod ddim;
mod dpm_solver;
mod euler;
mod flow_match_euler;
mod kept;
mod lcm;
mod multistep;
mod pndm;
mod sigmas;
mod step;
mod trajectory;
mod uni_pc;

use std::path::Path;

use serde_json::Value;

use crate::config::read_json;
use crate::error::{EngineError, LoadError};

use self::ddim::Ddim;
use self::dpm_solver::DpmSolver;
use self::euler::Euler;
use self::flow_match_euler::FlowMatchEuler;
pub(crate) use self::kept::Kept;
use self::lcm::Lcm;
use self::pndm::Pndm;
pub use self::step::{Correction, LOOKBACK, Remembers, Schedule, Step};
pub use self::trajectory::Trajectory;
use self::uni_pc::UniPc;

/// A scheduler as `scheduler_config.json` describes it.
#[derive(Clone, Debug)]
pub enum Scheduler {
    FlowMatchEuler(FlowMatchEuler),
    /// Also the ancestral variant.
    Euler(Euler),
    Ddim(Ddim),
    DpmSolver(DpmSolver),
    UniPc(UniPc),
    Lcm(Lcm),
    Pndm(Pndm),
}

/// The scheduler classes this engine knows.
pub(crate) const KNOWN: [&str; 8] = [
    "FlowMatchEulerDiscreteScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DDIMScheduler",
    "DPMSolverMultistepScheduler",
    "UniPCMultistepScheduler",
    "LCMScheduler",
    "PNDMScheduler",
];

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
            Some("EulerAncestralDiscreteScheduler") => Euler::ancestral_from_json(path, value).map(Scheduler::Euler),
            Some("DDIMScheduler") => Ddim::from_json(path, value).map(Scheduler::Ddim),
            Some("DPMSolverMultistepScheduler") => DpmSolver::from_json(path, value).map(Scheduler::DpmSolver),
            Some("UniPCMultistepScheduler") => UniPc::from_json(path, value).map(Scheduler::UniPc),
            Some("LCMScheduler") => Lcm::from_json(path, value).map(Scheduler::Lcm),
            Some("PNDMScheduler") => Pndm::from_json(path, value).map(Scheduler::Pndm),
            Some(found) => {
                Err(LoadError::UnknownClass { found: found.to_owned(), known: KNOWN.map(str::to_owned).to_vec() })
            }
            None => Err(LoadError::config(path, "`_class_name` is missing")),
        }
    }

    /// The schedule of a picture made in `steps` steps.
    ///
    /// # Errors
    /// [`EngineError::OutOfRange`] when there are none, or more than there are training timesteps
    /// for them.
    pub fn schedule(&self, steps: usize) -> Result<Schedule, EngineError> {
        self.schedule_from(steps, 0)
    }

    /// What is left of that schedule without its first `begin` steps. A multistep scheduler begins
    /// anew there: it knows nothing of the steps that are left out.
    ///
    /// # Errors
    /// Those of [`Scheduler::schedule`], and when nothing is left.
    pub fn schedule_from(&self, steps: usize, begin: usize) -> Result<Schedule, EngineError> {
        let most = self.most_steps();
        if !(1..=most).contains(&steps) {
            return Err(EngineError::range(format!("this scheduler makes 1 to {most} steps, not {steps}")));
        }
        if begin >= steps {
            return Err(EngineError::range(format!("of {steps} steps none is left after the first {begin}")));
        }
        let mut schedule = match self {
            Scheduler::FlowMatchEuler(scheduler) => scheduler.schedule(steps),
            Scheduler::Euler(scheduler) => scheduler.schedule(steps),
            Scheduler::Ddim(scheduler) => scheduler.schedule(steps),
            Scheduler::Lcm(scheduler) => scheduler.schedule(steps),
            Scheduler::DpmSolver(scheduler) => return Ok(scheduler.schedule(steps, begin)),
            Scheduler::UniPc(scheduler) => return Ok(scheduler.schedule(steps, begin)),
            Scheduler::Pndm(scheduler) => return Ok(scheduler.schedule(steps, begin)),
        };
        schedule.steps.drain(..begin.min(schedule.steps.len()));
        Ok(schedule)
    }

    fn most_steps(&self) -> usize {
        match self {
            Scheduler::FlowMatchEuler(_) => 1000,
            Scheduler::Euler(scheduler) => scheduler.betas.num_train_timesteps,
            Scheduler::Ddim(scheduler) => scheduler.betas.num_train_timesteps,
            Scheduler::DpmSolver(scheduler) => scheduler.noise.betas.num_train_timesteps,
            Scheduler::UniPc(scheduler) => scheduler.noise.betas.num_train_timesteps,
            Scheduler::Lcm(scheduler) => scheduler.most_steps(),
            Scheduler::Pndm(scheduler) => scheduler.betas.num_train_timesteps,
        }
    }
}
