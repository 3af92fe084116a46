//! Prompts in plain text: one on each line, or in blocks with blank lines between them.

use crate::entry::{Entry, Field};
use crate::import::collect::Collector;
use crate::import::{NoteKind, Place, automatic, fields};

/// Longest line that is taken for a heading of those beneath it, in bytes.
const MAX_HEADING: usize = 60;

/// An entry on its way, and the line where it begins.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub line: usize,
    pub entry: Entry,
    /// Whether the prompt comes from a format where nothing in it can be a switch.
    pub as_is: bool,
    /// Whether its parts had names, so that more of them may follow.
    pub labelled: bool,
    pub notes: Vec<NoteKind>,
}

/// Hands every prompt in a text to the collector; its first line has the number `first_line`.
pub(super) fn read(text: &str, first_line: usize, collector: &mut Collector) {
    for draft in drafts(text, first_line) {
        draft.hand_over(collector);
    }
}

/// Every prompt in a text.
pub(super) fn drafts(text: &str, first_line: usize) -> Vec<Draft> {
    let blocks = blocks(text, first_line);
    let wrapped = are_wrapped(&blocks);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut heading = None;
    for block in &blocks {
        if labelled(block, &mut drafts) || parameters(block, &mut drafts) {
            continue;
        }
        items(block, wrapped, &mut heading, &mut drafts);
    }
    drafts
}

/// A line without the bullet, the number or the box in front of it, if it has one.
pub(super) fn without_bullet(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix(['-', '*', '+', '•', '–', '—', '·', '▪', '◦', '‣', '●']).or_else(|| {
        let inner = line.strip_prefix(['(', '[', '#']).unwrap_or(line);
        let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let behind = inner.get(digits..)?;
        let behind = if line.starts_with('#') {
            behind.strip_prefix([':', '.', ')']).or(Some(behind))
        } else {
            behind.strip_prefix(['.', ')', ']'])
        };
        (1..=4).contains(&digits).then_some(behind).flatten()
    })?;
    if !rest.starts_with([' ', '\t', '\u{A0}']) {
        return None;
    }
    let rest = rest.trim();
    let boxes = ["[ ]", "[x]", "[X]", "☐", "☑", "✅"];
    Some(boxes.iter().find_map(|mark| rest.strip_prefix(mark)).unwrap_or(rest).trim_start())
}

impl Draft {
    pub(super) fn hand_over(self, collector: &mut Collector) {
        let place = Place::Line(self.line);
        for note in self.notes {
            collector.note(place, note);
        }
        if self.as_is {
            collector.made(place, self.entry);
        } else {
            collector.written(place, self.entry);
        }
    }

    /// Sets a field, or notes why not.
    pub(super) fn set(&mut self, field: Field, value: &str) {
        if let Err(note) = fields::set(&mut self.entry, field, value) {
            self.notes.push(note);
        }
    }
}

type Line<'a> = (usize, &'a str);

/// Lines between blank lines and between rules. What can't begin an entry belongs to the block before.
fn blocks(text: &str, first_line: usize) -> Vec<Vec<Line<'_>>> {
    let mut blocks: Vec<Vec<Line<'_>>> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || is_rule(line) {
            open = false;
            continue;
        }
        let line = (first_line + number, line);
        let goes_on = || automatic::strip_negative(line.1).is_some() || automatic::is_settings(line.1);
        match blocks.last_mut() {
            Some(block) if open || goes_on() => block.push(line),
            _ => blocks.push(vec![line]),
        }
        open = true;
    }
    blocks
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && ['-', '=', '_', '*', '~', '─'].iter().any(|mark| line.chars().all(|c| c == *mark))
}

/// Whether lines were broken at a width: then no first word of a line would have fitted on the line before.
fn are_wrapped(blocks: &[Vec<Line<'_>>]) -> bool {
    let plain =
        || blocks.iter().filter(|block| block.len() > 1 && block.iter().all(|line| without_bullet(line.1).is_none()));
    let chars = |line: &Line<'_>| line.1.trim().chars().count();
    let width = plain().flatten().map(chars).max().unwrap_or(0);
    let mut breaks = 0;
    for pair in plain().flat_map(|block| block.windows(2)) {
        let [line, next] = pair else { continue };
        let word = next.1.split_whitespace().next().map_or(0, |word| word.chars().count());
        if chars(line) + 1 + word <= width {
            return false;
        }
        breaks += 1;
    }
    // A few lines of one block may be of such lengths by chance.
    blocks.len() > 1 && breaks >= 3 && (30..=120).contains(&width)
}

/// "Prompt: …", "Seed: …" line by line.
fn labelled(block: &[Line<'_>], drafts: &mut Vec<Draft>) -> bool {
    let label = |line: &Line<'_>| fields::labelled(without_bullet(line.1).unwrap_or(line.1)).map(|(field, _)| field);
    let Some(first) = block.first().and_then(label) else {
        return false;
    };
    let has_prompt = block.iter().filter_map(label).any(|field| field == Field::Prompt);
    if !has_prompt && drafts.last().is_none_or(|draft| !draft.labelled) {
        return false;
    }
    let mut field = first;
    for (at, line) in block.iter().enumerate() {
        let bare = without_bullet(line.1).unwrap_or(line.1);
        let Some((named, value)) = fields::labelled(bare) else {
            if let Some(draft) = drafts.last_mut() {
                go_on(&mut draft.entry, field, line.1);
            }
            continue;
        };
        field = named;
        let is_second = || drafts.last().is_some_and(|draft| !draft.entry.prompt.is_empty());
        // What comes first comes first in each; a second prompt is another entry's in any case.
        let begins = has_prompt && (at == 0 || named == first) || named == Field::Prompt && is_second();
        if begins {
            drafts.push(Draft { line: line.0, labelled: true, ..Draft::default() });
        }
        if let Some(draft) = drafts.last_mut() {
            draft.set(named, value);
        }
    }
    true
}

/// A line that has no label belongs to the one above it.
fn go_on(entry: &mut Entry, field: Field, line: &str) {
    let text = match field {
        Field::Prompt => &mut entry.prompt,
        Field::Negative => &mut entry.negative,
        _ => return fields::remark(&mut entry.notes, line),
    };
    text.push('\n');
    text.push_str(line);
}

/// The `parameters` convention, one entry after the other.
fn parameters(block: &[Line<'_>], drafts: &mut Vec<Draft>) -> bool {
    let text: Vec<&str> = block.iter().map(|line| line.1).collect();
    if !text.iter().any(|line| automatic::strip_negative(line).is_some() || automatic::is_settings(line)) {
        return false;
    }
    for lines in block.split_inclusive(|line| automatic::is_settings(line.1)) {
        let text: Vec<&str> = lines.iter().map(|line| line.1).collect();
        let (entry, notes) = automatic::read(&text.join("\n"));
        let line = lines.first().map_or(0, |line| line.0);
        drafts.push(Draft { line, entry, as_is: true, labelled: true, notes });
    }
    true
}

/// Items of a list, lines, or the whole block where its lines belong together.
fn items(block: &[Line<'_>], wrapped: bool, heading: &mut Option<String>, drafts: &mut Vec<Draft>) {
    let has_bullets = block.iter().any(|line| without_bullet(line.1).is_some());
    let ends_open = |line: &Line<'_>| line.1.trim_end().ends_with(',');
    let all_open = block.len() > 1 && block.split_last().is_some_and(|(_, before)| before.iter().all(ends_open));
    let joined = !has_bullets && (wrapped || all_open);
    let mut items: Vec<(usize, String)> = Vec::new();
    for (at, line) in block.iter().enumerate() {
        let bare = without_bullet(line.1);
        let indented = line.1.starts_with([' ', '\t']);
        let is_switch = line.1.trim_start().starts_with("--");
        let goes_on = at > 0 && bare.is_none() && (joined || is_switch || has_bullets && indented);
        if goes_on && let Some((_, item)) = items.last_mut() {
            item.push(' ');
            item.push_str(line.1.trim());
            continue;
        }
        let text = bare.unwrap_or(line.1).trim();
        if let Some(name) = text.strip_suffix(':')
            && text.len() <= MAX_HEADING
        {
            *heading = Some(name.trim().to_owned());
            continue;
        }
        // The name of a column, copied with it.
        if ["prompt", "prompts"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
            continue;
        }
        items.push((line.0, text.to_owned()));
    }
    for (line, item) in items {
        let prompt = without_quotes(&item).to_owned();
        let tags = heading.iter().cloned().collect();
        drafts.push(Draft { line, entry: Entry { prompt, tags, ..Entry::default() }, ..Draft::default() });
    }
}

/// A text between quotes that are not part of it; with a comma, as lists in programs have it.
fn without_quotes(text: &str) -> &str {
    let bare = text.strip_suffix(',').filter(|bare| bare.ends_with(['"', '\''])).unwrap_or(text);
    for (open, close) in [('"', '"'), ('“', '”'), ('\'', '\''), ('«', '»')] {
        let inner = bare.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner
            && !inner.contains([open, close])
        {
            return inner.trim();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(text: &str) -> Vec<String> {
        drafts(text, 1).into_iter().map(|draft| draft.entry.prompt).collect()
    }

    #[test]
    fn a_line_is_a_prompt() {
        assert_eq!(prompts("a sea\na forest\n\na city at night\n"), ["a sea", "a forest", "a city at night"]);
        let listed = "1. a sea\n2) a forest\n- a city\n• \"a field\",\n  with hay\n* [x] 35mm photo\n16:9 is a shape";
        let read = ["a sea", "a forest", "a city", "\"a field\", with hay", "35mm photo", "16:9 is a shape"];
        assert_eq!(prompts(listed), read);
        assert_eq!(prompts("\"a sea\",\n“a forest”\n'tis a day'"), ["a sea", "a forest", "tis a day"]);
    }

    #[test]
    fn wrapped_lines_belong_together() {
        let text = "a fisherman mending nets on a wooden\npier while the sun goes down behind the\nharbour, oil on canvas\n\n\
            an old library with dust in the light\nthat falls through tall windows, a cat\nasleep on an open book\n";
        let read = prompts(text);
        assert_eq!(read.len(), 2, "{read:?}");
        assert!(read[0].ends_with("behind the harbour, oil on canvas"));
        assert_eq!(prompts("a sea,\noil,\nstorm\n\na forest"), ["a sea, oil, storm", "a forest"]);
    }

    #[test]
    fn labels_and_headings_are_no_prompts() {
        let text = "Landscapes:\na sea\na forest\n\nTitle: Fog\nPrompt: a bridge\nin fog\nNegative prompt: cars\nSeed: 7\n\nPrompt 2: a mill";
        let read = drafts(text, 1);
        assert_eq!(read.len(), 4, "{read:?}");
        assert_eq!((read[0].line, read[0].entry.tags[0].as_str()), (2, "Landscapes"));
        let fog = &read[2].entry;
        assert_eq!((fog.title.as_str(), fog.prompt.as_str()), ("Fog", "a bridge\nin fog"));
        assert_eq!((fog.negative.as_str(), fog.seed), ("cars", Some(7)));
        assert_eq!(read[3].entry.prompt, "a mill");
    }

    #[test]
    fn several_recipes_follow_each_other() {
        let one = "a sea\nNegative prompt: fog\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x64\n";
        let read = drafts(&format!("{one}\n{one}{one}"), 1);
        assert_eq!(read.iter().map(|draft| draft.line).collect::<Vec<_>>(), [1, 5, 8]);
        assert!(read.iter().all(|draft| draft.entry.negative == "fog" && draft.entry.seed == Some(5)));
    }
}
