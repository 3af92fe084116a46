//! A head as far as a worker can tell, that does what the test says, and a worker process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::worker::{Assignment, FromWorker, Hello, Lease, ToWorker};
use domain::{JobId, ValidRequest};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub const KEY: &str = "the key of these tests";

/// Where workers dial in.
pub struct TestHead {
    pub address: SocketAddr,
    pub state: HeadState,
    joined: UnboundedReceiver<Link>,
    pub pictures: UnboundedReceiver<Lease>,
    pub turned_away: UnboundedReceiver<()>,
}

#[derive(Clone)]
pub struct HeadState {
    /// Status with which dialling workers are turned away; 0 to let them in.
    pub door: Arc<AtomicU16>,
    /// Status that pictures are answered with.
    pub answer: Arc<AtomicU16>,
    /// What there is of pictures in the making, by the lease it was brought under; empty where there is nothing.
    pub begun: Arc<Mutex<HashMap<Lease, Bytes>>>,
    /// The picture to go on from; where there is none, it is gone.
    pub source: Arc<Mutex<Option<Bytes>>>,
    /// The pictures that came, in order.
    pub made: Arc<Mutex<Vec<Bytes>>>,
    /// Pictures pass here one at a time before they are answered.
    pub gate: Arc<Semaphore>,
    joining: UnboundedSender<Link>,
    delivered: UnboundedSender<Lease>,
    turning_away: UnboundedSender<()>,
}

/// One connection of a worker.
pub struct Link {
    pub hello: Hello,
    socket: WebSocket,
}

impl TestHead {
    pub async fn start() -> Self {
        let (head, router) = Self::new("127.0.0.1:0".parse().expect("an address"));
        let listener = tokio::net::TcpListener::bind(head.address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, ..head }
    }

    /// A head and what it serves; whoever listens tells its address.
    pub fn new(address: SocketAddr) -> (Self, Router) {
        let (joining, joined) = unbounded_channel();
        let (delivered, pictures) = unbounded_channel();
        let (turning_away, turned_away) = unbounded_channel();
        let state = HeadState {
            door: Arc::default(),
            answer: Arc::new(AtomicU16::new(204)),
            begun: Arc::default(),
            source: Arc::default(),
            made: Arc::default(),
            gate: Arc::new(Semaphore::new(1)),
            joining,
            delivered,
            turning_away,
        };
        let router = Router::new()
            .route("/internal/worker", get(connect))
            .route("/internal/results/{job}/{epoch}/{index}", post(deliver))
            .route("/internal/begun/{job}/{epoch}", post(hand_over).get(begun))
            .route("/internal/source/{job}/{epoch}", get(source))
            .with_state(state.clone());
        (Self { address, state, joined, pictures, turned_away }, router)
    }

    /// The next worker that dials in; it has not been welcomed yet.
    pub async fn join(&mut self) -> Link {
        self.joined.recv().await.expect("a worker")
    }

    /// The next worker that dials in, welcomed.
    pub async fn welcome(&mut self) -> Link {
        let mut link = self.join().await;
        link.welcome(&[]).await;
        link
    }

    pub fn worker(&self, device: &str) -> Worker {
        Worker::dialling(&format!("ws://{}", self.address), device)
    }
}

impl Link {
    pub async fn welcome(&mut self, resumed: &[Lease]) {
        self.tell(&ToWorker::Welcome { heartbeat_ms: 20, resumed: resumed.to_vec() }).await;
    }

    pub async fn tell(&mut self, message: &ToWorker) {
        let text = serde_json::to_string(message).expect("JSON");
        self.socket.send(Message::text(text)).await.expect("the worker listens");
    }

    pub async fn assign(&mut self, job: u128, model: &str) -> Lease {
        self.assign_request(job, request(model)).await
    }

    pub async fn assign_request(&mut self, job: u128, request: ValidRequest) -> Lease {
        let assignment = Assignment { job: JobId::from_random(job), epoch: 1, request, indices: vec![0], begun: false };
        self.tell(&ToWorker::Assign(assignment)).await;
        lease(job)
    }

    /// A job of which another worker had begun the picture.
    pub async fn assign_begun(&mut self, job: u128, epoch: i32, request: ValidRequest) -> Lease {
        let job = JobId::from_random(job);
        self.tell(&ToWorker::Assign(Assignment { job, epoch, request, indices: vec![0], begun: true })).await;
        Lease { job, epoch }
    }

    /// Waits for the next step of a picture; which it is.
    pub async fn step(&mut self) -> u32 {
        self.until(|message| match message {
            FromWorker::Progress { step, .. } => Some(*step),
            _ => None,
        })
        .await
    }

    /// Waits until a job has been handed over.
    pub async fn handed_over(&mut self, lease: Lease) {
        let handed = self.until(|message| match message {
            FromWorker::HandedOver { job, epoch } => Some(Lease { job: *job, epoch: *epoch }),
            _ => None,
        });
        assert_eq!(handed.await, lease);
    }

    /// The next message; `None` when the worker is gone.
    pub async fn hear(&mut self) -> Option<FromWorker> {
        loop {
            match self.socket.recv().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("the protocol")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next message that the test waits for; those before it are dropped, but none may be a failure.
    pub async fn until<T>(&mut self, wanted: impl Fn(&FromWorker) -> Option<T>) -> T {
        loop {
            let message = self.hear().await.expect("the worker is there");
            if let Some(found) = wanted(&message) {
                return found;
            }
            assert!(!matches!(message, FromWorker::Failed { .. }), "{message:?}");
        }
    }

    /// Waits for the last word on this lease, and that it is a good one.
    pub async fn done(&mut self, lease: Lease) {
        let done = self.until(|message| match message {
            FromWorker::Done { job, epoch, .. } => Some(Lease { job: *job, epoch: *epoch }),
            _ => None,
        });
        assert_eq!(done.await, lease);
    }

    pub async fn progress(&mut self) {
        self.until(|message| matches!(message, FromWorker::Progress { .. }).then_some(())).await;
    }

    /// The names of the models that are loaded after the next change, and what went wrong.
    pub async fn models(&mut self) -> (Vec<String>, Option<String>) {
        self.until(|message| match message {
            FromWorker::Models { warm, problem } => {
                Some((warm.iter().map(|model| model.card.name.clone()).collect(), problem.clone()))
            }
            _ => None,
        })
        .await
    }

    pub async fn close(mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = self.socket.send(Message::Close(Some(frame))).await;
    }
}

/// A worker process; it ends with the test.
pub struct Worker {
    child: Child,
}

impl Worker {
    pub fn dialling(head: &str, device: &str) -> Self {
        Self::with(head, device, &[])
    }

    pub fn with(head: &str, device: &str, arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_mindseye-worker"))
            .args(["--head", head, "--key", KEY, "--id", "tested", "--device", device])
            .args(arguments)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the worker program");
        Self { child }
    }

    pub fn terminate(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let told = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        assert!(told.success());
    }

    /// Waits for its end: whether it was a good one, and what it said.
    pub async fn ended(&mut self) -> (bool, String) {
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut said).await.expect("text");
        (self.child.wait().await.expect("it ends").success(), said)
    }
}

pub fn lease(job: u128) -> Lease {
    Lease { job: JobId::from_random(job), epoch: 1 }
}

pub fn request(model: &str) -> ValidRequest {
    ValidRequest {
        prompt: "a sea".into(),
        negative_prompt: String::new(),
        model: model.into(),
        capability: "image.fast".into(),
        count: 1,
        seed: 5,
        width: 64,
        height: 64,
        steps: 12,
        guidance: 3.0,
        source: None,
    }
}

async fn connect(State(state): State<HeadState>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if let Ok(status) = StatusCode::from_u16(state.door.load(Ordering::SeqCst)) {
        let _ = state.turning_away.send(());
        return status.into_response();
    }
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    upgrade.on_upgrade(move |mut socket: WebSocket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            let Message::Text(text) = message else { continue };
            let Ok(FromWorker::Hello(hello)) = serde_json::from_str(&text) else { panic!("{text}") };
            let _ = state.joining.send(Link { hello, socket });
            return;
        }
    })
}

async fn deliver(
    State(state): State<HeadState>,
    Path((job, epoch, _index)): Path<(JobId, i32, u32)>,
    png: Bytes,
) -> StatusCode {
    state.made.lock().expect("the pictures").push(png);
    // Before the test hears of it, which may change the answer then.
    let answer = StatusCode::from_u16(state.answer.load(Ordering::SeqCst)).expect("a status");
    let _ = state.delivered.send(Lease { job, epoch });
    let _place = state.gate.acquire().await.expect("the gate");
    answer
}

async fn hand_over(State(state): State<HeadState>, Path((job, epoch)): Path<(JobId, i32)>, begun: Bytes) -> StatusCode {
    state.begun.lock().expect("what is kept").insert(Lease { job, epoch }, begun);
    StatusCode::from_u16(state.answer.load(Ordering::SeqCst)).expect("a status")
}

async fn begun(State(state): State<HeadState>, Path((job, epoch)): Path<(JobId, i32)>) -> Response {
    match state.begun.lock().expect("what is kept").get(&Lease { job, epoch }) {
        Some(begun) => begun.clone().into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn source(State(state): State<HeadState>, headers: HeaderMap) -> Response {
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    match state.source.lock().expect("the source").clone() {
        Some(picture) => picture.into_response(),
        None => StatusCode::GONE.into_response(),
    }
}
