//! What this worker owes the head. It outlives connections: work goes on, and
//! finished pictures and last words wait here until a head takes them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::worker::{Assignment, Failure, FromWorker, Lease};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::delivery::{Delivered, Delivery};
use crate::ticker::{Event, ModelsNow, Order, Ticker};

/// The leases that this worker works on, and what the head has not been told yet.
#[derive(Debug)]
pub struct Desk {
    ticker: Ticker,
    events: UnboundedReceiver<Event>,
    delivery: Delivery,
    uploads: (UnboundedSender<Uploaded>, UnboundedReceiver<Uploaded>),
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
}

/// Ends an upload when it is dropped: no picture travels under a lease that was given up.
#[derive(Debug)]
struct Upload {
    index: u32,
    task: tokio::task::AbortHandle,
}

#[derive(Debug)]
struct Uploaded {
    lease: Lease,
    index: u32,
    delivered: Delivered,
}

impl Desk {
    pub fn new(ticker: Ticker, events: UnboundedReceiver<Event>, delivery: Delivery, models: ModelsNow) -> Self {
        let uploads = unbounded_channel();
        Self { ticker, events, delivery, uploads, held: HashMap::new(), models, models_untold: false, sick: None }
    }

    /// Waits for the next thing to happen; what the head should be told of it, if anything.
    ///
    /// Nothing is lost if the future is dropped. A last word stays until [`Desk::said`].
    /// `None` only if the device's thread is gone.
    pub async fn next(&mut self) -> Option<Option<FromWorker>> {
        tokio::select! {
            event = self.events.recv() => Some(self.hear(event?)),
            Some(uploaded) = self.uploads.1.recv() => Some(self.hear_upload(uploaded)),
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
        self.ticker.order(Order::Start(assignment));
        None
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
                let (delivery, uploads) = (self.delivery.clone(), self.uploads.0.clone());
                let task = tokio::spawn(async move {
                    let delivered = delivery.send(lease, index, Bytes::from(png)).await;
                    let _ = uploads.send(Uploaded { lease, index, delivered });
                });
                held.uploading.push(Upload { index, task: task.abort_handle() });
                None
            }
        }
    }

    fn hear_upload(&mut self, Uploaded { lease, index, delivered }: Uploaded) -> Option<FromWorker> {
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
        let word = FromWorker::Failed { job: lease.job, epoch: lease.epoch, failure };
        held.verdict = Some(word.clone());
        self.ticker.order(Order::Cancel(lease));
        Some(word)
    }

    /// Whether a lease is fulfilled: every picture made, every picture taken.
    fn judge(&mut self, lease: Lease) -> Option<FromWorker> {
        let held = self.held.get_mut(&lease)?;
        let busy_ms = held.made.filter(|_| held.uploading.is_empty() && held.verdict.is_none())?;
        let word = FromWorker::Done { job: lease.job, epoch: lease.epoch, busy_ms };
        held.verdict = Some(word.clone());
        Some(word)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.task.abort();
    }
}
