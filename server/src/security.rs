//! Headers that every answer carries, and the guard against requests from other sites.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use domain::AppError;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::problem::ProblemResponse;

/// For every answer that is not a page: nothing in it may run or be framed.
const STRICT_CSP: &str = "default-src 'none'; frame-ancestors 'none'";

/// Adds the headers and the guard to a router.
pub fn protect<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    let always = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    router
        .layer(CsrfLayer::new().with_rejection_response(|_| ProblemResponse(AppError::CrossSite).into_response()))
        .layer(always(header::CONTENT_SECURITY_POLICY, STRICT_CSP))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::X_FRAME_OPTIONS, "DENY"))
        .layer(always(header::REFERRER_POLICY, "same-origin"))
        .layer(always(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(always(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(always(
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        ))
        .layer(always(header::CACHE_CONTROL, "no-store"))
}
