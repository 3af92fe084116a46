//! A library as a file that people can read, and that [`crate::import()`] gives back unchanged.

use std::fmt::Write;

use chrono::SecondsFormat;
use serde::Serialize;

use crate::entry::Entry;
use crate::import::own::{NEGATIVE, NEGATIVE_LABEL, NOTES, NOTES_LABEL, PROMPT};

/// What the JSON says that it is, under `format`.
pub const FORMAT: &str = "mindseye-prompts";
/// How the JSON is laid out, under `version`. It changes only if older readers would misread it.
pub const VERSION: u32 = 1;

/// The entries as Markdown: a heading where an entry has a title and a line where it has none, the prompt in a block of
/// its own, and under it what is known about it.
///
/// Beyond [`crate::import::MAX_MARKDOWN_BYTES`] it can be read by people only; [`json`] goes twice as far.
///
/// Entries are [tidied](Entry::tidied) on the way.
pub fn markdown(entries: &[Entry]) -> String {
    let mut text = String::from("# Prompts\n");
    for entry in entries {
        let (entry, _) = entry.clone().tidied();
        if entry.title.is_empty() {
            text.push_str("\n---\n");
        } else {
            line(&mut text, "\n## ", &entry.title);
        }
        fence(&mut text, PROMPT, &entry.prompt);
        facts(&mut text, &entry);
        for (label, language, content) in
            [(NEGATIVE_LABEL, NEGATIVE, &entry.negative), (NOTES_LABEL, NOTES, &entry.notes)]
        {
            if !content.is_empty() {
                text.push('\n');
                text.push_str(label);
                text.push('\n');
                fence(&mut text, language, content);
            }
        }
    }
    text
}

/// The entries as JSON: an object with `format`, `version` and `prompts`.
///
/// Entries are [tidied](Entry::tidied) on the way.
pub fn json(entries: &[Entry]) -> String {
    #[derive(Serialize)]
    struct Library {
        format: &'static str,
        version: u32,
        prompts: Vec<Entry>,
    }
    let prompts = entries.iter().map(|entry| entry.clone().tidied().0).collect();
    // Nothing in an entry can't be written: its numbers are finite and its keys are text.
    serde_json::to_string_pretty(&Library { format: FORMAT, version: VERSION, prompts }).unwrap_or_default()
}

fn facts(text: &mut String, entry: &Entry) {
    let mut facts: Vec<(&str, String)> = Vec::new();
    let mut known = |name: &'static str, value: String| {
        if !value.is_empty() {
            facts.push((name, value));
        }
    };
    let written = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
    known("Tags", entry.tags.join(", "));
    known("Pinned", if entry.pinned { "yes".into() } else { String::new() });
    known("Tool", entry.tool.clone());
    known("Model", entry.model.clone());
    known("Seed", entry.seed.map(|seed| seed.to_string()).unwrap_or_default());
    known("Steps", written(entry.steps));
    known("Guidance", entry.guidance.map(|scale| scale.to_string()).unwrap_or_default());
    match (entry.width, entry.height) {
        (Some(width), Some(height)) => known("Size", format!("{width}x{height}")),
        (width, height) => {
            known("Width", written(width));
            known("Height", written(height));
        }
    }
    known("Made", entry.made_at.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true)).unwrap_or_default());
    if !facts.is_empty() {
        text.push('\n');
    }
    for (name, value) in facts {
        line(text, &format!("- {name}: "), &value);
    }
}

/// A line whose value stands for itself: what Markdown would take for a mark has a backslash in front.
fn line(text: &mut String, start: &str, value: &str) {
    text.push_str(start);
    for c in value.chars() {
        if "\\`*_[]<>&#~|".contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('\n');
}

/// A block between fences that are longer than any in it.
fn fence(text: &mut String, language: &str, content: &str) {
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    // Writing into a string can't fail.
    let _ = write!(text, "\n{fence}{language}\n{content}\n{fence}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Format, import};

    fn entries() -> Vec<Entry> {
        vec![
            Entry {
                prompt: "a sea\n```\nwith fences\n````` and ## marks".into(),
                negative: "fog".into(),
                title: "1. *Sea* #".into(),
                notes: "- seen\n---\n> once".into(),
                tags: vec!["oil paint".into(), "c#".into()],
                pinned: true,
                tool: "Midjourney".into(),
                model: "some_model_[v2] <x> & `y`".into(),
                seed: Some(u64::MAX),
                steps: Some(20),
                guidance: Some(7.1),
                width: Some(512),
                height: Some(768),
                made_at: "2024-02-03T04:05:06.789Z".parse().ok(),
            },
            Entry { prompt: "a forest --ar 16:9".into(), height: Some(64), ..Entry::default() },
            Entry { prompt: "a forest --ar 16:9".into(), height: Some(64), ..Entry::default() },
        ]
    }

    #[test]
    fn markdown_comes_back_unchanged() {
        let text = markdown(&entries());
        let back = import(None, text.as_bytes()).unwrap();
        assert_eq!((back.format, back.notes), (Format::OwnMarkdown, vec![]), "{text}");
        assert_eq!(back.entries, entries(), "{text}");
    }

    #[test]
    fn json_comes_back_unchanged() {
        let text = json(&entries());
        let back = import(None, text.as_bytes()).unwrap();
        assert_eq!((back.format, back.notes), (Format::OwnJson, vec![]), "{text}");
        assert_eq!(back.entries, entries(), "{text}");
    }

    #[test]
    fn markdown_is_plain_to_read() {
        let entry = Entry {
            prompt: "a mill in fog".into(),
            negative: "cars".into(),
            title: "Mill".into(),
            seed: Some(5),
            ..Entry::default()
        };
        let text = "# Prompts\n\n## Mill\n\n```prompt\na mill in fog\n```\n\n- Seed: 5\n\nNegative prompt:\n\n```negative\ncars\n```\n";
        assert_eq!(markdown(&[entry]), text);
    }
}
