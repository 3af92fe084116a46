//! `GET /api/v1/feed`: public pictures, newest first, page by key.

use axum::Json;
use axum::extract::{Query, State};
use domain::AppError;
use serde::Deserialize;
use services::feed::{Feed, FeedPage};

use crate::problem::ProblemResponse;

#[derive(Debug, Deserialize)]
pub struct Page {
    after: Option<String>,
    limit: Option<u32>,
}

pub async fn read(
    State(feed): State<Feed>,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<FeedPage>, ProblemResponse> {
    let Query(page) = page.map_err(|_| AppError::BadRequest { reason: "limit must be a whole number".into() })?;
    Ok(Json(feed.page(page.after.as_deref(), page.limit.unwrap_or(24)).await?))
}
