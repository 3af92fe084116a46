//! The thread that owns the device: between denoising steps it looks at what
//! arrived, asks the pure rule in `dispatch` who advances next, and steps.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use dispatch::{SessionState, TickPolicy, tick};
use domain::worker::{Assignment, Failure};
use domain::{JobId, ValidRequest};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::backend::Backend;
use crate::clock::Stopwatch;

/// A preview is drawn every so many steps: often enough to see the picture form.
const PREVIEW_EVERY: u32 = 2;
/// Decoding and encoding, in steps' worth of work, when judging what remains of a session.
const FINISH_STEPS: f64 = 3.0;

/// To the thread.
#[derive(Debug)]
pub enum Order {
    /// Work on this assignment; what happens is told through the sender.
    Start(Assignment, UnboundedSender<Event>),
    Cancel {
        job: JobId,
        epoch: i32,
    },
    /// Forget everything: the head has placed it elsewhere.
    Clear,
}

/// From the thread.
#[derive(Debug)]
pub enum Event {
    Step { job: JobId, epoch: i32, index: u32, step: u32, steps: u32, preview: Option<Vec<u8>> },
    Picture { job: JobId, epoch: i32, index: u32, png: Vec<u8>, last: bool, busy_ms: f64 },
    Failed { job: JobId, epoch: i32, failure: Failure },
}

/// A handle on the thread; the thread ends when it is dropped.
#[derive(Debug)]
pub struct Ticker {
    orders: Sender<Order>,
}

impl Ticker {
    pub fn start(&self, assignment: Assignment, events: UnboundedSender<Event>) {
        let _ = self.orders.send(Order::Start(assignment, events));
    }

    pub fn cancel(&self, job: JobId, epoch: i32) {
        let _ = self.orders.send(Order::Cancel { job, epoch });
    }

    pub fn clear(&self) {
        let _ = self.orders.send(Order::Clear);
    }
}

/// A fresh channel for the events of one connection.
pub fn events() -> (UnboundedSender<Event>, UnboundedReceiver<Event>) {
    unbounded_channel()
}

/// Starts the thread.
///
/// A panic on it ends the process: a worker without its device must not go on saying that it is alive.
pub fn spawn<B: Backend>(backend: B) -> std::io::Result<Ticker> {
    let (orders, incoming) = channel();
    std::thread::Builder::new().name("ticker".into()).spawn(move || {
        let run = AssertUnwindSafe(|| Bench::new(backend).run(&incoming));
        if catch_unwind(run).is_err() {
            std::process::exit(70);
        }
    })?;
    Ok(Ticker { orders })
}

/// What lies on the thread's bench.
struct Bench<B: Backend> {
    backend: B,
    open: Vec<Open<B::Session>>,
    /// Measured milliseconds of a step, by batch key.
    step_ms: HashMap<u64, f64>,
    /// Device time spent on each job so far, in milliseconds.
    busy_ms: HashMap<(JobId, i32), f64>,
}

struct Open<S> {
    job: JobId,
    epoch: i32,
    index: u32,
    request: ValidRequest,
    session: S,
    waiting: Stopwatch,
    events: UnboundedSender<Event>,
}

impl<B: Backend> Bench<B> {
    fn new(backend: B) -> Self {
        Self { backend, open: Vec::new(), step_ms: HashMap::new(), busy_ms: HashMap::new() }
    }

    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            // With nothing to do, sleep until an order comes; otherwise only look.
            if self.open.is_empty() {
                match orders.recv() {
                    Ok(order) => self.take(order),
                    Err(_) => return,
                }
            }
            loop {
                match orders.try_recv() {
                    Ok(order) => self.take(order),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            self.advance();
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Start(assignment, events) => self.start(assignment, &events),
            Order::Cancel { job, epoch } => self.forget(job, epoch),
            Order::Clear => {
                self.open.clear();
                self.busy_ms.clear();
            }
        }
    }

    fn start(&mut self, assignment: Assignment, events: &UnboundedSender<Event>) {
        let Assignment { job, epoch, request, indices } = assignment;
        self.busy_ms.insert((job, epoch), 0.0);
        for index in indices {
            match self.backend.open(&request, request.seed_of(index)) {
                Ok(session) => self.open.push(Open {
                    job,
                    epoch,
                    index,
                    request: request.clone(),
                    session,
                    waiting: Stopwatch::start(),
                    events: events.clone(),
                }),
                Err(error) => {
                    let failure = Failure { reason: error.to_string(), retryable: false };
                    let _ = events.send(Event::Failed { job, epoch, failure });
                    self.forget(job, epoch);
                    return;
                }
            }
        }
    }

    fn forget(&mut self, job: JobId, epoch: i32) {
        self.open.retain(|open| (open.job, open.epoch) != (job, epoch));
        self.busy_ms.remove(&(job, epoch));
    }

    /// One tick: one step for the sessions that the rule chooses.
    fn advance(&mut self) {
        let states: Vec<SessionState> = self
            .open
            .iter()
            .map(|open| {
                let key = self.backend.key(&open.session);
                let (done, steps) = self.backend.progress(&open.session);
                let left = f64::from(steps - done.min(steps)) + FINISH_STEPS;
                let step_ms = self.step_ms.get(&key).copied().unwrap_or(100.0);
                SessionState { key, remaining_ms: left * step_ms, waited_ms: open.waiting.ms() }
            })
            .collect();
        let policy = TickPolicy { max_batch: self.backend.max_batch(), ..TickPolicy::default() };
        let mut chosen = tick(&states, &policy);
        chosen.sort_unstable();
        let Some(first) = chosen.first().copied() else { return };

        let watch = Stopwatch::start();
        let mut batch: Vec<&mut B::Session> = self
            .open
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| chosen.binary_search(at).is_ok())
            .map(|(_, open)| &mut open.session)
            .collect();
        let stepped = self.backend.step(&mut batch);
        let step_ms = watch.ms();
        if let Err(error) = stepped {
            self.fail(&chosen, &error.to_string());
            return;
        }
        let learned = self.step_ms.entry(states[first].key).or_insert(step_ms);
        *learned += 0.2 * (step_ms - *learned);
        // From the back, so that removing a finished session leaves the other indices alone.
        for at in chosen.iter().rev().copied() {
            self.report(at, step_ms / chosen.len() as f64);
        }
    }

    /// Tells of the step a session just made, and delivers it if that was the last.
    fn report(&mut self, at: usize, step_ms: f64) {
        let Some(open) = self.open.get(at) else { return };
        let (job, epoch, index) = (open.job, open.epoch, open.index);
        let (step, steps) = self.backend.progress(&open.session);
        let watch = Stopwatch::start();
        let finished = (step >= steps).then(|| self.backend.finish(&open.session, &open.request.recipe(index)));
        let preview =
            (finished.is_none() && step % PREVIEW_EVERY == 0).then(|| self.backend.preview(&open.session)).flatten();
        let _ = open.events.send(Event::Step { job, epoch, index, step, steps, preview });
        let busy_ms = {
            let total = self.busy_ms.entry((job, epoch)).or_default();
            *total += step_ms + watch.ms();
            *total
        };
        match finished {
            None => {}
            Some(Err(error)) => self.fail(&[at], &error.to_string()),
            Some(Ok(png)) => {
                let open = self.open.remove(at);
                let last = self.open.iter().all(|other| (other.job, other.epoch) != (job, epoch));
                if last {
                    self.busy_ms.remove(&(job, epoch));
                }
                let _ = open.events.send(Event::Picture { job, epoch, index, png, last, busy_ms });
            }
        }
    }

    /// Gives back every job that has a session among these.
    fn fail(&mut self, sessions: &[usize], reason: &str) {
        let mut jobs: Vec<(JobId, i32, UnboundedSender<Event>)> = sessions
            .iter()
            .filter_map(|at| self.open.get(*at))
            .map(|open| (open.job, open.epoch, open.events.clone()))
            .collect();
        jobs.dedup_by_key(|(job, epoch, _)| (*job, *epoch));
        for (job, epoch, events) in jobs {
            let failure = Failure { reason: reason.into(), retryable: true };
            let _ = events.send(Event::Failed { job, epoch, failure });
            self.forget(job, epoch);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backend::FakeBackend;

    fn assignment(job: u128, count: u32) -> Assignment {
        Assignment {
            job: JobId::from_random(job),
            epoch: 1,
            request: ValidRequest {
                prompt: "a sea".into(),
                negative_prompt: String::new(),
                model: "starter".into(),
                capability: "image.fast".into(),
                count,
                seed: 5,
                width: 64,
                height: 64,
                steps: 4,
                guidance: 3.0,
            },
            indices: (0..count).collect(),
        }
    }

    #[tokio::test]
    async fn every_picture_comes_once_and_the_last_says_so() {
        let ticker = spawn(FakeBackend::new(Duration::ZERO)).expect("a thread");
        let (sender, mut events) = events();
        ticker.start(assignment(1, 3), sender);
        let mut pictures = Vec::new();
        let mut steps = 0;
        while let Some(event) = events.recv().await {
            match event {
                Event::Step { .. } => steps += 1,
                Event::Picture { index, last, .. } => {
                    pictures.push(index);
                    if last {
                        break;
                    }
                }
                Event::Failed { failure, .. } => panic!("{failure:?}"),
            }
        }
        pictures.sort_unstable();
        assert_eq!(pictures, [0, 1, 2]);
        assert_eq!(steps, 12);
    }

    #[tokio::test]
    async fn a_cancelled_job_is_silent_and_the_next_one_runs() {
        let ticker = spawn(FakeBackend::new(Duration::from_millis(400))).expect("a thread");
        let (sender, mut events) = events();
        ticker.start(assignment(1, 8), sender.clone());
        ticker.cancel(JobId::from_random(1), 1);
        ticker.start(assignment(2, 1), sender);
        let mut after = Vec::new();
        while let Some(event) = events.recv().await {
            if let Event::Picture { job, last, .. } = event {
                after.push(job);
                if last {
                    break;
                }
            }
        }
        assert_eq!(after, [JobId::from_random(2)]);
    }
}
