//! What other tools leave behind, read into entries of a library.
//!
//! The content decides what a file is; its name is only a hint. Every reader hands what it finds to one
//! collector, which keeps the bounds and writes down what was left out.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::entry::Entry;

mod automatic;
mod blocks;
mod collect;
mod comfy;
mod decode;
mod fields;
mod graph;
mod json;
mod markdown;
mod midjourney;
mod note;
mod outline;
pub(crate) mod own;
mod picture;
mod table;
mod text;

pub use collect::{MAX_ENTRIES, MAX_NOTES};
pub use note::{ImportError, ImportNote, NoteKind, Place};

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 10_000_000;
/// Largest Markdown document, in bytes: while it is read, it takes up to seventy times as much memory.
pub const MAX_MARKDOWN_BYTES: usize = 5_000_000;
/// Most lines of a text. Millions of them would be no library, and a lot of work.
pub const MAX_LINES: usize = 300_000;

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// At most [`MAX_ENTRIES`], each within its bounds and with a prompt; never empty.
    pub entries: Vec<Entry>,
    /// What was left out and why, in the order of the file; beyond [`MAX_NOTES`] they are only counted.
    pub notes: Vec<ImportNote>,
    pub format: Format,
}

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Prompts in lines or in blocks.
    Text,
    Markdown,
    Json,
    /// A JSON value on each line.
    JsonLines,
    /// Comma or semicolon separated values.
    Csv,
    /// Tab separated values.
    Tsv,
    /// A workflow of ComfyUI.
    ComfyUi,
    /// What a PNG says of itself.
    Png,
    /// What a JPEG says of itself.
    Jpeg,
    /// What a WebP says of itself.
    WebP,
    /// What [`crate::export::markdown`] wrote.
    OwnMarkdown,
    /// What [`crate::export::json`] wrote.
    OwnJson,
}

/// Reads the prompts in a file.
///
/// `name` is the file's name, if it has one.
///
/// # Errors
///
/// [`ImportError`] when there is no prompt to be had from these bytes, with a sentence that says what to do instead.
pub fn import(name: Option<&str>, bytes: &[u8]) -> Result<Imported, ImportError> {
    if bytes.len() > MAX_BYTES {
        return Err(ImportError::TooLarge { max_megabytes: MAX_BYTES / 1_000_000 });
    }
    if let Some(kind) = picture::kind(bytes) {
        return picture::read(kind, bytes);
    }
    if let Some(kind) = decode::foreign(bytes) {
        return Err(ImportError::Unsupported { kind: kind.to_owned() });
    }
    let (text, guessed) = decode::text(bytes)?;
    if text.trim().is_empty() {
        return Err(ImportError::Empty);
    }
    if text.bytes().filter(|byte| *byte == b'\n').count() > MAX_LINES {
        return Err(ImportError::TooManyLines { max: MAX_LINES });
    }
    let mut collector = collect::Collector::default();
    if guessed {
        collector.note(Place::File, NoteKind::GuessedEncoding);
    }
    let format = read_text(&extension(name), &text, &mut collector)?;
    collector.finish(format)
}

/// The reader that fits, by content, with the name where the content leaves a doubt.
fn read_text(extension: &str, text: &str, collector: &mut collect::Collector) -> Result<Format, ImportError> {
    if text.trim_start().starts_with(['{', '[']) {
        match json::read(text, collector) {
            // Prompts begin with brackets too: "[a cat | a dog] in a field".
            Err(ImportError::BadJson { .. }) if !json::is_meant(extension, text) => {}
            other => return other,
        }
    }
    let is_markdown = matches!(extension, "md" | "markdown");
    if !is_markdown && let Some(layout) = table::layout(extension, text) {
        return table::read(text, layout, collector);
    }
    if is_markdown || markdown::looks_like_it(text) {
        if text.len() > MAX_MARKDOWN_BYTES {
            return Err(ImportError::TooLarge { max_megabytes: MAX_MARKDOWN_BYTES / 1_000_000 });
        }
        return Ok(markdown::read(text, collector));
    }
    text::read(text, 1, collector);
    Ok(Format::Text)
}

fn extension(name: Option<&str>) -> String {
    let extension = name.and_then(|name| Path::new(name).extension()?.to_str());
    extension.unwrap_or_default().to_ascii_lowercase()
}
