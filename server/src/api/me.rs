//! `GET /api/v1/me`: the visitor's credits.

use axum::Json;
use axum::extract::State;
use domain::{Credits, DeviceId};
use serde::Serialize;
use services::credits::CreditsService;
use services::identity::Identity;

use crate::problem::ProblemResponse;
use crate::visitor::Who;

/// The visitor as they see themselves.
#[derive(Debug, Serialize)]
pub struct Me {
    #[serde(flatten)]
    credits: Credits,
    /// The id that owns this visitor's pictures; null until something was made.
    owner: Option<DeviceId>,
}

pub async fn read(
    State(identity): State<Identity>,
    State(credits): State<CreditsService>,
    Who(visitor): Who,
) -> Result<Json<Me>, ProblemResponse> {
    let holder = identity.holder(&visitor).await?;
    Ok(Json(Me { credits: credits.balance(holder).await?, owner: holder.map(|(device, _)| device) }))
}
