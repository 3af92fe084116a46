//! A person's prompt library: [`Entry`] and its bounds, [`import()`] from what other tools leave behind, and [`export`]
//! as plain Markdown and JSON.
//!
//! No I/O, no clock, no randomness. Whatever bytes come in, nothing panics, and what is left out is told.

pub mod entry;
pub mod export;
pub mod import;

mod clean;

pub use entry::{Cut, Entry, Field};
pub use import::{Format, ImportError, ImportNote, Imported, NoteKind, Place, import};
