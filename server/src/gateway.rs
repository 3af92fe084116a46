//! The worker gateway: one WebSocket per worker, pictures over HTTP. One path for all workers.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::worker::{FromWorker, HEARTBEAT_MS, LEASE_MS, ToWorker};
use domain::{AppError, JobId};
use services::fleet::{DeliveryError, Fleet};
use sha2::{Digest, Sha256};

use crate::problem::{IdPath, ProblemResponse};

/// Largest message a worker may send: a preview with room to spare, in bytes.
const MESSAGE_LIMIT: usize = 1 << 20;

/// Hash of the key that workers present.
#[derive(Clone, Debug)]
pub struct WorkerKey([u8; 32]);

impl WorkerKey {
    pub fn new(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Compared by hash, so that timing tells nothing about the key.
    fn opens(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = bearer.and_then(|value| value.strip_prefix("Bearer "));
        key.is_some_and(|key| Sha256::digest(key).as_slice() == self.0)
    }
}

/// Lets only workers through, before anything of the body is read.
pub async fn guard(State(key): State<WorkerKey>, request: Request, next: Next) -> Response {
    if key.opens(request.headers()) {
        next.run(request).await
    } else {
        ProblemResponse(AppError::NotFound).into_response()
    }
}

/// `GET /internal/worker`: a worker dials in.
pub async fn connect(State(fleet): State<Fleet>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(MESSAGE_LIMIT).on_upgrade(move |socket| serve(fleet, socket))
}

/// `POST /internal/results/{job}/{epoch}/{index}`: a finished picture.
pub async fn deliver(
    State(fleet): State<Fleet>,
    IdPath((job, epoch, index)): IdPath<(JobId, i32, u32)>,
    body: Bytes,
) -> Response {
    match fleet.deliver(job, epoch, index, body.to_vec()).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error @ DeliveryError::Stale) => (StatusCode::CONFLICT, error.to_string()).into_response(),
        Err(error @ DeliveryError::Unfit(_)) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
        Err(DeliveryError::Unavailable(error)) => ProblemResponse(error).into_response(),
    }
}

async fn serve(fleet: Fleet, mut socket: WebSocket) {
    let patience = Duration::from_millis(LEASE_MS);
    let hello = match tokio::time::timeout(patience, receive(&mut socket)).await {
        Ok(Some(FromWorker::Hello(hello))) => hello,
        _ => return,
    };
    let worker = hello.id.clone();
    let mut connection = match fleet.connect(hello).await {
        Ok(connection) => connection,
        Err(reason) => {
            let close = CloseFrame { code: axum::extract::ws::close_code::POLICY, reason: reason.into() };
            let _ = socket.send(Message::Close(Some(close))).await;
            return;
        }
    };
    if send(&mut socket, &ToWorker::Welcome { heartbeat_ms: HEARTBEAT_MS, resumed: Vec::new() }).await.is_ok() {
        loop {
            tokio::select! {
                message = tokio::time::timeout(patience, receive(&mut socket)) => {
                    let Ok(Some(message)) = message else { break };
                    // What can't be written down must not be forgotten: without the connection the
                    // job is placed again, and pictures that were delivered are not made twice.
                    if let Err(error) = fleet.receive(&worker, message).await {
                        tracing::warn!(%worker, %error, "a worker's message could not be handled");
                        break;
                    }
                }
                message = connection.outbox.recv() => {
                    // Closed: another worker has joined under this name.
                    let Some(message) = message else { break };
                    if send(&mut socket, &message).await.is_err() {
                        break;
                    }
                }
            }
        }
    }
    fleet.disconnect(&worker, connection.number).await;
}

/// The next message that makes sense; `None` when the connection is over.
async fn receive(socket: &mut WebSocket) -> Option<FromWorker> {
    loop {
        match socket.recv().await? {
            Ok(Message::Text(text)) => match serde_json::from_str(&text) {
                Ok(message) => return Some(message),
                Err(error) => tracing::warn!(%error, "a worker's message makes no sense"),
            },
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn send(socket: &mut WebSocket, message: &ToWorker) -> Result<(), axum::Error> {
    let text = serde_json::to_string(message).map_err(axum::Error::new)?;
    socket.send(Message::text(text)).await
}
