//! Everything of somebody's, written as it is read.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};

use chrono::{DateTime, Utc};
use domain::{DeviceId, OutputId};
use prompts::export::markdown;
use sqlx::PgPool;
use tokio::runtime::Handle;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::format::{
    ArchivedFile, ArchivedJob, ArchivedOutput, ArchivedPhoto, FORMAT, MANIFEST, MARKDOWN, VERSION, media_name, sha256,
};
use super::pipe::Pipe;
use super::store;
use crate::library::{Library, entry_of_request};
use crate::media::MediaStore;

/// Jobs that are read at once.
const PAGE: u32 = 100;

type Zip = ZipWriter<StreamWriter<Pipe>>;

/// Whose things are written, and where they are.
#[derive(Debug)]
pub(super) struct Export {
    pub runtime: Handle,
    pub pool: PgPool,
    pub media: MediaStore,
    pub library: Library,
    pub owner: DeviceId,
    /// Nothing that began later.
    pub until: DateTime<Utc>,
}

impl Export {
    /// Writes the archive. Takes a thread for as long as somebody reads.
    pub(super) fn write(&self, pipe: Pipe) -> io::Result<()> {
        let mut zip = ZipWriter::new_stream(pipe);
        // What is told of the pictures is known when they are written, and comes last.
        let (mut told, mut words) = (Spool::open(&self.media)?, Spool::open(&self.media)?);
        let mut missing = Vec::new();
        let at = serde_json::to_string(&self.until)?;
        write!(told.0, "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"made_at\":{at},\n\"jobs\":[")?;
        let kept = self.wait(self.library.all(self.owner))?;
        let entries: Vec<prompts::Entry> = kept.iter().map(|kept| kept.entry.clone()).collect();
        write!(words.0, "# Kept prompts\n{}", without_heading(&markdown(&entries)))?;
        write!(words.0, "\n# Everything that was made\n")?;
        self.jobs(&mut zip, &mut told, &mut words, &mut missing)?;
        write!(told.0, "],\n\"photos\":[")?;
        let mut list = List::default();
        for photo in self.wait(store::photos(&self.pool, self.owner))? {
            let (id, width, height) = photo;
            match self.file(&mut zip, id, width, height)? {
                Some(file) => list.push(&mut told.0, &ArchivedPhoto { file })?,
                None => missing.push(id),
            }
        }
        write!(told.0, "],\n\"prompts\":[")?;
        let mut list = List::default();
        for kept in &kept {
            list.push(&mut told.0, kept)?;
        }
        write!(told.0, "],\n\"missing\":{}}}\n", serde_json::to_string(&missing)?)?;
        for (name, spool) in [(MARKDOWN, words), (MANIFEST, told)] {
            zip.start_file(name, options(CompressionMethod::Deflated))?;
            io::copy(&mut spool.rewound()?, &mut zip)?;
        }
        zip.finish()?.into_inner().end()
    }

    fn jobs(&self, zip: &mut Zip, told: &mut Spool, words: &mut Spool, missing: &mut Vec<OutputId>) -> io::Result<()> {
        let mut list = List::default();
        let mut after = None;
        loop {
            let jobs = self.wait(store::jobs(&self.pool, self.owner, self.until, after, PAGE))?;
            let Some((last, _)) = jobs.last() else { return Ok(()) };
            after = Some((last.created_at, last.id));
            let mut entries = Vec::with_capacity(jobs.len());
            for (job, outputs) in jobs {
                let mut there = Vec::with_capacity(outputs.len());
                for output in outputs {
                    match self.file(zip, output.id, output.width, output.height)? {
                        Some(file) => there.push(ArchivedOutput {
                            index: output.index,
                            seed: output.seed,
                            created_at: output.created_at,
                            file,
                        }),
                        None => missing.push(output.id),
                    }
                }
                let mut entry = entry_of_request(&job.request, job.created_at);
                entry.pinned = job.pinned;
                entries.push(entry);
                list.push(&mut told.0, &ArchivedJob { outputs: there, ..job })?;
            }
            words.0.write_all(without_heading(&markdown(&entries)).as_bytes())?;
        }
    }

    /// Writes a picture; `None`: it is gone.
    fn file(&self, zip: &mut Zip, id: OutputId, width: u32, height: u32) -> io::Result<Option<ArchivedFile>> {
        let Some(bytes) = self.runtime.block_on(self.media.read(id))? else { return Ok(None) };
        // A picture can't be made smaller by packing it again.
        zip.start_file(media_name(id), options(CompressionMethod::Stored))?;
        zip.write_all(&bytes)?;
        Ok(Some(ArchivedFile { id, width, height, bytes: bytes.len() as u64, sha256: sha256(&bytes) }))
    }

    fn wait<T, E: std::error::Error + Send + Sync + 'static>(
        &self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> io::Result<T> {
        self.runtime.block_on(asked).map_err(io::Error::other)
    }
}

fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

fn without_heading(markdown: &str) -> &str {
    markdown.strip_prefix("# Prompts\n").unwrap_or(markdown)
}

/// Laid down on the disk until its turn comes.
struct Spool(BufWriter<File>);

impl Spool {
    fn open(media: &MediaStore) -> io::Result<Self> {
        Ok(Self(BufWriter::new(media.passing_file()?)))
    }

    fn rewound(self) -> io::Result<File> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// Commas between what is listed.
#[derive(Default)]
struct List {
    begun: bool,
}

impl List {
    fn push(&mut self, to: &mut impl Write, item: &impl serde::Serialize) -> io::Result<()> {
        to.write_all(if self.begun { b",\n" } else { b"\n" })?;
        self.begun = true;
        serde_json::to_writer(to, item)?;
        Ok(())
    }
}
