//! Workers, leases and the dispatcher's loop.
//!
//! The row in Postgres is the truth. A lease is a row in state `running` with a
//! fencing epoch and an end by the database's clock; a worker renews its leases
//! with every heartbeat and loses them when its connection ends or its
//! heartbeats stop. Whatever a worker says about a job is believed only with
//! the epoch of its lease.

mod dispatcher;
mod picture;
mod registry;
mod store;

pub use registry::{Connection, FleetWorker};

use std::sync::Arc;
use std::time::Duration;

use domain::worker::{Assignment, Failure, FromWorker, Hello, LEASE_MS, PROTOCOL};
use domain::{AppError, JobEvent, JobId, ModelCard, OutputId, StepProgress, WorkerId};
use sqlx::PgPool;
use thiserror::Error;
use tokio::sync::{Notify, mpsc};

use crate::clock::{self, SharedClock};
use crate::credits;
use crate::db::explain;
use crate::jobs::{self, Jobs, Models, Outlook};
use crate::media::MediaStore;
use registry::Registry;

/// Leases a job may be given before it is given up, whatever the reasons.
const MAX_ATTEMPTS: i32 = 8;
/// Workers a job may take down with it before it is set aside.
const MAX_CRASHES: i32 = 3;

/// The fleet as the worker gateway sees it.
#[derive(Clone, Debug)]
pub struct Fleet {
    pool: PgPool,
    clock: SharedClock,
    jobs: Jobs,
    media: MediaStore,
    models: Models,
    outlook: Outlook,
    registry: Registry,
    wake: Arc<Notify>,
}

/// What [`Fleet::new`] is made of.
#[derive(Debug)]
pub struct FleetParts {
    pub pool: PgPool,
    pub clock: SharedClock,
    pub jobs: Jobs,
    pub media: MediaStore,
    pub models: Models,
    pub outlook: Outlook,
    pub wake: Arc<Notify>,
}

/// Why a worker's picture was not taken.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// The lease is over: another worker has the job, or nobody needs it any more.
    #[error("the lease on this job is over")]
    Stale,
    /// The bytes are not the picture that was asked for.
    #[error("this is not the picture that was asked for: {0}")]
    Unfit(String),
    /// The head can't store it now; the worker tries again.
    #[error(transparent)]
    Unavailable(AppError),
}

impl Fleet {
    pub fn new(parts: FleetParts) -> Self {
        let FleetParts { pool, clock, jobs, media, models, outlook, wake } = parts;
        Self { pool, clock, jobs, media, models, outlook, registry: Registry::default(), wake }
    }

    /// Runs the dispatcher until the future is dropped. The only loop that assigns work.
    pub async fn dispatch(&self) {
        dispatcher::run(self).await;
    }

    /// Tells workers which of their jobs were cancelled, until the channel closes.
    pub async fn forward_cancellations(&self, mut cancelled: mpsc::UnboundedReceiver<(JobId, i32)>) {
        while let Some((job, epoch)) = cancelled.recv().await {
            self.cancel_lease(job, epoch);
        }
    }

    /// Ends the work on a lease that is over, and forgets what was told of it.
    fn cancel_lease(&self, job: JobId, epoch: i32) {
        self.registry.cancel(job, epoch);
        self.outlook.forget(job);
        self.jobs.events().forget(job);
    }

    /// Ends a waiting job that no worker can do, free of charge.
    async fn abandon(&self, job: JobId) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let ended = store::abandon(&mut transaction, job, &AppError::GenerationFailed).await?;
        if ended {
            credits::release(&mut transaction, job).await?;
        }
        transaction.commit().await?;
        if ended {
            tracing::warn!(%job, "given up: no worker has its model");
            self.ended(job).await;
        }
        Ok(())
    }

    /// Takes a worker in. Messages for it come out of the connection.
    pub async fn connect(&self, hello: Hello) -> Result<Connection, String> {
        if hello.protocol != PROTOCOL {
            return Err(format!(
                "this worker speaks protocol {}, the head speaks {PROTOCOL}: update the older one",
                hello.protocol
            ));
        }
        let cards: Vec<ModelCard> = hello.models.iter().map(|warm| warm.card.clone()).collect();
        if let Err(error) = self.models.announce(&cards).await {
            return Err(error.to_string());
        }
        tracing::info!(worker = %hello.id, device = %hello.device, models = cards.len(), "worker joined");
        let (connection, replaced) = self.registry.join(hello);
        for (job, epoch) in replaced {
            tracing::warn!(%job, "its worker joined again, or another one under the same name");
            if let Err(error) = self.give_back(job, epoch, GiveBack::Unsent).await {
                tracing::warn!(%error, %job, "the job waits for its lease to end");
            }
        }
        self.wake.notify_one();
        Ok(connection)
    }

    /// A worker's connection ended: its jobs go back to the queue at once.
    pub async fn disconnect(&self, worker: &WorkerId, connection: u64) {
        let Some(leases) = self.registry.leave(worker, connection) else { return };
        tracing::warn!(%worker, jobs = leases.len(), "worker left");
        for (job, epoch) in leases {
            if let Err(error) = self.give_back(job, epoch, GiveBack::WorkerLost).await {
                // The lease runs out by itself; the sweep finds it.
                tracing::warn!(%error, %job, "a lost worker's job waits for its lease to end");
            }
        }
        self.wake.notify_one();
    }

    /// Handles one message of a connected worker.
    pub async fn receive(&self, worker: &WorkerId, message: FromWorker) -> Result<(), AppError> {
        match message {
            FromWorker::Hello(_) => {}
            FromWorker::Heartbeat { .. } => {
                let leases = self.registry.leases(worker);
                // A missed renewal is made up by the next one, or the lease runs out: neither is the worker's fault.
                if let Err(error) = store::renew(&self.pool, worker, &leases, lease()).await {
                    tracing::warn!(%worker, %error, "leases could not be renewed");
                }
            }
            FromWorker::Progress { job, epoch, index, step, steps, preview } => {
                if self.registry.progress(worker, job, epoch, index, step, steps) {
                    let progress = StepProgress { job, index, step, steps, preview };
                    self.jobs.events().send(job, JobEvent::Progress(progress));
                }
                // A place that is about to come free is worth planning for.
                if self.registry.is_nearly_free(worker) {
                    self.wake.notify_one();
                }
            }
            FromWorker::Done { job, epoch, busy_ms } => {
                self.complete(job, epoch).await?;
                self.registry.done(worker, job, epoch, busy_ms);
                self.wake.notify_one();
            }
            FromWorker::Failed { job, epoch, failure } => {
                self.registry.drop_lease(worker, job, epoch);
                self.give_back(job, epoch, GiveBack::Failed(failure)).await?;
                self.wake.notify_one();
            }
        }
        Ok(())
    }

    /// Takes a finished picture: PNG bytes of exactly the size that was asked for.
    pub async fn deliver(&self, job: JobId, epoch: i32, index: u32, png: Vec<u8>) -> Result<(), DeliveryError> {
        let unavailable = |error| DeliveryError::Unavailable(explain(error));
        let request =
            store::leased_request(&self.pool, job, epoch).await.map_err(unavailable)?.ok_or(DeliveryError::Stale)?;
        if index >= request.count {
            return Err(DeliveryError::Unfit(format!("picture {index} of {}", request.count)));
        }
        picture::check(&png, request.width, request.height).map_err(DeliveryError::Unfit)?;
        let id = OutputId::from_random(clock::random_u128());
        if let Err(error) = self.media.write(id, &png).await {
            tracing::error!(%error, "a picture could not be stored");
            return Err(DeliveryError::Unavailable(AppError::Unavailable));
        }
        let output = store::NewOutput { id, index, seed: request.seed_of(index), bytes: png.len() };
        // After an error nobody knows whether the row is there, so its file stays: a file too many harms
        // nobody, a picture without its file is lost.
        if store::insert_output(&self.pool, job, epoch, &request, &output).await.map_err(unavailable)? {
            self.jobs.publish(job).await;
            return Ok(());
        }
        self.jobs.delete_files(&[id]).await;
        // Either this picture was delivered before under this lease and the answer was lost, or the lease is over.
        if store::has_output(&self.pool, job, epoch, index).await.map_err(unavailable)? {
            Ok(())
        } else {
            Err(DeliveryError::Stale)
        }
    }

    /// The workers that are connected now.
    pub fn workers(&self) -> Vec<FleetWorker> {
        self.registry.list()
    }

    /// Asks every worker to finish what it has and leave.
    pub fn drain(&self) {
        self.registry.drain();
    }

    /// Waits until no worker holds a job.
    pub async fn idle(&self) {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        while !self.registry.is_idle() {
            look.tick().await;
        }
    }

    /// Publishes a finished job and captures its hold, in one transaction, if the lease still stands.
    async fn complete(&self, job: JobId, epoch: i32) -> Result<(), AppError> {
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        let finished = store::succeed(&mut transaction, job, epoch).await.map_err(explain)?;
        if finished {
            credits::capture(&mut transaction, job).await.map_err(explain)?;
        }
        transaction.commit().await.map_err(explain)?;
        if finished {
            self.ended(job).await;
        } else if store::is_leased(&self.pool, job, epoch).await.map_err(explain)? {
            // Said to be done, but a picture is missing: make it again.
            let failure = Failure::retryable("done without every picture");
            self.give_back(job, epoch, GiveBack::Failed(failure)).await?;
        }
        Ok(())
    }

    /// Ends a lease without success: the job waits again, or is given up and its credits returned.
    async fn give_back(&self, job: JobId, epoch: i32, why: GiveBack) -> Result<(), AppError> {
        let (crashed, retryable) = match &why {
            GiveBack::WorkerLost => (true, true),
            GiveBack::Unsent => (false, true),
            GiveBack::Failed(failure) => {
                tracing::warn!(%job, reason = %failure.reason, retryable = failure.retryable, "attempt failed");
                (false, failure.retryable)
            }
        };
        let limits = store::Limits { attempts: MAX_ATTEMPTS, crashes: MAX_CRASHES };
        if retryable && store::requeue(&self.pool, job, epoch, crashed, &limits).await.map_err(explain)? {
            self.outlook.forget(job);
            self.jobs.publish(job).await;
            return Ok(());
        }
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        let failed = store::fail(&mut transaction, job, epoch, &AppError::GenerationFailed).await.map_err(explain)?;
        let dropped = if failed {
            credits::release(&mut transaction, job).await.map_err(explain)?;
            jobs::store::drop_outputs(&mut transaction, job).await.map_err(explain)?
        } else {
            Vec::new()
        };
        transaction.commit().await.map_err(explain)?;
        self.jobs.delete_files(&dropped).await;
        if failed {
            self.ended(job).await;
        }
        Ok(())
    }

    async fn ended(&self, job: JobId) {
        self.outlook.forget(job);
        self.jobs.publish(job).await;
        self.jobs.events().forget(job);
    }
}

/// Why a lease ends without success.
#[derive(Debug)]
enum GiveBack {
    WorkerLost,
    /// The assignment never reached the worker.
    Unsent,
    Failed(Failure),
}

fn lease() -> Duration {
    Duration::from_millis(LEASE_MS)
}

fn assignment(leased: store::Leased) -> Assignment {
    Assignment { job: leased.job, epoch: leased.epoch, request: leased.request, indices: leased.missing }
}
