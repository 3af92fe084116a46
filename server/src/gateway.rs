//! The worker gateway: one WebSocket per worker, pictures over HTTP. One path for all workers.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::worker::{FromWorker, HEARTBEAT_MS, LEASE_MS, ToWorker};
use domain::{AppError, JobId, WorkerId};
use futures::{Stream, stream};
use services::fleet::{DeliveryError, Fleet, JoinError, KeyHash, WorkerKeys};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::problem::{IdPath, ProblemResponse};

/// Largest message a worker may send: a preview with room to spare, in bytes.
const MESSAGE_LIMIT: usize = 1 << 20;
/// Longest time that a picture may be on its way; a worker gives up no later.
const PICTURE_TIME: Duration = Duration::from_secs(30);
/// Longest time that a worker may leave a message unread.
const UNREAD: Duration = Duration::from_millis(LEASE_MS);

/// What opens the gateway: the key that local workers share, and those of workers elsewhere.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Hash of the shared key, compared instead of the key so that timing tells nothing about it.
    shared: [u8; 32],
    named: WorkerKeys,
}

/// Who was let in: a worker with a key of its own has the name that goes with it.
#[derive(Clone, Debug)]
pub struct Guest(Option<(WorkerId, KeyHash)>);

impl Keys {
    pub fn new(shared: &str, named: WorkerKeys) -> Self {
        Self { shared: Sha256::digest(shared).into(), named }
    }

    async fn guest(&self, headers: &HeaderMap) -> Result<Guest, AppError> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(AppError::NotFound)?;
        if Sha256::digest(key).as_slice() == self.shared {
            return Ok(Guest(None));
        }
        let owner = self.named.owner(key).await?;
        owner.map(|worker| Guest(Some((worker, KeyHash::of(key))))).ok_or(AppError::NotFound)
    }
}

/// Lets only workers through, before anything of the body is read.
pub async fn guard(State(keys): State<Keys>, mut request: Request, next: Next) -> Response {
    match keys.guest(request.headers()).await {
        Ok(guest) => {
            request.extensions_mut().insert(guest);
            next.run(request).await
        }
        Err(error) => ProblemResponse(error).into_response(),
    }
}

/// `GET /internal/worker`: a worker dials in.
pub async fn connect(
    State(fleet): State<Fleet>,
    State(keys): State<Keys>,
    Extension(guest): Extension<Guest>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.max_message_size(MESSAGE_LIMIT).on_upgrade(move |socket| serve(fleet, keys, guest, socket))
}

/// `POST /internal/results/{job}/{epoch}/{index}`: a finished picture.
pub async fn deliver(
    State(fleet): State<Fleet>,
    Extension(guest): Extension<Guest>,
    IdPath((job, epoch, index)): IdPath<(JobId, i32, u32)>,
    body: Body,
) -> Response {
    let by = guest.0.as_ref().map(|(worker, _)| worker);
    // Nothing is read of a picture that nobody waits for, and no more of another than it can have.
    let expected = match fleet.expect(by, job, epoch, index).await {
        Ok(expected) => expected,
        Err(error) => return refuse(error),
    };
    match tokio::time::timeout(PICTURE_TIME, to_bytes(body, expected.most_bytes())).await {
        Ok(Ok(png)) => match fleet.take(expected, png).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => refuse(error),
        },
        Ok(Err(error)) => (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response(),
        // Not a refusal: it may come again.
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the picture took too long").into_response(),
    }
}

/// `POST /internal/begun/{job}/{epoch}`: what there is of a job's pictures, for whichever worker goes on with them.
pub async fn hand_over(
    State(fleet): State<Fleet>,
    Extension(guest): Extension<Guest>,
    IdPath((job, epoch)): IdPath<(JobId, i32)>,
    body: Body,
) -> Response {
    let by = guest.0.as_ref().map(|(worker, _)| worker);
    let expected = match fleet.expect_begun(by, job, epoch).await {
        Ok(expected) => expected,
        Err(error) => return refuse(error),
    };
    match tokio::time::timeout(PICTURE_TIME, to_bytes(body, expected.most_bytes())).await {
        Ok(Ok(begun)) => match fleet.take_begun(expected, begun).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => refuse(error),
        },
        Ok(Err(error)) => (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "it took too long").into_response(),
    }
}

/// `GET /internal/begun/{job}/{epoch}`: what another worker had made of a job's pictures.
pub async fn begun(
    State(fleet): State<Fleet>,
    Extension(guest): Extension<Guest>,
    IdPath((job, epoch)): IdPath<(JobId, i32)>,
) -> Response {
    let by = guest.0.as_ref().map(|(worker, _)| worker);
    match fleet.begun(by, job, epoch).await {
        Ok(Some(begun)) => {
            ([(header::CONTENT_TYPE, "application/octet-stream")], Body::from_stream(parts(begun))).into_response()
        }
        // Not 404: that might be said by whatever stands before this head.
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(error),
    }
}

/// `GET /internal/source/{job}/{epoch}`: the picture that a job goes on from.
pub async fn source(
    State(fleet): State<Fleet>,
    Extension(guest): Extension<Guest>,
    IdPath((job, epoch)): IdPath<(JobId, i32)>,
) -> Response {
    let by = guest.0.as_ref().map(|(worker, _)| worker);
    match fleet.source(by, job, epoch).await {
        Ok(Some(picture)) => ([(header::CONTENT_TYPE, "image/png")], Body::from_stream(parts(picture))).into_response(),
        Ok(None) => (StatusCode::GONE, "the picture to go on from is gone").into_response(),
        Err(error) => refuse(error),
    }
}

/// A file, little by little: however slowly it is read, it is never in memory.
fn parts(file: File) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut part = vec![0; 64 * 1024];
        let length = file.read(&mut part).await?;
        part.truncate(length);
        Ok((length > 0).then(|| (Bytes::from(part), file)))
    })
}

fn refuse(error: DeliveryError) -> Response {
    match error {
        DeliveryError::Stale => (StatusCode::CONFLICT, error.to_string()).into_response(),
        DeliveryError::Unfit(_) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
        DeliveryError::Unavailable(error) => ProblemResponse(error).into_response(),
    }
}

async fn serve(fleet: Fleet, keys: Keys, guest: Guest, mut socket: WebSocket) {
    let patience = Duration::from_millis(LEASE_MS);
    let mut hello = match tokio::time::timeout(patience, receive(&mut socket)).await {
        Ok(Some(FromWorker::Hello(hello))) => hello,
        _ => return,
    };
    if let Guest(Some((name, _))) = &guest {
        hello.id = name.clone();
    }
    let worker = hello.id.clone();
    let mut connection = match fleet.connect(hello, guest.0.is_some()).await {
        Ok(connection) => connection,
        Err(JoinError::Refused(reason)) => return close(socket, close_code::POLICY, &reason).await,
        Err(JoinError::Unavailable(error)) => return close(socket, close_code::AGAIN, &error.to_string()).await,
    };
    let number = connection.number;
    let welcome = ToWorker::Welcome { heartbeat_ms: HEARTBEAT_MS, resumed: std::mem::take(&mut connection.resumed) };
    let mut farewell = None;
    let mut check = tokio::time::interval(Duration::from_millis(HEARTBEAT_MS));
    if send(&mut socket, &welcome).await.is_ok() {
        // Beside the messages: looking at other things must not begin the wait anew.
        let silence = tokio::time::sleep(patience);
        tokio::pin!(silence);
        loop {
            tokio::select! {
                () = &mut silence => break,
                // Whatever it says meanwhile: a key that was revoked opens nothing any more.
                _ = check.tick() => {
                    if is_revoked(&keys, &guest).await {
                        farewell = Some("this worker's key was revoked");
                        break;
                    }
                }
                message = receive(&mut socket) => {
                    let Some(message) = message else { break };
                    // What can't be written down must not be forgotten: without the connection the
                    // job is placed again, and pictures that were delivered are not made twice.
                    match fleet.receive(&worker, number, message).await {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => {
                            tracing::warn!(%worker, %error, "a worker's message could not be handled");
                            break;
                        }
                    }
                    silence.set(tokio::time::sleep(patience));
                }
                message = connection.outbox.recv() => {
                    // Closed: another worker has joined under this name, or its leases ran out.
                    let Some(message) = message else { break };
                    if send(&mut socket, &message).await.is_err() {
                        break;
                    }
                }
            }
        }
    }
    fleet.disconnect(&worker, number).await;
    if let Some(reason) = farewell {
        close(socket, close_code::POLICY, reason).await;
    }
}

/// Whether the operator has revoked the key that this worker came in with. When nobody can tell, it has not.
async fn is_revoked(keys: &Keys, guest: &Guest) -> bool {
    match &guest.0 {
        None => false,
        Some((_, key)) => matches!(keys.named.stands(key).await, Ok(false)),
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &str) {
    // A close frame's reason has room for 123 bytes.
    let reason: String = reason.chars().take(100).collect();
    let farewell = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    // Who does not read it finds the connection closed.
    let _ = in_time(UNREAD, socket.send(farewell)).await;
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
    // One that reads nothing would hold this task, and what it holds, for ever.
    in_time(UNREAD, socket.send(Message::text(text))).await
}

async fn in_time<T>(time: Duration, sending: impl Future<Output = Result<T, axum::Error>>) -> Result<T, axum::Error> {
    let late = || axum::Error::new("the other end does not read");
    tokio::time::timeout(time, sending).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_read_is_given_up() {
        let never = std::future::pending::<Result<(), axum::Error>>();
        assert!(in_time(Duration::from_millis(10), never).await.is_err());
        assert!(in_time(Duration::from_secs(10), async { Ok(()) }).await.is_ok());
    }
}
