//! What stands between a door and the database, with pictures that were made before.

use std::io::{Cursor, Read, Write};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{AppError, DeviceId, JobId, ModelCard, OutputId};
use futures::StreamExt;
use serde_json::{Value, json};
use services::archive::{Archive, BroughtIn};
use services::bell::Bell;
use services::bus::{Bus, HeadId, LocalBus};
use services::clock::{self, Clock, SharedClock};
use services::credits::{CreditsService, Daily};
use services::identity::{Identity, Visitor};
use services::jobs::{EventHub, Jobs, JobsParts, Models, Outlook, Source};
use services::library::Library;
use services::limits::{Bursts, Counting, Limits, Policy, Rate};
use services::media::MediaStore;
use sqlx::PgPool;
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;

#[derive(Debug)]
pub struct TestClock(pub Mutex<DateTime<Utc>>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("clock")
    }
}

pub struct Desk {
    pub pool: PgPool,
    pub clock: Arc<TestClock>,
    pub media: MediaStore,
    pub jobs: Jobs,
    pub identity: Identity,
    pub library: Library,
    pub archive: Archive,
    folder: tempfile::TempDir,
    _cancelled: mpsc::UnboundedReceiver<(JobId, i32)>,
}

impl Desk {
    pub async fn open(pool: PgPool) -> Self {
        let clock = Arc::new(TestClock(Mutex::new("2026-11-20T12:00:00Z".parse().expect("a date"))));
        let shared: SharedClock = clock.clone();
        let folder = tempfile::tempdir().expect("a folder");
        let media = MediaStore::open(folder.path().join("media")).await.expect("media");
        let credits = CreditsService::new(pool.clone(), shared.clone(), Daily::default());
        let models = Models::new(pool.clone());
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::alone(HeadId::from_random(1), shared.clone()));
        let (cancelled, receiver) = mpsc::unbounded_channel();
        let jobs = Jobs::new(JobsParts {
            pool: pool.clone(),
            clock: shared.clone(),
            credits,
            media: media.clone(),
            models: models.clone(),
            events: EventHub::default(),
            outlook: Outlook::default(),
            bus,
            bell: Bell::default(),
            max_queued: usize::MAX,
            cancelled,
        });
        models.announce(&Source::Shared, [&card()]).await.expect("announce");
        let identity = Identity::new(pool.clone(), shared.clone());
        let often = NonZeroU32::new(1_000_000).expect("a rate");
        let bursts = Bursts::new(Rate { per_second: often, burst: often });
        let limits = Limits::new(pool.clone(), shared.clone(), Policy::default(), bursts, Counting::ALONE);
        let library = Library::new(pool.clone(), shared.clone(), identity.clone(), limits.clone(), jobs.clone());
        let archive = Archive::new(pool.clone(), shared, media.clone(), identity.clone(), limits, library.clone());
        Self { pool, clock, media, jobs, identity, library, archive, folder, _cancelled: receiver }
    }

    pub fn wait(&self, seconds: i64) {
        *self.clock.0.lock().expect("clock") += TimeDelta::seconds(seconds);
    }

    /// Somebody who holds a cookie.
    pub async fn somebody(&self) -> (Visitor, DeviceId) {
        let actor = self.identity.actor(&nobody()).await.expect("an actor");
        let cookie = self.identity.keep(&actor, &nobody()).await.expect("kept").expect("a cookie");
        (holder(&cookie), actor.device)
    }

    /// A job of theirs that is done, with its pictures.
    pub async fn made(&self, owner: DeviceId, prompt: &str, count: u32, parent: Option<JobId>) -> JobId {
        self.wait(1);
        let job = JobId::from_random(clock::random_u128());
        let request = json!({
            "prompt": prompt, "negative_prompt": "fog", "model": "starter", "capability": "image.fast", "count": count,
            "seed": 9_007_199_254_740_990_u64, "width": 64, "height": 48, "steps": 12, "guidance": 3.1
        });
        sqlx::query(
            "INSERT INTO jobs (id, device_id, state, request, model, count, relative_cost, price, created_at,
                 finished_at, pinned, parent_id)
             VALUES ($1, $2, 'succeeded', $3, 'starter', $4, 1, 4, $5, $5, true, $6)",
        )
        .bind(job.0)
        .bind(owner.0)
        .bind(request)
        .bind(i32::try_from(count).expect("few"))
        .bind(self.clock.now())
        .bind(parent.map(|parent| parent.0))
        .execute(&self.pool)
        .await
        .expect("a job");
        for index in 0..count {
            let id = OutputId::from_random(clock::random_u128());
            let bytes = png(64, 48, index as u8);
            self.media.write(id, &bytes).await.expect("written");
            let seed = i64::try_from((9_007_199_254_740_990_u64 + u64::from(index)) & ((1 << 53) - 1)).expect("a seed");
            sqlx::query(
                "INSERT INTO outputs (id, job_id, index, seed, width, height, media_type, bytes, created_at)
                 VALUES ($1, $2, $3, $4, 64, 48, 'image/png', $5, $6)",
            )
            .bind(id.0)
            .bind(job.0)
            .bind(index as i32)
            .bind(seed)
            .bind(bytes.len() as i64)
            .bind(self.clock.now())
            .execute(&self.pool)
            .await
            .expect("an output");
        }
        job
    }

    pub async fn export(&self, visitor: &Visitor) -> Vec<u8> {
        let mut chunks = self.archive.export(visitor).await.expect("an archive").chunks;
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.expect("a chunk"));
        }
        bytes
    }

    pub async fn import(&self, visitor: &Visitor, bytes: &[u8], name: Option<&str>) -> Result<BroughtIn, AppError> {
        let mut arrival = self.archive.expect(visitor).await?;
        for chunk in bytes.chunks(100_000) {
            arrival.push(chunk).await?;
        }
        self.archive.import(visitor, arrival, name.map(str::to_owned)).await
    }

    pub async fn rows(&self, table: &str) -> i64 {
        sqlx::query_scalar(&format!("SELECT count(*) FROM {table}")).fetch_one(&self.pool).await.expect("a count")
    }

    /// Picture files that lie in the media folder.
    pub fn files(&self) -> usize {
        let folders = std::fs::read_dir(self.folder.path().join("media")).expect("a folder");
        folders.map(|folder| std::fs::read_dir(folder.expect("an entry").path()).expect("a folder").count()).sum()
    }

    /// As if nothing had ever been here.
    pub async fn forget_everything(&self) {
        sqlx::query("DELETE FROM devices").execute(&self.pool).await.expect("deleted");
        for entry in std::fs::read_dir(self.folder.path().join("media")).expect("a folder") {
            std::fs::remove_dir_all(entry.expect("an entry").path()).expect("removed");
        }
    }
}

pub fn nobody() -> Visitor {
    Visitor::from_cookies(std::iter::empty(), false)
}

pub fn holder(cookie: &str) -> Visitor {
    Visitor::from_cookies(cookie.split(';').take(1), false)
}

pub fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, shade]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// Names and contents of an archive's files, in their order.
pub fn unpacked(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
    (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).expect("a file");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("its bytes");
            (file.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

pub fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("a file");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

/// What an archive tells, less when it was written.
pub fn told(archive: &[u8]) -> Value {
    let files = unpacked(archive);
    let (_, manifest) = files.iter().find(|(name, _)| name == "mindseye.json").expect("a manifest");
    let mut told: Value = serde_json::from_slice(manifest).expect("json");
    told.as_object_mut().expect("an object").remove("made_at");
    told
}

fn card() -> ModelCard {
    ModelCard {
        name: "starter".into(),
        title: "Starter".into(),
        capability: "image.fast".into(),
        native_size: 256,
        default_steps: 12,
        max_steps: 50,
        default_guidance: 3.0,
        size_multiple: 32,
    }
}

/// Looks again and again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(look: impl Fn() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), looking).await.expect("in time")
}
