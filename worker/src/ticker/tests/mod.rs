//! The bench, turned by hand, with a device that obeys the test.

mod failing;
mod going_on;
mod handing_over;
mod loading;
mod sharing;
mod starter;

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::worker::{Assignment, Lease};
use domain::{JobId, ModelCard, ValidRequest};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::bench::Bench;
use super::{Event, Given, ModelsNow, Order, Settings, Sharing};
use crate::backend::{Backend, BackendError, Model, Offer, StartPicture};

/// The passes that were made, by the prompts that shared them.
pub type Log = Arc<Mutex<Vec<Vec<String>>>>;

/// A device without work: it does what prompts and model names say, and writes it down.
#[derive(Debug, Default)]
pub struct Stub {
    pub models: Vec<&'static str>,
    /// Most sessions for which there is memory; 0 for any number.
    pub room: usize,
    /// What a pass takes, however many share it: where it matters that sharing pays, on a busy machine too.
    pub pass: Duration,
    /// Models that load but can't make a step.
    pub unfit: HashSet<&'static str>,
    /// Models that load when the other end says so.
    pub gates: HashMap<&'static str, Mutex<Receiver<()>>>,
    /// Hears of every session that is dropped, by its prompt.
    pub dropped: Option<UnboundedSender<String>>,
    pub log: Log,
}

pub struct StubModel {
    card: ModelCard,
    fit: bool,
    room: usize,
    pass: Duration,
    dropped: Option<UnboundedSender<String>>,
    log: Log,
}

pub struct StubSession {
    prompt: String,
    steps: u32,
    done: u32,
    dropped: Option<UnboundedSender<String>>,
}

/// A bench, its orders and its events.
pub struct Rig<B: Backend> {
    pub bench: Bench<B>,
    orders: Receiver<Order>,
    events: UnboundedReceiver<Event>,
}

impl Stub {
    pub fn new(models: &[&'static str]) -> Self {
        Self { models: models.to_vec(), ..Self::default() }
    }
}

impl Backend for Stub {
    type Model = StubModel;

    fn describe(&self) -> String {
        "stub".into()
    }

    fn memory_mb(&self) -> u64 {
        0
    }

    fn concurrency(&self, _batch_gain: f64) -> u32 {
        8
    }

    fn catalogue(&self) -> Vec<Offer> {
        self.models.iter().map(|name| Offer { card: card(name), memory_mb: 1, load_ms: 1.0 }).collect()
    }

    fn load(&self, model: &str) -> Result<StubModel, BackendError> {
        if let Some(gate) = self.gates.get(model) {
            let _ = gate.lock().expect("the gate").recv();
        }
        Ok(StubModel {
            card: card(model),
            fit: !self.unfit.contains(model),
            pass: self.pass,
            room: if self.room == 0 { usize::MAX } else { self.room },
            dropped: self.dropped.clone(),
            log: self.log.clone(),
        })
    }
}

impl Model for StubModel {
    type Session = StubSession;

    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn open(
        &self,
        request: &ValidRequest,
        _seed: u64,
        _start: Option<&Arc<StartPicture>>,
    ) -> Result<StubSession, BackendError> {
        if request.prompt == "unfit" {
            return Err(BackendError::Unfit("never".into()));
        }
        let ValidRequest { prompt, steps, .. } = request.clone();
        Ok(StubSession { prompt, steps, done: 0, dropped: self.dropped.clone() })
    }

    fn export(&self, session: &StubSession) -> Result<Vec<u8>, BackendError> {
        if session.prompt == "stays" {
            return Err(BackendError::Failed("as the test asked".into()));
        }
        Ok(session.done.to_le_bytes().to_vec())
    }

    fn resume(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
        state: &[u8],
    ) -> Result<StubSession, BackendError> {
        let done = state.try_into().map(u32::from_le_bytes).map_err(|_| BackendError::Failed("no state".into()))?;
        let mut session = self.open(request, seed, start)?;
        session.done = done;
        Ok(session)
    }

    fn key(&self, _session: &StubSession) -> u64 {
        self.card.name.bytes().fold(0, |key, byte| key * 256 + u64::from(byte))
    }

    fn batch_cap(&self, _session: &StubSession) -> usize {
        8
    }

    fn progress(&self, session: &StubSession) -> (u32, u32) {
        (session.done, session.steps)
    }

    #[expect(clippy::disallowed_methods, reason = "a pass holds its thread, as on a device")]
    fn step(&self, sessions: &mut [&mut StubSession]) -> Result<(), BackendError> {
        let prompts: Vec<String> = sessions.iter().map(|session| session.prompt.clone()).collect();
        self.log.lock().expect("the log").push(prompts.clone());
        let among = |name: &str| prompts.iter().any(|prompt| prompt == name);
        assert!(!among("panic"), "as the test asked");
        std::thread::sleep(self.pass);
        if sessions.len() > self.room || among("huge") {
            return Err(BackendError::OutOfMemory("full".into()));
        }
        if among("broken") || !self.fit {
            return Err(BackendError::Failed("broken".into()));
        }
        sessions.iter_mut().for_each(|session| session.done += 1);
        Ok(())
    }

    fn preview(&self, _session: &StubSession) -> Option<Vec<u8>> {
        None
    }

    fn finish(&self, session: &StubSession, _recipe: &str) -> Result<Vec<u8>, BackendError> {
        Ok(session.prompt.clone().into_bytes())
    }
}

impl Drop for StubSession {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            let _ = dropped.send(self.prompt.clone());
        }
    }
}

impl<B: Backend> Rig<B> {
    pub fn new(backend: B, settings: Settings) -> Self {
        let (wake, orders) = channel();
        let (sender, events) = unbounded_channel();
        Self { bench: Bench::new(Arc::new(backend), settings, wake, sender), orders, events }
    }

    /// With this model loaded, and passes shared like that.
    pub fn ready(backend: B, model: &str, sharing: Sharing) -> Self {
        let mut rig = Self::new(backend, Settings::default());
        rig.bench.take(Order::Load(model.into()));
        assert_eq!(rig.models().problem, None);
        rig.bench.take(Order::Share(sharing));
        rig
    }

    /// Turns until the models settle; what there is then. Other events are lost.
    pub fn models(&mut self) -> ModelsNow {
        loop {
            match self.next() {
                Event::Models(now) if !now.busy => return now,
                _ => {}
            }
        }
    }

    /// Turns until something happens.
    pub fn next(&mut self) -> Event {
        loop {
            if let Ok(event) = self.events.try_recv() {
                return event;
            }
            if self.bench.is_idle() {
                let order = self.orders.recv().expect("an order");
                self.bench.take(order);
            }
            self.bench.turn();
        }
    }

    /// Turns until nothing is left to do; the pictures and failures on the way, the device's own among them.
    pub fn finish(&mut self) -> Vec<Event> {
        while !self.bench.is_idle() {
            self.bench.turn();
        }
        let told = std::iter::from_fn(|| self.events.try_recv().ok());
        told.filter(|event| matches!(event, Event::Picture { .. } | Event::Failed { .. } | Event::Sick(_))).collect()
    }

    pub fn start(&mut self, job: u128, request: ValidRequest) {
        self.bench.take(Order::Start(assignment(job, request)));
    }
}

pub fn lease(job: u128) -> Lease {
    Lease { job: JobId::from_random(job), epoch: 1 }
}

pub fn assignment(job: u128, request: ValidRequest) -> Assignment {
    Assignment { job: lease(job).job, epoch: 1, indices: (0..request.count).collect(), request, begun: false }
}

/// One picture of four steps with the model `starter`.
pub fn request(prompt: &str) -> ValidRequest {
    ValidRequest {
        prompt: prompt.into(),
        negative_prompt: String::new(),
        model: "starter".into(),
        capability: "image.fast".into(),
        count: 1,
        seed: 5,
        width: 64,
        height: 64,
        steps: 4,
        guidance: 3.0,
        source: None,
    }
}

/// The passes since the last look, by the prompts that shared them.
pub fn passes(log: &Log) -> Vec<String> {
    log.lock().expect("the log").drain(..).map(|prompts| prompts.join("+")).collect()
}

/// The jobs that came to a picture, in order.
pub fn pictures(events: &[Event]) -> Vec<Lease> {
    let made = events.iter().filter_map(|event| match event {
        Event::Picture { lease, .. } => Some(*lease),
        _ => None,
    });
    made.collect()
}

fn card(name: &str) -> ModelCard {
    ModelCard {
        name: name.into(),
        title: name.into(),
        capability: "image.fast".into(),
        native_size: 64,
        default_steps: 4,
        max_steps: 50,
        default_guidance: 3.0,
        size_multiple: 32,
    }
}
