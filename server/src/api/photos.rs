//! `POST /api/v1/photos` and the form at `/photo`: a picture to begin from.

use std::sync::Arc;
use std::time::Duration;

use app::PhotoProblem;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::AppError;
use services::photos::{Photos, Taken};
use tokio::sync::Semaphore;

use crate::pages;
use crate::problem::ProblemResponse;
use crate::state::AppState;
use crate::visitor::Who;

/// Largest body: the largest photo and what a form puts around it, in bytes.
pub const PHOTO_LIMIT: usize = intake::MAX_BYTES + 64 * 1024;
/// How long a photo may be on its way.
const SLOWEST: Duration = Duration::from_secs(120);
/// Photos on their way at once: each is held in memory until it is whole.
const ON_THEIR_WAY: usize = 16;

/// Bounds how many photos arrive at once.
#[derive(Clone, Debug)]
pub struct Arrivals(Arc<Semaphore>);

impl Default for Arrivals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ON_THEIR_WAY)))
    }
}

/// `POST /api/v1/photos`: the file as the body, or as the field `photo` of a form. `201` with the photo.
pub async fn create(
    State(photos): State<Photos>,
    State(arrivals): State<Arrivals>,
    Who(visitor): Who,
    request: Request,
) -> Result<Response, ProblemResponse> {
    photos.pace(&visitor).await?;
    let bytes = arrivals.read(request).await?;
    let Taken { photo, cookie } = photos.take(&visitor, bytes).await?;
    let location = HeaderValue::from_str(&photo.url);
    let mut response = (StatusCode::CREATED, Json(photo)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    keep(&mut response, cookie);
    Ok(response)
}

/// `POST /photo`: the same for a form without scripts, answered with pages.
pub async fn form(State(state): State<AppState>, Who(visitor): Who, request: Request) -> Response {
    let headers = request.headers().clone();
    let taken = async {
        state.photos.pace(&visitor).await?;
        let bytes = state.arrivals.read(request).await?;
        state.photos.take(&visitor, bytes).await
    };
    match taken.await {
        Ok(Taken { photo, cookie }) => {
            let mut response = Redirect::to(&format!("/p/{}", photo.id)).into_response();
            keep(&mut response, cookie);
            response
        }
        Err(error) => refused(state, headers, error).await,
    }
}

/// The page with the form again, and why.
async fn refused(state: AppState, headers: HeaderMap, error: AppError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = axum::http::Uri::from_static("/photo");
    *request.headers_mut() = headers;
    let mut response = pages::page(state, request, move || {
        leptos::prelude::provide_context(PhotoProblem(error.clone().into()));
    })
    .await;
    *response.status_mut() = status;
    response
}

fn keep(response: &mut Response, cookie: Option<String>) {
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

impl Arrivals {
    /// The whole file, when there is room for it.
    async fn read(&self, request: Request) -> Result<Bytes, AppError> {
        let _room = self.0.try_acquire().map_err(|_| AppError::Busy { retry_seconds: Some(5) })?;
        match tokio::time::timeout(SLOWEST, body(request)).await {
            Ok(read) => read,
            Err(_) => Err(AppError::BadRequest { reason: "it took too long to arrive".into() }),
        }
    }
}

async fn body(request: Request) -> Result<Bytes, AppError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return Bytes::from_request(request, &()).await.map_err(|rejection| cut_short(rejection.status()));
    }
    let mut form = Multipart::from_request(request, &()).await.map_err(|rejection| cut_short(rejection.status()))?;
    while let Some(field) = form.next_field().await.map_err(|error| cut_short(error.status()))? {
        if field.name() == Some("photo") {
            return field.bytes().await.map_err(|error| cut_short(error.status()));
        }
    }
    Err(AppError::BadRequest { reason: "the form has no field “photo”".into() })
}

fn cut_short(status: StatusCode) -> AppError {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return AppError::TooLarge { max_bytes: intake::MAX_BYTES as u64 };
    }
    AppError::BadRequest { reason: "its body did not arrive whole".into() }
}
