//! Every address the studio answers, with the action it counts as and how long its answer may be kept.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};
use domain::AppError;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::api::{admin, credits, feed, generations, health, library, me, media, photos, quote};
use crate::problem::ProblemResponse;
use crate::state::AppState;
use crate::{assets, gateway, pages, security, visitor};

/// Largest request body, in bytes, except for workers' pictures.
pub const BODY_LIMIT: usize = 256 * 1024;

/// What a request counts as when it is limited and measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// Makes pictures: costs credits.
    Create,
    /// Reads something of the visitor's or the public's.
    Read,
    /// Changes something without cost.
    Change,
    /// A worker's own traffic, behind its key.
    Worker,
    /// Machines looking after machines.
    Probe,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Change => "change",
            Self::Worker => "worker",
            Self::Probe => "probe",
        }
    }
}

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cache {
    /// Not at all.
    Never,
    /// The handler says so itself.
    Own,
}

/// The whole router.
pub fn build(state: AppState) -> Router {
    use Action::{Change, Create, Probe, Read, Worker};
    let site = state.leptos.site_root.to_string();
    let one = "/api/v1/generations/{id}";
    let events = "/api/v1/generations/{id}/events";
    // How large a picture may be, its lease says.
    let results = post(gateway::deliver);
    let photo_limit = DefaultBodyLimit::max(photos::PHOTO_LIMIT);
    let archive_limit = DefaultBodyLimit::max(library::ARCHIVE_LIMIT);
    let workers = Router::new()
        .route("/internal/worker", policy(Worker, Cache::Never, get(gateway::connect)))
        .route("/internal/results/{job}/{epoch}/{index}", policy(Worker, Cache::Never, results))
        .route(
            "/internal/begun/{job}/{epoch}",
            policy(Worker, Cache::Never, post(gateway::hand_over).get(gateway::begun)),
        )
        .route("/internal/source/{job}/{epoch}", policy(Worker, Cache::Never, get(gateway::source)))
        .route_layer(middleware::from_fn_with_state(state.clone(), gateway::guard));
    let router = Router::new()
        .route("/healthz", policy(Probe, Cache::Never, get(health::healthz)))
        .route("/readyz", policy(Probe, Cache::Never, get(health::readyz)))
        .route("/metrics", policy(Probe, Cache::Never, get(health::metrics)))
        .route(
            "/api/v1/generations",
            policy(Create, Cache::Never, post(generations::create)).merge(policy(
                Read,
                Cache::Never,
                get(generations::list),
            )),
        )
        .route(
            one,
            policy(Read, Cache::Never, get(generations::read)).merge(policy(
                Change,
                Cache::Never,
                delete(generations::cancel),
            )),
        )
        .route(events, policy(Read, Cache::Never, get(generations::events)))
        .route("/api/v1/quote", policy(Read, Cache::Never, post(quote::create)))
        .route("/api/v1/me", policy(Read, Cache::Never, get(me::read)))
        .route("/api/v1/admin/decisions", policy(Read, Cache::Never, get(admin::decisions)))
        .route("/api/v1/credits", policy(Read, Cache::Never, get(credits::read)))
        .route("/api/v1/feed", policy(Read, Cache::Never, get(feed::read)))
        .route("/api/v1/photos", policy(Create, Cache::Never, post(photos::create)).layer(photo_limit))
        .route("/photo", policy(Create, Cache::Own, post(photos::form)).layer(photo_limit))
        .route("/api/v1/export", policy(Read, Cache::Never, get(library::export)))
        .route("/api/v1/import", policy(Change, Cache::Never, post(library::import)).layer(archive_limit))
        .route("/library", policy(Change, Cache::Own, post(library::form)).layer(archive_limit))
        .route("/api/v1/library.md", policy(Read, Cache::Never, get(library::markdown)))
        .route("/api/v1/library.json", policy(Read, Cache::Never, get(library::json)))
        .route("/media/{id}", policy(Read, Cache::Own, get(media::read)))
        .merge(workers)
        .merge(pages::routes(&state).layer(middleware::from_fn(|request: Request, next: Next| {
            // Pages are read; server functions count as what their name says.
            let action = match request.uri().path() {
                "/act/create" => Create,
                "/act/cancel_job" | "/act/attest" | "/act/pin_job" | "/act/keep_words" | "/act/change_entry"
                | "/act/delete_entry" => Change,
                _ => Read,
            };
            answer(action, Cache::Own, request, next)
        })))
        .merge(
            assets::routes(site.as_ref())
                .layer(middleware::from_fn(|request: Request, next: Next| answer(Read, Cache::Own, request, next))),
        )
        .fallback(pages::nowhere)
        .method_not_allowed_fallback(|| async { ProblemResponse(AppError::MethodNotAllowed) })
        .layer(middleware::from_fn_with_state(state.clone(), visitor::identify))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    // An event stream must not wait in a compressor's buffer; pictures and archives are compressed already.
    let archives = NotForContentType::const_new("application/zip");
    let compressible = DefaultPredicate::new().and(NotForContentType::SSE).and(archives);
    security::protect(router).layer(CompressionLayer::new().compress_when(compressible)).with_state(state)
}

/// Names what a route counts as and how its answer may be kept.
fn policy(action: Action, cache: Cache, route: MethodRouter<AppState>) -> MethodRouter<AppState> {
    route.layer(middleware::from_fn(move |request: Request, next: Next| answer(action, cache, request, next)))
}

async fn answer(action: Action, cache: Cache, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if cache == Cache::Never {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let class = response.status().as_u16() / 100;
    metrics::counter!("mindseye_requests_total", "action" => action.name(), "class" => format!("{class}xx"))
        .increment(1);
    response
}
