//! The fleet while a plan is made: when each worker could start what, updated with every placement.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use crate::plan::{LongPolicy, Policy};
use crate::snapshot::{Length, QueuedJob, Snapshot, WorkerState};

/// Workers whose times differ by less than this ratio count as equally fast when candidates are
/// gathered; the exact times decide between the candidates.
const SAME_SPEED: f64 = 1.05;

/// A place for a job: which worker, by position, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub worker: usize,
    /// Milliseconds from now until the worker turns to it.
    pub turn_ms: f64,
    /// Milliseconds from now until its first step begins: after switching or loading.
    pub start_ms: f64,
    pub finish_ms: f64,
    /// Long jobs have room for it; otherwise it is only told when that may be.
    pub has_room: bool,
}

pub(crate) struct Fleet<'a> {
    workers: Vec<Worker<'a>>,
    classes: Vec<Class>,
    long: &'a LongPolicy,
    short_demand: f64,
    interruption: f64,
    /// Room for long jobs by model, until another one is bound.
    room: HashMap<&'a str, Room>,
}

/// Capacity for one model, in standard pictures a millisecond.
#[derive(Clone, Copy)]
struct Room {
    /// Of the whole fleet.
    total: f64,
    /// What long jobs hold that can't step aside.
    held: f64,
}

impl<'a> Fleet<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot, policy: &'a Policy) -> Self {
        let mut fleet = Self {
            workers: Vec::with_capacity(snapshot.workers.len()),
            classes: Vec::new(),
            long: &policy.long,
            short_demand: snapshot.short_demand,
            interruption: policy.long.interruption_at(snapshot.short_demand),
            room: HashMap::new(),
        };
        let mut classes: HashMap<ClassKey<'a>, usize> = HashMap::new();
        for state in &snapshot.workers {
            let next = fleet.classes.len();
            let class = *classes.entry(class_key(state)).or_insert(next);
            if class == next {
                fleet.classes.push(Class::default());
            }
            fleet.workers.push(Worker::of(state, class));
            if !state.draining {
                fleet.announce(fleet.workers.len() - 1);
            }
        }
        fleet
    }

    /// The worker that would finish the job first, all costs counted.
    ///
    /// Ties go to a loaded model, then to the lower load ratio, then to the
    /// faster worker, then to the earlier one in the snapshot.
    pub(crate) fn best(&mut self, job: &'a QueuedJob) -> Option<Place> {
        let queues: &[Queue] = match job.length {
            Length::Short => &[Queue::Short],
            // Where the share of long jobs is used up, after one that is there already.
            Length::Long => &[Queue::Long, Queue::AfterLong],
        };
        let mut best: Option<Candidate> = None;
        for queue in queues {
            if job.avoid.is_empty() {
                for class in 0..self.classes.len() {
                    let Some(at) = self.first(class, *queue) else { continue };
                    best = better(best, self.candidate(at, job, *queue));
                }
            } else {
                for at in 0..self.workers.len() {
                    best = better(best, self.candidate(at, job, *queue));
                }
            }
        }
        best.map(|candidate| candidate.place)
    }

    /// Whether the worker may be handed one more job of this length now: a free place, or exactly one ahead.
    pub(crate) fn has_room(&self, worker: usize, length: Length) -> bool {
        let worker = &self.workers[worker];
        match length {
            Length::Short => worker.shorts <= worker.places.len() as u32,
            Length::Long => worker.longs <= 1,
        }
    }

    /// Reserves the place; `bound` says that the job goes there now.
    pub(crate) fn take(&mut self, place: &Place, job: &QueuedJob, bound: bool) {
        self.workers[place.worker].take(job, place, bound, self.long);
        if bound && job.length == Length::Long {
            self.room.clear();
        }
        self.announce(place.worker);
    }

    fn candidate(&mut self, at: usize, job: &'a QueuedJob, queue: Queue) -> Option<Candidate> {
        let worker = &self.workers[at];
        if worker.state.draining || job.avoid.contains(&worker.state.id) {
            return None;
        }
        let turn_ms = worker.turn_ms(queue)?;
        let model = worker.state.model(&job.model)?;
        let start_ms = turn_ms + model.load_ms + worker.switch_ms(queue, self.long);
        let alone_ms = job.work * model.standard_ms * worker.slowdown();
        let finish_ms = start_ms + alone_ms * worker.sharing(job);
        // What a long job loses, as far as the short one has patience for it.
        let deference_ms = if worker.steps_in(queue) {
            let patience_ms = (self.long.longest_deference_ms - job.waited_ms).max(0.0);
            (self.interruption * (finish_ms - turn_ms)).min(patience_ms)
        } else {
            0.0
        };
        let mut candidate = Candidate {
            place: Place { worker: at, turn_ms, start_ms, finish_ms, has_room: true },
            rank_ms: finish_ms + deference_ms,
            cold: model.load_ms > 0.0,
            load: worker.load_ratio(),
            standard_ms: model.standard_ms,
        };
        if job.length == Length::Long && !worker.state.steps_aside {
            let (speed, holds) = (worker.speed(model.standard_ms), worker.longs > 0);
            let held = if holds { speed } else { 0.0 };
            candidate.place.has_room = self.has_room_for_long(&job.model, speed, held);
            if !candidate.place.has_room && !holds {
                return None;
            }
        }
        Some(candidate)
    }

    /// Whether long jobs that do not step aside may hold a worker of this speed, of which they hold `held` now.
    fn has_room_for_long(&mut self, model: &'a str, speed: f64, held: f64) -> bool {
        let room = self.room_for(model);
        let needed_by_short = self.short_demand / self.long.short_utilisation;
        let share = self.long.busy_share.max(1.0 - needed_by_short);
        let others = room.held - held;
        // The sum and the difference of the same numbers need not be exactly nothing.
        others <= 1e-9 * room.total || others + speed <= share * room.total
    }

    fn room_for(&mut self, model: &'a str) -> Room {
        if let Some(room) = self.room.get(model) {
            return *room;
        }
        let mut room = Room { total: 0.0, held: 0.0 };
        for worker in self.workers.iter().filter(|worker| !worker.state.draining) {
            let Some(state) = worker.state.model(model) else { continue };
            let speed = worker.speed(state.standard_ms);
            room.total += speed;
            if worker.longs > 0 && !worker.state.steps_aside {
                room.held += speed;
            }
        }
        self.room.insert(model, room);
        room
    }

    /// The worker of a class that could start first; entries that are out of date are dropped on the way.
    fn first(&mut self, class: usize, queue: Queue) -> Option<usize> {
        let heap = self.classes[class].heap(queue);
        while let Some(Reverse(entry)) = heap.peek() {
            if self.workers[entry.worker].version == entry.version {
                return Some(entry.worker);
            }
            heap.pop();
        }
        None
    }

    /// Puts the worker's present times into its class.
    fn announce(&mut self, at: usize) {
        self.workers[at].version += 1;
        let worker = &self.workers[at];
        let class = &mut self.classes[worker.class];
        for queue in [Queue::Short, Queue::Long, Queue::AfterLong] {
            if let Some(turn_ms) = worker.turn_ms(queue) {
                class.heap(queue).push(Reverse(Entry {
                    start_ms: turn_ms + worker.switch_ms(queue, self.long),
                    load: worker.load_ratio(),
                    rank: worker.rank,
                    worker: at,
                    version: worker.version,
                }));
            }
        }
    }
}

/// What a job queues for at a worker.
#[derive(Clone, Copy)]
enum Queue {
    Short,
    /// Any worker.
    Long,
    /// Only where a long job is already: the share of long jobs is used up.
    AfterLong,
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
            .then(self.cold.cmp(&other.cold))
            .then(self.load.total_cmp(&other.load))
            .then(self.standard_ms.total_cmp(&other.standard_ms))
            .then(self.place.worker.cmp(&other.place.worker))
    }
}

/// Workers with the same models at about the same speed, by when they could start.
#[derive(Default)]
struct Class {
    short: BinaryHeap<Reverse<Entry>>,
    long: BinaryHeap<Reverse<Entry>>,
    after_long: BinaryHeap<Reverse<Entry>>,
}

impl Class {
    fn heap(&mut self, queue: Queue) -> &mut BinaryHeap<Reverse<Entry>> {
        match queue {
            Queue::Short => &mut self.short,
            Queue::Long => &mut self.long,
            Queue::AfterLong => &mut self.after_long,
        }
    }
}

/// Model, whether it has to be loaded, and how fast it is, in steps of [`SAME_SPEED`].
type ClassKey<'a> = Vec<(&'a str, i32, i32)>;

fn class_key(state: &WorkerState) -> ClassKey<'_> {
    let step = |ms: f64| (ms.max(1e-3).ln() / SAME_SPEED.ln()).round() as i32;
    let mut key: ClassKey<'_> = state
        .models
        .iter()
        .map(|model| (&*model.name, step(1.0 + model.load_ms), step(model.standard_ms * state.slowdown.max(1.0))))
        .collect();
    key.sort_unstable();
    key
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start_ms: f64,
    load: f64,
    /// Orders workers of one class by speed.
    rank: f64,
    worker: usize,
    version: u32,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.start_ms.total_cmp(&other.start_ms))
            .then(self.load.total_cmp(&other.load))
            .then(self.rank.total_cmp(&other.rank))
            .then(self.worker.cmp(&other.worker))
            .then(self.version.cmp(&other.version))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

struct Worker<'a> {
    state: &'a WorkerState,
    class: usize,
    rank: f64,
    version: u32,
    /// Places for short jobs, each with the milliseconds until it comes free.
    places: Vec<f64>,
    /// Milliseconds until the last long job here is done; 0 when there is none.
    long_free_ms: f64,
    /// Milliseconds until a running long job can step aside.
    step_aside_ms: f64,
    /// Short and long jobs bound to it: held ones and those this plan adds.
    shorts: u32,
    longs: u32,
    /// How many jobs it has of each batch key.
    keys: Vec<(u64, u32)>,
}

impl<'a> Worker<'a> {
    fn of(state: &'a WorkerState, class: usize) -> Self {
        let mut worker = Self {
            state,
            class,
            rank: state.models.first().map_or(0.0, |model| model.standard_ms * state.slowdown.max(1.0)),
            version: 0,
            places: vec![0.0; state.concurrency.max(1) as usize],
            long_free_ms: 0.0,
            step_aside_ms: 0.0,
            shorts: 0,
            longs: 0,
            keys: Vec::new(),
        };
        for held in &state.held {
            let remaining_ms = held.remaining_ms.max(0.0) * worker.slowdown();
            match held.length {
                Length::Short => {
                    worker.shorts += 1;
                    worker.count_key(held.batch_key);
                    let sharing = worker.sharing_of(held.batch_key, worker.shorts.saturating_sub(1));
                    let place = worker.earliest();
                    worker.places[place] += remaining_ms * sharing;
                }
                Length::Long => {
                    worker.longs += 1;
                    worker.long_free_ms += remaining_ms;
                    worker.step_aside_ms = worker.step_aside_ms.max(held.step_left_ms.max(0.0) * worker.slowdown());
                }
            }
        }
        if worker.shorts > 0 && worker.longs > 0 {
            // Short ones run now, and the long one goes on when they are done.
            let busy_ms = worker.places.iter().copied().fold(0.0, f64::max);
            worker.long_free_ms += busy_ms;
        }
        worker
    }

    fn slowdown(&self) -> f64 {
        self.state.slowdown.max(1.0)
    }

    fn load_ratio(&self) -> f64 {
        f64::from(self.shorts + self.longs) / self.places.len() as f64
    }

    fn earliest(&self) -> usize {
        (0..self.places.len()).min_by(|a, b| self.places[*a].total_cmp(&self.places[*b])).unwrap_or(0)
    }

    /// Standard pictures a millisecond.
    fn speed(&self, standard_ms: f64) -> f64 {
        1.0 / (standard_ms * self.slowdown())
    }

    /// Whether a short job would make a long one here step aside.
    fn steps_in(&self, queue: Queue) -> bool {
        matches!(queue, Queue::Short) && self.state.steps_aside && self.long_free_ms > 0.0
    }

    /// Switching from a long job to a short one, where that is still to be done.
    fn switch_ms(&self, queue: Queue, policy: &LongPolicy) -> f64 {
        if self.steps_in(queue) && self.longs > 0 && self.shorts == 0 { policy.switch_ms } else { 0.0 }
    }

    /// Milliseconds until it could turn to a job; `None` where the queue does not exist.
    fn turn_ms(&self, queue: Queue) -> Option<f64> {
        match queue {
            Queue::Short => {
                let place_ms = self.places[self.earliest()];
                Some(match self.state.steps_aside {
                    false => place_ms.max(self.long_free_ms),
                    // A long job that has stepped aside already is not waited for again.
                    true if self.longs > 0 && self.shorts == 0 => place_ms.max(self.step_aside_ms),
                    true => place_ms,
                })
            }
            Queue::Long => Some(self.places.iter().copied().fold(self.long_free_ms, f64::max)),
            Queue::AfterLong => (self.longs > 0).then_some(self.long_free_ms),
        }
    }

    /// How many times longer a job takes here than it would alone, because it shares the device.
    fn sharing(&self, job: &QueuedJob) -> f64 {
        if job.length == Length::Long { 1.0 } else { self.sharing_of(job.batch_key, self.shorts) }
    }

    /// Those of the same key share its passes, which then take longer; the others take turns with it.
    fn sharing_of(&self, key: u64, others: u32) -> f64 {
        let places = self.places.len() as f64;
        if places <= 1.0 {
            return 1.0;
        }
        let others = f64::from(others).min(places - 1.0);
        let same = self.keys.iter().find(|(other, _)| *other == key).map_or(0.0, |(_, count)| f64::from(*count));
        let same = same.min(others);
        let gain = 1.0 + (self.state.batch_gain.max(1.0) - 1.0) * same / (places - 1.0);
        (same + 1.0) / gain + (others - same)
    }

    fn count_key(&mut self, key: u64) {
        match self.keys.iter_mut().find(|(other, _)| *other == key) {
            Some((_, count)) => *count += 1,
            None => self.keys.push((key, 1)),
        }
    }

    fn take(&mut self, job: &QueuedJob, place: &Place, bound: bool, policy: &LongPolicy) {
        match job.length {
            Length::Short => {
                let slot = self.earliest();
                self.places[slot] = place.finish_ms;
                if self.state.steps_aside && self.long_free_ms > 0.0 {
                    self.long_free_ms += place.finish_ms - place.start_ms + policy.switch_ms;
                }
                if bound {
                    self.shorts += 1;
                    self.count_key(job.batch_key);
                }
            }
            Length::Long => {
                self.long_free_ms = place.finish_ms;
                self.longs += u32::from(bound);
            }
        }
    }
}
