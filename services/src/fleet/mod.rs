//! Workers, leases and the dispatcher.
//!
//! The row in Postgres is the truth. A lease is a row in state `running` with a
//! fencing epoch and an end by the database's clock; a worker renews its leases
//! with every heartbeat. Whatever a worker says about a job is believed only
//! with the epoch of its lease.
//!
//! Every head takes in workers and writes down what they say of their leases;
//! one head, elected, plans. They talk over the [`Bus`], also where there is
//! only one of them.

mod connections;
mod delivery;
mod desk;
mod dispatcher;
mod health;
mod held;
mod hello;
mod isolation;
mod keys;
mod leases;
mod moving;
mod post;
mod roster;
mod store;
mod sweep;
mod workers;

pub use connections::{Connection, FleetWorker};
pub use delivery::{DeliveryError, Expected, ExpectedBegun};
pub use health::Condition;
pub use keys::{KeyError, KeyHash, KeyInfo, WorkerKeys};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::worker::{Assignment, Failure, FromWorker, Hello, LEASE_MS, Lease, RESUME_MS};
use domain::{AppError, JobEvent, JobId, StepProgress, WorkerId};
use sqlx::PgPool;
use thiserror::Error;

use crate::bell::Bell;
use crate::bus::{Broadcast, Bus, Letter, Renewal, To};
use crate::clock::SharedClock;
use crate::db::explain;
use crate::group::Group;
use crate::jobs::{Jobs, Models, Outlook, Source};
use crate::media::MediaStore;
use connections::Connections;
use leases::{Closing, Delivered};
pub use roster::ModelPlan;
use roster::Roster;

/// The fleet as the worker gateway sees it.
#[derive(Clone, Debug)]
pub struct Fleet {
    pool: PgPool,
    clock: SharedClock,
    jobs: Jobs,
    media: MediaStore,
    models: Models,
    outlook: Outlook,
    bus: Arc<dyn Bus>,
    bell: Bell,
    connections: Connections,
    /// Filled only while this head dispatches.
    roster: Arc<Mutex<Roster>>,
    closing: Closing,
    delivering: Group<Delivered, Result<bool, AppError>>,
    uploads: delivery::Uploads,
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
    pub bus: Arc<dyn Bus>,
    pub bell: Bell,
}

/// Why a worker was not taken in.
#[derive(Debug, Error)]
pub enum JoinError {
    /// Trying again would not help.
    #[error("{0}")]
    Refused(String),
    /// The head can't take anyone in now.
    #[error(transparent)]
    Unavailable(AppError),
}

impl Fleet {
    /// Must be called within a runtime.
    pub fn new(parts: FleetParts) -> Self {
        let FleetParts { pool, clock, jobs, media, models, outlook, bus, bell } = parts;
        Self {
            connections: Connections::new(bus.head()),
            roster: Arc::default(),
            closing: leases::closing(&pool),
            delivering: leases::delivering(&pool),
            uploads: delivery::Uploads::default(),
            pool,
            clock,
            jobs,
            media,
            models,
            outlook,
            bus,
            bell,
        }
    }

    /// Assigns work until the future is dropped: for the elected head only.
    pub async fn dispatch(&self) {
        let _term = Term(self);
        dispatcher::run(self).await;
    }

    /// Takes a worker in, whose name goes with its key or is just what it says. Messages for it come out of the
    /// connection.
    pub async fn connect(&self, hello: Hello, named: bool) -> Result<Connection, JoinError> {
        hello::check(&hello).map_err(JoinError::Refused)?;
        if self.connections.is_draining() && hello.holding.is_empty() {
            // Only who has something to hand in is let in to the end.
            return Err(JoinError::Unavailable(AppError::Unavailable));
        }
        let worker = hello.id.clone();
        self.announce(&hello, named).await.map_err(JoinError::Unavailable)?;
        let unavailable = |error| JoinError::Unavailable(explain(error));
        let resumed = store::resume(&self.pool, &worker, &hello.holding, lease()).await.map_err(unavailable)?;
        let kept: Vec<Lease> = resumed.iter().map(|(lease, _)| *lease).collect();
        let abandoned = store::abandoned_by(&self.pool, &worker, &kept).await.map_err(unavailable)?;
        tracing::info!(%worker, device = %hello.device, resumed = kept.len(), "worker joined");
        self.connections.drained(workers::store::drained(&self.pool).await.map_err(unavailable)?);
        let (connection, record) = self.connections.join(hello, named, resumed);
        for (lease, connection_lost) in abandoned {
            tracing::warn!(job = %lease.job, %worker, connection_lost, "its worker joined again without it");
            // Where the worker's head died, it is the head's letters that were lost, and nothing speaks against the job.
            let why = if connection_lost { GiveBack::WorkerLost } else { GiveBack::Silent };
            if let Err(error) = self.give_back(lease, why).await {
                tracing::warn!(%error, job = %lease.job, "the job waits for its lease to end");
            }
        }
        if let Err(error) = self.bus.announce(&record, lease()).await {
            tracing::warn!(%error, %worker, "not announced: the next heartbeat makes up for it");
        }
        self.tell_dispatcher(Letter::Joined(Box::new(record))).await;
        if let Err(error) = self.refresh_models().await {
            tracing::debug!(%error, "its models are known a little later");
        }
        Ok(connection)
    }

    /// A worker's connection ended. Its leases stand for a moment, in case it dials in again and resumes them.
    pub async fn disconnect(&self, worker: &WorkerId, connection: u64) {
        let Some(leases) = self.connections.leave(worker, connection) else { return };
        tracing::warn!(%worker, jobs = leases.len(), "worker left");
        // Where the head ends, the end of a connection says nothing about the worker, which has all of its leases' time
        // to resume them elsewhere.
        let leases = if self.connections.is_draining() { Vec::new() } else { leases };
        self.gone(worker, connection, &leases).await;
    }

    /// A connection is over, whoever ended it.
    async fn gone(&self, worker: &WorkerId, connection: u64, leases: &[Lease]) {
        let moment = Duration::from_millis(RESUME_MS);
        if let Err(error) = store::shorten(&self.pool, worker, leases, moment).await {
            // They run out by themselves; the sweep finds them.
            tracing::warn!(%error, %worker, "a lost worker's jobs wait for their leases to end");
        }
        if let Err(error) = self.bus.withdraw(worker, connection).await {
            tracing::debug!(%error, %worker, "its record goes when its time is over");
        }
        self.tell_dispatcher(Letter::Left { worker: worker.clone(), connection }).await;
    }

    /// Handles one message of a connected worker. False: its connection is to be closed.
    pub async fn receive(&self, worker: &WorkerId, connection: u64, mut message: FromWorker) -> Result<bool, AppError> {
        let mut stays = true;
        match &message {
            FromWorker::Hello(_) => return Ok(true),
            FromWorker::Heartbeat { heat } => {
                if let Some(heat) = heat.as_ref().filter(|heat| hello::is_plausible(heat)) {
                    self.connections.felt(worker, heat.clone());
                }
                stays = self.heartbeat(worker, connection).await;
            }
            FromWorker::Models { warm, .. } => {
                if let Err(why) = hello::models(warm) {
                    tracing::warn!(%worker, why, "turned away: its models make no sense");
                    return Ok(false);
                }
                self.connections.models_changed(worker, warm.clone());
                if let Some(record) = self.connections.record(worker) {
                    self.announce(&record.hello, record.named).await?;
                }
            }
            FromWorker::Leaving => self.connections.leaving(worker),
            FromWorker::Progress { job, epoch, index, step, steps, preview } => {
                let request = self.connections.request_of(worker, *job, *epoch);
                if !request.is_some_and(|request| hello::is_step(*index, *step, *steps, preview.as_deref(), &request)) {
                    return Ok(true);
                }
                let progress =
                    StepProgress { job: *job, index: *index, step: *step, steps: *steps, preview: preview.clone() };
                self.tell_watchers(*job, JobEvent::Progress(progress)).await;
            }
            FromWorker::Done { job, epoch, .. } => {
                let (job, epoch) = (*job, *epoch);
                let lease = Lease { job, epoch };
                if !self.is_leased_to(worker, lease).await? {
                    return Ok(true);
                }
                let failure = self.complete(lease).await?;
                self.connections.ended(worker, job, epoch);
                if let Some(failure) = failure {
                    message = FromWorker::Failed { job, epoch, failure };
                }
            }
            FromWorker::Failed { job, epoch, failure } => {
                let lease = Lease { job: *job, epoch: *epoch };
                if !self.is_leased_to(worker, lease).await? {
                    return Ok(true);
                }
                self.connections.ended(worker, *job, *epoch);
                if !self.give_back(lease, GiveBack::Failed(failure.clone())).await? {
                    // It goes on elsewhere, where nothing failed.
                    return Ok(true);
                }
            }
            // What it has brought counts, and whether its lease stands when that is moved.
            FromWorker::HandedOver { .. } => {}
        }
        let message = match message {
            // The dispatcher plans by it, and does not look at pictures.
            FromWorker::Progress { job, epoch, index, step, steps, .. } => {
                FromWorker::Progress { job, epoch, index, step, steps, preview: None }
            }
            FromWorker::Heartbeat { heat } => FromWorker::Heartbeat { heat: heat.filter(hello::is_plausible) },
            message => message,
        };
        self.tell_dispatcher(Letter::FromWorker { worker: worker.clone(), connection, message }).await;
        Ok(stays)
    }

    /// The workers that are connected to this head now.
    pub fn workers(&self) -> Vec<FleetWorker> {
        self.connections.list()
    }

    /// This head is about to end: its workers finish what they have and dial in elsewhere.
    pub async fn drain(&self) {
        for record in self.connections.drain() {
            if let Err(error) = self.bus.renew(&record, lease()).await {
                tracing::debug!(%error, "the dispatcher may still think of a worker that leaves");
            }
            let (worker, connection) = (record.hello.id.clone(), record.connection);
            let message = FromWorker::Leaving;
            self.tell_dispatcher(Letter::FromWorker { worker, connection, message }).await;
        }
    }

    /// Takes back what these workers hold, which end with their head before they are done. Nobody's fault: it does
    /// not count as an attempt.
    pub async fn take_back(&self, workers: &[WorkerId]) {
        for worker in workers {
            for lease in self.connections.leases(worker) {
                tracing::warn!(job = %lease.job, %worker, "not done in time: it goes on elsewhere, or later");
                self.cancel_lease(lease).await;
                if let Err(error) = self.give_back(lease, GiveBack::Interrupted).await {
                    tracing::warn!(%error, job = %lease.job, "the job waits for its lease to end");
                }
            }
        }
    }

    /// Waits until no worker of this head holds a job.
    pub async fn idle(&self) {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        while !self.connections.is_idle() {
            look.tick().await;
        }
    }

    /// How workers of all heads do, as far as this head dispatches: none if it does not.
    pub fn conditions(&self) -> Vec<Condition> {
        self.roster().conditions(dispatcher::millis(self.clock.now()))
    }

    /// What models lie where next, and why, as far as this head dispatches.
    pub fn model_plan(&self) -> ModelPlan {
        self.roster().model_plan.clone()
    }

    /// Says whether a worker of any head is to take nothing new; heard within two seconds.
    pub async fn set_draining(pool: &PgPool, worker: &WorkerId, draining: bool) -> Result<(), AppError> {
        workers::store::set_draining(pool, worker, draining).await.map_err(explain)
    }

    /// Whether a lease is that worker's own: only its word counts then.
    async fn is_leased_to(&self, worker: &WorkerId, lease: Lease) -> Result<bool, AppError> {
        // A lease that this head does not know may have been taken over by another one's registry.
        Ok(self.connections.has(worker, lease.job, lease.epoch)
            || store::is_leased_to(&self.pool, worker, lease).await.map_err(explain)?)
    }

    /// Renews a worker's leases and its record. False: it has dialled in elsewhere since.
    async fn heartbeat(&self, worker: &WorkerId, connection: u64) -> bool {
        let leases = self.connections.leases(worker);
        // A missed renewal is made up by the next one, or the lease runs out: neither is the worker's fault.
        if !leases.is_empty() {
            match store::renew(&self.pool, worker, &leases, lease()).await {
                // Whoever should have told the worker that the others are over may have died before.
                Ok(standing) => {
                    let over = leases.iter().filter(|lease| !standing.contains(&lease.job));
                    over.for_each(|lease| self.connections.cancel(lease.job, lease.epoch));
                }
                Err(error) => tracing::warn!(%worker, %error, "leases could not be renewed"),
            }
        }
        let Some(record) = self.connections.record(worker).filter(|record| record.connection == connection) else {
            return false;
        };
        match self.bus.renew(&record, lease()).await {
            Ok(renewal) => renewal == Renewal::Kept,
            Err(error) => {
                tracing::debug!(%worker, %error, "its record could not be renewed");
                true
            }
        }
    }

    /// Takes note of what a worker can run, loaded or not.
    async fn announce(&self, hello: &Hello, named: bool) -> Result<(), AppError> {
        let source = if named { Source::Worker(hello.id.clone()) } else { Source::Shared };
        self.models.announce(&source, hello.cards()).await
    }

    /// The models that requests may name are those of all heads' workers; the studio's own workers' come first.
    async fn refresh_models(&self) -> Result<(), sqlx::Error> {
        let mut records = self.bus.workers().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "models of other heads' workers may be missing");
            Vec::new()
        });
        records.extend(self.connections.records());
        records.sort_by(|a, b| (a.named, &a.hello.id).cmp(&(b.named, &b.hello.id)));
        let mut names: Vec<String> = Vec::new();
        for card in records.iter().flat_map(|record| record.hello.cards()) {
            if !names.contains(&card.name) {
                names.push(card.name.clone());
            }
        }
        self.models.refresh(names, self.clock.now()).await
    }

    async fn tell_dispatcher(&self, letter: Letter) {
        if let Err(error) = self.bus.send(To::Dispatcher, &letter).await {
            // It reads the registry and the leases by itself every few seconds.
            tracing::debug!(%error, "the dispatcher was not told");
        }
    }

    async fn tell_watchers(&self, job: JobId, event: JobEvent) {
        if let Err(error) = self.bus.publish(&Broadcast::JobEvent { job, event: event.clone() }).await {
            tracing::debug!(%error, %job, "watchers at other heads may miss an event");
        }
        self.jobs.events().send(job, event);
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this head dispatches; what it knew of the whole fleet is old from then on.
struct Term<'a>(&'a Fleet);

impl Drop for Term<'_> {
    fn drop(&mut self) {
        self.0.roster().clear();
    }
}

/// Why a lease ends without success.
#[derive(Debug)]
enum GiveBack {
    WorkerLost,
    /// The lease ran out or was forgotten, and nobody knows why.
    Silent,
    /// The assignment never reached the worker, so it does not count as an attempt.
    Unsent,
    /// The worker ends with its head, which does not count as an attempt either.
    Interrupted,
    Failed(Failure),
}

fn lease() -> Duration {
    Duration::from_millis(LEASE_MS)
}

/// `begun` says that something is kept of its pictures.
fn assignment(leased: store::Leased, begun: bool) -> Assignment {
    Assignment { job: leased.job, epoch: leased.epoch, request: leased.request, indices: leased.missing, begun }
}
