//! The blocks of a Markdown document under its headings: which are prompts, and what they are called.

use std::collections::HashMap;

use csv::StringRecord;

use crate::clean;
use crate::entry::{Entry, Field};
use crate::import::blocks::{Block, Content};
use crate::import::collect::Collector;
use crate::import::markdown::left_out;
use crate::import::table::Columns;
use crate::import::text::{self, Draft};
use crate::import::{NoteKind, Place, fields};

/// Items of a list are headings for what is nested in them, below those of the document.
const DEEPEST_HEADING: usize = 6;
/// Longest text of an item that is a heading and not a prompt, in bytes.
const MAX_HEADING: usize = 60;
/// Deepest list whose items are headings.
const MAX_NESTING: usize = 8;
/// Languages of blocks of code that hold prompts.
const WORDS: [&str; 9] = ["", "prompt", "prompts", "text", "txt", "plain", "plaintext", "markdown", "md"];

/// A document on its way.
#[derive(Debug, Default)]
pub(super) struct Outline {
    headings: Vec<Heading>,
    /// Those that the next block is under, from the top.
    open: Vec<usize>,
    /// Paragraphs wait: whether they are prompts or talk shows once the section is over.
    paragraphs: Vec<(usize, String, Option<usize>)>,
    drafts: Vec<(Draft, Option<usize>)>,
    notes: Vec<(usize, NoteKind)>,
    /// What the next block of code is, after a line like "Negative prompt:".
    next: Option<Field>,
    /// What the next entry is called, after a line like "Title: Fog".
    title: String,
}

#[derive(Debug)]
struct Heading {
    line: usize,
    level: usize,
    text: String,
    parent: Option<usize>,
    /// Entries under it.
    entries: usize,
    /// Whether something under it, but not under a lower heading, is a prompt by its form.
    has_items: bool,
    has_lower: bool,
}

impl Outline {
    pub(super) fn add(&mut self, block: Block) {
        let Block { line, depth, content } = block;
        match &content {
            Content::Heading { level, .. } => self.close(|open| open >= *level),
            Content::Item { .. } => self.close(|open| open >= DEEPEST_HEADING + depth),
            _ => self.close(|open| open > DEEPEST_HEADING + depth),
        }
        let next = self.next.take();
        match content {
            Content::Heading { level, text } => self.heading(line, level, text),
            Content::Paragraph(text) => self.paragraph(line, text),
            Content::Quote(text) => self.quote(line, &text),
            Content::Item { title, text, has_more } => {
                if !title.is_empty() {
                    self.title = title;
                }
                self.item(line, depth, &text, has_more);
            }
            Content::Code { language, text } => match next {
                Some(field @ (Field::Negative | Field::Notes)) if self.last().is_some() => self.set(field, &text),
                Some(Field::Prompt) => self.draft(line, Entry { prompt: text, ..Entry::default() }),
                _ if WORDS.contains(&language.as_str()) => self.texts(line + 1, &text),
                _ => self.notes.push((line, left_out(&Content::Code { language, text }))),
            },
            Content::Table { names, rows } => self.table(line, names, rows),
            Content::Rule => {}
            Content::Html => self.notes.push((line, left_out(&content))),
        }
    }

    /// Hands over every entry, in the order of the document, with what the headings say about it.
    pub(super) fn hand_over(mut self, collector: &mut Collector) {
        self.settle_paragraphs();
        let all = self.drafts.len();
        self.drafts.sort_by_key(|(draft, _)| draft.line);
        for (_, heading) in &self.drafts {
            for at in path(&self.headings, *heading) {
                self.headings[at].entries += 1;
            }
        }
        let tops = self.headings.iter().filter(|heading| heading.level == 1).count();
        for (line, note) in self.notes {
            collector.note(Place::Line(line), note);
        }
        for (mut draft, heading) in self.drafts {
            for at in path(&self.headings, heading) {
                let Heading { level, text, entries, .. } = &self.headings[at];
                let names_all = *level == 1 && tops == 1 && *entries == all && all > 1;
                if text.is_empty()
                    || names_all
                    || text.eq_ignore_ascii_case("prompts")
                    || text.eq_ignore_ascii_case("prompt")
                {
                    continue;
                }
                if *entries == 1 && draft.entry.title.is_empty() {
                    text.clone_into(&mut draft.entry.title);
                } else if *entries > 1 {
                    draft.entry.tags.push(text.replace([',', ';'], " "));
                }
            }
            draft.hand_over(collector);
        }
    }

    fn heading(&mut self, line: usize, level: usize, text: String) {
        let parent = self.open.last().copied();
        if let Some(parent) = parent.and_then(|at| self.headings.get_mut(at)) {
            parent.has_lower = true;
        }
        self.open.push(self.headings.len());
        self.headings.push(Heading { line, level, text, parent, entries: 0, has_items: false, has_lower: false });
    }

    fn close(&mut self, is_over: impl Fn(usize) -> bool) {
        while self.open.last().and_then(|at| self.headings.get(*at)).is_some_and(|heading| is_over(heading.level)) {
            self.open.pop();
        }
    }

    /// The entry that a label is about: the last one of this section.
    fn last(&mut self) -> Option<&mut Draft> {
        let here = self.open.last().copied();
        let (draft, heading) = self.drafts.last_mut()?;
        (*heading == here).then_some(draft)
    }

    fn set(&mut self, field: Field, value: &str) {
        if let Some(draft) = self.last() {
            draft.set(field, value);
        }
    }

    fn draft(&mut self, line: usize, entry: Entry) {
        self.push(Draft { line, entry, ..Draft::default() });
    }

    fn push(&mut self, mut draft: Draft) {
        if draft.entry.title.is_empty() {
            draft.entry.title = std::mem::take(&mut self.title);
        }
        let here = self.open.last().copied();
        // What is nested in a list is of the list's section.
        if let Some(at) = path(&self.headings, here).into_iter().find(|at| self.headings[*at].level <= DEEPEST_HEADING)
        {
            self.headings[at].has_items = true;
        }
        self.drafts.push((draft, here));
    }

    fn texts(&mut self, line: usize, text: &str) {
        text::drafts(text, line).into_iter().for_each(|draft| self.push(draft));
    }

    /// A quote is one prompt, unless its lines say otherwise.
    fn quote(&mut self, line: usize, text: &str) {
        let drafts = text::drafts(text, line);
        if drafts.iter().any(|draft| draft.labelled) {
            drafts.into_iter().for_each(|draft| self.push(draft));
        } else {
            self.draft(line, Entry { prompt: one_line(text), ..Entry::default() });
        }
    }

    fn paragraph(&mut self, line: usize, text: String) {
        match fields::labelled(&text) {
            Some((field, "")) => self.next = Some(field),
            Some((Field::Title, title)) if !text.contains('\n') => self.title = title.to_owned(),
            Some((Field::Prompt | Field::Title, _)) => self.texts(line, &text),
            Some(_) if self.last().is_some() => self.labels(line, &text),
            _ => self.paragraphs.push((line, text, self.open.last().copied())),
        }
    }

    /// Lines with labels, about the last entry.
    fn labels(&mut self, line: usize, text: &str) {
        for (at, part) in text.lines().enumerate() {
            match fields::labelled(part) {
                Some((field, value)) => self.set(field, value),
                None => self.notes.push((line + at, NoteKind::Prose { start: clean::excerpt(part) })),
            }
        }
    }

    fn item(&mut self, line: usize, depth: usize, text: &str, has_more: bool) {
        match fields::labelled(text) {
            Some((field, "")) if has_more => self.next = Some(field),
            Some((Field::Title, title)) if !text.contains('\n') => self.title = title.to_owned(),
            Some((Field::Prompt, _)) => self.texts(line, text),
            Some((field, value)) if self.has_owner() => self.set(field, value),
            _ if has_more && depth <= MAX_NESTING => {
                let name = text.lines().next().unwrap_or_default().trim().trim_end_matches(':').to_owned();
                self.heading(line, DEEPEST_HEADING + depth, name);
                if text.len() > MAX_HEADING {
                    self.draft(line, Entry { prompt: one_line(text), ..Entry::default() });
                }
            }
            _ => self.draft(line, Entry { prompt: one_line(text), ..Entry::default() }),
        }
    }

    /// Whether there is an entry that a label can be about. An item with labels nested in it becomes one.
    fn has_owner(&mut self) -> bool {
        if self.last().is_some() {
            return true;
        }
        let Some(heading) = self.open.last().and_then(|at| self.headings.get_mut(*at)) else {
            return false;
        };
        if heading.level <= DEEPEST_HEADING {
            return false;
        }
        let (line, prompt) = (heading.line, std::mem::take(&mut heading.text));
        self.draft(line, Entry { prompt, ..Entry::default() });
        true
    }

    fn table(&mut self, line: usize, names: Vec<String>, rows: Vec<(usize, Vec<String>)>) {
        let Some((columns, unknown)) = Columns::of(&StringRecord::from(names)) else {
            self.notes.push((line, NoteKind::NoPromptColumn));
            return;
        };
        self.notes.extend(unknown.into_iter().map(|note| (line, note)));
        for (line, row) in rows {
            let (entry, notes) = columns.entry(&StringRecord::from(row));
            self.push(Draft { line, entry, notes, ..Draft::default() });
        }
    }

    /// Paragraphs are prompts where nothing else is: in a document of paragraphs, or in a section without parts.
    fn settle_paragraphs(&mut self) {
        let mut alone: HashMap<usize, Option<usize>> = HashMap::new();
        for (at, (_, section)) in self.drafts.iter().enumerate() {
            if let Some(section) = section {
                alone.entry(*section).and_modify(|only| *only = None).or_insert(Some(at));
            }
        }
        let has_items = !self.drafts.is_empty();
        let mut waiting = std::mem::take(&mut self.paragraphs).into_iter().peekable();
        while let Some((line, text, section)) = waiting.next() {
            let heading = section.and_then(|at| self.headings.get(at));
            let is_talk = heading.is_some_and(|heading| heading.has_lower)
                || has_items && heading.is_none_or(|heading| heading.has_items);
            if is_talk {
                // Words beside the only entry of a section are about it.
                let only = section.and_then(|section| *alone.get(&section)?);
                match only.and_then(|at| self.drafts.get_mut(at)) {
                    Some((draft, _)) => fields::remark(&mut draft.entry.notes, &text),
                    None => self.notes.push((line, NoteKind::Prose { start: clean::excerpt(&text) })),
                }
                continue;
            }
            // The paragraphs of a section are one text, whose lines stay where they are.
            let mut whole = text;
            let mut lines = whole.matches('\n').count();
            while let Some((next, more, _)) = waiting.next_if(|(.., other)| *other == section) {
                let gap = next.saturating_sub(line + lines).max(2);
                whole.push_str(&"\n".repeat(gap));
                whole.push_str(&more);
                lines += gap + more.matches('\n').count();
            }
            for draft in text::drafts(&whole, line) {
                self.drafts.push((draft, section));
            }
        }
    }
}

/// A heading and those above it, from the bottom.
fn path(headings: &[Heading], from: Option<usize>) -> Vec<usize> {
    std::iter::successors(from, |at| headings.get(*at).and_then(|heading| heading.parent)).collect()
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
