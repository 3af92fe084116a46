//! Which models are loaded: loading them on a thread of their own, trying them between passes, unloading them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use domain::worker::{AvailableModel, WarmModel};

use super::costs::Costs;
use super::slots::{Kept, Room, Slots, room};
use super::trial::Trial;
use super::{ModelsNow, Order, Settings, Sharing};
use crate::backend::{Backend, BackendError, Model, Offer};
use crate::clock::Stopwatch;

/// Most sessions that a trial lets share a pass.
const TRIAL_BATCH: usize = 8;

/// The models of one device.
pub struct Models<B: Backend> {
    backend: Arc<B>,
    slots: Slots,
    pinned: HashSet<String>,
    loaded: BTreeMap<String, Loaded<B::Model>>,
    /// Names in the order in which they are to be loaded.
    queue: VecDeque<Wanted>,
    loading: Option<(String, Stopwatch)>,
    trial: Option<(Trial<B::Model>, Stopwatch)>,
    leaving: HashSet<String>,
    /// Measured milliseconds from the start of loading to the end of the trial.
    load_ms: HashMap<String, f64>,
    /// Where the loading thread puts models, and where they are taken from.
    arriving: Sender<Arrival<B::Model>>,
    arrivals: Receiver<Arrival<B::Model>>,
    /// Wakes the ticker when a model has arrived.
    wake: Sender<Order>,
    counter: u64,
}

/// A model that is fit for work.
pub struct Loaded<M> {
    pub model: M,
    /// Never used for another load.
    pub id: u64,
    /// A guess at a step's time: milliseconds per pixel.
    pub step_ms_per_pixel: f64,
    warm: WarmModel,
    memory_mb: u64,
    batch_gain: f64,
    last_used: u64,
}

/// Something about the models changed.
#[derive(Debug)]
pub enum News {
    Ready(String),
    Gone,
    Failed { model: String, error: BackendError },
}

#[derive(Debug)]
struct Wanted {
    name: String,
    /// Only if nothing has to go for it.
    if_room: bool,
    /// In MiB, once its files were looked at: not again at every turn while it waits for room.
    memory_mb: Option<u64>,
}

struct Arrival<M> {
    name: String,
    result: Result<M, BackendError>,
}

impl<B: Backend> Models<B> {
    pub fn new(backend: Arc<B>, settings: Settings, wake: Sender<Order>) -> Self {
        let (arriving, arrivals) = channel();
        Self {
            slots: Slots { most: settings.slots.unwrap_or(usize::MAX), memory_mb: backend.memory_mb() },
            backend,
            pinned: settings.pinned.into_iter().collect(),
            loaded: BTreeMap::new(),
            queue: VecDeque::new(),
            loading: None,
            trial: None,
            leaving: HashSet::new(),
            load_ms: HashMap::new(),
            arriving,
            arrivals,
            wake,
            counter: 0,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Loaded<B::Model>> {
        self.loaded.get(name)
    }

    /// The same, for work to begin: it stays loaded for longer than those that are not used.
    pub fn begin(&mut self, name: &str) -> Option<&Loaded<B::Model>> {
        self.counter += 1;
        let loaded = self.loaded.get_mut(name)?;
        loaded.last_used = self.counter;
        Some(loaded)
    }

    /// Loads a model before those that are only loaded if there is room. Does nothing if it is loaded or on its way.
    pub fn want(&mut self, name: &str) {
        self.leaving.remove(name);
        self.queue.retain(|wanted| wanted.name != name || !wanted.if_room);
        if !self.is_on_its_way(name) && !self.loaded.contains_key(name) {
            let at = self.queue.iter().position(|wanted| wanted.if_room).unwrap_or(self.queue.len());
            self.queue.insert(at, Wanted { name: name.to_owned(), if_room: false, memory_mb: None });
        }
    }

    /// Loads these for as long as nothing has to go for them.
    pub fn stock(&mut self, names: Vec<String>) {
        self.queue.extend(names.into_iter().map(|name| Wanted { name, if_room: true, memory_mb: None }));
    }

    /// Unloads a model once nothing uses it.
    ///
    /// # Errors
    /// With a sentence, when it is pinned or not loaded.
    pub fn unload(&mut self, name: &str) -> Result<(), String> {
        if self.pinned.contains(name) {
            return Err(format!("“{name}” is pinned on this worker"));
        }
        self.queue.retain(|wanted| wanted.name != name);
        if !self.loaded.contains_key(name) {
            return Err(format!("“{name}” is not loaded"));
        }
        self.leaving.insert(name.to_owned());
        Ok(())
    }

    /// Whether nothing can be done here before something arrives, if no model is in use.
    pub fn is_idle(&self) -> bool {
        self.trial.is_none() && self.leaving.is_empty() && (self.loading.is_some() || self.queue.is_empty())
    }

    /// Whether another model is being loaded or will be.
    pub fn is_busy(&self) -> bool {
        self.trial.is_some() || self.loading.is_some() || !self.queue.is_empty()
    }

    /// Takes in what was loaded, lets go what is not needed, begins the next load. Quick.
    pub fn tend(&mut self, costs: &mut Costs, sharing: Sharing, in_use: impl Fn(&str) -> bool) -> Vec<News> {
        let mut news = Vec::new();
        while let Ok(Arrival { name, result }) = self.arrivals.try_recv() {
            let watch = self.loading.take().map_or_else(Stopwatch::start, |(_, watch)| watch);
            let most = if sharing == Sharing::Never { 1 } else { TRIAL_BATCH };
            match result {
                Ok(model) => self.trial = Some((Trial::new(model, most), watch)),
                Err(error) => news.push(News::Failed { model: name, error }),
            }
        }
        let gone: Vec<String> = self.leaving.iter().filter(|name| !in_use(name)).cloned().collect();
        for name in gone {
            self.let_go(&name, costs);
            news.push(News::Gone);
        }
        self.begin_next(costs, in_use, &mut news);
        news
    }

    /// One pass of the trial, if there is one.
    pub fn try_one(&mut self, costs: &mut Costs) -> Option<News> {
        let (trial, _) = self.trial.as_mut()?;
        let passed = trial.pass();
        if matches!(passed, Ok(false)) {
            return None;
        }
        let (trial, watch) = self.trial.take()?;
        let name = trial.name().to_owned();
        if let Err(error) = passed {
            return Some(News::Failed { model: name, error });
        }
        let (model, tried) = trial.end();
        self.counter += 1;
        costs.begin(self.counter, &tried);
        self.load_ms.insert(name.clone(), watch.ms());
        let card = model.card().clone();
        let pixels = f64::from(card.native_size) * f64::from(card.native_size);
        let memory_mb = self.offer(&name).map_or(0, |offer| offer.memory_mb);
        let batch_gain = tried.times.gain(tried.cap);
        tracing::info!(
            model = %name,
            standard_ms = tried.standard_ms.round(),
            load_ms = watch.ms().round(),
            batch_gain = (batch_gain * 100.0).round() / 100.0,
            "model is warm"
        );
        let loaded = Loaded {
            model,
            id: self.counter,
            step_ms_per_pixel: tried.times.pass_ms(1).unwrap_or(100.0) / pixels.max(1.0),
            warm: WarmModel { card, standard_ms: tried.standard_ms },
            memory_mb,
            batch_gain,
            last_used: self.counter,
        };
        self.loaded.insert(name.clone(), loaded);
        Some(News::Ready(name))
    }

    /// What is loaded now, and what could be.
    pub fn now(&self, problem: Option<String>) -> ModelsNow {
        let staying = || self.loaded.iter().filter(|(name, _)| !self.leaving.contains(*name)).map(|(_, loaded)| loaded);
        // What makes pictures larger shares no passes, and takes nothing away from those that do.
        let drawing = staying().filter(|loaded| !loaded.warm.card.upscales());
        let batch_gain = drawing.map(|loaded| loaded.batch_gain).reduce(f64::min).unwrap_or(1.0);
        let available = self.backend.catalogue().into_iter().map(|offer| AvailableModel {
            load_ms: self.load_ms.get(&offer.card.name).copied().unwrap_or(offer.load_ms),
            pinned: self.pinned.contains(&offer.card.name),
            memory_mb: offer.memory_mb,
            card: offer.card,
        });
        ModelsNow {
            warm: staying().map(|loaded| loaded.warm.clone()).collect(),
            available: available.collect(),
            batch_gain,
            concurrency: self.backend.concurrency(batch_gain).max(1),
            busy: self.is_busy(),
            problem,
        }
    }

    /// Whether a model of this name could be loaded, as far as its files tell.
    pub fn is_known(&self, name: &str) -> bool {
        self.is_on_its_way(name) || self.offer(name).is_some()
    }

    fn offer(&self, name: &str) -> Option<Offer> {
        self.backend.catalogue().into_iter().find(|offer| offer.card.name == name)
    }

    fn is_on_its_way(&self, name: &str) -> bool {
        self.queue.iter().any(|wanted| wanted.name == name)
            || self.loading.as_ref().is_some_and(|(loading, _)| loading == name)
            || self.trial.as_ref().is_some_and(|(trial, _)| trial.name() == name)
    }

    fn let_go(&mut self, name: &str, costs: &mut Costs) {
        self.leaving.remove(name);
        if let Some(loaded) = self.loaded.remove(name) {
            tracing::info!(model = name, "model is unloaded");
            costs.forget(loaded.id);
        }
    }

    fn begin_next(&mut self, costs: &mut Costs, in_use: impl Fn(&str) -> bool, news: &mut Vec<News>) {
        while self.loading.is_none() && self.trial.is_none() {
            let Some(Wanted { name, if_room, memory_mb }) = self.queue.pop_front() else { return };
            if self.loaded.contains_key(&name) {
                continue;
            }
            let Some(memory_mb) = memory_mb.or_else(|| Some(self.offer(&name)?.memory_mb)) else {
                news.push(News::Failed { error: BackendError::UnknownModel(name.clone()), model: name });
                continue;
            };
            let kept: Vec<Kept<'_>> =
                self.loaded.iter().map(|(name, loaded)| self.kept(name, loaded, &in_use)).collect();
            match room(self.slots, &kept, memory_mb) {
                Room::Free => self.begin_load(name),
                _ if if_room => {}
                Room::After(names) => {
                    for name in names {
                        self.let_go(&name, costs);
                        news.push(News::Gone);
                    }
                    self.begin_load(name);
                }
                Room::Busy => {
                    self.queue.push_front(Wanted { name, if_room, memory_mb: Some(memory_mb) });
                    return;
                }
                Room::Never => {
                    let error = BackendError::OutOfMemory("the pinned models leave too little room".into());
                    news.push(News::Failed { model: name, error });
                }
            }
        }
    }

    fn kept<'a>(&self, name: &'a str, loaded: &Loaded<B::Model>, in_use: impl Fn(&str) -> bool) -> Kept<'a> {
        Kept {
            name,
            memory_mb: loaded.memory_mb,
            pinned: self.pinned.contains(name),
            in_use: in_use(name),
            last_used: loaded.last_used,
        }
    }

    fn begin_load(&mut self, name: String) {
        self.loading = Some((name.clone(), Stopwatch::start()));
        let (backend, arrivals, wake) = (self.backend.clone(), self.arriving.clone(), self.wake.clone());
        let arrival = name.clone();
        let load = move || {
            let result = catch_unwind(AssertUnwindSafe(|| backend.load(&arrival)))
                .unwrap_or_else(|_| Err(BackendError::Failed(format!("loading “{arrival}” panicked"))));
            let _ = arrivals.send(Arrival { name: arrival, result });
            let _ = wake.send(Order::Wake);
        };
        if let Err(error) = std::thread::Builder::new().name("loader".into()).spawn(load) {
            let result = Err(BackendError::Failed(format!("no thread to load it: {error}")));
            let _ = self.arriving.send(Arrival { name, result });
            let _ = self.wake.send(Order::Wake);
        }
    }
}
