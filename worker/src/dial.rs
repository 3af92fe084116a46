//! Dialling in, again and again, for as long as this worker lives.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use domain::worker::LEASE_MS;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::clock::Stopwatch;
use crate::connection::{self, Ended, Head};
use crate::desk::Desk;
use crate::signals::{Leave, Signals};

/// How patient a worker is with a head that is gone.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// After this long without a head, every lease has surely been placed elsewhere.
    pub leases: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(10),
            leases: Duration::from_millis(2 * LEASE_MS),
        }
    }
}

/// Serves heads until told to leave. `seed` varies the pauses, so that a fleet does not dial in step.
///
/// # Errors
/// With a sentence, when the head does not want this worker.
pub async fn run(
    head: &Head,
    desk: &mut Desk,
    signals: &mut Signals,
    patience: Patience,
    seed: u64,
) -> Result<(), String> {
    let mut pauses = Pauses::new(patience, seed);
    let mut draining = false;
    let mut served_once = false;
    let mut alone = Stopwatch::start();
    loop {
        let dialled = match meanwhile(desk, signals, &mut draining, connection::dial(head)).await {
            Meanwhile::Done(dialled) => dialled,
            Meanwhile::Left => return Ok(()),
        };
        let ended = match dialled {
            Ok(socket) => connection::serve(socket, head, desk, signals, &mut draining).await,
            Err(ended) => ended,
        };
        let reason = match ended {
            Ended::Drained | Ended::Told => return Ok(()),
            Ended::Refused(reason) => return Err(reason),
            Ended::HeadLeaves => {
                served_once = true;
                alone = Stopwatch::start();
                pauses.start_over();
                "it leaves, or starts again".into()
            }
            // A head that served this worker before knows its key: what answers now is not quite the head yet.
            Ended::TurnedAway(reason) if served_once => reason,
            Ended::TurnedAway(reason) => return Err(reason),
            Ended::Lost { served, reason } => {
                if served {
                    served_once = true;
                    alone = Stopwatch::start();
                    pauses.start_over();
                }
                reason
            }
        };
        if !desk.is_empty() && alone.ms() > patience.leases.as_secs_f64() * 1_000.0 {
            tracing::warn!(leases = desk.holding().len(), "no head for too long: the work at hand is given up");
            desk.clear();
        }
        let pause = pauses.next();
        tracing::warn!(reason, retry_ms = pause.as_millis(), "the head is out of reach");
        if let Meanwhile::Left = meanwhile(desk, signals, &mut draining, tokio::time::sleep(pause)).await {
            return Ok(());
        }
    }
}

/// Pauses that double up to a limit, each cut short by up to a half.
#[derive(Debug)]
struct Pauses {
    patience: Patience,
    next: Duration,
    rng: StdRng,
}

enum Meanwhile<T> {
    Done(T),
    /// There was nothing left to stay for.
    Left,
}

/// Waits for a future; goes on listening to the device and to whoever tells this worker to leave.
async fn meanwhile<T>(
    desk: &mut Desk,
    signals: &mut Signals,
    draining: &mut bool,
    awaited: impl Future<Output = T>,
) -> Meanwhile<T> {
    let mut awaited = pin!(awaited);
    loop {
        *draining |= desk.sick().is_some();
        if *draining && desk.is_empty() {
            return Meanwhile::Left;
        }
        tokio::select! {
            done = &mut awaited => return Meanwhile::Done(done),
            leave = signals.told() => {
                if leave == Leave::Now {
                    return Meanwhile::Left;
                }
                *draining = true;
            }
            next = desk.next() => {
                if next.is_none() {
                    return Meanwhile::Left;
                }
            }
        }
    }
}

impl Pauses {
    fn new(patience: Patience, seed: u64) -> Self {
        Self { patience, next: patience.first_pause, rng: StdRng::seed_from_u64(seed) }
    }

    fn start_over(&mut self) {
        self.next = self.patience.first_pause;
    }

    fn next(&mut self) -> Duration {
        let pause = self.next.mul_f64(self.rng.random_range(0.5..=1.0));
        self.next = (self.next * 2).min(self.patience.longest_pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{ValidRequest, WorkerId};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::delivery::Delivery;
    use crate::ticker::tests::{Stub, assignment, request};
    use crate::ticker::{self, ModelsNow, Settings};
    use crate::tls;

    #[tokio::test]
    async fn a_device_that_fails_ends_the_worker_once_nothing_is_at_hand() {
        let (ticker, events) =
            ticker::spawn(Arc::new(Stub::new(&["starter"])), Settings::default(), || ()).expect("a thread");
        ticker.order(ticker::Order::Load("starter".into()));
        let delivery = Delivery::new("ws://127.0.0.1:1", "", &tls::client_config(None).expect("a configuration"));
        let mut desk = Desk::new(ticker, events, delivery.expect("a client"), ModelsNow::default());
        let mut signals = Signals::listen().expect("signals");
        let mut draining = false;
        desk.assign(assignment(1, request("broken")));
        let failed = async {
            while desk.sick().is_none() {
                desk.next().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), failed).await.expect("it fails");
        desk.clear();
        let left = meanwhile(&mut desk, &mut signals, &mut draining, std::future::pending::<()>()).await;
        assert!(draining && matches!(left, Meanwhile::Left));
    }

    #[tokio::test]
    async fn work_is_given_up_when_no_head_comes_back() {
        // Nobody listens where somebody did a moment ago.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let url = format!("ws://{}", closed.expect("an address"));
        let (told, mut dropped) = unbounded_channel();
        let stub = Stub { dropped: Some(told), ..Stub::new(&["starter"]) };
        let (ticker, events) = ticker::spawn(Arc::new(stub), Settings::default(), || ()).expect("a thread");
        let tls = tls::client_config(None).expect("a configuration");
        let delivery = Delivery::new(&url, "", &tls).expect("a client");
        let mut desk = Desk::new(ticker, events, delivery, ModelsNow::default());
        desk.assign(assignment(1, ValidRequest { steps: u32::MAX, ..request("endless") }));
        let id = WorkerId("tested".into());
        let head = Head { url, key: String::new(), id, device: String::new(), memory_mb: 0, tls, heat: None };
        let brief = Duration::from_millis(1);
        let patience = Patience { first_pause: brief, longest_pause: brief, leases: Duration::from_millis(20) };
        let mut signals = Signals::listen().expect("signals");
        let given_up = async { while dropped.recv().await.is_some_and(|prompt| prompt != "endless") {} };
        tokio::select! {
            ended = run(&head, &mut desk, &mut signals, patience, 1) => panic!("{ended:?}"),
            () = given_up => {}
        }
        assert!(desk.is_empty());
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_differ() {
        let patience = Patience::default();
        let mut pauses = Pauses::new(patience, 1);
        let mut expected = patience.first_pause;
        for _ in 0..10 {
            let pause = pauses.next();
            assert!((expected / 2..=expected).contains(&pause), "{pause:?} of {expected:?}");
            expected = (expected * 2).min(patience.longest_pause);
        }
        assert_eq!(expected, patience.longest_pause);
        assert_ne!(Pauses::new(patience, 1).next(), Pauses::new(patience, 2).next());
        pauses.start_over();
        assert!(pauses.next() <= patience.first_pause);
    }
}
