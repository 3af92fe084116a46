//! `GET /api/v1/credits`: the visitor's own statement, a page at a time.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use domain::AppError;
use domain::credits::Statement;
use serde::Deserialize;
use services::credits::CreditsService;
use services::identity::Identity;

use crate::problem::ProblemResponse;
use crate::visitor::Who;

/// Entries on a page unless the query says otherwise, and at most.
const PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 100;

#[derive(Debug, Deserialize)]
pub struct Page {
    /// `older` of the page before.
    before: Option<i64>,
    limit: Option<u32>,
}

pub async fn read(
    State(identity): State<Identity>,
    State(credits): State<CreditsService>,
    Who(visitor): Who,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Statement>, ProblemResponse> {
    let Query(page) =
        page.map_err(|_| AppError::BadRequest { reason: "“before” and “limit” must be whole numbers".into() })?;
    let limit = page.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let holder = identity.holder(&visitor).await?;
    Ok(Json(credits.account(holder, page.before, limit).await?))
}
