//! Prompts in Markdown: lists, paragraphs, code, quotes and tables under headings.

use std::borrow::Cow;

use crate::clean;
use crate::import::blocks::{self, Content};
use crate::import::collect::Collector;
use crate::import::outline::Outline;
use crate::import::{Format, NoteKind, own, text};

/// Whether a text without a name has marks that only Markdown has.
pub(super) fn looks_like_it(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        let bullet = line.strip_prefix(['-', '*', '+']).map_or("", str::trim_start);
        let hashes = line.trim_start_matches('#');
        let is_underline = line.len() >= 3 && line.trim_end().chars().all(|c| c == '=');
        (1..=6).contains(&(line.len() - hashes.len())) && hashes.starts_with(' ')
            || is_underline
            || line.starts_with("```")
            || line.starts_with("> ")
            || text::without_bullet(line).is_some_and(|item| item.starts_with("**"))
            || ["[ ] ", "[x] ", "[X] "].iter().any(|mark| bullet.starts_with(mark))
            || line.contains('|') && line.contains("---") && line.chars().all(|c| "|-: ".contains(c))
    })
}

/// Hands every prompt in a document to the collector.
pub(super) fn read(source: &str, collector: &mut Collector) -> Format {
    if own::is_own(source) {
        own::read(source, collector);
        return Format::OwnMarkdown;
    }
    let mut outline = Outline::default();
    for block in blocks::blocks(&without_front_matter(source), true) {
        outline.add(block);
    }
    outline.hand_over(collector);
    Format::Markdown
}

/// What is said about a block that gave nothing.
pub(super) fn left_out(content: &Content) -> NoteKind {
    match content {
        Content::Heading { text, .. }
        | Content::Paragraph(text)
        | Content::Quote(text)
        | Content::Item { text, .. } => NoteKind::Prose { start: clean::excerpt(text) },
        Content::Code { language, .. } => NoteKind::Code { language: clean::excerpt(language) },
        Content::Table { .. } => NoteKind::NoPromptColumn,
        Content::Rule | Content::Html => NoteKind::Code { language: "HTML".into() },
    }
}

/// Without what some programs for notes write on top, between lines of dashes; the lines stay, empty.
fn without_front_matter(source: &str) -> Cow<'_, str> {
    let Some(rest) = source.strip_prefix("---\n").or_else(|| source.strip_prefix("---\r\n")) else {
        return Cow::Borrowed(source);
    };
    let lines = || rest.lines().take(200);
    let Some(end) = lines().position(|line| line.trim_end() == "---") else {
        return Cow::Borrowed(source);
    };
    let is_data = |line: &str| line.contains(':') || line.trim().is_empty() || line.starts_with(['-', ' ', '#']);
    if !lines().take(end).all(is_data) {
        return Cow::Borrowed(source);
    }
    let body: usize = rest.split_inclusive('\n').take(end + 1).map(str::len).sum();
    Cow::Owned("\n".repeat(end + 2) + rest.get(body..).unwrap_or_default())
}
