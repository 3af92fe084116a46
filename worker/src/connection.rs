//! One connection to the head, from hello to goodbye.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::worker::{Assignment, FromWorker, HEARTBEAT_MS, Hello, PROTOCOL, ToWorker, WarmModel};
use domain::{JobId, WorkerId};
use futures_util::{SinkExt, StreamExt};
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tokio::time::Duration;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::delivery::{Delivered, Delivery};
use crate::ticker::{self, Event, Ticker};

/// Where to dial in, and as whom.
#[derive(Debug)]
pub struct Head {
    pub url: String,
    pub key: String,
    pub id: WorkerId,
    pub device: String,
    pub models: Vec<WarmModel>,
}

/// How a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// Everything in flight was finished after a request to leave.
    Drained,
    /// The head does not want this worker; trying again would not help.
    Refused(String),
    /// To be dialled again.
    Lost { served: bool, reason: String },
}

/// Dials in and serves until the connection ends. The ticker is left empty.
pub async fn serve(head: &Head, ticker: &Ticker, terminate: &mut Signal) -> Ended {
    let ended = talk(head, ticker, terminate).await;
    // Whatever is still on the bench has lost its lease with the connection.
    ticker.clear();
    ended
}

async fn talk(head: &Head, ticker: &Ticker, terminate: &mut Signal) -> Ended {
    let lost = |served: bool, reason: String| Ended::Lost { served, reason };
    let mut request = match format!("{}/internal/worker", head.url).into_client_request() {
        Ok(request) => request,
        Err(error) => return Ended::Refused(format!("“{}” is not an address of a head: {error}", head.url)),
    };
    let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {}", head.key)) else {
        return Ended::Refused("the key has characters that no key has".into());
    };
    request.headers_mut().insert("authorization", bearer);
    let (socket, _) = match connect_async(request).await {
        Ok(connected) => connected,
        Err(Error::Http(answer)) if answer.status().is_client_error() => {
            return Ended::Refused(format!(
                "the head turned this worker away ({}): is the key right?",
                answer.status()
            ));
        }
        Err(error) => return lost(false, error.to_string()),
    };
    let (mut sink, mut stream) = socket.split();
    if let Err(error) = sink.send(frame(&FromWorker::Hello(hello(head)))).await {
        return lost(false, error.to_string());
    }

    let (event_sender, mut events) = ticker::events();
    let (outgoing, mut outbox) = mpsc::unbounded_channel::<FromWorker>();
    let delivery = Delivery::new(&head.url, &head.key);
    let (deliveries, pictures) = mpsc::unbounded_channel();
    let deliverer = tokio::spawn(deliver(delivery, pictures, outgoing.clone()));
    let _stop_deliveries = AbortOnDrop(deliverer.abort_handle());

    let mut heartbeat = tokio::time::interval(Duration::from_millis(HEARTBEAT_MS));
    let mut in_flight: HashSet<(JobId, i32)> = HashSet::new();
    let mut draining = false;
    let mut served = false;
    loop {
        if draining && in_flight.is_empty() {
            let _ = sink.close().await;
            return Ended::Drained;
        }
        let message = tokio::select! {
            _ = heartbeat.tick() => FromWorker::Heartbeat,
            _ = terminate.recv() => {
                draining = true;
                continue;
            }
            Some(event) = events.recv() => match event {
                Event::Step { job, epoch, index, step, steps, preview } => {
                    let preview = preview.map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png)));
                    FromWorker::Progress { job, epoch, index, step, steps, preview }
                }
                Event::Failed { job, epoch, failure } => FromWorker::Failed { job, epoch, failure },
                picture @ Event::Picture { .. } => {
                    // Delivered beside the loop: heartbeats must not wait for an upload.
                    let _ = deliveries.send(picture);
                    continue;
                }
            },
            Some(message) = outbox.recv() => message,
            incoming = stream.next() => {
                let text = match incoming {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(frame))) => {
                        let reason = frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
                        if !served && !reason.is_empty() {
                            return Ended::Refused(reason);
                        }
                        return lost(served, "the head closed the connection".into());
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => return lost(served, error.to_string()),
                    None => return lost(served, "the connection ended".into()),
                };
                match serde_json::from_str(&text) {
                    Ok(ToWorker::Welcome { .. }) => {
                        served = true;
                        tracing::info!(head = %head.url, "connected");
                    }
                    Ok(ToWorker::Assign(assignment)) if assignment.indices.is_empty() => {
                        // Every picture was delivered before an earlier lease ended: only the word is missing.
                        let Assignment { job, epoch, .. } = assignment;
                        let _ = outgoing.send(FromWorker::Done { job, epoch, busy_ms: 0.0 });
                    }
                    Ok(ToWorker::Assign(assignment)) => {
                        in_flight.insert((assignment.job, assignment.epoch));
                        ticker.start(assignment, event_sender.clone());
                    }
                    Ok(ToWorker::Cancel { job, epoch }) => {
                        in_flight.remove(&(job, epoch));
                        ticker.cancel(job, epoch);
                    }
                    Ok(ToWorker::Drain) => draining = true,
                    Err(error) => tracing::warn!(%error, "a message from the head makes no sense"),
                }
                continue;
            }
        };
        match &message {
            FromWorker::Done { job, epoch, .. } | FromWorker::Failed { job, epoch, .. } => {
                in_flight.remove(&(*job, *epoch));
                ticker.cancel(*job, *epoch);
            }
            _ => {}
        }
        if let Err(error) = sink.send(frame(&message)).await {
            return lost(served, error.to_string());
        }
    }
}

/// The name of this machine.
pub fn host_name() -> String {
    std::fs::read_to_string("/etc/hostname").map_or_else(|_| "worker".into(), |name| name.trim().to_owned())
}

/// Delivers pictures in order, and says when a job's last one has been taken.
async fn deliver(
    delivery: Delivery,
    mut pictures: mpsc::UnboundedReceiver<Event>,
    outgoing: mpsc::UnboundedSender<FromWorker>,
) {
    while let Some(event) = pictures.recv().await {
        let Event::Picture { job, epoch, index, png, last, busy_ms } = event else { continue };
        let message = match delivery.send(job, epoch, index, png).await {
            Delivered::Taken if last => FromWorker::Done { job, epoch, busy_ms },
            Delivered::Taken => continue,
            Delivered::Stale => {
                let failure = domain::worker::Failure { reason: "a picture was refused".into(), retryable: true };
                FromWorker::Failed { job, epoch, failure }
            }
        };
        let _ = outgoing.send(message);
    }
}

/// Ends a task with the scope that started it.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn hello(head: &Head) -> Hello {
    Hello {
        protocol: PROTOCOL,
        id: head.id.clone(),
        host: host_name(),
        device: head.device.clone(),
        concurrency: 1,
        models: head.models.clone(),
    }
}

#[expect(clippy::expect_used, reason = "the protocol's own types always serialise")]
fn frame(message: &FromWorker) -> Message {
    Message::text(serde_json::to_string(message).expect("protocol messages serialise"))
}
