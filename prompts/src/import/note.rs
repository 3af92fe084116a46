//! What is said about an import: what was left out, and why nothing came of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::entry::{Cut, Field};

/// One thing that was left out or changed, and where. `Display` is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    pub place: Place,
    #[serde(flatten)]
    pub kind: NoteKind,
}

/// Where in a file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "place", content = "number", rename_all = "snake_case")]
pub enum Place {
    File,
    /// Counted from 1.
    Line(usize),
    /// The entry of a list, counted from 1.
    Item(usize),
}

/// What there is to say about a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum NoteKind {
    /// A part of an entry was over its bounds.
    Cut { cut: Cut },
    /// Nothing here says what is in the picture.
    NoPrompt,
    /// A switch of another tool that means nothing here, with its value.
    Flag { flag: String },
    /// A value that can't be read as what its name says.
    BadValue { field: Field, value: String },
    /// A line that is only an address.
    Link { link: String },
    /// Text between prompts; its beginning.
    Prose { start: String },
    /// A block of code in a language that holds no prompts.
    Code { language: String },
    /// A table none of whose columns is a prompt.
    NoPromptColumn,
    /// A column whose name is not known.
    UnknownColumn { name: String },
    /// The same entry again.
    Duplicate,
    /// A line that is no JSON.
    BadLine,
    /// A text in a picture that is damaged, or larger than anything that is a prompt.
    BadText { keyword: String },
    /// The file does not say how it is written; it was read as Windows-1252.
    GuessedEncoding,
    /// More entries than one import takes.
    TooManyEntries { dropped: usize, max: usize },
    /// More notes than one import keeps.
    MoreNotes { count: usize },
}

/// Why nothing came of a file. `Display` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImportError {
    #[error(
        "This file is larger than the {max_megabytes} MB that can be read of its kind. Split it, and import the parts one after the other."
    )]
    TooLarge { max_megabytes: usize },
    #[error("This file has more than {max} lines. Split it, and import the parts one after the other.")]
    TooManyLines { max: usize },
    #[error("This file is empty. Choose another one.")]
    Empty,
    #[error("This is {kind}, which can't be read here. Save your prompts as text, Markdown, JSON or CSV.")]
    Unsupported { kind: String },
    #[error("This is no text that can be read. Save it as text in UTF-8, and import that.")]
    NotText,
    #[error("This is not valid JSON: line {line}, column {column}. Correct it there, or save your prompts as text.")]
    BadJson { line: usize, column: usize },
    #[error("This JSON has too many parts. Split it, and import the pieces one after the other.")]
    TooComplex,
    #[error("No prompt was found in this file. A list with one prompt on each line always works.")]
    NoPrompts,
    #[error(
        "No prompt is stored in this picture: the tool wrote none, or a website removed it. Try the original file."
    )]
    NoPromptInPicture,
    #[error("This picture is damaged. Try the original file.")]
    DamagedPicture,
    #[error("None of the columns is a prompt ({columns}). Name the column with the prompts \"prompt\", and try again.")]
    NoPromptColumn { columns: String },
}

impl fmt::Display for ImportNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::File => {}
            Place::Line(line) => write!(f, "Line {line}: ")?,
            Place::Item(item) => write!(f, "Item {item}: ")?,
        }
        write!(f, "{}", self.kind)
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { cut } => write!(f, "{cut}."),
            Self::NoPrompt => f.write_str("there is no prompt here, so it was left out."),
            Self::Flag { flag } => write!(f, "\"{flag}\" was left out: it means nothing here."),
            Self::BadValue { field, value } => write!(f, "the {field} was left out: \"{value}\" can't be read as one."),
            Self::Link { link } => write!(f, "a link alone is no prompt, so it was left out: {link}"),
            Self::Prose { start } => write!(f, "this was not taken for a prompt: \"{start}\""),
            Self::Code { language } => write!(f, "a block of {language} was left out."),
            Self::NoPromptColumn => f.write_str("the table was left out: none of its columns is named \"prompt\"."),
            Self::UnknownColumn { name } => {
                write!(f, "the column \"{name}\" was left out: its name is not known here.")
            }
            Self::Duplicate => f.write_str("the same prompt was there before, so it was left out."),
            Self::BadLine => f.write_str("this line is not valid JSON, so it was left out."),
            Self::BadText { keyword } => {
                write!(f, "the text \"{keyword}\" in this picture is damaged or far too long, so it was left out.")
            }
            Self::GuessedEncoding => f.write_str(
                "The file does not say how it is written. If letters look wrong, save it in UTF-8 and import it again.",
            ),
            Self::TooManyEntries { dropped, max } => {
                write!(
                    f,
                    "One import takes {max} prompts; the last {dropped} were left out. Import them from a second file."
                )
            }
            Self::MoreNotes { count } => write!(f, "There are {count} more notes like these."),
        }
    }
}
