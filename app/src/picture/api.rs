use domain::{JobId, OutputId, ValidRequest};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::create::settings::ComposerForm;
use crate::error::PageError;

/// A picture of the visitor's, and what can be done with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    pub media: OutputId,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// What made it: the job, the seed, the request. Nothing where it is a photo.
    pub making: Option<(JobId, u64, ValidRequest)>,
    /// The pictures of its job, in their order, this one among them.
    pub grid: Vec<OutputId>,
    /// Whether pictures can be made larger here.
    pub upscales: bool,
    /// What a form without scripts is told, where it was sent back to here.
    pub notice: Option<PageError>,
}

/// A picture of the visitor's. `form` and `code`: what a form without scripts asked for in vain, and why.
#[server(prefix = "/act", endpoint = "read_picture")]
pub async fn read_picture(id: String, form: ComposerForm, code: String) -> Result<Picture, PageError> {
    use domain::{AppError, ModelCard};

    let handles = crate::server::handles();
    let found = async {
        let media = id.parse().map_err(|_| AppError::NotFound)?;
        let owner = crate::server::device().await?.ok_or(AppError::NotFound)?;
        let original = handles.jobs.original(owner, media).await?.ok_or(AppError::NotFound)?;
        let grid = match &original.making {
            Some(making) => {
                handles.jobs.get(owner, making.job).await?.outputs.into_iter().map(|output| output.id).collect()
            }
            None => Vec::new(),
        };
        Ok((original, grid, handles.models.cards().await?))
    };
    let (original, grid, cards) = found.await.inspect_err(crate::server::mark_missing)?;
    let notice = if code.is_empty() { None } else { crate::server::notice(form, &code).await };
    let domain::Original { media, width, height, making } = original;
    let making = making.map(|domain::Making { job, seed, request }| (job, seed, request));
    let upscales = cards.iter().any(ModelCard::upscales);
    Ok(Picture { media, width, height, making, grid, upscales, notice })
}
