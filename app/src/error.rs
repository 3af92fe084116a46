//! An error as a page shows it: small, without secrets, and readable in a URL.

use std::fmt;

use domain::{AppError, Problem};
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// What a server function answers when it can't do what was asked. In the visitor's language: the server knows all of
/// them, and only these words travel (`server::words`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageError {
    pub code: String,
    pub title: String,
    pub message: String,
    /// The language of the words, and its direction.
    pub lang: String,
    pub dir: String,
    /// What a link to the page about credits is called, where that helps.
    pub credits_link: Option<String>,
    /// What has to be proven first.
    pub check: Option<Check>,
}

/// A challenge, with everything that is said about it in the visitor's language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// A person has to start it.
    pub visible: bool,
    /// As ALTCHA writes it, in JSON.
    pub altcha: String,
    pub title: String,
    pub message: String,
    pub checking: String,
    /// What the button is called.
    pub proceed: String,
    /// When it could not be answered.
    pub failed: String,
    pub lang: String,
    pub dir: String,
}

impl PageError {
    /// What is said where nobody knows which language the visitor reads: in the browser.
    fn in_english(error: &AppError) -> Self {
        Self::english(error.code(), error.title(), &error.to_string())
    }

    /// What a program's answer says.
    pub fn told(problem: &Problem) -> Self {
        Self::english(&problem.code, &problem.title, &problem.detail)
    }

    /// The studio could not be reached.
    pub fn offline() -> Self {
        Self::english(
            "offline",
            "No connection",
            "The studio could not be reached. Nothing was lost; please check your connection and try again.",
        )
    }

    fn english(code: &str, title: &str, message: &str) -> Self {
        Self {
            code: code.into(),
            title: title.into(),
            message: message.into(),
            lang: "en".into(),
            dir: "ltr".into(),
            ..Self::default()
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PageError {}

impl FromServerFnError for PageError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::offline(),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::in_english(&AppError::BadRequest { reason: "a setting is not a number".into() })
            }
            _ => Self::in_english(&AppError::Internal),
        }
    }
}
