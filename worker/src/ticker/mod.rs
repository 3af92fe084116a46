//! The thread that owns the device: between denoising steps it looks at what
//! arrived, asks the pure rule in `dispatch` who advances next, and steps.

mod bench;
mod costs;
mod models;
mod pass;
mod slots;
#[cfg(test)]
pub mod tests;
mod trial;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use domain::handover::Begun;
use domain::worker::{Assignment, AvailableModel, Failure, Lease, WarmModel};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::bench::Bench;
use crate::backend::{Backend, StartPicture};

/// To the thread.
#[derive(Debug)]
pub enum Order {
    Start(Assignment),
    /// The same, with what was fetched for it.
    StartWith(Assignment, Given),
    /// Stop working on these pictures, and tell what another worker needs to go on with them.
    HandOver(Lease),
    /// Nobody took these pictures over: work on.
    GoOn(Lease),
    Cancel(Lease),
    /// Forget all pictures: the head has placed them elsewhere.
    Clear,
    /// Load and try a model.
    Load(String),
    /// Unload a model once nothing uses it.
    Unload(String),
    /// Load these, one after another, for as long as there is room.
    Stock(Vec<String>),
    Share(Sharing),
    /// Something arrived by another way.
    Wake,
    End,
}

/// What an assignment begins with, beside its words.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What another worker had made of its pictures.
    pub begun: Vec<Begun>,
    /// The picture it goes on from.
    pub start: Option<Arc<StartPicture>>,
}

/// From the thread.
#[derive(Debug)]
pub enum Event {
    Step {
        lease: Lease,
        index: u32,
        step: u32,
        steps: u32,
        preview: Option<Vec<u8>>,
    },
    Picture {
        lease: Lease,
        index: u32,
        png: Vec<u8>,
        last: bool,
        busy_ms: f64,
    },
    Failed {
        lease: Lease,
        failure: Failure,
    },
    /// These pictures stand still: what another worker needs to go on with them.
    HandedOver {
        lease: Lease,
        begun: Vec<Begun>,
    },
    /// The device failed, and nobody knows what state it is in: this process is to end.
    Sick(String),
    Models(ModelsNow),
}

/// What is loaded and what could be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelsNow {
    pub warm: Vec<WarmModel>,
    pub available: Vec<AvailableModel>,
    /// The least that sharing passes gains with any of the loaded models; 1 is nothing.
    pub batch_gain: f64,
    /// Jobs that are worth working on at the same time.
    pub concurrency: u32,
    /// Whether another model is being loaded.
    pub busy: bool,
    /// What did not work.
    pub problem: Option<String>,
}

/// When sessions share passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    Never,
    /// When measured passes say that it pays.
    #[default]
    Measured,
    /// As many as may.
    Always,
}

/// What an operator decides about models.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Models that are never unloaded.
    pub pinned: Vec<String>,
    /// Most models loaded at once; `None` for as many as fit.
    pub slots: Option<usize>,
}

/// A handle on the thread; the thread ends when it is dropped.
#[derive(Debug)]
pub struct Ticker {
    orders: Sender<Order>,
}

impl Ticker {
    /// Orders to a thread that has ended are lost: the process is about to end, too.
    pub fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.order(Order::End);
    }
}

/// Starts the thread, without any model loaded.
///
/// `on_panic` is called if it panics: a worker without its device must not go on saying that it is alive.
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn<B: Backend>(
    backend: Arc<B>,
    settings: Settings,
    on_panic: impl FnOnce() + Send + 'static,
) -> std::io::Result<(Ticker, UnboundedReceiver<Event>)> {
    let (orders, incoming) = channel();
    let (events, told) = unbounded_channel();
    let wake = orders.clone();
    std::thread::Builder::new().name("ticker".into()).spawn(move || {
        let run = AssertUnwindSafe(|| Bench::new(backend, settings, wake, events).run(&incoming));
        if catch_unwind(run).is_err() {
            on_panic();
        }
    })?;
    Ok((Ticker { orders }, told))
}
