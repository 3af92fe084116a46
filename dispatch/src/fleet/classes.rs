//! Which worker of each kind could start first, without looking at all of them.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::worker::{Model, Worker};
use crate::plan::LongPolicy;
use crate::snapshot::{Length, QueuedJob};

/// In a fleet of more workers than this, those of about the same speed are looked at as one: by when they could
/// start. In a smaller one only those of exactly the same speed are.
const SMALL_FLEET: usize = 64;

/// Workers of a large fleet whose times differ by less than this ratio count as equally fast when candidates are
/// gathered; the exact times decide between the candidates.
const SAME_SPEED: f64 = 1.1;

/// What a job queues for at a worker. Every worker is in one queue for short jobs and in one for long ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// A short job that makes nobody step aside.
    Open,
    /// A short job that makes a long one step aside.
    StepIn,
    /// A long job on a worker that has none, or none that stays to its end.
    Long,
    /// A long job after one that stays to its end.
    AfterLong,
}

const QUEUES: usize = 4;

impl Queue {
    const ALL: [Self; QUEUES] = [Self::Open, Self::StepIn, Self::Long, Self::AfterLong];

    /// The other one for jobs of the same length.
    fn other(self) -> Self {
        match self {
            Self::Open => Self::StepIn,
            Self::StepIn => Self::Open,
            Self::Long => Self::AfterLong,
            Self::AfterLong => Self::Long,
        }
    }
}

/// All workers, by kind and by when they could start.
pub(super) struct Classes {
    classes: Vec<Class>,
    by_key: HashMap<ClassKey, usize>,
    /// For each model and queue, the first worker of every class that has one there.
    fronts: Vec<[Vec<Front>; QUEUES]>,
    /// The class of each worker, and its number there.
    member: Vec<(usize, usize)>,
    ratio: Option<f64>,
}

impl Classes {
    pub(super) fn of(workers: &[Worker<'_>], models: usize) -> Self {
        let mut classes = Self {
            classes: Vec::new(),
            by_key: HashMap::new(),
            fronts: vec![Default::default(); models],
            member: Vec::with_capacity(workers.len()),
            ratio: (workers.len() > SMALL_FLEET).then_some(SAME_SPEED),
        };
        for worker in workers {
            let member = classes.admit(worker);
            classes.member.push(member);
        }
        classes
    }

    /// Calls `look` with the workers that may be best for a job, until it has seen one that is better than what
    /// any other could come to: `look` returns the milliseconds to beat.
    ///
    /// `deference_ms` says what it counts to make a long job step aside for so many milliseconds. `bounds` is
    /// memory to work in.
    pub(super) fn first(
        &self,
        (job, model): (&QueuedJob, usize),
        deference_ms: impl Fn(f64) -> f64,
        bounds: &mut Vec<f64>,
        mut look: impl FnMut(usize) -> f64,
    ) {
        let (alone, beside) = match job.length {
            Length::Short => (Queue::Open, Queue::StepIn),
            Length::Long => (Queue::Long, Queue::AfterLong),
        };
        let (alone, beside) = (&self.fronts[model][alone as usize], &self.fronts[model][beside as usize]);
        bounds.clear();
        bounds.extend(alone.iter().map(|front| front.start_ms + job.work * front.standard_ms));
        bounds.extend(beside.iter().map(|front| {
            let work_ms = job.work * front.standard_ms;
            let lost_ms = if job.length == Length::Short { deference_ms(work_ms) } else { 0.0 };
            front.start_ms + work_ms + lost_ms
        }));
        let front = |at: usize| alone.get(at).unwrap_or_else(|| &beside[at - alone.len()]).worker;
        // The most promising first: it mostly rules the others out.
        let least_ms = least(bounds);
        let Some(likely) = bounds.iter().position(|bound| *bound <= least_ms && bound.is_finite()) else { return };
        // A rounding error must not decide a tie.
        let mut best_ms = look(front(likely)) + 1e-6;
        for (at, bound) in bounds.iter().enumerate() {
            if *bound <= best_ms && at != likely && bound.is_finite() {
                best_ms = look(front(at)) + 1e-6;
            }
        }
    }

    /// Puts the worker's present times into its class.
    pub(super) fn announce(&mut self, at: usize, worker: &Worker<'_>, policy: &LongPolicy) {
        for length in [Length::Short, Length::Long] {
            let queue = worker.queue(length);
            let (class, number) = self.member[at];
            let entry = Entry {
                start_ms: worker.turn_ms(length) + worker.switch_ms(length, policy),
                load: worker.load_ratio(),
                scale: self.classes[class].scale(worker),
                worker: at,
            };
            self.classes[class].queues[queue as usize].put(number, entry);
            self.remove(at, queue.other());
            self.update_front(class, queue);
        }
    }

    /// Puts a worker that has begun to load a model with those that have it.
    pub(super) fn move_to_class_of(&mut self, at: usize, worker: &Worker<'_>) {
        for queue in Queue::ALL {
            self.remove(at, queue);
        }
        self.member[at] = self.admit(worker);
    }

    fn remove(&mut self, at: usize, queue: Queue) {
        let (class, number) = self.member[at];
        if self.classes[class].queues[queue as usize].remove(number) {
            self.update_front(class, queue);
        }
    }

    fn update_front(&mut self, class: usize, queue: Queue) {
        let class = &mut self.classes[class];
        let first = class.queues[queue as usize].first();
        for least in &mut class.least {
            let fronts = &mut self.fronts[least.model][queue as usize];
            let at = *least.fronts[queue as usize].get_or_insert_with(|| {
                fronts.push(Front::default());
                fronts.len() - 1
            });
            fronts[at] = match first {
                Some(first) => Front {
                    start_ms: first.start_ms + least.load_ms,
                    standard_ms: least.standard_ms * first.scale,
                    worker: first.worker,
                },
                None => Front { start_ms: f64::INFINITY, ..fronts[at] },
            };
        }
    }

    fn admit(&mut self, worker: &Worker<'_>) -> (usize, usize) {
        let next = self.classes.len();
        let class = *self.by_key.entry(ClassKey::of(worker, self.ratio)).or_insert(next);
        if class == next {
            self.classes.push(Class::default());
        }
        (class, self.classes[class].admit(worker))
    }
}

/// Workers of one kind.
#[derive(Default)]
struct Class {
    /// By [`Queue`].
    queues: [Tournament; QUEUES],
    least: Vec<Least>,
    members: usize,
}

/// The least that any worker of a class needs for a model.
struct Least {
    model: usize,
    standard_ms: f64,
    load_ms: f64,
    /// Where its first workers are, by [`Queue`].
    fronts: [Option<usize>; QUEUES],
}

/// The first worker of a class in a queue.
#[derive(Clone, Copy, Debug, Default)]
struct Front {
    /// Milliseconds until it could start on the model, or less.
    start_ms: f64,
    /// Milliseconds for a standard picture, or less.
    standard_ms: f64,
    worker: usize,
}

impl Class {
    fn admit(&mut self, worker: &Worker<'_>) -> usize {
        for Model { index, standard_ms, load_ms } in worker.models.iter().copied() {
            match self.least.iter_mut().find(|least| least.model == index) {
                Some(least) => {
                    least.standard_ms = least.standard_ms.min(standard_ms);
                    least.load_ms = least.load_ms.min(load_ms);
                }
                None => self.least.push(Least { model: index, standard_ms, load_ms, fronts: [None; QUEUES] }),
            }
        }
        self.members += 1;
        self.members - 1
    }

    /// The worker's times as a multiple of the least; of several models' the smallest, or it could be passed over.
    fn scale(&self, worker: &Worker<'_>) -> f64 {
        let least = self.least.iter().filter_map(|least| Some((least, worker.model(least.model)?)));
        least.map(|(least, model)| model.standard_ms / least.standard_ms).fold(f64::INFINITY, f64::min)
    }
}

/// What workers of one kind have in common.
#[derive(PartialEq, Eq, Hash)]
struct ClassKey {
    /// Each model, how long it takes to load and how long a standard picture takes, in steps of the ratio.
    models: Vec<(usize, u64, u64)>,
    places: u32,
    batch_gain: u64,
    steps_aside: bool,
}

impl ClassKey {
    fn of(worker: &Worker<'_>, ratio: Option<f64>) -> Self {
        let step = |ms: f64| match ratio {
            Some(ratio) => (ms.max(1e-3).ln() / ratio.ln()).round().to_bits(),
            None => ms.to_bits(),
        };
        let mut models: Vec<(usize, u64, u64)> = worker
            .models
            .iter()
            .map(|model| (model.index, step(1.0 + model.load_ms), step(model.standard_ms)))
            .collect();
        models.sort_unstable();
        Self {
            models,
            places: worker.places(),
            batch_gain: step(worker.state.batch_gain),
            steps_aside: worker.state.steps_aside,
        }
    }
}

/// When a worker could start.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start_ms: f64,
    load: f64,
    /// Its times, as a multiple of the least in its class.
    scale: f64,
    worker: usize,
}

impl Entry {
    fn is_before(&self, other: &Self) -> bool {
        let order = (self.start_ms.total_cmp(&other.start_ms))
            .then_with(|| self.load.total_cmp(&other.load))
            .then_with(|| self.scale.total_cmp(&other.scale))
            .then_with(|| self.worker.cmp(&other.worker));
        order == Ordering::Less
    }
}

/// Entries by a worker's number, of which the first is known: a tree in which each node knows the first below it.
#[derive(Default)]
struct Tournament {
    /// Node `n` has the children `2n` and `2n + 1`; the upper half are leaves.
    nodes: Vec<Option<Entry>>,
    leaves: usize,
}

impl Tournament {
    fn first(&self) -> Option<Entry> {
        *self.nodes.get(1)?
    }

    /// Adds an entry, or changes it.
    fn put(&mut self, number: usize, entry: Entry) {
        while number >= self.leaves {
            self.grow();
        }
        self.set(self.leaves + number, Some(entry));
    }

    /// Returns whether there was an entry.
    fn remove(&mut self, number: usize) -> bool {
        let was_there = number < self.leaves && self.nodes[self.leaves + number].is_some();
        if was_there {
            self.set(self.leaves + number, None);
        }
        was_there
    }

    fn set(&mut self, mut node: usize, entry: Option<Entry>) {
        self.nodes[node] = entry;
        while node > 1 {
            node /= 2;
            self.nodes[node] = earlier(self.nodes[2 * node], self.nodes[2 * node + 1]);
        }
    }

    fn grow(&mut self) {
        let before = std::mem::take(&mut self.nodes);
        let leaves = (2 * self.leaves).max(1);
        self.nodes = vec![None; 2 * leaves];
        self.nodes[leaves..leaves + self.leaves].copy_from_slice(&before[before.len() - self.leaves..]);
        self.leaves = leaves;
        for node in (1..leaves).rev() {
            self.nodes[node] = earlier(self.nodes[2 * node], self.nodes[2 * node + 1]);
        }
    }
}

fn earlier(a: Option<Entry>, b: Option<Entry>) -> Option<Entry> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.is_before(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// The least of the values; in lanes that do not wait for each other, because every queued job asks.
fn least(values: &[f64]) -> f64 {
    let mut lanes = [f64::INFINITY; 8];
    let (whole, rest) = values.as_chunks::<8>();
    for chunk in whole {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if value < lane { *value } else { *lane };
        }
    }
    lanes.iter().chain(rest).copied().fold(f64::INFINITY, f64::min)
}
