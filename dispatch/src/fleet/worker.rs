//! One worker's times while a plan is made.

use std::collections::HashMap;

use super::Place;
use super::classes::Queue;
use crate::plan::LongPolicy;
use crate::snapshot::{Length, QueuedJob, WorkerState};

/// A worker, as what it holds and what this plan gives it make it.
pub(super) struct Worker<'a> {
    pub state: &'a WorkerState,
    pub models: Vec<Model>,
    /// Short and long jobs bound to it: held ones and those this plan adds.
    pub shorts: u32,
    pub longs: u32,
    /// Places for short jobs, each with the milliseconds until it comes free.
    places: Vec<f64>,
    /// Milliseconds until the last long job here is done, bound to it or only expected; 0 when there is none.
    long_free_ms: f64,
    /// Milliseconds until a running long job can step aside.
    step_aside_ms: f64,
    /// How many bound short jobs it has of each batch key.
    keys: Vec<(u64, u32)>,
}

/// A model on a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model {
    /// Position among the fleet's models.
    pub index: usize,
    /// Milliseconds for a standard picture, at the worker's present speed.
    pub standard_ms: f64,
    /// Milliseconds until it could begin; 0 once a job of this plan loads it.
    pub load_ms: f64,
}

impl Model {
    /// Standard pictures a millisecond.
    pub(super) fn speed(&self) -> f64 {
        1.0 / self.standard_ms
    }
}

impl<'a> Worker<'a> {
    pub(super) fn of(state: &'a WorkerState, indices: &HashMap<&'a str, usize>) -> Self {
        let slowdown = state.slowdown.max(1.0);
        let models = state.models.iter().filter_map(|model| {
            let index = indices.get(&*model.name).copied()?;
            // Nothing is done in no time, whatever a measurement says.
            let standard_ms = (model.standard_ms * slowdown).max(1e-3);
            Some(Model { index, standard_ms, load_ms: model.load_ms.max(0.0) })
        });
        let mut worker = Self {
            state,
            models: models.collect(),
            shorts: 0,
            longs: 0,
            places: vec![0.0; state.concurrency.max(1) as usize],
            long_free_ms: 0.0,
            step_aside_ms: 0.0,
            keys: Vec::new(),
        };
        for held in state.held.iter().filter(|held| held.length == Length::Short) {
            worker.bind_short(held.batch_key);
        }
        for held in &state.held {
            let remaining_ms = held.remaining_ms.max(0.0) * slowdown;
            match held.length {
                Length::Short => {
                    let place = worker.earliest();
                    worker.places[place] += remaining_ms * worker.sharing_of(held.batch_key, true);
                }
                Length::Long => {
                    worker.longs += 1;
                    // A job that should be done by now still holds its worker.
                    worker.long_free_ms += remaining_ms.max(f64::MIN_POSITIVE);
                    worker.step_aside_ms = worker.step_aside_ms.max(held.step_left_ms.max(0.0) * slowdown);
                }
            }
        }
        if worker.shorts > 0 && worker.longs > 0 {
            // Short ones run now, and the long one goes on when they are done.
            worker.long_free_ms += worker.last_place_ms();
        }
        worker
    }

    pub(super) fn model(&self, index: usize) -> Option<&Model> {
        self.models.iter().find(|model| model.index == index)
    }

    /// Short jobs it works on at the same time.
    pub(super) fn places(&self) -> u32 {
        self.places.len() as u32
    }

    /// Whether a long job is here or expected.
    pub(super) fn holds_long(&self) -> bool {
        self.long_free_ms > 0.0
    }

    /// Whether a short job would make a long one here step aside.
    pub(super) fn is_stepped_into(&self) -> bool {
        self.state.steps_aside && self.holds_long()
    }

    pub(super) fn queue(&self, length: Length) -> Queue {
        match length {
            Length::Short if self.is_stepped_into() => Queue::StepIn,
            Length::Short => Queue::Open,
            Length::Long if self.holds_long() && !self.state.steps_aside => Queue::AfterLong,
            Length::Long => Queue::Long,
        }
    }

    /// Jobs bound to it, for each place.
    pub(super) fn load_ratio(&self) -> f64 {
        f64::from(self.shorts + self.longs) / self.places.len() as f64
    }

    /// Milliseconds of switching from a long job to a short one, where that is still to be done.
    pub(super) fn switch_ms(&self, length: Length, policy: &LongPolicy) -> f64 {
        if length == Length::Short && self.runs_long() && self.state.steps_aside { policy.switch_ms } else { 0.0 }
    }

    /// Milliseconds until it could turn to a job.
    pub(super) fn turn_ms(&self, length: Length) -> f64 {
        match length {
            Length::Short => {
                let place_ms = self.places[self.earliest()];
                match self.state.steps_aside {
                    false => place_ms.max(self.long_free_ms),
                    // A long job that has stepped aside already is not waited for again.
                    true if self.runs_long() => place_ms.max(self.step_aside_ms),
                    true => place_ms,
                }
            }
            Length::Long => self.last_place_ms().max(self.long_free_ms),
        }
    }

    /// How many times longer a job takes here than it would alone, because it shares the device.
    pub(super) fn sharing(&self, job: &QueuedJob) -> f64 {
        if job.length == Length::Long { 1.0 } else { self.sharing_of(job.batch_key, false) }
    }

    /// Gives the job its place; `bound` says that it goes there now.
    pub(super) fn take(&mut self, job: &QueuedJob, place: &Place, bound: bool, policy: &LongPolicy) {
        match job.length {
            Length::Short => {
                let slot = self.earliest();
                self.places[slot] = place.finish_ms;
                if self.is_stepped_into() {
                    self.long_free_ms += place.finish_ms - place.start_ms + policy.switch_ms;
                }
                if bound {
                    self.bind_short(job.batch_key);
                }
            }
            Length::Long => {
                self.long_free_ms = place.finish_ms;
                self.longs += u32::from(bound);
            }
        }
    }

    /// From now on the model needs no loading. Returns whether it did.
    pub(super) fn load(&mut self, index: usize) -> bool {
        let model = self.models.iter_mut().find(|model| model.index == index && model.load_ms > 0.0);
        model.map(|model| model.load_ms = 0.0).is_some()
    }

    /// Whether a long job is being worked on now.
    fn runs_long(&self) -> bool {
        self.longs > 0 && self.shorts == 0
    }

    /// The place that comes free first.
    fn earliest(&self) -> usize {
        (0..self.places.len()).min_by(|a, b| self.places[*a].total_cmp(&self.places[*b])).unwrap_or(0)
    }

    fn last_place_ms(&self) -> f64 {
        self.places.iter().copied().fold(0.0, f64::max)
    }

    fn bind_short(&mut self, key: u64) {
        self.shorts += 1;
        match self.keys.iter_mut().find(|(other, _)| *other == key) {
            Some((_, count)) => *count += 1,
            None => self.keys.push((key, 1)),
        }
    }

    /// Those of the same key share its passes, which then take longer; the others take turns with it.
    /// `counted` says that the job is one of those bound here.
    fn sharing_of(&self, key: u64, counted: bool) -> f64 {
        let places = self.places.len() as f64;
        if places <= 1.0 {
            return 1.0;
        }
        let itself = u32::from(counted);
        let others = f64::from(self.shorts - itself).min(places - 1.0);
        let same = self.keys.iter().find(|(other, _)| *other == key).map_or(0, |(_, count)| count - itself);
        let same = f64::from(same).min(others);
        let most = self.state.batch_gain.clamp(1.0, places);
        let gain = 1.0 + (most - 1.0) * same / (places - 1.0);
        (same + 1.0) / gain + (others - same)
    }
}
