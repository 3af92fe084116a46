//! One connection to the head, from hello to goodbye.

use std::sync::Arc;
use std::time::Duration;

use domain::WorkerId;
use domain::worker::{FromWorker, HEARTBEAT_MS, Heat, Hello, LEASE_MS, Lease, PROTOCOL, ToWorker};
use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::clock::Stopwatch;
use crate::desk::Desk;
use crate::heat::HeatSource;
use crate::signals::{Leave, Signals};

/// The device's condition goes with every so many heartbeats.
const HEAT_EVERY: u32 = 3;

/// Where to dial in, and as whom.
#[derive(Clone)]
pub struct Head {
    pub url: String,
    pub key: String,
    pub id: WorkerId,
    pub device: String,
    pub memory_mb: u64,
    pub tls: Arc<ClientConfig>,
    pub heat: Option<Arc<dyn HeatSource>>,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything in flight was finished after a request to leave.
    Drained,
    /// The head leaves, and everything in flight was finished: to be dialled again.
    HeadLeaves,
    /// Told to leave at once.
    Told,
    /// The head does not want this worker; trying again would not help.
    Refused(String),
    /// Turned away at the door: the key is wrong, or the head is not quite there yet.
    TurnedAway(String),
    /// To be dialled again.
    Lost { served: bool, reason: String },
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Dials in.
///
/// # Errors
/// With how it ended before it began.
pub async fn dial(head: &Head) -> Result<Socket, Ended> {
    let request = request(head).map_err(Ended::Refused)?;
    let tls = Some(Connector::Rustls(head.tls.clone()));
    let patience = Duration::from_millis(LEASE_MS);
    let dialled = tokio::time::timeout(patience, connect_async_tls_with_config(request, None, true, tls)).await;
    match dialled {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) => {
            let status = answer.status();
            let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
            if status.is_client_error() && !passing {
                return Err(Ended::TurnedAway(format!(
                    "the head turned this worker away ({status}): is the key right?"
                )));
            }
            Err(lost(false, format!("the head answered {status}")))
        }
        Ok(Err(error @ (Error::Url(_) | Error::HttpFormat(_)))) => {
            Err(Ended::Refused(format!("“{}” is not an address of a head: {error}", head.url)))
        }
        Ok(Err(error)) => Err(lost(false, error.to_string())),
        Err(_) => Err(lost(false, "the head does not answer".into())),
    }
}

/// Serves until the connection ends. What is on the desk stays there.
///
/// `draining` turns true when this worker is to leave after what it has, and stays so.
pub async fn serve(socket: Socket, head: &Head, desk: &mut Desk, signals: &mut Signals, draining: &mut bool) -> Ended {
    let (mut sink, mut stream) = socket.split();
    if let Err(error) = sink.send(frame(&FromWorker::Hello(hello(head, desk)))).await {
        return lost(false, error.to_string());
    }
    let (mut served, mut head_leaves) = (false, false);
    let mut heartbeat = tokio::time::interval(Duration::from_millis(HEARTBEAT_MS));
    let mut beats = 0_u32;
    let (readings, mut heat) = mpsc::channel::<Heat>(1);
    let mut measured = None;
    let mut heard = Stopwatch::start();
    loop {
        if desk.is_empty() && (*draining || head_leaves) {
            let _ = sink.close().await;
            return if *draining { Ended::Drained } else { Ended::HeadLeaves };
        }
        // What to say, in order; everything else in this loop is listening.
        let mut words = Vec::new();
        if let Some(reason) = desk.sick().filter(|_| !*draining) {
            tracing::error!(reason, "the device failed: leaving, to start afresh");
            *draining = true;
            if served && let Err(error) = sink.send(frame(&FromWorker::Leaving)).await {
                return lost(served, error.to_string());
            }
            continue;
        }
        tokio::select! {
            _ = heartbeat.tick() => {
                if heard.ms() > LEASE_MS as f64 {
                    return lost(served, "the head is silent".into());
                }
                if beats.is_multiple_of(HEAT_EVERY) {
                    read_heat(head, &readings);
                }
                beats = beats.wrapping_add(1);
                words.push(Message::Ping(Vec::new().into()));
                words.push(frame(&FromWorker::Heartbeat { heat: measured.take() }));
            }
            Some(reading) = heat.recv() => {
                // The first is told at once, so that a hot device is known from the start.
                if beats <= 1 {
                    words.push(frame(&FromWorker::Heartbeat { heat: Some(reading) }));
                } else {
                    measured = Some(reading);
                }
            }
            leave = signals.told() => {
                if leave == Leave::Now {
                    return Ended::Told;
                }
                *draining = true;
                if served {
                    words.push(frame(&FromWorker::Leaving));
                }
            }
            next = desk.next() => {
                let Some(word) = next else { return Ended::Told };
                // Before the head has taken this worker in, it hears nothing of leases.
                if let Some(word) = word.filter(|_| served) {
                    if let Err(error) = sink.send(frame(&word)).await {
                        return lost(served, error.to_string());
                    }
                    desk.said(&word);
                }
            }
            incoming = stream.next() => {
                heard = Stopwatch::start();
                let text = match incoming {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(frame))) => return closed(served, frame),
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => return lost(served, error.to_string()),
                    None => return lost(served, "the connection ended".into()),
                };
                let spoken = match serde_json::from_str(&text) {
                    Ok(ToWorker::Welcome { heartbeat_ms, resumed }) => {
                        tracing::info!(head = %head.url, "connected");
                        served = true;
                        heartbeat = beating(heartbeat_ms);
                        // Leaving comes first: no last word may look like a free place.
                        draining.then_some(FromWorker::Leaving).into_iter().chain(desk.resume(&resumed)).collect()
                    }
                    Ok(message) => obey(message, desk, &mut head_leaves),
                    Err(error) => {
                        tracing::warn!(%error, "a message from the head makes no sense");
                        Vec::new()
                    }
                };
                for word in spoken {
                    if let Err(error) = sink.send(frame(&word)).await {
                        return lost(served, error.to_string());
                    }
                    desk.said(&word);
                }
            }
        }
        for word in words {
            if let Err(error) = sink.send(word).await {
                return lost(served, error.to_string());
            }
        }
    }
}

/// The name of this machine.
pub fn host_name() -> String {
    std::fs::read_to_string("/etc/hostname").map_or_else(|_| "worker".into(), |name| name.trim().to_owned())
}

fn obey(message: ToWorker, desk: &mut Desk, head_leaves: &mut bool) -> Vec<FromWorker> {
    match message {
        ToWorker::Welcome { .. } => {}
        ToWorker::Assign(assignment) => return desk.assign(assignment).into_iter().collect(),
        ToWorker::Cancel { job, epoch } => desk.cancel(Lease { job, epoch }),
        ToWorker::HandOver { job, epoch } => desk.hand_over(Lease { job, epoch }),
        ToWorker::GoOn { job, epoch } => desk.go_on(Lease { job, epoch }),
        ToWorker::Load { model } => desk.load(model),
        ToWorker::Unload { model } => desk.unload(model),
        ToWorker::HeadLeaves => *head_leaves = true,
    }
    Vec::new()
}

fn closed(served: bool, frame: Option<CloseFrame>) -> Ended {
    match frame {
        Some(frame) if frame.code == CloseCode::Policy => Ended::Refused(match frame.reason.as_str() {
            "" => "the head does not want this worker any more".into(),
            reason => reason.to_owned(),
        }),
        Some(frame) if !frame.reason.is_empty() => lost(served, frame.reason.to_string()),
        _ => lost(served, "the head closed the connection".into()),
    }
}

/// Reads the device's condition beside the loop: asking a driver can take a while.
fn read_heat(head: &Head, readings: &mpsc::Sender<Heat>) {
    let Some(source) = head.heat.clone() else { return };
    let readings = readings.clone();
    tokio::task::spawn_blocking(move || {
        if let Some(heat) = source.read() {
            // Full: the reading before has not been sent yet, and will do.
            let _ = readings.try_send(heat);
        }
    });
}

fn beating(heartbeat_ms: u64) -> tokio::time::Interval {
    let period = Duration::from_millis(heartbeat_ms.clamp(10, LEASE_MS));
    let mut beats = tokio::time::interval(period);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    beats
}

fn request(head: &Head) -> Result<Request<()>, String> {
    let mut request = format!("{}/internal/worker", head.url)
        .into_client_request()
        .map_err(|error| format!("“{}” is not an address of a head: {error}", head.url))?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", head.key))
        .map_err(|_| "the key has characters that no key has".to_owned())?;
    request.headers_mut().insert("authorization", bearer);
    Ok(request)
}

fn hello(head: &Head, desk: &mut Desk) -> Hello {
    let holding = desk.holding();
    let models = desk.introduce_models();
    Hello {
        protocol: PROTOCOL,
        id: head.id.clone(),
        host: host_name(),
        device: head.device.clone(),
        memory_mb: head.memory_mb,
        concurrency: models.concurrency,
        batch_gain: models.batch_gain,
        models: models.warm.clone(),
        available: models.available.clone(),
        holding,
        hands_over: true,
        goes_on: true,
        extends: true,
    }
}

fn lost(served: bool, reason: String) -> Ended {
    Ended::Lost { served, reason }
}

#[expect(clippy::expect_used, reason = "the protocol's own types always serialise")]
fn frame(message: &FromWorker) -> Message {
    Message::text(serde_json::to_string(message).expect("protocol messages serialise"))
}
