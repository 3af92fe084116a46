//! How leases end: done, given back, given up, cancelled.

use domain::worker::{Failure, Hello, Lease};
use domain::{AppError, JobId, OutputId, WorkerId};
use sqlx::PgPool;

use super::{Fleet, GiveBack, delivery, store};
use crate::bus::Broadcast;
use crate::credits;
use crate::db::explain;
use crate::group::Group;
use crate::jobs;

/// Leases a job may be given before it is given up, whatever the reasons.
const MAX_ATTEMPTS: i32 = 8;
/// Workers a job may take down with it before it is set aside.
const MAX_CRASHES: i32 = 2;

/// Finished jobs on their way into the database: published and captured in groups. Answers whether the lease
/// stood and every picture was there.
pub(super) type Closing = Group<Lease, Result<bool, AppError>>;

/// A picture whose file is stored and whose row is not.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub lease: Lease,
    pub id: OutputId,
    pub index: u32,
    pub seed: u64,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub bytes: usize,
}

pub(super) fn closing(pool: &PgPool) -> Closing {
    let pool = pool.clone();
    Group::spawn(move |leases: Vec<Lease>| {
        let pool = pool.clone();
        async move {
            match store::succeed(&pool, &leases).await {
                Ok(finished) => leases.iter().map(|lease| Ok(finished.contains(&lease.job))).collect(),
                Err(error) => {
                    let error = explain(error);
                    leases.iter().map(|_| Err(error.clone())).collect()
                }
            }
        }
    })
}

/// Answers whether the row was written: the lease stands, and nobody delivered that picture before.
pub(super) fn delivering(pool: &PgPool) -> Group<Delivered, Result<bool, AppError>> {
    let pool = pool.clone();
    Group::spawn(move |pictures: Vec<Delivered>| {
        let pool = pool.clone();
        async move {
            match delivery::store::insert_outputs(&pool, &pictures).await {
                Ok(inserted) => pictures.iter().map(|picture| Ok(inserted.contains(&picture.id))).collect(),
                Err(error) => {
                    let error = explain(error);
                    pictures.iter().map(|_| Err(error.clone())).collect()
                }
            }
        }
    })
}

impl Fleet {
    /// Publishes a finished job and captures its hold, in one statement, if the lease still stands.
    ///
    /// Answers why the job waits again where a picture is missing.
    pub(super) async fn complete(&self, lease: Lease) -> Result<Option<Failure>, AppError> {
        if self.closing.call(lease).await.unwrap_or(Err(AppError::Unavailable))? {
            metrics::counter!("mindseye_jobs_total", "end" => "succeeded").increment(1);
            self.ended(lease.job).await;
        } else if store::is_leased(&self.pool, lease.job, lease.epoch).await.map_err(explain)? {
            // Said to be done, but a picture is missing: make it again.
            let failure = Failure::retryable("done without every picture");
            self.give_back(lease, GiveBack::Failed(failure.clone())).await?;
            return Ok(Some(failure));
        }
        Ok(None)
    }

    /// Ends a lease without success: the job waits again, or is given up and its credits returned. False: the lease was
    /// over.
    pub(super) async fn give_back(&self, lease: Lease, why: GiveBack) -> Result<bool, AppError> {
        let Lease { job, epoch } = lease;
        let mut how = store::Requeue::default();
        let mut retryable = true;
        let mut error = AppError::GenerationFailed;
        let reason = match &why {
            GiveBack::WorkerLost => {
                how.crashed = true;
                how.others = self.others().await;
                "worker_lost"
            }
            GiveBack::Silent => "silent",
            GiveBack::Unsent => {
                how.uncounted = true;
                how.unsent = true;
                "unsent"
            }
            GiveBack::Interrupted => {
                how.uncounted = true;
                "interrupted"
            }
            GiveBack::Failed(failure) => {
                tracing::warn!(%job, reason = %failure.reason, retryable = failure.retryable, "attempt failed");
                retryable = failure.retryable;
                if failure.source_gone {
                    // One worker's word alone ends nothing: where the picture is there, another one finds it.
                    retryable = self.has_source(job).await?;
                    error = AppError::SourceGone;
                }
                // Should it be what was kept of the pictures that fails, they are made anew: gone before anybody can have
                // the job, and not on the word of one who has lost it.
                if store::is_leased(&self.pool, job, epoch).await.map_err(explain)? {
                    self.forget_begun(job).await;
                }
                how.avoid = failure.out_of_memory;
                how.others = self.others().await;
                if failure.out_of_memory { "out_of_memory" } else { "failed" }
            }
        };
        let limits = store::Limits { attempts: MAX_ATTEMPTS, crashes: MAX_CRASHES };
        if retryable && store::requeue(&self.pool, lease, &how, &limits).await.map_err(explain)? {
            metrics::counter!("mindseye_retries_total", "why" => reason).increment(1);
            self.outlook.forget(job);
            self.jobs.publish(job).await;
            self.bell.ring();
            return Ok(true);
        }
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        let failed = store::fail(&mut transaction, job, epoch, &error).await.map_err(explain)?;
        let dropped = if failed {
            credits::release(&mut transaction, job).await.map_err(explain)?;
            jobs::store::drop_outputs(&mut transaction, job).await.map_err(explain)?
        } else {
            Vec::new()
        };
        transaction.commit().await.map_err(explain)?;
        self.jobs.delete_files(&dropped).await;
        if failed {
            metrics::counter!("mindseye_jobs_total", "end" => "failed").increment(1);
            self.ended(job).await;
        }
        Ok(failed)
    }

    /// Workers that take jobs, each with the models it has.
    async fn others(&self) -> Vec<(WorkerId, String)> {
        let records = self.bus.workers().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "nobody knows of another worker");
            Vec::new()
        });
        let taking = records.into_iter().filter(|record| !record.draining);
        let models = |hello: &Hello| hello.cards().map(|card| card.name.clone()).collect::<Vec<_>>();
        taking
            .flat_map(|record| models(&record.hello).into_iter().map(move |model| (record.hello.id.clone(), model)))
            .collect()
    }

    /// Ends a waiting job that no worker can do, free of charge.
    pub(super) async fn abandon(&self, job: JobId) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let ended = store::abandon(&mut transaction, job, &AppError::GenerationFailed).await?;
        let dropped = if ended {
            credits::release(&mut transaction, job).await?;
            jobs::store::drop_outputs(&mut transaction, job).await?
        } else {
            Vec::new()
        };
        transaction.commit().await?;
        self.jobs.delete_files(&dropped).await;
        if ended {
            metrics::counter!("mindseye_jobs_total", "end" => "failed").increment(1);
            tracing::warn!(%job, "given up: no worker can do it");
            self.ended(job).await;
        }
        Ok(())
    }

    /// Ends the work on a lease that is over, at whichever head its worker is, and forgets what was told of it.
    pub(super) async fn cancel_lease(&self, lease: Lease) {
        self.forget_cancelled(lease);
        if let Err(error) = self.bus.publish(&Broadcast::Cancelled { job: lease.job, epoch: lease.epoch }).await {
            // The worker finds out when its picture is refused.
            tracing::debug!(%error, job = %lease.job, "other heads were not told of a cancellation");
        }
    }

    /// As [`Fleet::cancel_lease`], at this head alone.
    pub(super) fn forget_cancelled(&self, lease: Lease) {
        self.connections.cancel(lease.job, lease.epoch);
        self.roster().release(lease);
        self.outlook.forget(lease.job);
        self.jobs.events().forget(lease.job);
        self.bell.ring();
    }

    async fn ended(&self, job: JobId) {
        self.outlook.forget(job);
        self.jobs.publish(job).await;
        self.jobs.events().forget(job);
    }
}
