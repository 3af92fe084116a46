//! Entries on their way in: bounds, duplicates, and what is said about them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::entry::Entry;
use crate::import::{Format, ImportError, ImportNote, Imported, NoteKind, Place, midjourney};

/// Most entries of one import.
pub const MAX_ENTRIES: usize = 5_000;
/// Most notes of one import.
pub const MAX_NOTES: usize = 200;

/// Takes what a reader finds.
#[derive(Debug, Default)]
pub(super) struct Collector {
    entries: Vec<Entry>,
    notes: Vec<ImportNote>,
    seen: HashSet<u64>,
    dropped: usize,
    unwritten: usize,
    handed: usize,
}

impl Collector {
    pub(super) fn note(&mut self, place: Place, kind: NoteKind) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(ImportNote { place, kind });
        } else {
            self.unwritten += 1;
        }
    }

    /// An entry as a person or a tool wrote it: switches in its prompt are understood, and the same one again is
    /// left out.
    pub(super) fn written(&mut self, place: Place, mut entry: Entry) {
        self.handed += 1;
        let kinds = midjourney::understand(&mut entry);
        let only_links = entry.prompt.is_empty() && kinds.iter().any(|kind| matches!(kind, NoteKind::Link { .. }));
        for kind in kinds {
            self.note(place, kind);
        }
        if !only_links {
            self.made(place, entry);
        }
    }

    /// An entry whose prompt stands as it is; the same one again is left out.
    pub(super) fn made(&mut self, place: Place, entry: Entry) {
        self.take(place, entry, true);
    }

    /// An entry of our own export, which is never changed.
    pub(super) fn own(&mut self, place: Place, entry: Entry) {
        self.take(place, entry, false);
    }

    /// Entries so far, with those that were too many.
    pub(super) fn found(&self) -> usize {
        self.entries.len() + self.dropped
    }

    /// How often there was something to take, even if it was left out.
    pub(super) fn handed(&self) -> usize {
        self.handed
    }

    /// # Errors
    ///
    /// [`ImportError::NoPrompts`] when there was none.
    pub(super) fn finish(mut self, format: Format) -> Result<Imported, ImportError> {
        if self.entries.is_empty() {
            return Err(ImportError::NoPrompts);
        }
        self.notes.sort_by_key(|note| match note.place {
            Place::File => 0,
            Place::Line(number) | Place::Item(number) => number,
        });
        let dropped = self.dropped;
        // These two are never among those that are too many to write.
        let place = Place::File;
        if dropped > 0 {
            self.notes.push(ImportNote { place, kind: NoteKind::TooManyEntries { dropped, max: MAX_ENTRIES } });
        }
        if self.unwritten > 0 {
            self.notes.push(ImportNote { place, kind: NoteKind::MoreNotes { count: self.unwritten } });
        }
        Ok(Imported { entries: self.entries, notes: self.notes, format })
    }

    fn take(&mut self, place: Place, entry: Entry, once: bool) {
        self.handed += 1;
        if self.entries.len() == MAX_ENTRIES {
            self.dropped += 1;
            return;
        }
        let (entry, cuts) = entry.tidied();
        if entry.prompt.is_empty() {
            self.note(place, NoteKind::NoPrompt);
            return;
        }
        if once && !self.seen.insert(fingerprint(&entry)) {
            self.note(place, NoteKind::Duplicate);
            return;
        }
        for cut in cuts {
            self.note(place, NoteKind::Cut { cut });
        }
        self.entries.push(entry);
    }
}

/// Equal for equal entries; the hasher has fixed keys, so that the same file always gives the same.
fn fingerprint(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    let Entry {
        prompt,
        negative,
        title,
        notes,
        tags,
        pinned,
        tool,
        model,
        seed,
        steps,
        guidance,
        width,
        height,
        made_at,
    } = entry;
    (prompt, negative, title, notes, tags, pinned, tool, model).hash(&mut hasher);
    (seed, steps, guidance.map(f32::to_bits), width, height, made_at).hash(&mut hasher);
    hasher.finish()
}
