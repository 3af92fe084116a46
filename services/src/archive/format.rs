//! How an archive is laid out: see decision 14.

use chrono::{DateTime, Utc};
use domain::{JobId, JobState, OutputId, ValidRequest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::library::Kept;

/// What `mindseye.json` says that it is.
pub(super) const FORMAT: &str = "mindseye-archive";
/// How it is laid out. It changes only if older readers would misread it.
pub(super) const VERSION: u32 = 1;
/// Everything, for programs.
pub(super) const MANIFEST: &str = "mindseye.json";
/// The words, for people.
pub(super) const MARKDOWN: &str = "prompts.md";

/// `mindseye.json`, as it is read. What an older version did not write is empty.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Manifest {
    pub format: String,
    pub version: u32,
    #[serde(default)]
    pub jobs: Vec<ArchivedJob>,
    #[serde(default)]
    pub photos: Vec<ArchivedPhoto>,
    #[serde(default)]
    pub prompts: Vec<Kept>,
}

/// A job that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ArchivedJob {
    pub id: JobId,
    pub status: JobState,
    pub request: ValidRequest,
    /// The code of its error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<JobId>,
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub outputs: Vec<ArchivedOutput>,
}

/// A picture whose file is in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ArchivedOutput {
    pub index: u32,
    pub seed: u64,
    pub created_at: DateTime<Utc>,
    #[serde(flatten)]
    pub file: ArchivedFile,
}

/// A photo that was sent in. When that was is left out: where it is brought in, its three days begin anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ArchivedPhoto {
    #[serde(flatten)]
    pub file: ArchivedFile,
}

/// A file in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ArchivedFile {
    pub id: OutputId,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub bytes: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// Where a picture lies in the archive.
pub(super) fn media_name(id: OutputId) -> String {
    format!("media/{id}.png")
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Manifest {
    /// Every file that it names.
    pub(super) fn files(&self) -> impl Iterator<Item = &ArchivedFile> {
        let outputs = self.jobs.iter().flat_map(|job| job.outputs.iter().map(|output| &output.file));
        outputs.chain(self.photos.iter().map(|photo| &photo.file))
    }
}
