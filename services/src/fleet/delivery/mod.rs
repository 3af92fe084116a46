//! Finished pictures on their way in.

mod begun;
mod source;
pub(super) mod store;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::worker::Lease;
use domain::{AppError, JobId, OutputId, ValidRequest, WorkerId};
use thiserror::Error;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

pub use self::begun::ExpectedBegun;
use super::Fleet;
use super::leases::Delivered;
use crate::clock;
use crate::db::explain;
use crate::media::picture;

/// Pictures of one worker that are on their way at the same time.
const AT_ONCE: usize = 4;

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

/// A picture that may come: the lease it is made under stands.
#[derive(Debug)]
pub struct Expected {
    lease: Lease,
    index: u32,
    request: Arc<ValidRequest>,
    /// One of the worker's places for pictures on their way.
    _place: OwnedSemaphorePermit,
}

/// Who has pictures on their way.
#[derive(Clone, Debug, Default)]
pub(super) struct Uploads {
    places: Arc<Mutex<HashMap<WorkerId, Arc<Semaphore>>>>,
}

impl Expected {
    /// Most bytes that such a picture may have.
    pub fn most_bytes(&self) -> usize {
        usize::try_from(picture::most_bytes(self.request.width, self.request.height)).unwrap_or(usize::MAX)
    }
}

impl Uploads {
    /// Waits for one of the worker's places.
    async fn place(&self, worker: &WorkerId) -> Result<OwnedSemaphorePermit, AcquireError> {
        let places = {
            let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, places| Arc::strong_count(places) > 1 || places.available_permits() < AT_ONCE);
            all.entry(worker.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))).clone()
        };
        places.acquire_owned().await
    }
}

impl Fleet {
    /// Whether a picture may come, before anything of it is read; waits while its worker has several on their way.
    ///
    /// `by` names the worker where its key does: then the lease must be its own.
    pub async fn expect(
        &self,
        by: Option<&WorkerId>,
        job: JobId,
        epoch: i32,
        index: u32,
    ) -> Result<Expected, DeliveryError> {
        let (holder, request) = self.leased(by, Lease { job, epoch }).await?;
        if index >= request.count {
            return Err(DeliveryError::Unfit(format!("picture {index} of {}", request.count)));
        }
        let place = self.uploads.place(&holder).await;
        let place = place.map_err(|_| DeliveryError::Unavailable(AppError::Unavailable))?;
        Ok(Expected { lease: Lease { job, epoch }, index, request, _place: place })
    }

    /// Whose a lease is and what it asks for, if it stands and is `by`'s own.
    async fn leased(
        &self,
        by: Option<&WorkerId>,
        lease: Lease,
    ) -> Result<(WorkerId, Arc<ValidRequest>), DeliveryError> {
        let (holder, request) = match self.connections.holder(lease.job, lease.epoch) {
            Some(here) => here,
            // Its worker is connected to another head, or to none at the moment.
            None => {
                let leased = super::store::leased_request(&self.pool, lease.job, lease.epoch).await;
                let (holder, request) = leased.map_err(unavailable)?.ok_or(DeliveryError::Stale)?;
                (holder, Arc::new(request))
            }
        };
        if by.is_some_and(|worker| *worker != holder) { Err(DeliveryError::Stale) } else { Ok((holder, request)) }
    }

    /// As [`Fleet::expect`] and [`Fleet::take`] in one.
    pub async fn deliver(
        &self,
        by: Option<&WorkerId>,
        job: JobId,
        epoch: i32,
        index: u32,
        png: impl Into<Bytes>,
    ) -> Result<(), DeliveryError> {
        let expected = self.expect(by, job, epoch, index).await?;
        self.take(expected, png.into()).await
    }

    /// Takes a finished picture: PNG bytes of exactly the size that was asked for.
    pub async fn take(&self, expected: Expected, png: Bytes) -> Result<(), DeliveryError> {
        let Expected { lease, index, request, _place } = expected;
        let Lease { job, epoch } = lease;
        let (width, height) = (request.width, request.height);
        let look = {
            let png = png.clone();
            tokio::task::spawn_blocking(move || picture::check(&png, width, height))
        };
        look.await.map_err(|_| DeliveryError::Unavailable(AppError::Internal))?.map_err(DeliveryError::Unfit)?;
        let id = OutputId::from_random(clock::random_u128());
        if let Err(error) = self.media.write(id, &png).await {
            tracing::error!(%error, "a picture could not be stored");
            return Err(DeliveryError::Unavailable(AppError::Unavailable));
        }
        let seed = request.seed_of(index);
        let picture = Delivered { lease, id, index, seed, width, height, bytes: png.len() };
        // After an error nobody knows whether the row is there, so its file stays: a file too many harms
        // nobody, a picture without its file is lost.
        let inserted = self.delivering.call(picture).await.unwrap_or(Err(AppError::Unavailable));
        if inserted.map_err(DeliveryError::Unavailable)? {
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
}

fn unavailable(error: sqlx::Error) -> DeliveryError {
    DeliveryError::Unavailable(explain(error))
}
