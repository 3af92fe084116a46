//! An error as a page shows it: small, without secrets, and readable in a URL.

use std::fmt;

use domain::AppError;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// What a server function answers when it can't do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageError {
    pub code: String,
    pub title: String,
    pub message: String,
}

impl From<AppError> for PageError {
    fn from(error: AppError) -> Self {
        Self { code: error.code().into(), title: error.title().into(), message: error.to_string() }
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
            ServerFnErrorErr::Request(_) => Self {
                code: "offline".into(),
                title: "No connection".into(),
                message:
                    "The studio could not be reached. Nothing was lost; please check your connection and try again."
                        .into(),
            },
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                AppError::BadRequest { reason: "a setting is not a number".into() }.into()
            }
            _ => AppError::Internal.into(),
        }
    }
}
