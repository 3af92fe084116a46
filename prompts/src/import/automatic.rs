//! The `parameters` convention: what Automatic1111 writes into a picture, and after it many others, this studio too.
//!
//! Lines of the prompt, then `Negative prompt:` and its lines, then one line of settings:
//! `Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x768, Model: name`.

use crate::entry::{Entry, Field};
use crate::import::NoteKind;
use crate::import::fields;

const NEGATIVE: &str = "Negative prompt:";
/// Longest line of settings, in bytes. Add-ons write whole prompts into it.
const MAX_SETTINGS: usize = 100_000;
/// Names of settings by which a line is known for one.
const KNOWN: [&str; 10] =
    ["steps", "sampler", "cfg scale", "seed", "size", "model", "model hash", "version", "clip skip", "schedule type"];

/// Whether a text has the parts of this convention.
pub(super) fn looks_like_it(text: &str) -> bool {
    let mut lines = text.lines().rev().filter(|line| !line.trim().is_empty());
    lines.next().is_some_and(is_settings) || text.lines().any(|line| strip_negative(line).is_some())
}

/// Whether a line holds settings and not words of a prompt.
pub(super) fn is_settings(line: &str) -> bool {
    if line.len() > MAX_SETTINGS {
        return false;
    }
    let pairs = || pairs(line);
    pairs().take(40).filter(|(name, _)| KNOWN.contains(&name.to_ascii_lowercase().as_str())).count() >= 2
        || pairs().next().is_some_and(|(name, value)| name == "Steps" && value.parse::<u32>().is_ok())
}

/// What follows "Negative prompt:" on a line.
pub(super) fn strip_negative(line: &str) -> Option<&str> {
    let line = line.trim();
    let start = line.get(..NEGATIVE.len())?;
    start.eq_ignore_ascii_case(NEGATIVE).then(|| line[NEGATIVE.len()..].trim_start())
}

/// Reads a text in this convention. One without any of its parts is a prompt.
pub(super) fn read(text: &str) -> (Entry, Vec<NoteKind>) {
    let mut entry = Entry::default();
    let mut notes = Vec::new();
    let lines: Vec<&str> = text.trim().lines().collect();
    let (words, settings) = match lines.split_last() {
        Some((last, before)) if is_settings(last) => (before, Some(*last)),
        _ => (lines.as_slice(), None),
    };
    let split = words.iter().position(|line| strip_negative(line).is_some()).unwrap_or(words.len());
    let (positive, negative) = words.split_at(split);
    entry.prompt = positive.join("\n");
    entry.negative = negative
        .iter()
        .copied()
        .enumerate()
        .map(|(at, line)| if at == 0 { strip_negative(line).unwrap_or(line) } else { line })
        .collect::<Vec<_>>()
        .join("\n");
    if let Some(settings) = settings {
        apply(settings, &mut entry, &mut notes);
    }
    (entry, notes)
}

fn apply(settings: &str, entry: &mut Entry, notes: &mut Vec<NoteKind>) {
    let mut others = Vec::new();
    entry.tool = "Automatic1111".into();
    for (name, value) in pairs(settings) {
        let field = match name.to_ascii_lowercase().as_str() {
            "steps" => Field::Steps,
            "cfg scale" => Field::Guidance,
            "seed" => Field::Seed,
            "size" => Field::Size,
            "model" => Field::Model,
            "version" => {
                entry.tool = tool(&value).to_owned();
                continue;
            }
            name if name.contains("hash") => continue,
            _ => {
                others.push(format!("{name}: {value}"));
                continue;
            }
        };
        if let Err(note) = fields::set(entry, field, &value) {
            notes.push(note);
        }
    }
    // An entry has no place of its own for them, and yet they made the picture what it is.
    if !others.is_empty() {
        fields::remark(&mut entry.notes, &others.join(", "));
    }
}

fn tool(version: &str) -> &str {
    match version {
        "ComfyUI" | "Mindseye" => version,
        v if v.starts_with("Fooocus") => "Fooocus",
        v if v.starts_with("SwarmUI") => "SwarmUI",
        v if v.starts_with("f1.") || v.starts_with("f2.") || v.starts_with("neo") => "Forge",
        _ => "Automatic1111",
    }
}

/// The settings of a line: a name, a colon, and a value, which has commas in it only between quotes.
fn pairs(line: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = line.trim();
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_once(':')?;
        let name = name.trim();
        let fits = name.len() <= 60 && name.chars().all(|c| c.is_alphanumeric() || " -_/.".contains(c));
        if name.is_empty() || !fits {
            return None;
        }
        let behind = behind.trim_start();
        let (value, after) = match behind.strip_prefix('"').and_then(quoted) {
            Some(found) => found,
            None => {
                behind.split_once(',').map_or((behind.trim().to_owned(), ""), |(v, after)| (v.trim().to_owned(), after))
            }
        };
        rest = after.trim_start_matches([',', ' ']);
        Some((name, value))
    })
}

/// What stands before the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, text.get(at + 1..)?)),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_read() {
        let text = "a lighthouse, oil on canvas\n(storm:1.2)\nNegative prompt: fog,\nblurry\nSteps: 20, Sampler: DPM++ 2M, \
            Schedule type: Karras, CFG scale: 7.5, Seed: 5, Size: 512x768, Model hash: abc123, Model: some-model, \
            Lora hashes: \"a: 1, b: 2\", Version: v1.9.3";
        assert!(looks_like_it(text));
        let (entry, notes) = read(text);
        assert_eq!(entry.prompt, "a lighthouse, oil on canvas\n(storm:1.2)");
        assert_eq!(entry.negative, "fog,\nblurry");
        assert_eq!((entry.steps, entry.guidance, entry.seed), (Some(20), Some(7.5), Some(5)));
        assert_eq!((entry.width, entry.height, entry.model.as_str()), (Some(512), Some(768), "some-model"));
        assert_eq!(
            (entry.tool.as_str(), entry.notes.as_str()),
            ("Automatic1111", "Sampler: DPM++ 2M, Schedule type: Karras")
        );
        assert_eq!(notes, []);
    }

    #[test]
    fn our_own_recipe_comes_back() {
        let recipe = domain::ValidRequest {
            prompt: "a sea".into(),
            negative_prompt: "fog".into(),
            model: "starter".into(),
            capability: String::new(),
            count: 1,
            seed: 8,
            width: 256,
            height: 192,
            steps: 12,
            guidance: 3.5,
            source: None,
        }
        .recipe(0);
        let (entry, _) = read(&recipe);
        assert_eq!((entry.prompt.as_str(), entry.negative.as_str(), entry.tool.as_str()), ("a sea", "fog", "Mindseye"));
        assert_eq!((entry.seed, entry.steps, entry.guidance), (Some(8), Some(12), Some(3.5)));
        assert_eq!((entry.width, entry.height, entry.model.as_str()), (Some(256), Some(192), "starter"));
    }

    #[test]
    fn a_prompt_with_colons_is_no_line_of_settings() {
        for text in
            ["portrait: a woman, seed: none of it", "time: noon, place: harbour", "a sea", "", ":,:,", "Steps: many"]
        {
            assert!(!looks_like_it(text), "{text}");
            assert_eq!(read(text).0.prompt, text);
        }
    }
}
