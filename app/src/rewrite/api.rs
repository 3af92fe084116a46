use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::PageError;

/// A sentence that was taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// The sentence in runs, each with the part that it belongs to; none for what joins them.
    pub runs: Vec<(String, Option<String>)>,
    /// What each part says, those that say something.
    pub parts: Vec<(String, String)>,
    /// An ordinary prompt of all of it.
    pub prompt: String,
}

/// Takes a sentence apart by rules.
#[server(prefix = "/act", endpoint = "take_apart")]
pub async fn take_apart(text: String) -> Result<Apart, PageError> {
    Ok(crate::server::apart(&text)?)
}
