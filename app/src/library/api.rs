use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::PageError;

/// A kept prompt as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWords {
    pub id: String,
    pub prompt: String,
    pub negative: String,
    pub title: String,
    pub notes: String,
    pub tags: Vec<String>,
    pub pinned: bool,
    /// Where it comes from and how it was made: "Midjourney · 512×768 · seed 5".
    pub facts: String,
    /// The studio with the words and the settings filled in.
    pub link: String,
    /// The same with the seed, where that means anything here.
    pub link_with_seed: Option<String>,
}

/// A page of the library.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryPageData {
    pub kept: Vec<KeptWords>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
    /// All that is kept, found or not.
    pub count: usize,
    /// The tags that are used most.
    pub tags: Vec<String>,
}

/// What the visitor keeps, with all of these words, and this tag if one is named.
#[server(prefix = "/act", endpoint = "read_library")]
pub async fn read_library(
    words: String,
    tag: String,
    pinned: bool,
    before: String,
) -> Result<LibraryPageData, PageError> {
    use services::library::LibrarySearch;

    /// Entries on a page.
    const PAGE: u32 = 20;

    let Some(owner) = crate::server::device().await? else { return Ok(LibraryPageData::default()) };
    // A page that begins nowhere is the first one.
    let tag = Some(tag).filter(|tag| !tag.is_empty());
    let search = LibrarySearch { words, tag, pinned, before: before.parse().ok() };
    let found = crate::server::handles().library.search(owner, &search, PAGE).await?;
    Ok(crate::server::library_page(found))
}

/// Keeps a job's words and settings. False: they were kept before.
#[server(prefix = "/act", endpoint = "keep_words")]
pub async fn keep_words(id: String) -> Result<bool, PageError> {
    let kept = crate::server::keep_words(&id).await?;
    crate::server::redirect_forms("/library");
    Ok(kept)
}

/// Changes what is said about a kept prompt; answers it as it is now.
#[server(prefix = "/act", endpoint = "change_entry")]
pub async fn change_entry(
    id: String,
    tags: String,
    notes: String,
    #[server(default)] pinned: bool,
    #[server(default)] back: String,
) -> Result<KeptWords, PageError> {
    let changed = crate::server::change_entry(&id, tags, notes, pinned).await?;
    // Only to the library itself: an address in a form could be anybody's.
    crate::server::redirect_forms(&format!("/library?{}", back.trim_start_matches('?')));
    Ok(changed)
}

/// Forgets a kept prompt.
#[server(prefix = "/act", endpoint = "delete_entry")]
pub async fn delete_entry(id: String, #[server(default)] back: String) -> Result<(), PageError> {
    crate::server::delete_entry(&id).await?;
    crate::server::redirect_forms(&format!("/library?{}", back.trim_start_matches('?')));
    Ok(())
}
