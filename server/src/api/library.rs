//! `GET /api/v1/export`, `POST /api/v1/import` and the form at `/library`: everything of somebody's, out and in; and
//! the kept prompts alone, as Markdown and as JSON.

use std::time::Duration;

use app::ImportOutcome;
use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{AppError, ImportReport};
use futures::StreamExt;
use services::archive::{Archive, Arrival, BroughtIn, MOST_BYTES, Outgoing};
use services::identity::{Identity, Visitor};
use services::library::Library;

use crate::pages;
use crate::problem::ProblemResponse;
use crate::state::AppState;
use crate::visitor::Who;

/// Largest body: the largest archive and what a form puts around it, in bytes.
pub const ARCHIVE_LIMIT: usize = MOST_BYTES as usize + 64 * 1024;
/// How long a file may be on its way, and how long nothing of it may come.
const SLOWEST: Duration = Duration::from_secs(20 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Fields of the form, in the order in which they count: the first one that is not empty.
const FIELDS: [&str; 2] = ["file", "text"];

/// `GET /api/v1/export`: everything of the visitor's, as a ZIP archive that is written while it is sent.
pub async fn export(State(archive): State<Archive>, Who(visitor): Who) -> Result<Response, ProblemResponse> {
    let Outgoing { name, chunks } = archive.export(&visitor).await?;
    Ok(file("application/zip", &name, Body::from_stream(chunks)))
}

/// `GET /api/v1/library.md`
pub async fn markdown(
    State(identity): State<Identity>,
    State(library): State<Library>,
    Who(visitor): Who,
) -> Result<Response, ProblemResponse> {
    let text = services::library::markdown(&kept(&identity, &library, &visitor).await?);
    Ok(file("text/markdown; charset=utf-8", "mindseye-prompts.md", text.into()))
}

/// `GET /api/v1/library.json`
pub async fn json(
    State(identity): State<Identity>,
    State(library): State<Library>,
    Who(visitor): Who,
) -> Result<Response, ProblemResponse> {
    let text = services::library::json(&kept(&identity, &library, &visitor).await?);
    Ok(file("application/json", "mindseye-prompts.json", text.into()))
}

/// `POST /api/v1/import`: an archive or a list of prompts as the body, or as the field `file` (or a list as `text`) of a
/// form. `200` with what was kept.
pub async fn import(
    State(archive): State<Archive>,
    Who(visitor): Who,
    request: Request,
) -> Result<Response, ProblemResponse> {
    let BroughtIn { report, cookie } = bring_in(&archive, &visitor, request).await?;
    let mut response = Json(report).into_response();
    keep(&mut response, cookie);
    Ok(response)
}

/// `POST /library`: the same for a form, answered with the page.
pub async fn form(State(state): State<AppState>, Who(visitor): Who, request: Request) -> Response {
    let headers = request.headers().clone();
    match bring_in(&state.archive, &visitor, request).await {
        Ok(BroughtIn { report, cookie }) => {
            // The page is made for whoever they are from now on.
            let pair = cookie.as_deref().and_then(|cookie| cookie.split(';').next());
            let visitor =
                pair.map_or(visitor, |pair| Visitor::from_cookies(std::iter::once(pair), pair.starts_with("__Host-")));
            let mut response = page(state, headers, visitor, Ok(report)).await;
            keep(&mut response, cookie);
            response
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = page(state, headers, visitor, Err(error)).await;
            *response.status_mut() = status;
            response
        }
    }
}

/// The page, with what came of the file.
async fn page(
    state: AppState,
    headers: HeaderMap,
    visitor: Visitor,
    outcome: Result<ImportReport, AppError>,
) -> Response {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = axum::http::Uri::from_static("/library");
    *request.headers_mut() = headers;
    request.extensions_mut().insert(visitor);
    pages::page(state, request, move || {
        leptos::prelude::provide_context(ImportOutcome(outcome.clone().map_err(|error| Box::new(error.into()))));
    })
    .await
}

async fn bring_in(archive: &Archive, visitor: &Visitor, request: Request) -> Result<BroughtIn, AppError> {
    let mut arrival = archive.expect(visitor).await?;
    let received = tokio::time::timeout(SLOWEST, receive(&mut arrival, request)).await;
    let name = received.map_err(|_| too_slow())??;
    archive.import(visitor, arrival, name).await
}

/// Lays the file down; answers its name, where there is one.
async fn receive(arrival: &mut Arrival, request: Request) -> Result<Option<String>, AppError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let name = name_of(kind);
        let mut chunks = request.into_body().into_data_stream();
        while let Some(chunk) = patiently(chunks.next()).await? {
            arrival.push(&chunk.map_err(|_| cut_short(StatusCode::BAD_REQUEST))?).await?;
        }
        return Ok(name);
    }
    let mut form = Multipart::from_request(request, &()).await.map_err(|rejection| cut_short(rejection.status()))?;
    let mut known = false;
    while let Some(mut field) = patiently(form.next_field()).await?.map_err(|error| cut_short(error.status()))? {
        if !field.name().is_some_and(|name| FIELDS.contains(&name)) {
            continue;
        }
        known = true;
        let name = field.file_name().map(str::to_owned);
        while let Some(chunk) = patiently(field.chunk()).await?.map_err(|error| cut_short(error.status()))? {
            arrival.push(&chunk).await?;
        }
        if !arrival.is_empty() {
            return Ok(name);
        }
    }
    if known { Ok(None) } else { Err(AppError::BadRequest { reason: "the form has no field “file”".into() }) }
}

async fn kept(
    identity: &Identity,
    library: &Library,
    visitor: &Visitor,
) -> Result<Vec<services::library::Kept>, AppError> {
    match identity.device(visitor).await? {
        Some(owner) => library.all(owner).await,
        None => Ok(Vec::new()),
    }
}

/// What a kind of text is usually called.
fn name_of(kind: &str) -> Option<String> {
    let name = match kind.split(';').next().unwrap_or_default().trim() {
        "text/markdown" => "list.md",
        "text/csv" => "list.csv",
        "text/tab-separated-values" => "list.tsv",
        "application/json" => "list.json",
        _ => return None,
    };
    Some(name.to_owned())
}

fn file(kind: &'static str, name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

fn keep(response: &mut Response, cookie: Option<String>) {
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

async fn patiently<T>(next: impl Future<Output = T>) -> Result<T, AppError> {
    tokio::time::timeout(LONGEST_PAUSE, next).await.map_err(|_| too_slow())
}

fn too_slow() -> AppError {
    AppError::BadRequest { reason: "it took too long to arrive".into() }
}

fn cut_short(status: StatusCode) -> AppError {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return AppError::TooLarge { max_bytes: MOST_BYTES };
    }
    AppError::BadRequest { reason: "its body did not arrive whole".into() }
}
