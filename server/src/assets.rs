//! Built files: scripts and styles carry a hash in their name and are kept for ever.

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use domain::AppError;
use std::path::Path;
use tower::ServiceBuilder;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::problem::ProblemResponse;

/// For the worker that answers challenges: it loads its own program and may compile it, and nothing else.
const PROOF_CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/// For the page that is shown where there is no connection, and the worker that keeps it.
const OFFLINE_CSP: &str =
    "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// `/pkg` (hashed, immutable), `/proof`, `/examples` and the few files with fixed names.
pub fn routes<S: Clone + Send + Sync + 'static>(site: &Path) -> Router<S> {
    let missing = || tower::service_fn(|_| async { Ok(ProblemResponse(AppError::NotFound).into_response()) });
    // What is not there must not be kept as such.
    let kept = |how: &'static str| {
        ServiceBuilder::new().map_response(move |mut response: axum::http::Response<_>| {
            // That a copy is still the one says how long it may be kept on.
            if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(how));
            }
            response
        })
    };
    let folder = |folder: &Path| ServeDir::new(folder).precompressed_br().precompressed_gzip();
    let hashed = kept("public, max-age=31536000, immutable").service(folder(&site.join("pkg")).fallback(missing()));
    // The pictures beside starting points and styles change with the built-in model.
    let examples = kept("public, max-age=86400").service(folder(&site.join("examples")).fallback(missing()));
    let mut router = Router::new().nest_service("/pkg", hashed).nest_service("/examples", examples);
    // Seldom asked for and without a hash in their names: a copy is used again after asking whether it still is the one.
    let proof = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .layer(SetResponseHeaderLayer::overriding(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PROOF_CSP),
        ));
    for name in ["offline.html", "sw.js"] {
        let file = ServiceBuilder::new()
            .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
            .layer(SetResponseHeaderLayer::overriding(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(OFFLINE_CSP),
            ))
            .service(tower_http::services::ServeFile::new(site.join(name)));
        router = router.route_service(&format!("/{name}"), file);
    }
    router = router.nest_service("/proof", proof.service(folder(&site.join("proof")).fallback(missing())));
    for name in ["favicon.svg", "icon-192.png", "icon-512.png", "manifest.webmanifest", "robots.txt"] {
        let file = tower_http::services::ServeFile::new(site.join(name));
        let hour = HeaderValue::from_static("public, max-age=3600");
        let file =
            ServiceBuilder::new().layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, hour)).service(file);
        router = router.route_service(&format!("/{name}"), file);
    }
    router
}
