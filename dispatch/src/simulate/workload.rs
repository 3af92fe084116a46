//! What arrives, on which workers, and what goes wrong.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
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
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Position in `speeds`.
    pub worker: usize,
    pub at_s: f64,
    pub for_s: f64,
    #[serde(flatten)]
    pub kind: IncidentKind,
}

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

impl Class {
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
        for class in &self.classes {
            positive("a class's seconds", class.seconds)?;
            if class.steps == 0 || !(0.0..1.0).contains(&class.spread) {
                return Err(format!("{}: steps must be 1 or more and spread between 0 and 1", class.name));
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
            if let IncidentKind::Hot { speed } = incident.kind {
                positive("a hot worker's speed", speed)?;
            }
        }
        Ok(())
    }

    /// The jobs of one run: Poisson arrivals at `load` times the rate at which jobs placed blindly, the same
    /// number on every worker, would keep the fleet busy without a pause.
    pub fn jobs(&self, load: f64, seed: u64) -> Vec<SimJob> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let work_ms: f64 = self.classes.iter().map(|class| class.share * class.seconds * 1_000.0).sum();
        // What a job takes on a worker chosen blindly, which is what keeps a blind fleet busy to `load`.
        let workers = self.speeds.len() as f64;
        let service_ms = work_ms * self.speeds.iter().map(|speed| 1.0 / speed).sum::<f64>() / workers;
        let rate = load * workers / service_ms;
        let mut now = 0.0;
        (0..self.jobs)
            .map(|_| {
                // 1 - u lies in (0, 1], whose logarithm is finite.
                now += -(1.0 - rng.random::<f64>()).ln() / rate;
                let class = self.draw_class(rng.random());
                let Class { seconds, spread, .. } = self.classes[class];
                let work_ms = seconds * 1_000.0 * (1.0 + spread * (2.0 * rng.random::<f64>() - 1.0));
                let (wrong, up): (f64, bool) = (rng.random(), rng.random());
                let factor = match (wrong < self.wrong_estimates, up) {
                    (false, _) => 1.0,
                    (true, true) => self.estimate_factor,
                    (true, false) => 1.0 / self.estimate_factor,
                };
                let owner = rng.random_range(0..self.owners.max(1));
                SimJob { arrival_ms: now, class, owner, work_ms, estimate_ms: work_ms * factor }
            })
            .collect()
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
