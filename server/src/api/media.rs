//! `GET /media/{id}`: a picture, for its owner, or for everyone once it is public.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::OutputId;
use services::identity::Identity;
use services::jobs::Jobs;

use crate::problem::{IdPath, ProblemResponse};
use crate::visitor::Who;

pub async fn read(
    State(jobs): State<Jobs>,
    State(identity): State<Identity>,
    Who(visitor): Who,
    headers: HeaderMap,
    IdPath(id): IdPath<OutputId>,
) -> Result<Response, ProblemResponse> {
    let owner = identity.device(&visitor).await?;
    let (bytes, media_type, public) = jobs.picture(owner, id).await?;
    // A picture never changes, so its id is its version.
    let tag = format!("\"{id}\"");
    let scope = if public { "public" } else { "private" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes());
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let set = [
        (header::CONTENT_TYPE, media_type),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, format!("{scope}, max-age=31536000, immutable")),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".into()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"mindseye-{id}.png\"")),
    ];
    for (name, value) in set {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
