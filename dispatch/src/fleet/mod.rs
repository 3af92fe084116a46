//! The fleet while a plan is made: when each worker could start what, updated with every placement.

mod classes;
mod room;
mod worker;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use self::classes::Classes;
use self::room::Rooms;
use self::worker::Worker;
use crate::plan::{LongPolicy, Policy};
use crate::snapshot::{Length, QueuedJob, Snapshot};

/// How many workers that already make pictures of a job's batch key are looked at, the latest to have taken one
/// first. The rest is found by when it could start.
const GATHERING: usize = 8;

/// A place for a job: which worker, by position, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub worker: usize,
    /// Milliseconds from now until the worker turns to it.
    pub turn_ms: f64,
    /// Milliseconds from now until its first step begins: after switching or loading.
    pub start_ms: f64,
    pub finish_ms: f64,
    /// False where long jobs hold their share of the fleet: it is only told when that may change.
    pub allowed: bool,
}

/// Every worker's times, as the placements of this plan change them.
pub(crate) struct Fleet<'a> {
    workers: Vec<Worker<'a>>,
    classes: Classes,
    long: &'a LongPolicy,
    /// What an interruption weighs at the present demand.
    interruption: f64,
    rooms: Rooms,
    /// Position of each model's name in `rooms`, in [`Worker::models`] and in the classes.
    models: HashMap<&'a str, usize>,
    last_model: Option<(&'a Arc<str>, usize)>,
    /// Workers by the batch key of what they work on, the latest to have taken one last.
    gathering: HashMap<u64, Vec<usize>>,
    /// Memory that [`Classes::first`] works in.
    bounds: Vec<f64>,
}

impl<'a> Fleet<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot, policy: &'a Policy) -> Self {
        let mut models: HashMap<&'a str, usize> = HashMap::new();
        for model in snapshot.workers.iter().flat_map(|state| &state.models) {
            let next = models.len();
            models.entry(&*model.name).or_insert(next);
        }
        let workers: Vec<Worker<'a>> = snapshot.workers.iter().map(|state| Worker::of(state, &models)).collect();
        let mut fleet = Self {
            classes: Classes::of(&workers, models.len()),
            long: &policy.long,
            interruption: policy.long.interruption_at(snapshot.short_demand),
            rooms: Rooms::of(&workers, models.len(), snapshot.short_demand),
            models,
            last_model: None,
            gathering: HashMap::new(),
            bounds: Vec::new(),
            workers,
        };
        for job in &snapshot.queue {
            if let Some(model) = fleet.model(&job.model) {
                fleet.rooms.count_waiting(job, model);
            }
        }
        for at in 0..fleet.workers.len() {
            if !fleet.workers[at].state.draining {
                for held in &fleet.workers[at].state.held {
                    if held.length == Length::Short {
                        fleet.gather(held.batch_key, at);
                    }
                }
                fleet.announce(at);
            }
        }
        fleet
    }

    /// Position of the model, if some worker has it or can load it.
    pub(crate) fn model(&mut self, name: &'a Arc<str>) -> Option<usize> {
        // Neighbours in the queue mostly ask for the same one.
        if let Some((last, model)) = self.last_model
            && Arc::ptr_eq(last, name)
        {
            return Some(model);
        }
        let model = self.models.get(&**name).copied()?;
        self.last_model = Some((name, model));
        Some(model)
    }

    /// The worker that would finish the job first, all costs counted; `None` if none can run it.
    ///
    /// Ties go to a loaded model, then to the lower load ratio, then to the
    /// faster worker, then to the earlier one in the snapshot.
    pub(crate) fn best(&mut self, job: &QueuedJob, model: usize) -> Option<Place> {
        let mut bounds = std::mem::take(&mut self.bounds);
        let mut best: Option<Candidate> = None;
        if job.avoid.is_empty() {
            let deference_ms = |lost_ms| self.deference_ms(job, lost_ms);
            self.classes.first((job, model), deference_ms, &mut bounds, |at| {
                best = better(best, self.candidate(at, job, model));
                best.map_or(f64::INFINITY, |best| best.rank_ms)
            });
            let gathering = self.gathering.get(&job.batch_key).filter(|_| job.length == Length::Short);
            for at in gathering.into_iter().flat_map(|workers| workers.iter().rev().take(GATHERING)) {
                best = better(best, self.candidate(*at, job, model));
            }
        } else {
            for at in 0..self.workers.len() {
                best = better(best, self.candidate(at, job, model));
            }
        }
        self.bounds = bounds;
        let best = best.or_else(|| self.when_share_comes_free(job, model));
        best.map(|candidate| candidate.place)
    }

    /// Whether the worker may be handed one more job of this length now: a free place, or exactly one ahead.
    pub(crate) fn has_room(&self, worker: usize, length: Length) -> bool {
        let worker = &self.workers[worker];
        match length {
            Length::Short => worker.shorts <= worker.places(),
            Length::Long => worker.longs <= 1,
        }
    }

    /// Reserves the place; `bound` says that the job goes there now.
    pub(crate) fn take(&mut self, place: &Place, job: &QueuedJob, model: usize, bound: bool) {
        let worker = &mut self.workers[place.worker];
        let held_long = worker.holds_long();
        if !place.allowed && !held_long {
            // It can't be said which worker it will be: none is kept for it.
            return;
        }
        worker.take(job, place, bound, self.long);
        if !held_long && worker.holds_long() && !worker.state.steps_aside {
            self.rooms.hold(worker);
        }
        if worker.load(model) {
            self.classes.move_to_class_of(place.worker, worker);
        }
        if bound && job.length == Length::Short {
            self.gather(job.batch_key, place.worker);
        }
        self.announce(place.worker);
    }

    fn candidate(&self, at: usize, job: &QueuedJob, model: usize) -> Option<Candidate> {
        let worker = &self.workers[at];
        let candidate = self.candidate_if_allowed(at, job, model)?;
        if job.length == Length::Short || worker.state.steps_aside {
            return Some(candidate);
        }
        let allowed = self.rooms.has_room(job, model, worker, self.long);
        // Behind a long job that is there already, it can at least be told when its turn may come.
        (allowed || worker.holds_long())
            .then_some(Candidate { place: Place { allowed, ..candidate.place }, ..candidate })
    }

    fn candidate_if_allowed(&self, at: usize, job: &QueuedJob, model: usize) -> Option<Candidate> {
        let worker = &self.workers[at];
        if worker.state.draining || job.avoid.contains(&worker.state.id) {
            return None;
        }
        let model = worker.model(model)?;
        let turn_ms = worker.turn_ms(job.length);
        let start_ms = turn_ms + model.load_ms + worker.switch_ms(job.length, self.long);
        let finish_ms = start_ms + job.work * model.standard_ms * worker.sharing(job);
        let steps_in = job.length == Length::Short && worker.is_stepped_into();
        let deference_ms = if steps_in { self.deference_ms(job, finish_ms - turn_ms) } else { 0.0 };
        Some(Candidate {
            place: Place { worker: at, turn_ms, start_ms, finish_ms, allowed: true },
            rank_ms: finish_ms + deference_ms,
            cold: model.load_ms > 0.0,
            load: worker.load_ratio(),
            standard_ms: model.standard_ms,
        })
    }

    /// What the milliseconds count that a long job loses, as far as the short one has patience for it.
    fn deference_ms(&self, job: &QueuedJob, lost_ms: f64) -> f64 {
        let patience_ms = (self.long.longest_deference_ms - job.waited_ms).max(0.0);
        (self.interruption * lost_ms).min(patience_ms)
    }

    /// For a long job whose every worker is free of long jobs while others hold the share: when the first of
    /// those could be done, and which worker it would then be.
    fn when_share_comes_free(&self, job: &QueuedJob, model: usize) -> Option<Candidate> {
        if job.length == Length::Short {
            return None;
        }
        let mut best = None;
        for at in 0..self.workers.len() {
            best = better(best, self.candidate_if_allowed(at, job, model));
        }
        let holders = self.workers.iter().filter(|worker| worker.holds_long() && !worker.state.draining);
        let free_ms = holders.map(|worker| worker.turn_ms(Length::Long)).fold(f64::INFINITY, f64::min);
        let late_ms = |place: &Place| if free_ms.is_finite() { (free_ms - place.turn_ms).max(0.0) } else { 0.0 };
        best.map(|best| {
            let late_ms = late_ms(&best.place);
            let place = Place {
                turn_ms: best.place.turn_ms + late_ms,
                start_ms: best.place.start_ms + late_ms,
                finish_ms: best.place.finish_ms + late_ms,
                allowed: false,
                ..best.place
            };
            Candidate { place, ..best }
        })
    }

    /// Notes that the worker makes pictures of this key; those that have no place left are forgotten on the way.
    fn gather(&mut self, key: u64, at: usize) {
        if self.workers[at].places() <= 1 {
            return;
        }
        let workers = self.gathering.entry(key).or_default();
        workers.retain(|other| *other != at && self.workers[*other].shorts < self.workers[*other].places());
        workers.push(at);
    }

    /// Puts the worker's present times into its class.
    fn announce(&mut self, at: usize) {
        self.classes.announce(at, &self.workers[at], self.long);
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    place: Place,
    /// Its finish, and what it costs others.
    rank_ms: f64,
    cold: bool,
    load: f64,
    standard_ms: f64,
}

/// The better of the two, the first one if they are alike.
fn better(best: Option<Candidate>, other: Option<Candidate>) -> Option<Candidate> {
    match (best, other) {
        (Some(best), Some(other)) => Some(if other.order(&best) == Ordering::Less { other } else { best }),
        (best, other) => best.or(other),
    }
}

impl Candidate {
    fn order(&self, other: &Self) -> Ordering {
        (self.rank_ms.total_cmp(&other.rank_ms))
            .then_with(|| self.cold.cmp(&other.cold))
            .then_with(|| self.load.total_cmp(&other.load))
            .then_with(|| self.standard_ms.total_cmp(&other.standard_ms))
            .then_with(|| self.place.worker.cmp(&other.place.worker))
    }
}
