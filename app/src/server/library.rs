//! The library as its page shows it.

use domain::request::MAX_SEED;
use domain::{AppError, JobId};
use services::library::{Kept, LibraryPage};

use super::{device, handles, visitor};
use crate::create::settings::ComposerForm;
use crate::library::api::{KeptWords, LibraryPageData};

/// What entries say that were made at a studio like this one: their settings mean the same here.
const HERE: &str = "Mindseye";

pub(crate) fn library_page(found: LibraryPage) -> LibraryPageData {
    let LibraryPage { entries, more, count, tags } = found;
    let next = entries.last().filter(|_| more).map(|kept| kept.id.to_string());
    LibraryPageData { kept: entries.into_iter().map(kept_words).collect(), next, count, tags }
}

pub(crate) async fn keep_words(job: &str) -> Result<bool, AppError> {
    let job: JobId = job.parse().map_err(|_| AppError::NotFound)?;
    handles().library.keep_job(&visitor(), job).await
}

pub(crate) async fn change_entry(id: &str, tags: String, notes: String, pinned: bool) -> Result<KeptWords, AppError> {
    let id = id.parse().map_err(|_| AppError::NotFound)?;
    let owner = device().await?.ok_or(AppError::NotFound)?;
    Ok(kept_words(handles().library.change(owner, id, vec![tags], notes, pinned).await?))
}

pub(crate) async fn delete_entry(id: &str) -> Result<(), AppError> {
    let id = id.parse().map_err(|_| AppError::NotFound)?;
    let owner = device().await?.ok_or(AppError::NotFound)?;
    handles().library.delete(owner, id).await
}

fn kept_words(kept: Kept) -> KeptWords {
    let Kept { id, entry, .. } = kept;
    let here = entry.tool == HERE;
    let size = entry.width.zip(entry.height);
    let told = [
        Some(entry.tool.clone()).filter(|tool| !tool.is_empty()),
        Some(entry.model.clone()).filter(|model| !model.is_empty()),
        size.map(|(width, height)| format!("{width}×{height}")),
        entry.steps.map(|steps| format!("{steps} steps")),
        entry.guidance.map(|guidance| format!("guidance {guidance}")),
        entry.seed.map(|seed| format!("seed {seed}")),
        entry.made_at.map(|at| at.format("%-d %b %Y").to_string()),
    ];
    let facts = told.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    // Another tool's settings would mean something else here, or nothing.
    let written = |number: Option<String>| number.filter(|_| here).unwrap_or_default();
    let form = ComposerForm {
        prompt: entry.prompt.clone(),
        negative: entry.negative.clone(),
        size: written(size.map(|(width, height)| format!("{width}x{height}"))),
        steps: written(entry.steps.map(|steps| steps.to_string())),
        guidance: written(entry.guidance.map(|guidance| guidance.to_string())),
        ..ComposerForm::default()
    };
    let seed = entry.seed.filter(|seed| here && *seed <= MAX_SEED);
    KeptWords {
        id: id.to_string(),
        link: form.link(),
        link_with_seed: seed.map(|seed| ComposerForm { seed: seed.to_string(), ..form }.link()),
        prompt: entry.prompt,
        negative: entry.negative,
        title: entry.title,
        notes: entry.notes,
        tags: entry.tags,
        pinned: entry.pinned,
        facts,
    }
}
