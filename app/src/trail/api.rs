use leptos::prelude::*;

use super::Step;
use crate::error::PageError;

/// The steps that led to a job of the visitor's, the job, and those that went on from it.
#[server(prefix = "/act", endpoint = "read_trail")]
pub async fn read_trail(id: String) -> Result<Vec<Step>, PageError> {
    use domain::AppError;

    let id = id.parse().map_err(|_| AppError::NotFound)?;
    let owner = crate::server::device().await?.ok_or(AppError::NotFound)?;
    Ok(crate::server::steps(crate::server::handles().jobs.trail(owner, id).await?))
}
