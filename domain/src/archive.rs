//! What came of a file that somebody brought in.

use serde::{Deserialize, Serialize};

/// How much was kept of a file, how much was there before or left out, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    pub jobs: Tally,
    pub pictures: Tally,
    pub photos: Tally,
    pub prompts: Tally,
    /// Sentences for a person, in English.
    pub notes: Vec<String>,
}

/// Of one kind of things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub kept: usize,
    /// Were there before, or were left out: then a note says so.
    pub skipped: usize,
}
