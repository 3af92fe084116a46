//! What this worker owes the head. It outlives connections: work goes on, and
//! finished pictures and last words wait here until a head takes them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::ValidRequest;
use domain::handover::{self, Begun};
use domain::worker::{Assignment, Failure, FromWorker, HAND_OVER_MS, Lease};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::backend::StartPicture;
use crate::delivery::{Delivered, Delivery, Unfetched};
use crate::ticker::{Event, Given, ModelsNow, Order, Ticker};

/// The leases that this worker works on, and what the head has not been told yet.
#[derive(Debug)]
pub struct Desk {
    ticker: Ticker,
    events: UnboundedReceiver<Event>,
    delivery: Delivery,
    errands: (UnboundedSender<Errand>, UnboundedReceiver<Errand>),
    held: HashMap<Lease, Held>,
    models: ModelsNow,
    models_untold: bool,
    /// What the device failed with.
    sick: Option<String>,
}

/// One lease.
#[derive(Debug, Default)]
struct Held {
    /// Pictures on their way.
    uploading: Vec<Upload>,
    /// Device time in milliseconds, once every picture is made.
    made: Option<f64>,
    /// The last word on this lease, until it has been said.
    verdict: Option<FromWorker>,
    /// What another worker had made of it, or the picture it goes on from, is on its way here.
    fetching: Option<Task>,
    /// It is being handed over.
    handing: Option<Handing>,
}

/// A job whose pictures stand still, so that another worker can go on with them.
#[derive(Debug)]
struct Handing {
    /// What there is of them is on its way; `None` once the head has it.
    bringing: Option<Task>,
    /// Ends the wait.
    _patience: Task,
}

/// Ends when it is dropped: nothing travels under a lease that was given up.
#[derive(Debug)]
struct Task(tokio::task::AbortHandle);

#[derive(Debug)]
struct Upload {
    index: u32,
    _task: Task,
}

/// What came of something that was begun beside the desk.
#[derive(Debug)]
enum Errand {
    Uploaded {
        lease: Lease,
        index: u32,
        delivered: Delivered,
    },
    Fetched {
        assignment: Box<Assignment>,
        begun: Option<Bytes>,
        start: Result<Option<Arc<StartPicture>>, Unstarted>,
    },
    Brought {
        lease: Lease,
        delivered: Delivered,
    },
    /// Nobody has fetched a job that was handed over.
    Unfetched {
        lease: Lease,
    },
}

/// Why a job can't begin.
#[derive(Debug)]
enum Unstarted {
    /// Its lease is over.
    Stale,
    Failed(Failure),
}

impl Desk {
    pub fn new(ticker: Ticker, events: UnboundedReceiver<Event>, delivery: Delivery, models: ModelsNow) -> Self {
        let errands = unbounded_channel();
        Self { ticker, events, delivery, errands, held: HashMap::new(), models, models_untold: false, sick: None }
    }

    /// Waits for the next thing to happen; what the head should be told of it, if anything.
    ///
    /// Nothing is lost if the future is dropped. A last word stays until [`Desk::said`].
    /// `None` only if the device's thread is gone.
    pub async fn next(&mut self) -> Option<Option<FromWorker>> {
        tokio::select! {
            event = self.events.recv() => Some(self.hear(event?)),
            Some(errand) = self.errands.1.recv() => Some(self.hear_errand(errand)),
        }
    }

    /// Begins work on a lease.
    pub fn assign(&mut self, assignment: Assignment) -> Option<FromWorker> {
        let lease = Lease { job: assignment.job, epoch: assignment.epoch };
        if self.held.contains_key(&lease) {
            return None;
        }
        // A job has one lease at a time: an older one is over, even if that was never said.
        let older: Vec<Lease> = self.held.keys().filter(|held| held.job == lease.job).copied().collect();
        older.into_iter().for_each(|older| self.cancel(older));
        let held = self.held.entry(lease).or_default();
        if assignment.indices.is_empty() {
            // Every picture was delivered before an earlier lease ended: only the word is missing.
            held.made = Some(0.0);
            return self.judge(lease);
        }
        if assignment.begun || assignment.request.source.is_some() {
            let (delivery, errands) = (self.delivery.clone(), self.errands.0.clone());
            held.fetching = Some(Task::spawn(async move {
                let start = start(&delivery, lease, &assignment.request).await;
                let begun = if assignment.begun && start.is_ok() {
                    delivery.fetch(lease, handover::most_bytes(&assignment.request)).await
                } else {
                    None
                };
                let _ = errands.send(Errand::Fetched { assignment: Box::new(assignment), begun, start });
            }));
            return None;
        }
        self.ticker.order(Order::Start(assignment));
        None
    }

    /// Stops working on a job as soon as a step ends, so that another worker can go on with it.
    pub fn hand_over(&mut self, lease: Lease) {
        if self.held.get(&lease).is_some_and(|held| held.handing.is_none() && held.verdict.is_none()) {
            self.ticker.order(Order::HandOver(lease));
        }
    }

    /// Works on with a job that was handed over in vain.
    pub fn go_on(&mut self, lease: Lease) {
        if let Some(held) = self.held.get_mut(&lease) {
            held.handing = None;
            self.ticker.order(Order::GoOn(lease));
        }
    }

    /// Gives a lease up: nothing more is made, sent or said under it.
    pub fn cancel(&mut self, lease: Lease) {
        if self.held.remove(&lease).is_some() {
            self.ticker.order(Order::Cancel(lease));
        }
    }

    /// Gives every lease up.
    pub fn clear(&mut self) {
        self.held.clear();
        self.ticker.order(Order::Clear);
    }

    pub fn load(&self, model: String) {
        self.ticker.order(Order::Load(model));
    }

    pub fn unload(&self, model: String) {
        self.ticker.order(Order::Unload(model));
    }

    pub fn holding(&self) -> Vec<Lease> {
        self.held.keys().copied().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What the device failed with, if it did: then this worker is to hand in what it has and end, since a process
    /// that starts afresh has a device that does.
    pub fn sick(&self) -> Option<&str> {
        self.sick.as_deref()
    }

    /// A head has taken this worker in and lets these leases stand. What it is to be told now.
    pub fn resume(&mut self, standing: &[Lease]) -> Vec<FromWorker> {
        for lease in self.holding() {
            if !standing.contains(&lease) {
                tracing::warn!(job = %lease.job, "the lease did not outlive the connection");
                self.cancel(lease);
            }
        }
        // Whether the head heard that they were handed over, nobody knows.
        let handing = |(lease, held): (&Lease, &Held)| held.handing.is_some().then_some(*lease);
        let handing: Vec<Lease> = self.held.iter().filter_map(handing).collect();
        handing.into_iter().for_each(|lease| self.go_on(lease));
        self.delivery.try_again();
        let mut words: Vec<FromWorker> = self.held.values().filter_map(|held| held.verdict.clone()).collect();
        if std::mem::take(&mut self.models_untold) {
            words.push(FromWorker::Models { warm: self.models.warm.clone(), problem: self.models.problem.clone() });
        }
        words
    }

    /// The models, for an introduction.
    pub fn introduce_models(&mut self) -> &ModelsNow {
        self.models_untold = false;
        &self.models
    }

    /// A message has been sent: if it was the last word on a lease, the lease is over here, too.
    pub fn said(&mut self, message: &FromWorker) {
        match message {
            FromWorker::Done { job, epoch, .. } | FromWorker::Failed { job, epoch, .. } => {
                self.cancel(Lease { job: *job, epoch: *epoch });
            }
            FromWorker::Models { .. } => self.models_untold = false,
            _ => {}
        }
    }

    fn hear(&mut self, event: Event) -> Option<FromWorker> {
        match event {
            Event::Models(now) => {
                self.models = now;
                self.models_untold = true;
                Some(FromWorker::Models { warm: self.models.warm.clone(), problem: self.models.problem.clone() })
            }
            Event::Step { lease, index, step, steps, preview } => {
                let Lease { job, epoch } = lease;
                self.held.contains_key(&lease).then(|| {
                    let preview = preview.map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png)));
                    FromWorker::Progress { job, epoch, index, step, steps, preview }
                })
            }
            Event::Failed { lease, failure } => self.give_back(lease, failure),
            Event::Sick(reason) => {
                self.sick.get_or_insert(reason);
                None
            }
            Event::Picture { lease, index, png, last, busy_ms } => {
                let held = self.held.get_mut(&lease)?;
                if last {
                    held.made = Some(busy_ms);
                }
                let (delivery, errands) = (self.delivery.clone(), self.errands.0.clone());
                let task = Task::spawn(async move {
                    let delivered = delivery.send(lease, index, Bytes::from(png)).await;
                    let _ = errands.send(Errand::Uploaded { lease, index, delivered });
                });
                held.uploading.push(Upload { index, _task: task });
                None
            }
            Event::HandedOver { lease, begun } => {
                self.bring(lease, &begun);
                None
            }
        }
    }

    fn hear_errand(&mut self, errand: Errand) -> Option<FromWorker> {
        match errand {
            Errand::Uploaded { lease, index, delivered } => self.hear_upload(lease, index, delivered),
            Errand::Fetched { assignment, begun, start } => self.begin(*assignment, begun.as_deref(), start),
            Errand::Brought { lease, delivered } => self.hear_brought(lease, delivered),
            Errand::Unfetched { lease } => {
                tracing::warn!(job = %lease.job, "nobody took a job over: it goes on here");
                self.go_on(lease);
                None
            }
        }
    }

    /// Begins a job with the picture it goes on from, or with what another worker had made of it, if that is of any use.
    fn begin(
        &mut self,
        assignment: Assignment,
        begun: Option<&[u8]>,
        start: Result<Option<Arc<StartPicture>>, Unstarted>,
    ) -> Option<FromWorker> {
        let lease = Lease { job: assignment.job, epoch: assignment.epoch };
        self.held.get_mut(&lease)?.fetching = None;
        let start = match start {
            Ok(start) => start,
            Err(Unstarted::Failed(failure)) => return self.give_back(lease, failure),
            Err(Unstarted::Stale) => {
                self.cancel(lease);
                return None;
            }
        };
        let begun = match begun.map(|begun| handover::unpack(begun, &assignment.request)) {
            Some(Ok(begun)) => begun,
            None if !assignment.begun => Vec::new(),
            useless => {
                let why = useless.and_then(Result::err).unwrap_or_else(|| "there is nothing of it".into());
                tracing::warn!(job = %lease.job, why, "a begun job is begun anew");
                Vec::new()
            }
        };
        self.ticker.order(Order::StartWith(assignment, Given { begun, start }));
        None
    }

    fn bring(&mut self, lease: Lease, begun: &[Begun]) {
        let Some(held) = self.held.get_mut(&lease) else { return };
        let (delivery, errands, begun) = (self.delivery.clone(), self.errands.0.clone(), handover::pack(begun));
        let brought = errands.clone();
        let bringing = Task::spawn(async move {
            let delivered = delivery.hand_over(lease, begun.into()).await;
            let _ = brought.send(Errand::Brought { lease, delivered });
        });
        let patience = Task::spawn(async move {
            tokio::time::sleep(Duration::from_millis(HAND_OVER_MS)).await;
            let _ = errands.send(Errand::Unfetched { lease });
        });
        held.handing = Some(Handing { bringing: Some(bringing), _patience: patience });
    }

    fn hear_brought(&mut self, lease: Lease, delivered: Delivered) -> Option<FromWorker> {
        let handing = self.held.get_mut(&lease)?.handing.as_mut()?;
        match delivered {
            Delivered::Taken => {
                handing.bringing = None;
                self.judge(lease)
            }
            Delivered::Stale => {
                self.cancel(lease);
                None
            }
            Delivered::Refused(reason) => {
                tracing::warn!(job = %lease.job, reason, "a job could not be handed over and goes on here");
                self.go_on(lease);
                None
            }
        }
    }

    fn hear_upload(&mut self, lease: Lease, index: u32, delivered: Delivered) -> Option<FromWorker> {
        let held = self.held.get_mut(&lease)?;
        held.uploading.retain(|upload| upload.index != index);
        match delivered {
            Delivered::Taken => self.judge(lease),
            // Nothing that is said under a lease that is over would be heard.
            Delivered::Stale => {
                self.cancel(lease);
                None
            }
            Delivered::Refused(reason) => self.give_back(lease, Failure::retryable(reason)),
        }
    }

    fn give_back(&mut self, lease: Lease, failure: Failure) -> Option<FromWorker> {
        let held = self.held.get_mut(&lease)?;
        held.uploading.clear();
        held.handing = None;
        let word = FromWorker::Failed { job: lease.job, epoch: lease.epoch, failure };
        held.verdict = Some(word.clone());
        self.ticker.order(Order::Cancel(lease));
        Some(word)
    }

    /// Whether a lease is fulfilled, every picture made and taken, or what there is of it handed over.
    fn judge(&mut self, lease: Lease) -> Option<FromWorker> {
        let held = self.held.get_mut(&lease)?;
        if !held.uploading.is_empty() || held.verdict.is_some() {
            return None;
        }
        if held.handing.as_ref().is_some_and(|handing| handing.bringing.is_none()) {
            return Some(FromWorker::HandedOver { job: lease.job, epoch: lease.epoch });
        }
        let busy_ms = held.made?;
        let word = FromWorker::Done { job: lease.job, epoch: lease.epoch, busy_ms };
        held.verdict = Some(word.clone());
        Some(word)
    }
}

/// The picture that a request goes on from, fetched and decoded; none where it names none.
async fn start(
    delivery: &Delivery,
    lease: Lease,
    request: &ValidRequest,
) -> Result<Option<Arc<StartPicture>>, Unstarted> {
    let Some(source) = &request.source else { return Ok(None) };
    let png = delivery.fetch_source(lease, source.most_bytes()).await.map_err(|why| match why {
        Unfetched::Stale => Unstarted::Stale,
        Unfetched::Gone => {
            let failure = Failure::permanent("the picture to go on from is gone");
            Unstarted::Failed(Failure { source_gone: true, ..failure })
        }
        Unfetched::TooLarge => {
            Unstarted::Failed(Failure::permanent("the picture to go on from is larger than it can be"))
        }
        Unfetched::Unavailable => {
            Unstarted::Failed(Failure::retryable("the picture to go on from could not be fetched"))
        }
    })?;
    let request = request.clone();
    // Beside the connection, which must not wait for it.
    let read = tokio::task::spawn_blocking(move || StartPicture::read(&png, &request)).await;
    let read = read.map_err(|error| Unstarted::Failed(Failure::retryable(error.to_string())))?;
    read.map(|start| Some(Arc::new(start))).map_err(|why| Unstarted::Failed(Failure::permanent(why)))
}

impl Task {
    fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work).abort_handle())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
