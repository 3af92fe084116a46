//! Everything of somebody's as one file: out at any time, and in again, here or at another studio.

mod check;
mod export;
mod format;
mod open;
mod pipe;
mod restore;
mod store;

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read, Seek};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::{AppError, DeviceId, ImportReport};
use sqlx::PgPool;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use self::export::Export;
use self::pipe::Pipe;
use self::restore::{Plan, Shelf};
use crate::clock::SharedClock;
use crate::identity::{Identity, Visitor};
use crate::library::{Library, ListKept};
use crate::limits::Limits;
use crate::media::MediaStore;

/// Largest archive that is taken, in bytes.
pub const MOST_BYTES: u64 = 1 << 30;
/// Archives that are written at once.
const EXPORTS: usize = 4;
/// Archives on their way in at once: each lies on the disk until it was looked at.
const ARRIVALS: usize = 3;
/// Archives that are looked at at once: each takes a core and some hundred MB at most.
const IMPORTS: usize = 1;
/// Chunks of an archive that wait to be sent.
const CHUNKS_AHEAD: usize = 4;
/// How an archive begins.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Writes archives and reads them. Cheap to clone.
#[derive(Clone)]
pub struct Archive {
    pool: PgPool,
    clock: SharedClock,
    media: MediaStore,
    identity: Identity,
    limits: Limits,
    library: Library,
    exports: Arc<Semaphore>,
    exporting: Arc<Mutex<HashSet<DeviceId>>>,
    arrivals: Arc<Semaphore>,
    imports: Arc<Semaphore>,
}

/// An archive on its way out.
#[derive(Debug)]
pub struct Outgoing {
    /// What the file is called.
    pub name: String,
    pub chunks: ReceiverStream<io::Result<Bytes>>,
}

/// A file on its way in. It has no name on the disk, and goes when it is dropped.
#[derive(Debug)]
pub struct Arrival {
    file: tokio::fs::File,
    start: Vec<u8>,
    bytes: u64,
    _place: OwnedSemaphorePermit,
}

/// What came of a file.
#[derive(Clone, Debug)]
pub struct BroughtIn {
    pub report: ImportReport,
    /// The `Set-Cookie` value for somebody new.
    pub cookie: Option<String>,
}

impl Archive {
    pub fn new(
        pool: PgPool,
        clock: SharedClock,
        media: MediaStore,
        identity: Identity,
        limits: Limits,
        library: Library,
    ) -> Self {
        Self {
            pool,
            clock,
            media,
            identity,
            limits,
            library,
            exports: Arc::new(Semaphore::new(EXPORTS)),
            exporting: Arc::default(),
            arrivals: Arc::new(Semaphore::new(ARRIVALS)),
            imports: Arc::new(Semaphore::new(IMPORTS)),
        }
    }

    /// Begins to write everything of a visitor's: one archive at a time for each of them. Nothing of it waits in memory
    /// or on the disk for whoever reads slowly.
    ///
    /// # Errors
    /// [`AppError::SlowDown`], [`AppError::Busy`], [`AppError::Unavailable`].
    pub async fn export(&self, visitor: &Visitor) -> Result<Outgoing, AppError> {
        self.limits.pace(visitor).await?;
        // Somebody new has nothing, and gets an archive that says so.
        let owner = self.identity.actor(visitor).await?.device;
        let busy = AppError::Busy { retry_seconds: Some(15) };
        let place = self.exports.clone().try_acquire_owned().map_err(|_| busy.clone())?;
        let turn = Turn::take(&self.exporting, owner).ok_or(busy)?;
        let until = self.clock.now();
        let runtime = Handle::current();
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let export = Export {
            runtime: runtime.clone(),
            pool: self.pool.clone(),
            media: self.media.clone(),
            library: self.library.clone(),
            owner,
            until,
        };
        tokio::task::spawn_blocking(move || {
            let (_place, _turn) = (place, turn);
            match export.write(Pipe::new(runtime, sender)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    tracing::debug!("an archive was given up by whoever read it");
                }
                Err(error) => tracing::error!(%error, "an archive could not be finished"),
            }
        });
        let name = format!("mindseye-{}.zip", until.format("%Y-%m-%d"));
        Ok(Outgoing { name, chunks: ReceiverStream::new(receiver) })
    }

    /// Makes room for a file of a visitor's, before any of it is read.
    ///
    /// # Errors
    /// [`AppError::SlowDown`], [`AppError::Busy`], [`AppError::Unavailable`].
    pub async fn expect(&self, visitor: &Visitor) -> Result<Arrival, AppError> {
        self.limits.pace(visitor).await?;
        let place = self.arrivals.clone().try_acquire_owned();
        let place = place.map_err(|_| AppError::Busy { retry_seconds: Some(15) })?;
        let media = self.media.clone();
        let file = thread(move || media.passing_file().map_err(|error| unwritable(&error))).await?;
        Ok(Arrival { file: file.into(), start: Vec::new(), bytes: 0, _place: place })
    }

    /// Brings in an archive of ours, or a list of prompts of any kind that is read. What is there already stays as it is.
    /// Nothing is written down about anybody whose file is not taken.
    ///
    /// # Errors
    /// [`AppError::ImportRefused`] with what is wrong, [`AppError::Busy`], [`AppError::Unavailable`].
    pub async fn import(
        &self,
        visitor: &Visitor,
        arrival: Arrival,
        name: Option<String>,
    ) -> Result<BroughtIn, AppError> {
        let Arrival { mut file, start, _place, .. } = arrival;
        file.flush().await.map_err(|error| unwritable(&error))?;
        let mut file = file.into_std().await;
        let _turn = self.imports.acquire().await.map_err(|_| AppError::Unavailable)?;
        let actor = self.identity.actor(visitor).await?;
        let now = self.clock.now();
        if !ZIP.iter().any(|zip| start.starts_with(zip)) {
            let list = thread(move || {
                let mut bytes = Vec::new();
                file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|error| unwritable(&error))?;
                // Its sentences say what to do; the one that this becomes a part of has its own end.
                prompts::import(name.as_deref(), &bytes).map_err(|error| AppError::ImportRefused {
                    reason: error.to_string().trim_end_matches('.').to_owned(),
                })
            })
            .await?;
            let cookie = self.identity.keep(&actor, visitor).await?;
            let kept = self.library.bring_in(actor.device, list).await?;
            let mut report = ImportReport::default();
            kept.tell(&mut report);
            return Ok(BroughtIn { report, cookie });
        }
        let opened = thread(move || open::open(file, now).map_err(|why| refused(&why))).await?;
        let plan: Plan = restore::plan(&self.pool, actor.device, now, opened).await?;
        let cookie = self.identity.keep(&actor, visitor).await?;
        let shelf = Shelf {
            runtime: Handle::current(),
            pool: self.pool.clone(),
            media: self.media.clone(),
            library: self.library.clone(),
            owner: actor.device,
            now,
        };
        let report = thread(move || shelf.keep(plan)).await?;
        Ok(BroughtIn { report, cookie })
    }
}

impl Arrival {
    /// The next bytes of the file.
    ///
    /// # Errors
    /// [`AppError::TooLarge`], [`AppError::Unavailable`].
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), AppError> {
        self.bytes += bytes.len() as u64;
        let wanted = ZIP[0].len().saturating_sub(self.start.len()).min(bytes.len());
        self.start.extend_from_slice(&bytes[..wanted]);
        let is_archive = ZIP.iter().any(|zip| zip.starts_with(&self.start) || self.start.starts_with(zip));
        let most = if is_archive { MOST_BYTES } else { prompts::import::MAX_BYTES as u64 };
        if self.bytes > most {
            return Err(AppError::TooLarge { max_bytes: most });
        }
        self.file.write_all(bytes).await.map_err(|error| unwritable(&error))
    }

    /// Nothing has come.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

impl ListKept {
    /// What is told of it.
    fn tell(self, report: &mut ImportReport) {
        let Self { kept, skipped, refused, notes } = self;
        report.prompts.kept += kept;
        report.prompts.skipped += skipped + refused;
        report.notes.extend(notes.iter().map(ToString::to_string));
        if skipped > 0 {
            report.notes.push(format!("{skipped} of the prompts were in your library before."));
        }
        if refused > 0 {
            report.notes.push(format!("{refused} of the prompts were left out: your library is full."));
        }
    }
}

/// An owner's turn to have an archive written; it ends when this is dropped.
struct Turn {
    all: Arc<Mutex<HashSet<DeviceId>>>,
    owner: DeviceId,
}

impl Turn {
    fn take(all: &Arc<Mutex<HashSet<DeviceId>>>, owner: DeviceId) -> Option<Self> {
        let first = all.lock().unwrap_or_else(PoisonError::into_inner).insert(owner);
        first.then(|| Self { all: all.clone(), owner })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.owner);
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}

/// Does what takes long on a thread of its own.
async fn thread<T: Send + 'static>(work: impl FnOnce() -> Result<T, AppError> + Send + 'static) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "bringing a file in was cut short");
        AppError::Internal
    })?
}

fn refused(what: &str) -> AppError {
    AppError::ImportRefused {
        reason: format!("{what}; nothing of it was kept; export it again, or choose another file"),
    }
}

fn unwritable(error: &io::Error) -> AppError {
    tracing::error!(%error, "a file on its way in could not be laid down");
    AppError::Unavailable
}
