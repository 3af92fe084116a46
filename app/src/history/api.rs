use domain::{JobId, OutputId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::PageError;

/// Something that was made before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub job: JobId,
    pub prompt: String,
    pub pictures: Vec<OutputId>,
    pub status: domain::JobState,
    /// As in "3 h ago".
    pub ago: String,
    pub pinned: bool,
    /// The studio with all of it filled in.
    pub again: String,
}

/// A page of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPageData {
    pub made: Vec<Made>,
    /// Where the next page begins, if there is one.
    pub next: Option<JobId>,
}

/// What the visitor made, with all of these words in its prompt.
#[server(prefix = "/act", endpoint = "read_history")]
pub async fn read_history(words: String, pinned: bool, before: String) -> Result<HistoryPageData, PageError> {
    use services::jobs::Search;

    /// Jobs on a page.
    const PAGE: u32 = 20;

    let Some(owner) = crate::server::device().await? else { return Ok(HistoryPageData::default()) };
    // A page that begins nowhere is the first one.
    let search = Search { words, pinned, before: before.parse().ok() };
    let found = crate::server::handles().jobs.history(owner, &search, PAGE).await?;
    Ok(crate::server::history_page(found))
}

/// Pins a job or takes the pin off; answers which.
#[server(prefix = "/act", endpoint = "pin_job")]
pub async fn pin_job(
    id: String,
    #[server(default)] pinned: bool,
    #[server(default)] back: String,
) -> Result<bool, PageError> {
    use domain::AppError;

    let id = id.parse().map_err(|_| AppError::NotFound)?;
    let owner = crate::server::device().await?.ok_or(AppError::NotFound)?;
    crate::server::handles().jobs.pin(owner, id, pinned).await?;
    // Only to the history itself: an address in a form could be anybody's.
    crate::server::redirect_forms(&format!("/history?{}", back.trim_start_matches('?')));
    Ok(pinned)
}
