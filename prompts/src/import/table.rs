//! Tables as text: comma, semicolon or tab separated, with a row of names on top.

use csv::{ReaderBuilder, StringRecord};

use crate::clean;
use crate::entry::{Entry, Field};
use crate::import::collect::Collector;
use crate::import::fields::{self, Meaning};
use crate::import::{Format, ImportError, NoteKind, Place};

/// Most columns that are looked at.
const MAX_COLUMNS: usize = 200;
/// A byte that no text has: the table has one column, and what its rows have in them is text.
const NOTHING: u8 = 0x1F;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    separator: u8,
    /// Bytes in front of the names.
    skip: usize,
}

/// Columns, and what they stand for.
#[derive(Debug)]
pub(super) struct Columns {
    fields: Vec<Option<Field>>,
    prompt: usize,
    tool: &'static str,
}

/// How a text is written, if it is a table.
pub(super) fn layout(extension: &str, text: &str) -> Option<Layout> {
    let is_table = matches!(extension, "csv" | "tsv" | "tab");
    let first = text.lines().next().unwrap_or_default();
    // Spreadsheets say their separator in a line of its own.
    if let Some(&[separator]) = first.trim().strip_prefix("sep=").map(str::as_bytes) {
        return Some(Layout { separator, skip: text.find('\n').map_or(text.len(), |end| end + 1) });
    }
    let readings = [b',', b';', b'\t'].map(|separator| (separator, names(text, Layout { separator, skip: 0 })));
    let known = |names: &StringRecord| names.iter().filter(|name| fields::meaning(name).is_some()).count();
    let (separator, names) = readings.iter().max_by_key(|(_, names)| (known(names), names.len()))?;
    let columns = names.len();
    let has_prompt = names.iter().any(|name| fields::meaning(name) == Some(Meaning::Is(Field::Prompt)));
    if columns <= 1 {
        return (is_table && has_prompt).then_some(Layout { separator: NOTHING, skip: 0 });
    }
    // Words before a comma may be names by chance; a whole line of them is none.
    let sure = known(names) == columns || has_prompt && known(names) * 2 > columns;
    let has_any = fields::prompt_among(names.iter()).is_some();
    (is_table || sure && has_any).then_some(Layout { separator: *separator, skip: 0 })
}

/// Every row that has a prompt.
pub(super) fn read(text: &str, layout: Layout, collector: &mut Collector) -> Result<Format, ImportError> {
    let names = names(text, layout);
    let Some((columns, unknown)) = Columns::of(&names) else {
        let names: Vec<&str> = names.iter().take(MAX_COLUMNS).collect();
        return Err(ImportError::NoPromptColumn { columns: clean::excerpt(&names.join(", ")) });
    };
    unknown.into_iter().for_each(|note| collector.note(Place::Line(1), note));
    let body = text.get(layout.skip..).unwrap_or_default();
    // The line of the separator is a line too.
    let lines_before = usize::from(layout.skip > 0);
    for record in reader(body, layout.separator).records() {
        let Ok(record) = record else { continue };
        let line = record.position().and_then(|at| usize::try_from(at.line()).ok()).unwrap_or(0);
        let place = Place::Line(line + lines_before);
        let (entry, notes) = columns.entry(&record);
        notes.into_iter().for_each(|note| collector.note(place, note));
        if columns.tool.is_empty() {
            collector.written(place, entry);
        } else {
            collector.made(place, entry);
        }
    }
    Ok(if layout.separator == b'\t' { Format::Tsv } else { Format::Csv })
}

impl Columns {
    /// What names stand for, and notes about those that are not known. `None` if none is the prompt's.
    pub(super) fn of(names: &StringRecord) -> Option<(Self, Vec<NoteKind>)> {
        let prompt = fields::prompt_among(names.iter().take(MAX_COLUMNS))?;
        let mut unknown = Vec::new();
        let mut fields = Vec::new();
        for (at, name) in names.iter().take(MAX_COLUMNS).enumerate() {
            let field = if at == prompt { Some(Field::Prompt) } else { fields::beside_prompt(name) };
            if field.is_none() && !name.trim().is_empty() {
                unknown.push(NoteKind::UnknownColumn { name: clean::excerpt(name) });
            }
            fields.push(field);
        }
        let styles = names.iter().take(4).eq(["name", "prompt", "negative_prompt"]);
        let tool = if styles { "Automatic1111" } else { "" };
        Some((Self { fields, prompt, tool }, unknown))
    }

    /// The entry that a row is.
    pub(super) fn entry(&self, row: &StringRecord) -> (Entry, Vec<NoteKind>) {
        let mut entry = Entry { tool: self.tool.to_owned(), ..Entry::default() };
        let mut notes = Vec::new();
        for (cell, field) in row.iter().zip(&self.fields) {
            let Some(field) = field else { continue };
            notes.extend(fields::set(&mut entry, *field, cell).err());
        }
        let beyond: Vec<&str> = row.iter().skip(self.fields.len()).filter(|cell| !cell.trim().is_empty()).collect();
        if beyond.is_empty() {
            return (entry, notes);
        }
        // A prompt without quotes around it: its own commas took it apart.
        if self.prompt + 1 == self.fields.len() {
            let beyond: Vec<&str> = beyond.iter().map(|cell| cell.trim()).collect();
            entry.prompt = format!("{}, {}", entry.prompt, beyond.join(", "));
        } else {
            notes.push(NoteKind::Prose { start: clean::excerpt(&beyond.join(", ")) });
        }
        (entry, notes)
    }
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes())
}

fn names(text: &str, layout: Layout) -> StringRecord {
    let body = text.get(layout.skip..).unwrap_or_default();
    reader(body, layout.separator).headers().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Imported;

    fn imported(extension: &str, text: &str) -> Imported {
        let mut collector = Collector::default();
        let format = read(text, layout(extension, text).unwrap(), &mut collector).unwrap();
        collector.finish(format).unwrap()
    }

    #[test]
    fn every_separator_is_found() {
        for (text, format) in [
            ("Prompt,Seed\n\"a sea, oil\",5\n", Format::Csv),
            ("Prompt;Seed\n\"a sea, oil\";5\n", Format::Csv),
            ("Prompt\tSeed\na sea, oil\t5\n", Format::Tsv),
            ("sep=;\nPrompt;Seed\na sea, oil;5\n", Format::Csv),
            ("seed,prompt\n5,a sea, oil\n", Format::Csv),
        ] {
            let read = imported("", text);
            assert_eq!((read.entries[0].prompt.as_str(), read.entries[0].seed), ("a sea, oil", Some(5)), "{text}");
            assert_eq!((read.format, read.notes), (format, vec![]), "{text}");
        }
        let read = imported("csv", "prompt\na sea, oil\n\"a \"\"big\"\" forest\"\n");
        assert_eq!(read.entries[0].prompt, "a sea, oil");
        assert_eq!(read.entries[1].prompt, "a \"big\" forest");
    }

    #[test]
    fn styles_have_names_and_rows_without_prompt_are_told() {
        let read = imported("csv", "name,prompt,negative_prompt\nNoir,\"dark street, {prompt}\",color\nHeader,,\n");
        assert_eq!(read.entries.len(), 1);
        let entry = &read.entries[0];
        assert_eq!(
            (entry.title.as_str(), entry.negative.as_str(), entry.tool.as_str()),
            ("Noir", "color", "Automatic1111")
        );
        assert_eq!(read.notes[0].to_string(), "Line 3: there is no prompt here, so it was left out.");
    }

    #[test]
    fn running_text_is_no_table() {
        for text in [
            "a sea, oil\na forest",
            "text, a sign in fog\n",
            "prompt painter at work, in oil",
            "size, light, mood, prompt",
        ] {
            assert_eq!(layout("", text), None, "{text}");
        }
        let mut collector = Collector::default();
        let text = "id,value\n1,2\n";
        let error = read(text, layout("csv", text).unwrap(), &mut collector).unwrap_err();
        assert_eq!(error, ImportError::NoPromptColumn { columns: "id, value".into() });
    }
}
