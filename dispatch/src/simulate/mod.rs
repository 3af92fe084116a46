//! A fleet in a box: the very same planner and ticks, driven by a workload instead of the world.
//!
//! Time is simulated, so a day of a fleet takes a second, and randomness comes
//! from a seed, so a run can be repeated to the last digit.

mod bound;
mod compare;
mod picture;
mod report;
mod workload;
mod world;

pub use compare::{Comparison, compare};
pub use picture::picture;
pub use report::{Outcome, Spread, Summary, summarise};
pub use workload::{Class, Incident, IncidentKind, SimJob, Workload};

use crate::plan::Policy;
use crate::snapshot::Length;

/// Who places jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dispatcher {
    /// Each worker in turn, bound on arrival.
    RoundRobin,
    /// The worker with the fewest jobs, bound on arrival.
    LeastLoaded,
    /// The worker with the least projected completion, bound on arrival: the reference system's fix.
    BoundOnArrival,
    /// Ours where both models do not fit: bound late, a worker finishes what it began.
    WithoutTicks,
    /// Ours: bound late, long jobs step aside between their steps.
    WithTicks,
    /// What could be had for short jobs: all is known, nothing costs a switch, and they go before all others.
    ShortFirst,
    /// The same for long jobs.
    LongFirst,
}

impl Dispatcher {
    /// In the order of tables.
    pub const ALL: [Self; 7] = [
        Self::RoundRobin,
        Self::LeastLoaded,
        Self::BoundOnArrival,
        Self::WithoutTicks,
        Self::WithTicks,
        Self::ShortFirst,
        Self::LongFirst,
    ];

    /// For tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::RoundRobin => "round robin",
            Self::LeastLoaded => "least loaded",
            Self::BoundOnArrival => "least completion, bound on arrival",
            Self::WithoutTicks => "Mindseye without ticks",
            Self::WithTicks => "Mindseye",
            Self::ShortFirst => "short first, all known",
            Self::LongFirst => "long first, all known",
        }
    }
}

/// Runs one workload at one load ([`Workload::jobs`] says what it means) with one seed.
pub fn simulate(workload: &Workload, load: f64, seed: u64, dispatcher: Dispatcher, policy: &Policy) -> Vec<Outcome> {
    let jobs = workload.jobs(load, seed);
    match dispatcher {
        Dispatcher::ShortFirst => bound::run(workload, &jobs, Length::Short),
        Dispatcher::LongFirst => bound::run(workload, &jobs, Length::Long),
        _ => world::run(workload, &jobs, dispatcher, policy),
    }
}
