//! How many jobs a second go through submit, lease and complete, ledger included, and how soon an idle fleet
//! starts one. Workers are played by tasks of this process that deliver a prepared picture at once.
//!
//! ```text
//! scripts/test-postgres.sh cargo run --release -p services --example throughput -- --jobs 20000
//! ```
//!
//! Prints the machine's own figure for comparison: single-row inserts, one committed after the other by as
//! many clients, measured in the same run.
#![expect(clippy::print_stdout, reason = "figures are this program's purpose")]

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::worker::{FromWorker, Hello, PROTOCOL, ToWorker, WarmModel};
use domain::{DeviceId, GenerationRequest, ModelCard, WorkerId};
use services::bell::Bell;
use services::bus::{Bus, HeadId, LocalBus};
use services::clock::{SharedClock, SystemClock};
use services::credits::{self, CreditsService, Daily};
use services::fleet::{Fleet, FleetParts};
use services::identity::{Identity, Visitor};
use services::jobs::{EventHub, Jobs, JobsParts, Models, Outlook};
use services::media::MediaStore;
use sqlx::PgPool;

const WORKERS: usize = 8;
const PLACES: u32 = 32;
const CLIENTS: usize = 64;
/// Jobs that may wait while more are submitted.
const BACKLOG: usize = 2_000;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs_wanted = std::env::args().skip_while(|arg| arg != "--jobs").nth(1).map_or(Ok(10_000), |n| n.parse())?;
    let pool = services::db::connect(&std::env::var("DATABASE_URL")?, 24).await?;
    services::db::migrate(&pool).await?;
    let folder = std::env::temp_dir().join(format!("mindseye-throughput-{}", std::process::id()));
    let studio = Studio::open(pool.clone(), &folder).await?;
    let owners = studio.owners(400).await;

    let latency = studio.idle_latency(owners[0], 200).await;
    println!("idle fleet, submit to start: median {:.1} ms, p95 {:.1} ms", at(&latency, 0.5), at(&latency, 0.95));

    let began = Instant::now();
    studio.flood(&owners, jobs_wanted).await;
    let seconds = began.elapsed().as_secs_f64();
    let rate = jobs_wanted as f64 / seconds;
    println!("{jobs_wanted} jobs submitted, leased, delivered and captured in {seconds:.1} s: {rate:.0} a second");

    let plain = single_inserts(&pool, Duration::from_secs(3)).await?;
    println!("single-row commits on the same database: {plain:.0} a second; ratio {:.2}", rate / plain);
    assert!(credits::drift(&pool).await.map_err(|error| error.to_string())?.is_empty(), "the ledger drifted");
    let charges = credits::totals(&pool).await.map_err(|error| error.to_string())?;
    println!("ledger: {charges:?}, no drift");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

struct Studio {
    jobs: Jobs,
    identity: Identity,
    done: Arc<AtomicUsize>,
    started: tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<Instant>>,
}

impl Studio {
    async fn open(pool: PgPool, folder: &std::path::Path) -> Result<Self, Box<dyn std::error::Error>> {
        let clock: SharedClock = Arc::new(SystemClock);
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::alone(HeadId::from_random(1), clock.clone()));
        let media = MediaStore::open(folder.join("media")).await?;
        let credits = CreditsService::new(pool.clone(), clock.clone(), Daily { visitor: 1_000_000, ultra: 1_000_000 });
        let (models, outlook, bell) = (Models::new(pool.clone()), Outlook::default(), Bell::default());
        let (cancelled, mut cancellations) = tokio::sync::mpsc::unbounded_channel();
        let jobs = Jobs::new(JobsParts {
            pool: pool.clone(),
            clock: clock.clone(),
            credits,
            media: media.clone(),
            models: models.clone(),
            events: EventHub::default(),
            outlook: outlook.clone(),
            bus: bus.clone(),
            bell: bell.clone(),
            max_queued: usize::MAX,
            cancelled,
        });
        let identity = Identity::new(pool.clone(), clock.clone());
        let parts = FleetParts { pool, clock, jobs: jobs.clone(), media, models, outlook, bus, bell };
        let fleet = Fleet::new(parts);
        tokio::spawn({
            let fleet = fleet.clone();
            async move { tokio::join!(fleet.serve_bus(&mut cancellations), fleet.dispatch()) }
        });
        let done = Arc::new(AtomicUsize::new(0));
        let (starts, started) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..WORKERS {
            tokio::spawn(work(fleet.clone(), number, done.clone(), starts.clone()));
        }
        Ok(Self { jobs, identity, done, started: started.into() })
    }

    async fn owners(&self, count: usize) -> Vec<DeviceId> {
        let mut owners = Vec::with_capacity(count);
        for _ in 0..count {
            let nobody = Visitor::from_cookies(std::iter::empty(), false);
            if let Ok(actor) = self.identity.actor(&nobody).await
                && self.identity.keep(&actor, &nobody).await.is_ok()
            {
                owners.push(actor.device);
            }
        }
        owners
    }

    /// Milliseconds from the call to the worker's hands, sorted.
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    async fn idle_latency(&self, owner: DeviceId, rounds: usize) -> Vec<f64> {
        let mut started = self.started.lock().await;
        let mut times = Vec::with_capacity(rounds);
        for round in 0..rounds {
            let before = self.done.load(Ordering::Acquire);
            let began = Instant::now();
            if self.jobs.submit(owner, wish(round)).await.is_err() {
                continue;
            }
            if let Some(at) = started.recv().await {
                times.push((at - began).as_secs_f64() * 1_000.0);
            }
            while self.done.load(Ordering::Acquire) == before {
                tokio::task::yield_now().await;
            }
        }
        times.sort_by(f64::total_cmp);
        times
    }

    async fn flood(&self, owners: &[DeviceId], jobs: usize) {
        let already = self.done.load(Ordering::Acquire);
        let next = Arc::new(AtomicUsize::new(0));
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let (jobs_service, next, done, owners) =
                (self.jobs.clone(), next.clone(), self.done.clone(), owners.to_vec());
            clients.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs {
                        return;
                    }
                    while number > done.load(Ordering::Acquire) - already + BACKLOG {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    let owner = owners[(number + client) % owners.len()];
                    if let Err(error) = jobs_service.submit(owner, wish(number)).await {
                        eprintln!("not accepted: {error}");
                    }
                }
            });
        }
        while clients.join_next().await.is_some() {}
        while self.done.load(Ordering::Acquire) - already < jobs {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A worker that takes no time: the picture is there before it is asked for.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
async fn work(
    fleet: Fleet,
    number: usize,
    done: Arc<AtomicUsize>,
    starts: tokio::sync::mpsc::UnboundedSender<Instant>,
) {
    let id = WorkerId(format!("bench-{number}"));
    let hello = Hello {
        protocol: PROTOCOL,
        id: id.clone(),
        host: "bench".into(),
        device: "none".into(),
        memory_mb: 0,
        concurrency: PLACES,
        batch_gain: f64::from(PLACES),
        models: vec![WarmModel { card: card(), standard_ms: 1.0 }],
        available: Vec::new(),
        holding: Vec::new(),
        hands_over: false,
        goes_on: false,
        extends: false,
    };
    let Ok(mut connection) = fleet.connect(hello, false).await else { return };
    let picture = png();
    while let Some(message) = connection.outbox.recv().await {
        let ToWorker::Assign(assignment) = message else { continue };
        let _ = starts.send(Instant::now());
        let (fleet, id, picture, done) = (fleet.clone(), id.clone(), picture.clone(), done.clone());
        let connection = connection.number;
        tokio::spawn(async move {
            let (job, epoch) = (assignment.job, assignment.epoch);
            for index in assignment.indices {
                if let Err(error) = fleet.deliver(None, job, epoch, index, picture.clone()).await {
                    eprintln!("not delivered: {error}");
                }
            }
            match fleet.receive(&id, connection, FromWorker::Done { job, epoch, busy_ms: 1.0 }).await {
                Ok(_) => _ = done.fetch_add(1, Ordering::Release),
                Err(error) => eprintln!("not done: {error}"),
            }
        });
    }
}

/// Committed single-row inserts a second, by as many clients as the flood has connections.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
async fn single_inserts(pool: &PgPool, length: Duration) -> Result<f64, Box<dyn std::error::Error>> {
    let inserted = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let (identity, inserted) = (Identity::new(pool.clone(), Arc::new(SystemClock)), inserted.clone());
        clients.spawn(async move {
            while began.elapsed() < length {
                let nobody = Visitor::from_cookies(std::iter::empty(), false);
                let Ok(actor) = identity.actor(&nobody).await else { continue };
                if identity.keep(&actor, &nobody).await.is_ok() {
                    inserted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    while clients.join_next().await.is_some() {}
    Ok(inserted.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
}

fn at(sorted: &[f64], share: f64) -> f64 {
    sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}

fn wish(number: usize) -> GenerationRequest {
    GenerationRequest {
        prompt: format!("a red sun over a dark sea {number}"),
        count: Some(1),
        width: Some(64),
        height: Some(64),
        ..GenerationRequest::default()
    }
}

fn card() -> ModelCard {
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

fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let drawn = image::RgbImage::new(64, 64).write_to(&mut bytes, image::ImageFormat::Png);
    if drawn.is_err() {
        eprintln!("the picture could not be drawn");
    }
    bytes.into_inner()
}
