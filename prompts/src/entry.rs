//! One entry of a prompt library, and how large it may be.

use std::fmt;

use chrono::{DateTime, Datelike, Utc};
use domain::request::MAX_PROMPT_CHARS;
use serde::{Deserialize, Serialize};

use crate::clean;

/// Longest title, and longest name of a tool or a model, in characters.
pub const MAX_NAME_CHARS: usize = 200;
/// Longest notes, in characters.
pub const MAX_NOTES_CHARS: usize = 4_000;
/// Most tags of an entry.
pub const MAX_TAGS: usize = 20;
/// Longest tag, in characters.
pub const MAX_TAG_CHARS: usize = 40;
/// Most steps that are believed.
pub const MAX_STEPS: u32 = 1_000;
/// Largest guidance scale that is believed.
pub const MAX_GUIDANCE: f32 = 100.0;
/// Longest side that is believed, in pixels.
pub const MAX_SIDE: u32 = 16_384;

/// One entry of a person's prompt library.
///
/// Empty text and `None` mean that nobody said. [`Entry::tidied`] puts any entry into bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// At most [`MAX_PROMPT_CHARS`] characters, in lines.
    pub prompt: String,
    /// What should not be in the picture, in as many characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub negative: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// In lines, at most [`MAX_NOTES_CHARS`] characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Without commas and without a `#` in front.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Where it came from: "Midjourney", "Automatic1111", "ComfyUI", "InvokeAI", "Runway", "Mindseye".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tool: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Other tools have larger seeds than [`domain::request::MAX_SEED`]; they are kept as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance: Option<f32>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// To the microsecond, as databases keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at: Option<DateTime<Utc>>,
}

/// A part of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Prompt,
    Negative,
    Title,
    Notes,
    Tags,
    Pinned,
    Tool,
    Model,
    Seed,
    Steps,
    Guidance,
    Width,
    Height,
    /// Width and height in one: "512x768".
    Size,
    /// A shape without a size, "16:9": it becomes a tag.
    AspectRatio,
    MadeAt,
}

/// What an entry lost so that it is within bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cut {
    /// A text went on; its first `max` characters are kept.
    Shortened { field: Field, max: usize },
    /// A number or a time that can't be meant; it is left out.
    OutOfRange { field: Field, value: String },
    /// More tags than are kept.
    TooManyTags { dropped: usize, max: usize },
}

impl Entry {
    /// The entry within bounds and without control characters, and what that took away.
    ///
    /// Doing it twice changes nothing. White space is collapsed, line breaks in prompts and notes are kept, and a tag
    /// with commas in it becomes several.
    pub fn tidied(self) -> (Self, Vec<Cut>) {
        let mut cuts = Vec::new();
        let tidy = Self {
            prompt: text(clean::lines(&self.prompt), Field::Prompt, MAX_PROMPT_CHARS, &mut cuts),
            negative: text(clean::lines(&self.negative), Field::Negative, MAX_PROMPT_CHARS, &mut cuts),
            title: text(clean::line(&self.title), Field::Title, MAX_NAME_CHARS, &mut cuts),
            notes: text(clean::lines(&self.notes), Field::Notes, MAX_NOTES_CHARS, &mut cuts),
            tags: tags(&self.tags, &mut cuts),
            pinned: self.pinned,
            tool: text(clean::line(&self.tool), Field::Tool, MAX_NAME_CHARS, &mut cuts),
            model: text(clean::line(&self.model), Field::Model, MAX_NAME_CHARS, &mut cuts),
            seed: self.seed,
            steps: within(self.steps, Field::Steps, |n| (1..=MAX_STEPS).contains(n), &mut cuts),
            guidance: within(self.guidance, Field::Guidance, |n| (0.0..=MAX_GUIDANCE).contains(n), &mut cuts)
                // A negative zero would be another text and the same number.
                .map(f32::abs),
            width: within(self.width, Field::Width, |n| (1..=MAX_SIDE).contains(n), &mut cuts),
            height: within(self.height, Field::Height, |n| (1..=MAX_SIDE).contains(n), &mut cuts),
            made_at: within(self.made_at, Field::MadeAt, |t| (1970..=9999).contains(&t.year()), &mut cuts)
                .and_then(|time| DateTime::from_timestamp_micros(time.timestamp_micros())),
        };
        (tidy, cuts)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prompt => "prompt",
            Self::Negative => "negative prompt",
            Self::Title => "title",
            Self::Notes => "note",
            Self::Tags => "tag",
            Self::Pinned => "pin",
            Self::Tool => "name of the tool",
            Self::Model => "name of the model",
            Self::Seed => "seed",
            Self::Steps => "number of steps",
            Self::Guidance => "guidance",
            Self::Width => "width",
            Self::Height => "height",
            Self::Size => "size",
            Self::AspectRatio => "aspect ratio",
            Self::MadeAt => "date",
        })
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shortened { field, max } => {
                write!(f, "the {field} was too long: its first {max} characters are kept")
            }
            Self::OutOfRange { field, value } => write!(f, "the {field} was left out: {value} can't be right"),
            Self::TooManyTags { dropped, max } => {
                write!(f, "an entry has at most {max} tags: the last {dropped} were left out")
            }
        }
    }
}

fn text(clean: String, field: Field, max: usize, cuts: &mut Vec<Cut>) -> String {
    let (text, cut) = clean::shortened(clean, max);
    if cut {
        cuts.push(Cut::Shortened { field, max });
    }
    text
}

fn tags(raw: &[String], cuts: &mut Vec<Cut>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut lower: Vec<String> = Vec::new();
    let mut dropped = 0;
    let mut shortened = false;
    for part in raw.iter().flat_map(|tag| tag.split([',', ';', '\n'])) {
        let clean = clean::line(part);
        let bare = clean.trim_start_matches(['#', ' ']);
        let (tag, cut) = clean::shortened(bare.to_owned(), MAX_TAG_CHARS);
        let key = tag.to_lowercase();
        if tag.is_empty() || lower.contains(&key) {
            continue;
        }
        if tags.len() == MAX_TAGS {
            dropped += 1;
            continue;
        }
        shortened |= cut;
        tags.push(tag);
        lower.push(key);
    }
    if shortened {
        cuts.push(Cut::Shortened { field: Field::Tags, max: MAX_TAG_CHARS });
    }
    if dropped > 0 {
        cuts.push(Cut::TooManyTags { dropped, max: MAX_TAGS });
    }
    tags
}

fn within<T: fmt::Display>(
    value: Option<T>,
    field: Field,
    fits: impl Fn(&T) -> bool,
    cuts: &mut Vec<Cut>,
) -> Option<T> {
    let value = value?;
    if fits(&value) {
        return Some(value);
    }
    cuts.push(Cut::OutOfRange { field, value: value.to_string() });
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_cut_and_told() {
        let entry = Entry {
            prompt: "é".repeat(MAX_PROMPT_CHARS + 1),
            tags: (0..25).map(|n| format!("#tag {n}")).collect(),
            steps: Some(0),
            guidance: Some(f32::NAN),
            made_at: Some(DateTime::<Utc>::MAX_UTC),
            ..Entry::default()
        };
        let (tidy, cuts) = entry.tidied();
        assert_eq!(tidy.prompt.chars().count(), MAX_PROMPT_CHARS);
        assert_eq!((tidy.tags.len(), tidy.tags[0].as_str()), (MAX_TAGS, "tag 0"));
        assert_eq!((tidy.steps, tidy.guidance, tidy.made_at), (None, None, None));
        assert_eq!(cuts.len(), 5, "{cuts:?}");
        assert_eq!(tidy.clone().tidied(), (tidy, vec![]));
        assert_eq!(cuts[0].to_string(), "the prompt was too long: its first 2000 characters are kept");
    }

    #[test]
    fn tags_are_taken_apart_and_never_twice() {
        let tags = vec!["sea, Storm".into(), "# storm".into(), "##".into()];
        let (tidy, cuts) = Entry { tags, ..Entry::default() }.tidied();
        assert_eq!((tidy.tags, cuts), (vec!["sea".to_owned(), "Storm".to_owned()], vec![]));
    }

    #[test]
    fn unknown_fields_are_ignored_and_empty_ones_unwritten() {
        let entry: Entry = serde_json::from_str(r#"{"prompt":"a sea","mood":"dark"}"#).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), r#"{"prompt":"a sea"}"#);
    }
}
