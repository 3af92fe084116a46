//! A stranger's archive, opened without believing anything it says of itself.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use zip::ZipArchive;
use zip::result::ZipError;

use super::check::{self, MOST_BYTES, MOST_PIXELS};
use super::format::{MANIFEST, Manifest, media_name, sha256};
use crate::media::picture;

/// Bytes of an archive's list of files that are read; each of our own files takes about a hundred.
const LONGEST_LIST: u64 = 24 << 20;
/// Largest `mindseye.json`, unpacked, in bytes.
const LARGEST_MANIFEST: u64 = 64 << 20;

/// An archive whose every word was checked.
pub(super) struct Opened {
    pub manifest: Manifest,
    files: ZipArchive<BufReader<Bounded>>,
}

/// Opens an archive and checks all of it: what it says, and every picture against that. Takes as long as decoding them.
///
/// Pictures that it names and does not have are taken off its list; the number of them is answered.
///
/// # Errors
/// What is wrong with it, as part of a sentence.
pub(super) fn open(file: File, now: DateTime<Utc>) -> Result<(Opened, usize), String> {
    let left = Arc::new(AtomicU64::new(LONGEST_LIST));
    let bounded = Bounded { file, left: left.clone() };
    let files = ZipArchive::new(BufReader::new(bounded)).map_err(|error| damaged(&error))?;
    // From here on, each file has a bound of its own.
    left.store(u64::MAX, Ordering::Relaxed);
    let mut opened = Opened { manifest: Manifest::default(), files };
    let manifest = opened.read(MANIFEST, LARGEST_MANIFEST)?;
    let manifest = manifest.ok_or_else(|| format!("this archive has no {MANIFEST}, so it is no export of Mindseye"))?;
    opened.manifest = serde_json::from_slice(&manifest)
        .map_err(|error| format!("its {MANIFEST} can't be read at line {}, column {}", error.line(), error.column()))?;
    drop(manifest);
    check::check(&opened.manifest, now)?;
    let missing = opened.check_files()?;
    Ok((opened, missing))
}

impl Opened {
    /// A picture's bytes. They were checked before.
    pub(super) fn picture(&mut self, file: &super::format::ArchivedFile) -> Result<Vec<u8>, String> {
        let name = media_name(file.id);
        self.read(&name, picture::most_bytes(file.width, file.height))?.ok_or_else(|| format!("{name} is gone"))
    }

    fn check_files(&mut self) -> Result<usize, String> {
        let mut manifest = std::mem::take(&mut self.manifest);
        let (mut bytes, mut pixels, mut missing) = (0_u64, 0_u64, 0);
        let mut there = |file: &super::format::ArchivedFile| -> Result<bool, String> {
            let name = media_name(file.id);
            let Some(content) = self.read(&name, picture::most_bytes(file.width, file.height))? else {
                missing += 1;
                return Ok(false);
            };
            bytes += content.len() as u64;
            pixels += u64::from(file.width) * u64::from(file.height);
            if bytes > MOST_BYTES || pixels > MOST_PIXELS {
                return Err("its pictures are more than one file may bring".into());
            }
            if content.len() as u64 != file.bytes || sha256(&content) != file.sha256 {
                return Err(format!("{name} is not the picture that {MANIFEST} tells of: its bytes have changed"));
            }
            picture::check(&content, file.width, file.height)
                .map_err(|why| format!("{name} is no such PNG ({})", why.chars().take(80).collect::<String>()))?;
            Ok(true)
        };
        for job in &mut manifest.jobs {
            retain(&mut job.outputs, |output| there(&output.file))?;
        }
        retain(&mut manifest.photos, |photo| there(&photo.file))?;
        self.manifest = manifest;
        Ok(missing)
    }

    /// A file of the archive, of at most so many bytes; `None` where it has none of that name.
    fn read(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, String> {
        let file = match self.files.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(&error)),
        };
        let mut bytes = Vec::new();
        // What it says of its size is not believed.
        file.take(most + 1).read_to_end(&mut bytes).map_err(|_| format!("{name} is damaged"))?;
        if bytes.len() as u64 > most {
            return Err(format!("{name} is larger than it can be"));
        }
        Ok(Some(bytes))
    }
}

fn retain<T>(items: &mut Vec<T>, mut keep: impl FnMut(&T) -> Result<bool, String>) -> Result<(), String> {
    let mut failed = None;
    items.retain(|item| {
        failed.is_none()
            && keep(item).unwrap_or_else(|why| {
                failed = Some(why);
                false
            })
    });
    failed.map_or(Ok(()), Err)
}

fn damaged(error: &ZipError) -> String {
    match error {
        ZipError::UnsupportedArchive(_) => "this archive is packed in a way that is not read here".into(),
        _ => "this archive is damaged or did not arrive whole".into(),
    }
}

/// A file of which only so much may be read.
struct Bounded {
    file: File,
    left: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let left = self.left.load(Ordering::Relaxed);
        // Nobody else counts: this is one thread's.
        let rest = left.checked_sub(read as u64).ok_or_else(|| io::Error::other("its list of files is too long"))?;
        if left != u64::MAX {
            self.left.store(rest, Ordering::Relaxed);
        }
        Ok(read)
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
