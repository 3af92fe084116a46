//! What an archive brings, put among its owner's things: each job with its pictures in one transaction.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{AppError, DeviceId, ImportReport, JobId, OutputId};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::check::{self, MOST_BYTES, MOST_JOBS};
use super::format::{ArchivedFile, ArchivedJob};
use super::open::Opened;
use super::{refused, store};
use crate::db::explain;
use crate::library::{Kept, Library};
use crate::media::MediaStore;
use crate::photos::MOST_EACH as MOST_PHOTOS;

/// Most bytes of pictures that come in within an hour, from everybody together.
const MOST_AN_HOUR: i64 = 8 << 30;

/// Under which id something of an archive is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is there already, and its owner's.
    There(Uuid),
    New(Uuid),
}

/// An archive that there is room for, with everybody's place.
pub(super) struct Plan {
    opened: Opened,
    jobs: HashMap<Uuid, Place>,
    media: HashMap<Uuid, Place>,
    /// Photos that there is no room for.
    photos_left_out: usize,
    missing: usize,
}

/// Where things are put.
#[derive(Debug)]
pub(super) struct Shelf {
    pub runtime: Handle,
    pub pool: PgPool,
    pub media: MediaStore,
    pub library: Library,
    pub owner: DeviceId,
    pub now: DateTime<Utc>,
}

impl Place {
    fn id(self) -> Uuid {
        match self {
            Self::There(id) | Self::New(id) => id,
        }
    }
}

/// Finds everything its place, and room for it.
///
/// # Errors
/// [`AppError::ImportRefused`], [`AppError::Busy`], [`AppError::Unavailable`].
pub(super) async fn plan(
    pool: &PgPool,
    owner: DeviceId,
    now: DateTime<Utc>,
    (mut opened, missing): (Opened, usize),
) -> Result<Plan, AppError> {
    let manifest = &mut opened.manifest;
    let ids: Vec<Uuid> = manifest.jobs.iter().map(|job| job.id.0).collect();
    let whose = store::whose_jobs(pool, &candidates(owner, &ids)).await.map_err(explain)?;
    let jobs = places(owner, &ids, &whose);
    let ids: Vec<Uuid> = manifest.files().map(|file| file.id.0).collect();
    let whose = store::whose_media(pool, &candidates(owner, &ids)).await.map_err(explain)?;
    let media = places(owner, &ids, &whose);

    let (own_jobs, own_photos, own_bytes) = store::holdings(pool, owner).await.map_err(explain)?;
    let is_new = |places: &HashMap<Uuid, Place>, id: Uuid| matches!(places.get(&id), Some(Place::New(_)));
    let room = usize::try_from(MOST_PHOTOS - own_photos).unwrap_or(0);
    let new_photos = manifest.photos.iter().filter(|photo| is_new(&media, photo.file.id.0)).count();
    let mut places_left = room;
    manifest.photos.retain(|photo| {
        let fits = !is_new(&media, photo.file.id.0) || places_left > 0;
        places_left = places_left.saturating_sub(usize::from(is_new(&media, photo.file.id.0)));
        fits
    });
    let new_jobs = manifest.jobs.iter().filter(|job| is_new(&jobs, job.id.0));
    let count = new_jobs.clone().count();
    let bytes: u64 = new_jobs.flat_map(|job| &job.outputs).map(|output| output.file.bytes).sum();
    if count > 0 && usize::try_from(own_jobs).unwrap_or(usize::MAX).saturating_add(count) > MOST_JOBS {
        return Err(refused(&format!("with it you would have more than {MOST_JOBS} works here, which is the most")));
    }
    if u64::try_from(own_bytes).unwrap_or(u64::MAX).saturating_add(bytes) > MOST_BYTES {
        let gigabytes = MOST_BYTES >> 30;
        return Err(refused(&format!(
            "with it you would have brought more than {gigabytes} GB here, which is the most"
        )));
    }
    let arriving = i64::try_from(manifest.files().map(|file| file.bytes).sum::<u64>()).unwrap_or(i64::MAX);
    let since = now - TimeDelta::hours(1);
    if !store::reserve(pool, arriving, now, since, MOST_AN_HOUR).await.map_err(explain)? {
        return Err(AppError::Busy { retry_seconds: Some(600) });
    }
    Ok(Plan { opened, jobs, media, photos_left_out: new_photos.saturating_sub(room), missing })
}

impl Shelf {
    /// Puts everything in its place. Takes a thread.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]: then some of it may be there; sending the archive again brings the rest.
    pub(super) fn keep(&self, plan: Plan) -> Result<ImportReport, AppError> {
        let Plan { mut opened, jobs, media, photos_left_out, missing } = plan;
        let mut report = ImportReport::default();
        let manifest = std::mem::take(&mut opened.manifest);
        let mut follow = Vec::new();
        for mut job in manifest.jobs {
            let pictures = job.outputs.len();
            let Some(Place::New(id)) = jobs.get(&job.id.0).copied() else {
                report.jobs.skipped += 1;
                report.pictures.skipped += pictures;
                continue;
            };
            if let Some(source) = &mut job.request.source
                && let Some(place) = media.get(&source.media.0)
            {
                source.media = OutputId(place.id());
            }
            if let Some(parent) = job.parent {
                let place = jobs.get(&parent.0).map_or(parent, |place| JobId(place.id()));
                follow.push((JobId(id), place));
            }
            match self.runtime.block_on(self.keep_job(&mut opened, JobId(id), &job, &media))? {
                Some(kept) => {
                    report.jobs.kept += 1;
                    report.pictures.kept += kept;
                    report.pictures.skipped += pictures - kept;
                }
                None => {
                    report.jobs.skipped += 1;
                    report.pictures.skipped += pictures;
                }
            }
        }
        self.runtime.block_on(store::follow(&self.pool, self.owner, &follow)).map_err(explain)?;
        for photo in manifest.photos {
            let kept = match media.get(&photo.file.id.0) {
                Some(Place::New(id)) => {
                    self.runtime.block_on(self.keep_photo(&mut opened, OutputId(*id), &photo.file))?
                }
                _ => false,
            };
            *if kept { &mut report.photos.kept } else { &mut report.photos.skipped } += 1;
        }
        let prompts: Vec<Kept> = manifest
            .prompts
            .into_iter()
            .map(|kept| Kept { entry: kept.entry.tidied().0, ..kept })
            .filter(|kept| !kept.entry.prompt.is_empty())
            .collect();
        let list = self.runtime.block_on(self.library.restore(self.owner, prompts))?;
        list.tell(&mut report);
        report.photos.skipped += photos_left_out;
        report.pictures.skipped += missing;
        let mut note = |count: usize, told: &str| {
            if count > 0 {
                report.notes.push(format!("{count} {told}"));
            }
        };
        note(missing, "of the pictures it tells of are not in it.");
        note(photos_left_out, "of the photos were left out: there is no room for more at a time.");
        Ok(report)
    }

    /// How many of a job's pictures were kept with it; `None`: the job is there by now.
    async fn keep_job(
        &self,
        opened: &mut Opened,
        id: JobId,
        job: &ArchivedJob,
        media: &HashMap<Uuid, Place>,
    ) -> Result<Option<usize>, AppError> {
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        store::take_turn(&mut transaction).await.map_err(explain)?;
        let error = job.error.as_deref().and_then(check::error);
        if !store::insert_job(&mut transaction, self.owner, id, job, error).await.map_err(explain)? {
            return Ok(None);
        }
        let mut written = Vec::new();
        let kept = async {
            for output in &job.outputs {
                let Some(Place::New(picture)) = media.get(&output.file.id.0) else { continue };
                let picture = OutputId(*picture);
                if !store::is_free(&mut transaction, picture).await.map_err(explain)? {
                    continue;
                }
                store::insert_output(&mut transaction, id, picture, output).await.map_err(explain)?;
                self.write(opened, picture, &output.file).await?;
                written.push(picture);
            }
            Ok(written.len())
        };
        match kept.await {
            Ok(kept) => {
                // After an error here nobody knows whether the rows are there, so the files stay.
                transaction.commit().await.map_err(explain)?;
                Ok(Some(kept))
            }
            Err(error) => {
                // While nobody else may use these names.
                for picture in written {
                    self.take_back(picture).await;
                }
                Err(error)
            }
        }
    }

    async fn keep_photo(&self, opened: &mut Opened, id: OutputId, file: &ArchivedFile) -> Result<bool, AppError> {
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        store::take_turn(&mut transaction).await.map_err(explain)?;
        if !store::is_free(&mut transaction, id).await.map_err(explain)? {
            return Ok(false);
        }
        store::insert_photo(&mut transaction, self.owner, id, file, self.now).await.map_err(explain)?;
        self.write(opened, id, file).await?;
        transaction.commit().await.map_err(explain)?;
        Ok(true)
    }

    async fn write(&self, opened: &mut Opened, id: OutputId, file: &ArchivedFile) -> Result<(), AppError> {
        let bytes = opened.picture(file).map_err(|error| {
            tracing::error!(error, "an archive that was checked can't be read again");
            AppError::Internal
        })?;
        self.media.write(id, &bytes).await.map_err(|error| {
            tracing::error!(%error, "a picture that was brought in could not be stored");
            AppError::Unavailable
        })
    }

    async fn take_back(&self, picture: OutputId) {
        if let Err(error) = self.media.delete(picture).await {
            tracing::warn!(%error, %picture, "a picture that was not kept stays behind");
        }
    }
}

/// Ids, and those that stand for them where somebody else has them.
fn candidates(owner: DeviceId, ids: &[Uuid]) -> Vec<Uuid> {
    ids.iter().flat_map(|id| [*id, instead(owner, *id)]).collect()
}

fn places(owner: DeviceId, ids: &[Uuid], whose: &HashMap<Uuid, Uuid>) -> HashMap<Uuid, Place> {
    let place = |id: Uuid| match whose.get(&id) {
        None => Some(Place::New(id)),
        Some(device) if *device == owner.0 => Some(Place::There(id)),
        Some(_) => None,
    };
    let placed = |id: Uuid| place(id).or_else(|| place(instead(owner, id))).unwrap_or(Place::There(id));
    ids.iter().map(|id| (*id, placed(*id))).collect()
}

/// The id that something gets whose own is somebody else's: always the same one, so that bringing it in twice brings it
/// in once. Nobody can foresee it who does not know the owner's.
fn instead(owner: DeviceId, id: Uuid) -> Uuid {
    let hash = Sha256::new().chain_update(b"imported").chain_update(owner.0).chain_update(id).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_somebody_elses_gets_another_id_and_always_the_same() {
        let (me, you) = (DeviceId::from_random(1), DeviceId::from_random(2));
        let [free, mine, yours, again] = [3, 4, 5, 6].map(|bits| OutputId::from_random(bits).0);
        let whose = HashMap::from([(mine, me.0), (yours, you.0), (again, you.0), (instead(me, again), me.0)]);
        let found = places(me, &[free, mine, yours, again], &whose);
        assert_eq!(found[&free], Place::New(free));
        assert_eq!(found[&mine], Place::There(mine));
        assert_eq!(found[&yours], Place::New(instead(me, yours)));
        assert_eq!(found[&again], Place::There(instead(me, again)));
        assert_ne!(instead(me, yours), instead(you, yours));
    }
}
