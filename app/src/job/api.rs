use domain::JobView;
use leptos::prelude::*;

use crate::error::PageError;

/// A job of the visitor's.
#[server(prefix = "/act", endpoint = "read_job")]
pub async fn read_job(id: String) -> Result<JobView, PageError> {
    use domain::AppError;

    let found = async {
        let id = id.parse().map_err(|_| AppError::NotFound)?;
        let owner = crate::server::device().await?.ok_or(AppError::NotFound)?;
        crate::server::handles().jobs.get(owner, id).await
    };
    Ok(found.await.inspect_err(crate::server::mark_missing)?)
}

/// Ends a job early; its credits come back.
#[server(prefix = "/act", endpoint = "cancel_job")]
pub async fn cancel_job(id: String) -> Result<JobView, PageError> {
    use domain::AppError;

    let id = id.parse().map_err(|_| AppError::NotFound)?;
    let owner = crate::server::device().await?.ok_or(AppError::NotFound)?;
    let job = crate::server::handles().jobs.cancel(owner, id).await?;
    crate::server::redirect_forms(&format!("/g/{}", job.id));
    Ok(job)
}
