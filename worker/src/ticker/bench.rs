//! What lies on the ticker's bench, and its turns.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use dispatch::tick::waited_after;
use dispatch::{SessionState, TickPolicy, tick};
use domain::ValidRequest;
use domain::handover::Begun;
use domain::worker::{Assignment, Failure, Lease};
use tokio::sync::mpsc::UnboundedSender;

use super::costs::{CleanPass, Costs};
use super::models::{Models, News};
use super::{Event, Given, Order, Settings, Sharing, pass};
use crate::backend::{Backend, BackendError, Model};
use crate::clock::Stopwatch;

/// A preview is drawn every so many steps: often enough to see the picture form.
const PREVIEW_EVERY: u32 = 2;

type SessionOf<B> = <<B as Backend>::Model as Model>::Session;

/// The pictures in the making and the models that make them.
pub struct Bench<B: Backend> {
    // Sessions never outlive their models: they are dropped first.
    open: Vec<Open<SessionOf<B>>>,
    /// For models that are still being loaded.
    waiting: Vec<Assignment>,
    /// What was fetched for pictures that have not been started here yet.
    given: HashMap<Lease, Given>,
    models: Models<B>,
    costs: Costs,
    sharing: Sharing,
    /// The model of the last pass.
    current: Option<u64>,
    /// Device time spent on each job so far, in milliseconds.
    busy_ms: HashMap<Lease, f64>,
    events: UnboundedSender<Event>,
}

/// One picture in the making.
struct Open<S> {
    lease: Lease,
    index: u32,
    request: Arc<ValidRequest>,
    model_id: u64,
    key: u64,
    /// Most sessions like this one in one pass, as the model has it.
    cap: usize,
    /// A step's time if none was measured.
    guess_ms: f64,
    waited_ms: f64,
    /// It was handed over, and is only kept in case nobody takes it.
    stands_still: bool,
    session: S,
}

impl<B: Backend> Bench<B> {
    pub fn new(backend: Arc<B>, settings: Settings, wake: Sender<Order>, events: UnboundedSender<Event>) -> Self {
        Self {
            open: Vec::new(),
            waiting: Vec::new(),
            given: HashMap::new(),
            models: Models::new(backend, settings, wake),
            costs: Costs::default(),
            sharing: Sharing::default(),
            current: None,
            busy_ms: HashMap::new(),
            events,
        }
    }

    /// Takes orders and turns until the end.
    pub fn run(mut self, orders: &Receiver<Order>) {
        loop {
            // With nothing to do, sleep until an order comes; otherwise only look.
            let mut order =
                if self.is_idle() { orders.recv().map_err(|_| TryRecvError::Disconnected) } else { orders.try_recv() };
            loop {
                match order {
                    Ok(Order::End) | Err(TryRecvError::Disconnected) => return,
                    Ok(order) => self.take(order),
                    Err(TryRecvError::Empty) => break,
                }
                order = orders.try_recv();
            }
            self.turn();
        }
    }

    /// Whether nothing can be done before an order comes.
    pub fn is_idle(&self) -> bool {
        self.open.iter().all(|open| open.stands_still) && self.models.is_idle()
    }

    pub fn take(&mut self, order: Order) {
        match order {
            Order::Start(assignment) => self.start(assignment),
            Order::StartWith(assignment, given) => {
                self.given.insert(lease(&assignment), given);
                self.start(assignment);
            }
            Order::HandOver(lease) => self.hand_over(lease),
            Order::GoOn(lease) => {
                self.open.iter_mut().filter(|open| open.lease == lease).for_each(|open| open.stands_still = false);
            }
            Order::Cancel(lease) => self.forget(lease),
            Order::Clear => {
                self.open.clear();
                self.waiting.clear();
                self.given.clear();
                self.busy_ms.clear();
            }
            Order::Load(model) if self.models.is_known(&model) => {
                self.models.want(&model);
                if self.models.get(&model).is_some() {
                    self.announce(None);
                }
            }
            Order::Load(model) => self.announce(Some(BackendError::UnknownModel(model).to_string())),
            Order::Unload(model) => {
                if let Err(problem) = self.models.unload(&model) {
                    self.announce(Some(problem));
                }
            }
            Order::Stock(models) => self.models.stock(models),
            Order::Share(sharing) => self.sharing = sharing,
            Order::Wake | Order::End => {}
        }
    }

    /// Looks after the models, then makes one pass with the sessions that the rule chooses.
    pub fn turn(&mut self) {
        let open = &self.open;
        let news =
            self.models.tend(&mut self.costs, self.sharing, |name| open.iter().any(|open| open.request.model == name));
        let tried = self.models.try_one(&mut self.costs);
        for news in news.into_iter().chain(tried) {
            self.hear(news);
        }
        self.advance();
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Gone => self.announce(None),
            News::Ready(model) => {
                self.announce(None);
                for assignment in self.waiting.extract_if(.., |waits| waits.request.model == model).collect::<Vec<_>>()
                {
                    self.start(assignment);
                }
            }
            News::Failed { model, error } => {
                tracing::error!(model, %error, "a model is not fit for work");
                self.announce(Some(format!("{model}: {error}")));
                for waited in self.waiting.extract_if(.., |waits| waits.request.model == model).collect::<Vec<_>>() {
                    // The job may well run elsewhere.
                    let failure = Failure { retryable: true, ..failure(&error) };
                    self.tell(Event::Failed { lease: lease(&waited), failure });
                }
            }
        }
    }

    fn start(&mut self, assignment: Assignment) {
        let lease = lease(&assignment);
        let name = &assignment.request.model;
        let Some(loaded) = self.models.begin(name) else {
            if self.models.is_known(name) {
                self.models.want(name);
                self.waiting.push(assignment);
            } else {
                let failure = failure(&BackendError::UnknownModel(name.clone()));
                self.given.remove(&lease);
                self.tell(Event::Failed { lease, failure });
            }
            return;
        };
        let request = Arc::new(assignment.request);
        let given = self.given.remove(&lease).unwrap_or_default();
        let mut opened = Vec::with_capacity(assignment.indices.len());
        for index in assignment.indices {
            let session = match open(&loaded.model, &request, index, &given) {
                Ok(session) => session,
                Err(error) => {
                    self.tell(Event::Failed { lease, failure: failure(&error) });
                    return;
                }
            };
            opened.push(Open {
                lease,
                index,
                request: request.clone(),
                model_id: loaded.id,
                key: loaded.model.key(&session),
                cap: loaded.model.batch_cap(&session),
                guess_ms: loaded.step_ms_per_pixel * f64::from(request.width) * f64::from(request.height),
                waited_ms: 0.0,
                stands_still: false,
                session,
            });
        }
        self.open.append(&mut opened);
        self.busy_ms.insert(lease, 0.0);
    }

    fn forget(&mut self, lease: Lease) {
        self.open.retain(|open| open.lease != lease);
        self.waiting.retain(|waiting| (waiting.job, waiting.epoch) != (lease.job, lease.epoch));
        self.given.remove(&lease);
        self.busy_ms.remove(&lease);
    }

    /// Stops working on a job whose pictures can be written down, and tells what there is of them.
    fn hand_over(&mut self, lease: Lease) {
        let pictures = self.open.iter().filter(|open| open.lease == lease);
        let begun = pictures.map(|open| {
            let name = &open.request.model;
            let loaded = self.models.get(name).ok_or_else(|| BackendError::UnknownModel(name.clone()))?;
            let (step, steps) = loaded.model.progress(&open.session);
            Ok(Begun { index: open.index, step, steps, state: loaded.model.export(&open.session)? })
        });
        match begun.collect::<Result<Vec<Begun>, BackendError>>() {
            // Not begun, or done since: the head hears of the one as of the other.
            Ok(begun) if begun.is_empty() => {}
            Ok(begun) => {
                self.open.iter_mut().filter(|open| open.lease == lease).for_each(|open| open.stands_still = true);
                self.tell(Event::HandedOver { lease, begun });
            }
            Err(error) => tracing::warn!(job = %lease.job, %error, "a job can't be handed over and goes on here"),
        }
    }

    /// One tick: one step for the sessions that the rule chooses.
    fn advance(&mut self) {
        let Some(chosen) = self.choose() else { return };
        let Some(leader) = chosen.first().and_then(|at| self.open.get(*at)) else { return };
        let (key, model_id, name) = (leader.key, leader.model_id, leader.request.model.clone());
        let Some(loaded) = self.models.begin(&name) else { return };

        let mut batch: Vec<&mut SessionOf<B>> = Vec::with_capacity(chosen.len());
        let mut made = Vec::with_capacity(chosen.len());
        for (at, open) in self.open.iter_mut().enumerate() {
            if chosen.binary_search(&at).is_ok() {
                made.push((open.lease, open.index));
                batch.push(&mut open.session);
            }
        }
        let watch = Stopwatch::start();
        let passed = pass::run(&mut batch, &mut |sessions| loaded.model.step(sessions));
        let ms = watch.ms();
        let switched = self.current.is_some_and(|current| current != model_id);
        self.current = Some(model_id);
        if passed.clean {
            self.costs.learn(CleanPass { key, model: model_id, switched, size: chosen.len(), ms });
        }
        if let Some(too_many) = passed.too_many {
            self.costs.shrink(key, model_id, too_many);
        }
        for (at, open) in self.open.iter_mut().enumerate() {
            let advanced = chosen.binary_search(&at).is_ok();
            open.waited_ms = waited_after(open.waited_ms, ms, advanced, &TickPolicy::default());
        }
        let share_ms = ms / made.len().max(1) as f64;
        // By name, not by place: a job that fails takes its other pictures with it.
        for ((lease, index), outcome) in made.into_iter().zip(passed.outcomes) {
            match outcome {
                Ok(()) => self.report(lease, index, share_ms),
                Err(error) => self.fail(lease, &error),
            }
        }
    }

    /// The places of the sessions that share the next pass, in order.
    fn choose(&self) -> Option<Vec<usize>> {
        let places: Vec<usize> = (0..self.open.len()).filter(|at| !self.open[*at].stands_still).collect();
        let states = places.iter().map(|at| {
            let open = &self.open[*at];
            let (done, steps) = self.progress(open);
            let remaining_ms = self.costs.remaining_ms(open.key, steps.saturating_sub(done), open.guess_ms);
            SessionState { key: open.key, model: open.model_id, remaining_ms, waited_ms: open.waited_ms }
        });
        let states: Vec<SessionState> = states.collect();
        let policy = TickPolicy { current: self.current, switch_ms: self.costs.switch_ms(), ..TickPolicy::default() };
        let mut chosen = tick(&states, &policy, |key, available| {
            let like = self.open.iter().find(|open| open.key == key);
            let cap = like.map_or(1, |open| open.cap).min(self.costs.cap(key));
            match self.sharing {
                Sharing::Never => 1,
                Sharing::Measured => self.costs.best_size(key, available, cap),
                Sharing::Always => available.min(cap),
            }
        });
        chosen.iter_mut().for_each(|at| *at = places[*at]);
        chosen.sort_unstable();
        (!chosen.is_empty()).then_some(chosen)
    }

    fn progress(&self, open: &Open<SessionOf<B>>) -> (u32, u32) {
        self.models.get(&open.request.model).map_or((0, 0), |loaded| loaded.model.progress(&open.session))
    }

    /// Tells of the step a session just made, and delivers it if that was the last.
    fn report(&mut self, lease: Lease, index: u32, step_ms: f64) {
        let Some(at) = self.open.iter().position(|open| (open.lease, open.index) == (lease, index)) else { return };
        let open = &self.open[at];
        let Some(loaded) = self.models.get(&open.request.model) else { return };
        let (step, steps) = loaded.model.progress(&open.session);
        let watch = Stopwatch::start();
        let finished = (step >= steps).then(|| loaded.model.finish(&open.session, &open.request.recipe(index)));
        let preview =
            (finished.is_none() && step % PREVIEW_EVERY == 0).then(|| loaded.model.preview(&open.session)).flatten();
        let extra_ms = watch.ms();
        if matches!(finished, Some(Ok(_))) {
            self.costs.learn_finish(open.key, open.model_id, extra_ms);
        }
        let busy_ms = {
            let total = self.busy_ms.entry(lease).or_default();
            *total += step_ms + extra_ms;
            *total
        };
        self.tell(Event::Step { lease, index, step, steps, preview });
        match finished {
            None => {}
            Some(Err(error)) => self.fail(lease, &error),
            Some(Ok(png)) => {
                self.open.remove(at);
                let last = self.open.iter().all(|other| other.lease != lease);
                if last {
                    self.busy_ms.remove(&lease);
                }
                self.tell(Event::Picture { lease, index, png, last, busy_ms });
            }
        }
    }

    /// Gives a job back, once.
    fn fail(&mut self, lease: Lease, error: &BackendError) {
        if self.open.iter().any(|open| open.lease == lease) {
            self.forget(lease);
            // First, so that the failure does not look like a free place.
            if let BackendError::Failed(reason) = error {
                self.tell(Event::Sick(reason.clone()));
            }
            self.tell(Event::Failed { lease, failure: failure(error) });
        }
    }

    fn announce(&self, problem: Option<String>) {
        self.tell(Event::Models(self.models.now(problem)));
    }

    /// Nobody listens any more only when the process is about to end.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

/// A picture at its beginning or, if that works, where another worker left it.
fn open<M: Model>(model: &M, request: &ValidRequest, index: u32, given: &Given) -> Result<M::Session, BackendError> {
    let seed = request.seed_of(index);
    let begun = given.begun.iter().find(|begun| begun.index == index);
    if let Some(begun) = begun {
        match model.resume(request, seed, given.start.as_ref(), &begun.state) {
            Ok(session) if model.progress(&session) == (begun.step, begun.steps) => return Ok(session),
            Ok(_) => tracing::warn!(index, "a picture that was handed over is not where it should be: made anew"),
            Err(error) => tracing::warn!(index, %error, "a picture that was handed over is made anew"),
        }
    }
    model.open(request, seed, given.start.as_ref())
}

fn lease(assignment: &Assignment) -> Lease {
    Lease { job: assignment.job, epoch: assignment.epoch }
}

fn failure(error: &BackendError) -> Failure {
    Failure {
        reason: error.to_string(),
        retryable: !matches!(error, BackendError::Unfit(_)),
        out_of_memory: matches!(error, BackendError::OutOfMemory(_)),
        source_gone: false,
    }
}
