//! A studio without doors, and the test as its workers.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::worker::{Assignment, FromWorker, Hello, PROTOCOL, ToWorker, WarmModel};
use domain::{DeviceId, GenerationRequest, JobId, JobView, ModelCard, Plan, WorkerId};
use services::bell::Bell;
use services::bus::{Bus, HeadId, LocalBus};
use services::clock::{Clock, SharedClock, SystemClock};
use services::credits::{self, CreditsService, Daily};
use services::fleet::{Connection, DeliveryError, Fleet, FleetParts};
use services::identity::{Identity, Visitor};
use services::jobs::{EventHub, Jobs, JobsParts, MAX_QUEUED, Models, Outlook, Source};
use services::media::MediaStore;
use sqlx::PgPool;
use tokio::sync::mpsc;

pub const DAILY: u32 = 50;

/// A clock that stands still unless it is moved.
#[derive(Debug)]
pub struct TestClock(pub std::sync::Mutex<DateTime<Utc>>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("clock")
    }
}

/// A studio without doors.
pub struct Studio {
    pub pool: PgPool,
    pub clock: Arc<TestClock>,
    pub jobs: Jobs,
    pub fleet: Fleet,
    pub credits: CreditsService,
    pub identity: Identity,
    serving: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Studio {
    pub async fn open(pool: PgPool) -> Self {
        let clock: SharedClock = Arc::new(SystemClock);
        let studio = Self::head(pool, Arc::new(LocalBus::alone(HeadId::from_random(1), clock))).await;
        studio.lead();
        studio
    }

    /// One head of a studio that others may share; it does not dispatch unless it is told to.
    pub async fn head(pool: PgPool, bus: Arc<dyn Bus>) -> Self {
        Self::with_room(pool, bus, MAX_QUEUED).await
    }

    /// A head that turns people away when `max_queued` jobs wait.
    pub async fn with_room(pool: PgPool, bus: Arc<dyn Bus>, max_queued: usize) -> Self {
        let clock = Arc::new(TestClock(std::sync::Mutex::new("2026-11-20T12:00:00Z".parse().expect("a date"))));
        let shared: SharedClock = clock.clone();
        let folder = tempfile::tempdir().expect("a folder");
        let media = MediaStore::open(folder.path().join("media")).await.expect("media");
        let credits = CreditsService::new(pool.clone(), shared.clone(), Daily { visitor: DAILY, ultra: 1_000 });
        let (models, outlook, bell) = (Models::new(pool.clone()), Outlook::default(), Bell::default());
        let (cancelled, mut cancellations) = mpsc::unbounded_channel();
        let jobs = Jobs::new(JobsParts {
            pool: pool.clone(),
            clock: shared.clone(),
            credits: credits.clone(),
            media: media.clone(),
            models: models.clone(),
            events: EventHub::default(),
            outlook: outlook.clone(),
            bus: bus.clone(),
            bell: bell.clone(),
            max_queued,
            cancelled,
        });
        let identity = Identity::new(pool.clone(), shared.clone());
        let fleet = Fleet::new(FleetParts {
            pool: pool.clone(),
            clock: shared,
            jobs: jobs.clone(),
            media,
            models: models.clone(),
            outlook,
            bus,
            bell,
        });
        models.announce(&Source::Shared, [&card()]).await.expect("announce");
        let serving = tokio::spawn({
            let fleet = fleet.clone();
            async move { fleet.serve_bus(&mut cancellations).await }
        });
        Self { pool, clock, jobs, fleet, credits, identity, serving, folder }
    }

    /// Begins to dispatch; aborting the task ends that.
    pub fn lead(&self) -> tokio::task::JoinHandle<()> {
        let fleet = self.fleet.clone();
        tokio::spawn(async move { fleet.dispatch().await })
    }

    /// As if the head's process had died.
    pub fn die(&self) {
        self.serving.abort();
    }

    /// Lets time pass.
    pub fn wait(&self, ms: i64) {
        *self.clock.0.lock().expect("clock") += chrono::TimeDelta::milliseconds(ms);
    }

    pub async fn visitor(&self) -> DeviceId {
        let nobody = Visitor::from_cookies(std::iter::empty(), false);
        let actor = self.identity.actor(&nobody).await.expect("an actor");
        self.identity.keep(&actor, &nobody).await.expect("a device");
        actor.device
    }

    pub async fn worker(&self, name: &str) -> Worker {
        self.join(hello(name)).await
    }

    pub async fn join(&self, hello: Hello) -> Worker {
        let id = hello.id.clone();
        let connection = self.fleet.connect(hello, false).await.expect("connect");
        Worker { id, connection }
    }

    /// A worker says something.
    pub async fn hear(&self, worker: &Worker, message: FromWorker) {
        self.fleet.receive(&worker.id, worker.connection.number, message).await.expect("handled");
    }

    pub async fn submit(&self, owner: DeviceId, count: u32) -> JobView {
        self.jobs.submit(owner, wish(count)).await.expect("accepted")
    }

    pub async fn deliver(&self, assignment: &Assignment, index: u32) -> Result<(), DeliveryError> {
        let picture = png(assignment.request.width, assignment.request.height);
        self.fleet.deliver(None, assignment.job, assignment.epoch, index, picture).await
    }

    /// Does all of an assignment as a good worker would.
    pub async fn work(&self, worker: &Worker, assignment: &Assignment) {
        for index in &assignment.indices {
            self.deliver(assignment, *index).await.expect("taken");
        }
        let Assignment { job, epoch, .. } = *assignment;
        self.hear(worker, FromWorker::Done { job, epoch, busy_ms: 900.0 }).await;
    }

    pub async fn balance(&self, owner: DeviceId) -> u32 {
        self.credits.balance(Some((owner, Plan::Visitor))).await.expect("a balance").credits_left
    }

    pub async fn entries(&self, job: JobId) -> Vec<String> {
        sqlx::query_scalar("SELECT kind FROM credit_entries WHERE job_id = $1 ORDER BY id")
            .bind(job.0)
            .fetch_all(&self.pool)
            .await
            .expect("entries")
    }

    /// Picture files that lie in the media folder.
    pub fn pictures(&self) -> usize {
        let folders = std::fs::read_dir(self.folder.path().join("media")).expect("a folder");
        folders.map(|folder| std::fs::read_dir(folder.expect("an entry").path()).expect("a folder").count()).sum()
    }

    pub async fn no_drift(&self) {
        assert_eq!(credits::drift(&self.pool).await.expect("audit"), []);
    }
}

pub struct Worker {
    pub id: WorkerId,
    pub connection: Connection,
}

impl Worker {
    pub async fn assignment(&mut self) -> Assignment {
        match self.message().await {
            ToWorker::Assign(assignment) => assignment,
            other => panic!("expected an assignment, got {other:?}"),
        }
    }

    pub async fn message(&mut self) -> ToWorker {
        tokio::time::timeout(Duration::from_secs(30), self.connection.outbox.recv())
            .await
            .expect("a message in time")
            .expect("a connection")
    }
}

pub fn card() -> ModelCard {
    ModelCard {
        name: "starter".into(),
        title: "Starter".into(),
        capability: "image.fast".into(),
        native_size: 256,
        default_steps: 12,
        max_steps: 50,
        default_guidance: 3.0,
        size_multiple: 32,
    }
}

pub fn hello(name: &str) -> Hello {
    Hello {
        protocol: PROTOCOL,
        id: WorkerId(name.into()),
        host: "test".into(),
        device: "test".into(),
        memory_mb: 0,
        concurrency: 1,
        batch_gain: 1.0,
        models: vec![WarmModel { card: card(), standard_ms: 1_000.0 }],
        available: Vec::new(),
        holding: Vec::new(),
        hands_over: true,
        goes_on: true,
        extends: true,
    }
}

/// Looks again and again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.unwrap_or_else(|_| panic!("waited too long: {what}"))
}

pub fn wish(count: u32) -> GenerationRequest {
    GenerationRequest {
        prompt: "a red sun over a dark sea".into(),
        count: Some(count),
        seed: Some(7),
        ..GenerationRequest::default()
    }
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}
