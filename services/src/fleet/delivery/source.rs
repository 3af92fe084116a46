//! The picture that a job goes on from, on its way to whichever worker has the lease.

use domain::worker::Lease;
use domain::{AppError, JobId, WorkerId};
use tokio::fs::File;

use super::{DeliveryError, store, unavailable};
use crate::db::explain;
use crate::fleet::Fleet;

impl Fleet {
    /// The picture that a job goes on from; `None` if it is not there any more. `by` as in [`Fleet::expect`].
    ///
    /// It is read anew for each lease, so that a job that waits again, or moves, finds it as long as it is there.
    pub async fn source(&self, by: Option<&WorkerId>, job: JobId, epoch: i32) -> Result<Option<File>, DeliveryError> {
        self.leased(by, Lease { job, epoch }).await?;
        let Some(media) = store::source(&self.pool, job).await.map_err(unavailable)? else { return Ok(None) };
        self.media.open_picture(media).await.map_err(|error| {
            tracing::error!(%error, %job, "a picture to go on from could not be read");
            DeliveryError::Unavailable(AppError::Unavailable)
        })
    }

    /// Whether the picture that a job goes on from is still there.
    pub(in crate::fleet) async fn has_source(&self, job: JobId) -> Result<bool, AppError> {
        let Some(media) = store::source(&self.pool, job).await.map_err(explain)? else { return Ok(false) };
        // What can't be looked at now is not gone for that.
        Ok(self.media.has(media).await.unwrap_or(true))
    }
}
