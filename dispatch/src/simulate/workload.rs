//! What arrives, on which workers, and what goes wrong.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::snapshot::Length;

/// A workload file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Speed of each worker; 1.0 takes a class's seconds as they are.
    pub speeds: Vec<f64>,
    /// Jobs in one run.
    pub jobs: usize,
    /// Loads to try: see [`Workload::jobs`].
    pub loads: Vec<f64>,
    pub seeds: Vec<u64>,
    /// People who ask; each job is one of theirs at random.
    pub owners: u32,
    /// Seconds that changing between two resident models takes.
    pub switch_s: f64,
    pub classes: Vec<Class>,
    /// Share of the jobs whose estimate is wrong by `estimate_factor`, half of them too high.
    #[serde(default)]
    pub wrong_estimates: f64,
    #[serde(default = "two")]
    pub estimate_factor: f64,
    #[serde(default)]
    pub incidents: Vec<Incident>,
}

/// Jobs of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub name: String,
    /// Share of the jobs; those of all classes add up to 1.
    pub share: f64,
    /// Seconds on a worker of speed 1, drawn evenly within plus or minus `spread` of it.
    pub seconds: f64,
    pub spread: f64,
    pub steps: u32,
    /// A long job that steps aside for others.
    #[serde(default)]
    pub long: bool,
}

/// Something that goes wrong with a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Position in `speeds`.
    pub worker: usize,
    pub at_s: f64,
    pub for_s: f64,
    #[serde(flatten)]
    pub kind: IncidentKind,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IncidentKind {
    /// Gone: what it held goes back to the queue and begins anew.
    Down,
    /// Hot: runs at this share of its speed, which the head sees and plans with.
    Hot { speed: f64 },
}

/// One job of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimJob {
    pub arrival_ms: f64,
    /// Position in [`Workload::classes`].
    pub class: usize,
    pub owner: u32,
    /// Milliseconds on a worker of speed 1.
    pub work_ms: f64,
    /// What the head believes `work_ms` to be.
    pub estimate_ms: f64,
}

fn two() -> f64 {
    2.0
}

/// A number from 0 up to but not including 1, evenly drawn.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    const STEP: f64 = 1.0 / (1u64 << 53) as f64;
    (rng.next_u64() >> 11) as f64 * STEP
}

impl Class {
    /// How the planner treats its jobs.
    pub fn length(&self) -> Length {
        if self.long { Length::Long } else { Length::Short }
    }
}

impl Workload {
    /// What is wrong with the file, if something is.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn check(&self) -> Result<(), String> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 { Ok(()) } else { Err(format!("{name} must be above 0, not {value}")) }
        };
        if self.speeds.is_empty() || self.classes.is_empty() || self.jobs == 0 || self.seeds.is_empty() {
            return Err("speeds, classes, seeds and jobs must not be empty".into());
        }
        for speed in &self.speeds {
            positive("a speed", *speed)?;
        }
        for load in &self.loads {
            positive("a load", *load)?;
        }
        positive("estimate_factor", self.estimate_factor)?;
        if !(0.0..=1.0).contains(&self.wrong_estimates) || !self.switch_s.is_finite() || self.switch_s < 0.0 {
            return Err("wrong_estimates must lie between 0 and 1, and switch_s must be 0 or more".into());
        }
        if self.owners == 0 {
            return Err("owners must be 1 or more".into());
        }
        for class in &self.classes {
            positive("a class's seconds", class.seconds)?;
            if class.share < 0.0 || class.steps == 0 || !(0.0..1.0).contains(&class.spread) {
                return Err(format!(
                    "{}: share must be 0 or more, steps 1 or more, and spread between 0 and 1",
                    class.name
                ));
            }
        }
        let shares: f64 = self.classes.iter().map(|class| class.share).sum();
        if (shares - 1.0).abs() > 1e-6 {
            return Err(format!("the classes' shares add up to {shares}, not to 1"));
        }
        for incident in &self.incidents {
            if incident.worker >= self.speeds.len() {
                return Err(format!(
                    "an incident names worker {}, and there are {}",
                    incident.worker,
                    self.speeds.len()
                ));
            }
            if !(incident.at_s >= 0.0 && incident.for_s >= 0.0 && incident.for_s.is_finite()) {
                return Err("an incident's at_s and for_s must be 0 or more".into());
            }
            if let IncidentKind::Hot { speed } = incident.kind {
                positive("a hot worker's speed", speed)?;
            }
        }
        Ok(())
    }

    /// The jobs of one run, oldest first: Poisson arrivals, drawn from ChaCha8 with this seed.
    ///
    /// A load of 1 is the rate at which jobs dealt out blindly, the same number to every worker, would take as
    /// long as they come. Where workers differ, that is a little less than all the fleet can do: see
    /// [`Workload::blind_share`].
    pub fn jobs(&self, load: f64, seed: u64) -> Vec<SimJob> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let work_ms: f64 = self.classes.iter().map(|class| class.share * class.seconds * 1_000.0).sum();
        let rate = load * self.blind_share() * self.speeds.iter().sum::<f64>() / work_ms;
        let mut now = 0.0;
        (0..self.jobs)
            .map(|_| {
                // 1 - u lies in (0, 1], whose logarithm is finite.
                now += -(1.0 - uniform(&mut rng)).ln() / rate;
                let class = self.draw_class(uniform(&mut rng));
                let Class { seconds, spread, .. } = self.classes[class];
                let work_ms = seconds * 1_000.0 * (1.0 + spread * (2.0 * uniform(&mut rng) - 1.0));
                let (wrong, up) = (uniform(&mut rng), rng.next_u32() >> 31 == 1);
                let factor = match (wrong < self.wrong_estimates, up) {
                    (false, _) => 1.0,
                    (true, true) => self.estimate_factor,
                    (true, false) => 1.0 / self.estimate_factor,
                };
                let owner = ((u64::from(rng.next_u32()) * u64::from(self.owners)) >> 32) as u32;
                SimJob { arrival_ms: now, class, owner, work_ms, estimate_ms: work_ms * factor }
            })
            .collect()
    }

    /// The work that the fleet gets done when every worker is dealt the same number of jobs, as a share of all it
    /// could do: 1 where all are equally fast. A load divided by it fills all capacity.
    pub fn blind_share(&self) -> f64 {
        let workers = self.speeds.len() as f64;
        let mean_speed = self.speeds.iter().sum::<f64>() / workers;
        let mean_time = self.speeds.iter().map(|speed| 1.0 / speed).sum::<f64>() / workers;
        1.0 / (mean_speed * mean_time)
    }

    fn draw_class(&self, uniform: f64) -> usize {
        let mut below = 0.0;
        self.classes
            .iter()
            .position(|class| {
                below += class.share;
                uniform < below
            })
            .unwrap_or(self.classes.len() - 1)
    }
}
