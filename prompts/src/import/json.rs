//! Prompts in JSON: our own export, lists of other tools under whatever names, workflows, and JSON line by line.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::entry::{Entry, Field};
use crate::export;
use crate::import::collect::Collector;
use crate::import::fields::{self, Meaning};
use crate::import::{Format, ImportError, NoteKind, Place, automatic, comfy};

/// Deepest nesting at which a list of prompts is looked for; its items may go two levels deeper.
const MAX_DEPTH: usize = 6;
/// Most values of a file. Small ones take many times the memory that they take in a file.
const MAX_VALUES: usize = 1_000_000;

/// Reads a text that begins like JSON.
pub(super) fn read(text: &str, collector: &mut Collector) -> Result<Format, ImportError> {
    if values(text) > MAX_VALUES {
        return Err(ImportError::TooComplex);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if is_own(&value) => {
            read_own(value, collector);
            Ok(Format::OwnJson)
        }
        Ok(value) => {
            let before = collector.handed();
            read_value(&value, "", collector);
            if collector.handed() == before {
                return Err(ImportError::NoPrompts);
            }
            Ok(if comfy::graph(&value).is_some() { Format::ComfyUi } else { Format::Json })
        }
        Err(error) => {
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            let first = lines.next().is_some_and(|line| serde_json::from_str::<Value>(line).is_ok());
            if first && lines.next().is_some() {
                read_lines(text, collector);
                return Ok(Format::JsonLines);
            }
            Err(ImportError::BadJson { line: error.line(), column: error.column() })
        }
    }
}

/// Whether a text that is no JSON was meant to be.
pub(super) fn is_meant(extension: &str, text: &str) -> bool {
    let mut start = text.chars().filter(|c| !c.is_whitespace());
    let second = start.nth(1);
    matches!(extension, "json" | "jsonl" | "ndjson") || second.is_some_and(|c| matches!(c, '"' | '{' | '['))
}

/// Every prompt in a value, with the tool that wrote it where the value itself does not say.
pub(super) fn read_value(value: &Value, tool: &str, collector: &mut Collector) {
    Reader { tool, collector }.walk(value, "", Place::File, 0);
}

fn is_own(value: &Value) -> bool {
    value.get("format").and_then(Value::as_str) == Some(export::FORMAT)
}

fn read_own(mut value: Value, collector: &mut Collector) {
    let prompts = value.get_mut("prompts").and_then(Value::as_array_mut).map(std::mem::take);
    for (at, item) in prompts.unwrap_or_default().into_iter().enumerate() {
        let place = Place::Item(at + 1);
        match (Entry::deserialize(&item), &item) {
            (Ok(entry), _) => collector.own(place, entry),
            // Written by hand into an export.
            (Err(_), Value::Object(map)) => Reader { tool: "", collector }.entry(map, "", place),
            (Err(_), _) => collector.note(place, NoteKind::NoPrompt),
        }
    }
}

fn read_lines(text: &str, collector: &mut Collector) {
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = Place::Line(at + 1);
        match serde_json::from_str::<Value>(line) {
            Ok(value) => Reader { tool: "", collector }.walk(&value, "", place, 0),
            Err(_) => collector.note(place, NoteKind::BadLine),
        }
    }
}

struct Reader<'a> {
    tool: &'a str,
    collector: &'a mut Collector,
}

impl Reader<'_> {
    /// `key` is the name under which the value is.
    fn walk(&mut self, value: &Value, key: &str, place: Place, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Array(items) => {
                let takes_text = depth == 0 || is_list(key);
                let before = self.collector.handed();
                let mut without = Vec::new();
                for (at, item) in items.iter().enumerate() {
                    let place = Place::Item(at + 1);
                    let so_far = self.collector.handed();
                    match item {
                        Value::String(text) if takes_text => self.text(text, place),
                        _ => self.walk(item, "", place, depth + 1),
                    }
                    if item.is_object() && self.collector.handed() == so_far {
                        without.push(place);
                    }
                }
                // In a list of other things nothing is missing.
                if self.collector.handed() > before {
                    without.into_iter().for_each(|place| self.collector.note(place, NoteKind::NoPrompt));
                }
            }
            Value::Object(map) => self.object(value, map, key, place, depth),
            _ => {}
        }
    }

    fn object(&mut self, value: &Value, map: &Map<String, Value>, key: &str, place: Place, depth: usize) {
        if let Some(graph) = comfy::graph(value) {
            for entry in graph.entries() {
                self.collector.made(place, entry);
            }
            return;
        }
        if let Some(text) = ["parameters", "infotext"].iter().find_map(|name| map.get(*name)?.as_str())
            && automatic::looks_like_it(text)
        {
            let (entry, notes) = automatic::read(text);
            notes.into_iter().for_each(|note| self.collector.note(place, note));
            self.collector.made(place, entry);
            return;
        }
        if map.iter().any(|(name, value)| is_prompt(name) && is_text(value)) {
            self.entry(map, key, place);
            return;
        }
        let before = self.collector.handed();
        // The names in a list by name are titles; those of wrappers are not.
        let named = map.values().filter(|value| value.as_object().is_some_and(has_prompt)).count() > 1;
        for (name, value) in map {
            self.walk(value, if named || value.is_array() { name } else { "" }, place, depth + 1);
        }
        // A "description" beside a list describes the list.
        if self.collector.handed() == before && map.keys().any(|name| fields::meaning(name).is_some_and(may_be_prompt))
        {
            self.entry(map, key, place);
        }
    }

    fn text(&mut self, text: &str, place: Place) {
        let (entry, notes) = if automatic::looks_like_it(text) {
            automatic::read(text)
        } else {
            (Entry { prompt: text.to_owned(), tool: self.tool.to_owned(), ..Entry::default() }, Vec::new())
        };
        notes.into_iter().for_each(|note| self.collector.note(place, note));
        self.collector.written(place, entry);
    }

    /// An object that is an entry. Its `key` is the title where it has none of its own.
    fn entry(&mut self, map: &Map<String, Value>, key: &str, place: Place) {
        let usable = || map.iter().filter_map(|(name, value)| Some((name.as_str(), as_text(value)?)));
        let prompt = fields::prompt_among(usable().map(|(name, _)| name));
        let mut entry = Entry::default();
        for (at, (name, text)) in usable().enumerate() {
            let field = if Some(at) == prompt { Some(Field::Prompt) } else { fields::beside_prompt(name) };
            let Some(field) = field else { continue };
            if let Err(note) = fields::set(&mut entry, field, &text) {
                self.collector.note(place, note);
            }
        }
        if entry.title.is_empty() && !is_list(key) && !is_number(key) {
            key.clone_into(&mut entry.title);
        }
        if entry.tool.is_empty() {
            self.tool.clone_into(&mut entry.tool);
        }
        self.collector.written(place, entry);
    }
}

fn is_prompt(name: &str) -> bool {
    fields::meaning(name) == Some(Meaning::Is(Field::Prompt))
}

fn may_be_prompt(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::MayBePrompt(_))
}

fn has_prompt(map: &Map<String, Value>) -> bool {
    map.iter().any(|(name, value)| is_prompt(name) && is_text(value))
}

/// Text, or text in pieces as some tools weigh them: but not a list of whole prompts under that name.
fn is_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(|item| item.get("weight").is_some()),
        _ => false,
    }
}

/// Names of lists whose texts are prompts.
fn is_list(name: &str) -> bool {
    is_prompt(name)
        || ["texts", "captions", "ideas", "list", "lines", "history"].iter().any(|n| name.eq_ignore_ascii_case(n))
}

/// Numbers and identifiers say nothing to a person.
fn is_number(name: &str) -> bool {
    name.contains(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// A value in one text: numbers as they are written, lists with commas, and of an object what it is called.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().filter(|item| !item.is_array()).filter_map(as_text).collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        }
        Value::Object(map) => {
            let names = ["prompt", "name", "model_name", "title", "label", "key", "text"];
            names.iter().find_map(|name| map.get(*name)?.as_str()).map(str::to_owned)
        }
    }
}

/// About how many values a text has: one more than what separates and opens them outside of quotes.
fn values(text: &str) -> usize {
    let mut count = 1;
    let mut quoted = false;
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b',' | b'[' | b'{' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<Entry> {
        let mut collector = Collector::default();
        let format = read(text, &mut collector).unwrap();
        collector.finish(format).unwrap().entries
    }

    #[test]
    fn lists_are_found_wherever_they_are() {
        for text in [
            r#"["a sea", "a forest"]"#,
            r#"[{"prompt": "a sea"}, {"text": "a forest"}]"#,
            r#"{"description": "mine", "data": {"library": {"prompts": ["a sea", "a forest"]}}}"#,
            r#"{"items": [{"id": 1, "meta": {"prompt": "a sea"}}, {"id": 2, "request": {"positive": "a forest"}}]}"#,
            "{\"prompt\": \"a sea\"}\n\n{\"caption\": \"a forest\"}\n",
        ] {
            let prompts: Vec<String> = entries(text).into_iter().map(|entry| entry.prompt).collect();
            assert_eq!(prompts, ["a sea", "a forest"], "{text}");
        }
    }

    #[test]
    fn names_of_other_tools_are_known() {
        let entry = &entries(
            r#"{"positive_prompt": "a sea", "negativePrompt": "fog", "description": "for the wall", "seed": 5.0,
            "num_inference_steps": 30, "guidance_scale": 7.1, "model": {"name": "some-model", "hash": "x"},
            "tags": ["sea", "storm"], "size": "512x768", "created_at": 1700000000, "starred": true}"#,
        )[0];
        assert_eq!((entry.prompt.as_str(), entry.negative.as_str()), ("a sea", "fog"));
        assert_eq!((entry.notes.as_str(), entry.model.as_str()), ("for the wall", "some-model"));
        assert_eq!((entry.seed, entry.steps, entry.guidance), (Some(5), Some(30), Some(7.1)));
        assert_eq!((entry.width, entry.height, entry.pinned), (Some(512), Some(768), true));
        assert_eq!(entry.tags, ["sea", "storm"]);
        assert!(entry.made_at.is_some());
    }

    #[test]
    fn a_list_by_name_has_titles() {
        let styles =
            entries(r#"{"styles": {"noir": {"prompt": "a dark street"}, "sun": {"prompt": "a bright street"}}}"#);
        assert_eq!(styles.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(), ["noir", "sun"]);
    }

    #[test]
    fn what_is_no_json_says_where() {
        let mut collector = Collector::default();
        let bad = read("[\n{\"prompt\": a sea}\n]", &mut collector);
        assert_eq!(bad, Err(ImportError::BadJson { line: 2, column: 12 }));
        assert!(is_meant("", "[\n{\"prompt\": a sea}\n]") && !is_meant("txt", "[a cat | a dog]"));
        assert_eq!(read(r#"{"error": "none"}"#, &mut collector), Err(ImportError::NoPrompts));
        assert_eq!(read(&"[".repeat(MAX_VALUES + 1), &mut collector), Err(ImportError::TooComplex));
    }
}
