//! Finished pictures on their way in.

use std::sync::Arc;

use domain::worker::Lease;
use domain::{AppError, JobId, OutputId, WorkerId};
use thiserror::Error;

use super::leases::Delivered;
use super::{Fleet, picture, store};
use crate::clock;
use crate::db::explain;

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
    /// Takes a finished picture: PNG bytes of exactly the size that was asked for.
    ///
    /// `by` names the worker where its key does: then the lease must be its own.
    pub async fn deliver(
        &self,
        by: Option<&WorkerId>,
        job: JobId,
        epoch: i32,
        index: u32,
        png: Vec<u8>,
    ) -> Result<(), DeliveryError> {
        let unavailable = |error| DeliveryError::Unavailable(explain(error));
        let lease = Lease { job, epoch };
        if let Some(worker) = by
            && !self.is_leased_to(worker, lease).await.map_err(DeliveryError::Unavailable)?
        {
            return Err(DeliveryError::Stale);
        }
        let request = match self.connections.request(job, epoch) {
            Some(request) => request,
            // Its worker is connected to another head, or to none at the moment.
            None => {
                let request = store::leased_request(&self.pool, job, epoch).await.map_err(unavailable)?;
                Arc::new(request.ok_or(DeliveryError::Stale)?)
            }
        };
        if index >= request.count {
            return Err(DeliveryError::Unfit(format!("picture {index} of {}", request.count)));
        }
        picture::check(&png, request.width, request.height).map_err(DeliveryError::Unfit)?;
        let id = OutputId::from_random(clock::random_u128());
        if let Err(error) = self.media.write(id, &png).await {
            tracing::error!(%error, "a picture could not be stored");
            return Err(DeliveryError::Unavailable(AppError::Unavailable));
        }
        let seed = request.seed_of(index);
        let picture =
            Delivered { lease, id, index, seed, width: request.width, height: request.height, bytes: png.len() };
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
