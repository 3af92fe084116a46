//! The way in, with a clock that the test moves.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use domain::worker::{Failure, FromWorker};
use domain::{AppError, DeviceId, GenerationRequest, JobId, ModelCard, WorkerId};
use services::bell::Bell;
use services::bus::{Bus, HeadId, LocalBus};
use services::clock::{Clock, SharedClock};
use services::credits::{self, CreditsService, Daily};
use services::fleet::{Fleet, FleetParts};
use services::identity::{Agent, Identity, Signals, Visitor};
use services::jobs::{Admission, EventHub, Jobs, JobsParts, Models, Outlook, Source};
use services::limits::{Bursts, Counting, Limits, Policy, Rate};
use services::media::MediaStore;
use sqlx::PgPool;
use tokio::sync::mpsc;

#[derive(Debug)]
pub struct TestClock(pub Mutex<DateTime<Utc>>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("clock")
    }
}

/// Everything between a door and the database.
pub struct Desk {
    pub pool: PgPool,
    pub clock: Arc<TestClock>,
    pub jobs: Jobs,
    pub admission: Admission,
    pub credits: CreditsService,
    pub identity: Identity,
    pub limits: Limits,
    _media: tempfile::TempDir,
    fleet: Fleet,
    _cancelled: mpsc::UnboundedReceiver<(JobId, i32)>,
}

impl Desk {
    pub async fn open(pool: PgPool) -> Self {
        Self::with(pool, Policy::default(), rate(1_000_000)).await
    }

    pub async fn with(pool: PgPool, policy: Policy, bursts: Bursts) -> Self {
        Self::counting(pool, policy, bursts, Counting::ALONE).await
    }

    /// One of several heads.
    pub async fn together(pool: PgPool) -> Self {
        Self::counting(pool, Policy::default(), rate(1_000_000), Counting::Together).await
    }

    /// With room for few entries in memory.
    pub async fn with_room_for(pool: PgPool, most: usize) -> Self {
        Self::counting(pool, Policy::default(), rate(1_000_000), Counting::Alone { most }).await
    }

    async fn counting(pool: PgPool, policy: Policy, bursts: Bursts, counting: Counting) -> Self {
        let clock = Arc::new(TestClock(Mutex::new("2026-11-20T12:00:00Z".parse().expect("a date"))));
        let shared: SharedClock = clock.clone();
        let folder = tempfile::tempdir().expect("a folder");
        let media = MediaStore::open(folder.path().join("media")).await.expect("media");
        let credits = CreditsService::new(pool.clone(), shared.clone(), Daily::default());
        let (models, outlook, bell) = (Models::new(pool.clone()), Outlook::default(), Bell::default());
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::alone(HeadId::from_random(1), shared.clone()));
        let (cancelled, receiver) = mpsc::unbounded_channel();
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
            max_queued: usize::MAX,
            cancelled,
        });
        models.announce(&Source::Shared, [&card()]).await.expect("announce");
        let fleet = Fleet::new(FleetParts {
            pool: pool.clone(),
            clock: shared.clone(),
            jobs: jobs.clone(),
            media,
            models: models.clone(),
            outlook,
            bus,
            bell,
        });
        let identity = Identity::new(pool.clone(), shared.clone());
        let limits = Limits::new(pool.clone(), shared, policy, bursts, counting);
        let admission = Admission::new(jobs.clone(), identity.clone(), credits.clone(), limits.clone());
        Self { pool, clock, jobs, admission, credits, identity, limits, _media: folder, fleet, _cancelled: receiver }
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: i64) {
        *self.clock.0.lock().expect("clock") += TimeDelta::seconds(seconds);
    }

    /// Asks for `count` pictures; answers the visitor as they are afterwards.
    pub async fn ask(&self, visitor: &Visitor, count: u32) -> Result<(JobId, Visitor), AppError> {
        self.ask_for(visitor, "a boat", count).await
    }

    pub async fn ask_for(&self, visitor: &Visitor, prompt: &str, count: u32) -> Result<(JobId, Visitor), AppError> {
        let admitted = self.admission.create(visitor, wish(prompt, count)).await?;
        let visitor = match admitted.cookie {
            None => visitor.clone(),
            Some(cookie) => {
                let pair = cookie.split(';').next().expect("a pair");
                Visitor::from_cookies(std::iter::once(pair), false).with(visitor.signals.clone())
            }
        };
        Ok((admitted.job.id, visitor))
    }

    pub async fn device(&self, visitor: &Visitor) -> DeviceId {
        self.identity.device(visitor).await.expect("found").expect("a device")
    }

    pub async fn left(&self, visitor: &Visitor) -> u32 {
        let holder = self.identity.holder(visitor).await.expect("found");
        self.credits.balance(holder).await.expect("a balance").credits_left
    }

    /// A worker has the job, and says that it is done: with all its pictures, or with none.
    pub async fn finish(&self, job: JobId, well: bool) {
        let worker = WorkerId("w".into());
        let leased = sqlx::query(
            "UPDATE jobs SET state = 'running', epoch = 1, attempts = 99, worker_id = 'w',
                 lease_until = now() + interval '1 hour'
             WHERE id = $1 AND state = 'queued'",
        );
        if leased.bind(job.0).execute(&self.pool).await.expect("leased").rows_affected() == 0 {
            return;
        }
        let message = if well {
            sqlx::query(
                "INSERT INTO outputs (id, job_id, index, seed, width, height, media_type, bytes)
                 SELECT gen_random_uuid(), id, at, 1, 64, 64, 'image/png', 1
                 FROM jobs, generate_series(0, count - 1) AS at WHERE id = $1",
            )
            .bind(job.0)
            .execute(&self.pool)
            .await
            .expect("pictures");
            FromWorker::Done { job, epoch: 1, busy_ms: 10.0 }
        } else {
            FromWorker::Failed { job, epoch: 1, failure: Failure::retryable("as the test wants") }
        };
        self.fleet.receive(&worker, 1, message).await.expect("heard");
    }

    /// Gives back what a job cost, as an operator does.
    pub async fn refund(&self, job: JobId) -> u32 {
        let mut transaction = self.pool.begin().await.expect("a transaction");
        let credits = self.credits.refund(&mut transaction, job).await.expect("refunded");
        transaction.commit().await.expect("committed");
        credits
    }

    pub async fn no_drift(&self) {
        assert_eq!(credits::drift(&self.pool).await.expect("audit"), []);
    }
}

/// Somebody without a cookie, in an ordinary browser.
pub fn stranger(address: &str, fingerprint: u8) -> Visitor {
    Visitor::from_cookies(std::iter::empty(), false).with(Signals {
        address: Some(address.parse().expect("an address")),
        fingerprint: Some([fingerprint; 32]),
        agent: Agent::Browser,
        ..Signals::default()
    })
}

/// Somebody without a cookie on this very machine, in a browser that sends no fingerprint.
pub fn nowhere() -> Visitor {
    let signals = Signals { fingerprint: None, ..stranger("127.0.0.1", 0).signals };
    Visitor::from_cookies(std::iter::empty(), false).with(signals)
}

pub fn wish(prompt: &str, count: u32) -> GenerationRequest {
    GenerationRequest { prompt: prompt.into(), count: Some(count), seed: Some(7), ..GenerationRequest::default() }
}

/// So many requests a second and at once.
pub fn rate(number: u32) -> Bursts {
    let number = NonZeroU32::new(number).expect("above zero");
    Bursts::new(Rate { per_second: number, burst: number })
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
