//! A person's prompt library: [`Entry`] and its bounds, [`import()`] from what other tools leave behind, [`export`] as
//! plain Markdown and JSON, and [`rewrite()`], which takes a cinematic one-liner apart.
//!
//! No I/O, no clock, no randomness. Whatever bytes come in, nothing panics, and what is left out is told.
//! The crate builds for `wasm32-unknown-unknown`, so that the page can mark words while they are typed.

pub mod entry;
pub mod export;
pub mod import;
pub mod rewrite;

mod clean;

pub use entry::{Cut, Entry, Field};
pub use import::{Format, ImportError, ImportNote, Imported, NoteKind, Place, import};
pub use rewrite::{Part, Rewritten, rewrite};
