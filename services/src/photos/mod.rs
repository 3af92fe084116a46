//! Photos that people send in, to begin from: made safe, kept for three days, theirs alone.

mod store;

use std::sync::Arc;

use bytes::Bytes;
use chrono::TimeDelta;
use domain::{AppError, DeviceId, OutputId};
use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::clock::{self, SharedClock};
use crate::db::explain;
use crate::identity::{Identity, Visitor};
use crate::limits::Limits;
use crate::media::MediaStore;

/// Longest that a photo is kept, in hours.
const KEPT_HOURS: i64 = 72;
/// Most photos that one owner has at a time.
pub(crate) const MOST_EACH: i64 = 40;
/// Most photos that are taken in an hour, from everybody: about 4 GB on the disk, at 2 MB each.
const MOST_AN_HOUR: i64 = 2_000;
/// Photos that are unpacked at once: each may take 256 MB and a core.
const AT_ONCE: usize = 2;
/// Longest side of what is kept, in pixels. Models begin from less; the file is a tenth of what a camera makes.
const LONGEST_SIDE: u32 = 1_024;
/// Photos that one round of the sweep looks at.
const SWEPT_AT_ONCE: i64 = 200;

/// Takes photos in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Photos {
    pool: PgPool,
    clock: SharedClock,
    media: MediaStore,
    identity: Identity,
    limits: Limits,
    unpacking: Arc<Semaphore>,
}

/// A photo that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhotoView {
    pub id: OutputId,
    pub url: String,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

/// What somebody gets who sent a photo in.
#[derive(Clone, Debug)]
pub struct Taken {
    pub photo: PhotoView,
    /// The `Set-Cookie` value for somebody new.
    pub cookie: Option<String>,
}

impl Photos {
    pub fn new(pool: PgPool, clock: SharedClock, media: MediaStore, identity: Identity, limits: Limits) -> Self {
        Self { pool, clock, media, identity, limits, unpacking: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Whether this visitor may send something now, before any of it is read.
    ///
    /// # Errors
    /// [`AppError::SlowDown`], [`AppError::Unavailable`].
    pub async fn pace(&self, visitor: &Visitor) -> Result<(), AppError> {
        self.limits.pace(visitor).await
    }

    /// Keeps a photo of a visitor's. Nothing is written down about anybody whose photo is not taken.
    ///
    /// # Errors
    /// [`AppError::PhotoRefused`] with what is wrong, [`AppError::Busy`], [`AppError::Unavailable`].
    pub async fn take(&self, visitor: &Visitor, bytes: Bytes) -> Result<Taken, AppError> {
        let actor = self.identity.actor(visitor).await?;
        self.check_room(actor.device).await?;
        let (png, size) = self.unpack(bytes).await?;
        let cookie = self.identity.keep(&actor, visitor).await?;
        let id = OutputId::from_random(clock::random_u128());
        self.media.write(id, &png).await.map_err(|error| {
            tracing::error!(%error, "a photo could not be written");
            AppError::Unavailable
        })?;
        let now = self.clock.now();
        let room = (MOST_EACH, now - TimeDelta::hours(KEPT_HOURS));
        let written = store::insert(&self.pool, id, actor.device, size, png.len(), now, room).await;
        // A file without a row is nobody's: it goes again. A row without a file would be a photo that is not there.
        if !matches!(written, Ok(true)) {
            if let Err(error) = self.media.delete(id).await {
                tracing::warn!(%error, %id, "a dropped photo's file stays behind");
            }
            return Err(written.map_or_else(explain, |_| full()));
        }
        let photo = PhotoView { id, url: crate::jobs::media_url(id), width: size.0, height: size.1 };
        Ok(Taken { photo, cookie })
    }

    /// Deletes what was kept long enough; the file first, so that whatever is cut short is found again.
    pub async fn sweep(&self) -> Result<(), AppError> {
        let before = self.clock.now() - TimeDelta::hours(KEPT_HOURS);
        loop {
            let outdated = store::outdated(&self.pool, before, SWEPT_AT_ONCE).await.map_err(explain)?;
            if outdated.is_empty() {
                return Ok(());
            }
            for photo in outdated {
                self.media.delete(photo).await.map_err(|error| {
                    tracing::warn!(%error, %photo, "a photo could not be deleted and will be tried again");
                    AppError::Unavailable
                })?;
                store::forget(&self.pool, photo).await.map_err(explain)?;
            }
        }
    }

    async fn check_room(&self, owner: DeviceId) -> Result<(), AppError> {
        let now = self.clock.now();
        let since = now - TimeDelta::hours(KEPT_HOURS);
        let (own, lately) = store::count(&self.pool, owner, since, now - TimeDelta::hours(1)).await.map_err(explain)?;
        if own >= MOST_EACH {
            return Err(full());
        }
        if lately >= MOST_AN_HOUR {
            return Err(AppError::Busy { retry_seconds: Some(600) });
        }
        Ok(())
    }

    /// A clean picture of what was sent, as PNG, with its size in pixels.
    async fn unpack(&self, bytes: Bytes) -> Result<(Vec<u8>, (u32, u32)), AppError> {
        let _turn = self.unpacking.acquire().await.map_err(|_| AppError::Unavailable)?;
        let unpacked = tokio::task::spawn_blocking(move || {
            let photo =
                intake::take_in(&bytes).map_err(|refusal| AppError::PhotoRefused { reason: refusal.to_string() })?;
            let (width, height) = within(photo.pixels.dimensions(), LONGEST_SIDE);
            let failed = |error: &dyn std::fmt::Display| {
                tracing::error!(%error, "a photo could not be packed");
                AppError::Internal
            };
            let pixels =
                intake::fit(&photo.pixels, width, height, intake::Fit::Crop).map_err(|error| failed(&error))?;
            let png = intake::Photo { pixels, ..photo }.to_png().map_err(|error| failed(&error))?;
            Ok((png, (width, height)))
        });
        unpacked.await.map_err(|error| {
            tracing::error!(%error, "taking a photo in was cut short");
            AppError::Internal
        })?
    }
}

fn full() -> AppError {
    let reason = format!(
        "you have {MOST_EACH} photos here, which is the most; nothing was kept; each goes {KEPT_HOURS} hours after it \
         came, and then there is room again"
    );
    AppError::PhotoRefused { reason }
}

/// A size whose longer side is at most so many pixels.
fn within((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= longest {
        return (width, height);
    }
    let shrunk = |side: u32| {
        let side = u64::from(side) * u64::from(longest);
        u32::try_from((side + u64::from(longer) / 2) / u64::from(longer)).unwrap_or(longest).max(1)
    };
    (shrunk(width), shrunk(height))
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn what_is_large_is_shrunk_in_its_shape() {
        assert_eq!(within((640, 480), 1_024), (640, 480));
        assert_eq!(within((2_048, 1_536), 1_024), (1_024, 768));
        assert_eq!(within((256, 2_048), 1_024), (128, 1_024));
        assert_eq!(within((2_048, 1), 1_024), (1_024, 1));
    }
}
