//! `POST /api/v1/quote`: what a request would cost, without making it.

use axum::Json;
use axum::extract::State;
use domain::{Credits, GenerationRequest, ValidRequest};
use serde::Serialize;
use services::credits::CreditsService;
use services::identity::Identity;
use services::jobs::Admission;

use crate::problem::{JsonBody, ProblemResponse};
use crate::visitor::Who;

/// The answer: the request as it would be made, its price, and what there is to pay with.
#[derive(Debug, Serialize)]
pub struct QuoteView {
    price: u32,
    request: ValidRequest,
    #[serde(flatten)]
    credits: Credits,
}

pub async fn create(
    State(admission): State<Admission>,
    State(identity): State<Identity>,
    State(credits): State<CreditsService>,
    Who(visitor): Who,
    JsonBody(request): JsonBody<GenerationRequest>,
) -> Result<Json<QuoteView>, ProblemResponse> {
    let quote = admission.quote(&visitor, request).await?;
    let credits = credits.balance(identity.holder(&visitor).await?).await?;
    Ok(Json(QuoteView { price: quote.price, request: quote.request, credits }))
}
