//! Built files: scripts and styles carry a hash in their name and are kept for ever.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use domain::AppError;
use std::path::Path;
use tower::ServiceBuilder;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::problem::ProblemResponse;

/// For the worker that answers challenges: it loads its own program and may compile it, and nothing else.
const PROOF_CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/// `/pkg` (hashed, immutable), `/proof` and the few files with fixed names.
pub fn routes<S: Clone + Send + Sync + 'static>(site: &Path) -> Router<S> {
    let missing = || tower::service_fn(|_| async { Ok(ProblemResponse(AppError::NotFound).into_response()) });
    let hashed = ServiceBuilder::new().map_response(|response: axum::http::Response<_>| {
        let mut response: axum::http::Response<_> = response;
        if response.status().is_success() {
            let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
            response.headers_mut().insert(header::CACHE_CONTROL, forever);
        }
        response
    });
    let folder = |folder: &Path| ServeDir::new(folder).precompressed_br().precompressed_gzip();
    let mut router = Router::new().nest_service("/pkg", hashed.service(folder(&site.join("pkg")).fallback(missing())));
    // Seldom asked for and without a hash in their names: a copy is used again after asking whether it still is the one.
    let proof = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .layer(SetResponseHeaderLayer::overriding(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PROOF_CSP),
        ));
    router = router.nest_service("/proof", proof.service(folder(&site.join("proof")).fallback(missing())));
    for name in ["favicon.svg", "robots.txt"] {
        let file = tower_http::services::ServeFile::new(site.join(name));
        let hour = HeaderValue::from_static("public, max-age=3600");
        let file =
            ServiceBuilder::new().layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, hour)).service(file);
        router = router.route_service(&format!("/{name}"), file);
    }
    router
}
