//! The Markdown of our own export, read so that nothing changes.

use crate::entry::Entry;
use crate::import::blocks::{self, Block, Content};
use crate::import::collect::Collector;
use crate::import::markdown::left_out;
use crate::import::text::Draft;
use crate::import::{Place, fields};

/// The language of a block of code that is a prompt. Where there is one, nothing else in the document is.
pub(crate) const PROMPT: &str = "prompt";
/// The languages of blocks that belong to the prompt before.
pub(crate) const NEGATIVE: &str = "negative";
pub(crate) const NOTES: &str = "notes";
/// Lines above those blocks, for people who read the document.
pub(crate) const NEGATIVE_LABEL: &str = "Negative prompt:";
pub(crate) const NOTES_LABEL: &str = "Notes:";

/// Whether a document says which of its blocks are prompts.
pub(super) fn is_own(source: &str) -> bool {
    source.lines().any(|line| {
        line.strip_prefix("```").is_some_and(|info| info.trim_start_matches('`').trim().eq_ignore_ascii_case(PROMPT))
    })
}

/// Hands every entry of such a document to the collector, as it stands.
pub(super) fn read(source: &str, collector: &mut Collector) {
    let mut title = String::new();
    let mut current: Option<Draft> = None;
    for Block { line, content, .. } in blocks::blocks(source, false) {
        match (content, current.as_mut()) {
            (Content::Heading { level: 1, .. }, _) => {}
            (Content::Heading { text, .. }, _) => {
                hand_over(current.take(), collector);
                title = text;
            }
            (Content::Rule, _) => {
                hand_over(current.take(), collector);
                title.clear();
            }
            (Content::Code { language, text }, _) if language == PROMPT => {
                hand_over(current.take(), collector);
                let entry = Entry { prompt: text, title: std::mem::take(&mut title), ..Entry::default() };
                current = Some(Draft { line, entry, ..Draft::default() });
            }
            (Content::Code { language, text }, Some(draft)) if language == NEGATIVE => draft.entry.negative = text,
            (Content::Code { language, text }, Some(draft)) if language == NOTES => draft.entry.notes = text,
            (Content::Paragraph(text), _) if text == NEGATIVE_LABEL || text == NOTES_LABEL => {}
            (Content::Item { text, .. }, Some(draft)) if fields::labelled(&text).is_some() => {
                if let Some((field, value)) = fields::labelled(&text) {
                    draft.set(field, value);
                }
            }
            (content, _) => collector.note(Place::Line(line), left_out(&content)),
        }
    }
    hand_over(current, collector);
}

fn hand_over(draft: Option<Draft>, collector: &mut Collector) {
    let Some(Draft { line, entry, notes, .. }) = draft else { return };
    notes.into_iter().for_each(|note| collector.note(Place::Line(line), note));
    collector.own(Place::Line(line), entry);
}
