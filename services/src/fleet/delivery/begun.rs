//! What there is of a job's pictures, on its way from the worker that began them to the one that goes on.

use std::sync::Arc;

use bytes::Bytes;
use domain::worker::Lease;
use domain::{AppError, JobId, ValidRequest, WorkerId, handover};
use tokio::fs::File;
use tokio::sync::OwnedSemaphorePermit;

use super::{DeliveryError, unavailable};
use crate::fleet::{Fleet, store};

/// A job's pictures in the making that may come: the lease they were begun under stands.
#[derive(Debug)]
pub struct ExpectedBegun {
    lease: Lease,
    request: Arc<ValidRequest>,
    /// One of the worker's places for what is on its way.
    _place: OwnedSemaphorePermit,
}

impl ExpectedBegun {
    /// Most bytes that such pictures may have.
    pub fn most_bytes(&self) -> usize {
        handover::most_bytes(&self.request)
    }
}

impl Fleet {
    /// Whether what there is of a job's pictures may come, before anything of it is read. `by` as in
    /// [`Fleet::expect`].
    pub async fn expect_begun(
        &self,
        by: Option<&WorkerId>,
        job: JobId,
        epoch: i32,
    ) -> Result<ExpectedBegun, DeliveryError> {
        let lease = Lease { job, epoch };
        let (holder, request) = self.leased(by, lease).await?;
        let place = self.uploads.place(&holder).await;
        let place = place.map_err(|_| DeliveryError::Unavailable(AppError::Unavailable))?;
        Ok(ExpectedBegun { lease, request, _place: place })
    }

    /// Keeps what there is of a job's pictures, for whichever worker goes on with them.
    pub async fn take_begun(&self, expected: ExpectedBegun, begun: Bytes) -> Result<(), DeliveryError> {
        let ExpectedBegun { lease, request, _place } = expected;
        let look = {
            let begun = begun.clone();
            tokio::task::spawn_blocking(move || handover::unpack(&begun, &request).map(drop))
        };
        look.await.map_err(|_| DeliveryError::Unavailable(AppError::Internal))?.map_err(DeliveryError::Unfit)?;
        // It may have been on its way for long. Should the lease end right now, what is kept does no harm: it is what
        // there was of the very same pictures, and goes when the job ends.
        if !store::is_leased(&self.pool, lease.job, lease.epoch).await.map_err(unavailable)? {
            return Err(DeliveryError::Stale);
        }
        self.media.write_begun(lease, &begun).await.map_err(|error| {
            tracing::error!(%error, job = %lease.job, "pictures in the making could not be stored");
            DeliveryError::Unavailable(AppError::Unavailable)
        })
    }

    /// What is kept of a job's pictures, for the worker that has the lease now; `None` if there is nothing.
    pub async fn begun(&self, by: Option<&WorkerId>, job: JobId, epoch: i32) -> Result<Option<File>, DeliveryError> {
        self.leased(by, Lease { job, epoch }).await?;
        self.media.open_begun(job).await.map_err(|error| {
            tracing::error!(%error, %job, "pictures in the making could not be read");
            DeliveryError::Unavailable(AppError::Unavailable)
        })
    }
}
