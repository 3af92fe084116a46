//! The pages: Leptos behind axum, with what each page and server function needs in its context.

use app::server::{Handles, late_scripts};
use app::{App, shell};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::AppError;
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context};

use crate::problem::ProblemResponse;
use crate::state::AppState;

/// Every page and every server function.
pub fn routes(state: &AppState) -> Router<AppState> {
    let handles = state.handles.clone();
    let (options, fingerprints) = (state.leptos.clone(), state.fingerprints.0);
    Router::new().leptos_routes_with_context(
        state,
        generate_route_list(App),
        move || provide(&handles),
        move || shell(options.clone(), fingerprints, late_scripts(&options)),
    )
}

/// Nothing at this address: a page for people, a problem for programs.
pub async fn nowhere(State(state): State<AppState>, request: Request) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if request.method() != Method::GET || !accept.is_some_and(|accept| accept.contains("text/html")) {
        return ProblemResponse(AppError::NotFound).into_response();
    }
    let mut response = page(state, request, || {}).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The page at the request's address, with more in its context.
pub async fn page(state: AppState, request: Request, context: impl Fn() + Clone + Send + Sync + 'static) -> Response {
    let (options, fingerprints) = (state.leptos.clone(), state.fingerprints.0);
    let handles = state.handles.clone();
    let provide = move || {
        provide(&handles);
        context();
    };
    render_app_async_with_context(provide, move || shell(options.clone(), fingerprints, late_scripts(&options)))(
        request,
    )
    .await
}

fn provide(handles: &Handles) {
    provide_context(handles.clone());
    let Some(response) = use_context::<ResponseOptions>() else { return };
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(csp) = use_nonce().and_then(|nonce| HeaderValue::from_str(&policy(&nonce)).ok()) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, csp);
    }
}

/// Scripts only from here or with this answer's nonce, everything else only from here.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Leptos' options, with the site where the build put it.
pub fn options(config: &crate::config::Config) -> LeptosOptions {
    // The build writes the hashes beside the program; an absolute path is taken as it is.
    let hashes = crate::workers::program().with_file_name("hash.txt");
    LeptosOptions::builder()
        .output_name("mindseye")
        .site_root(std::sync::Arc::from(&*config.site_root.to_string_lossy()))
        .site_pkg_dir("pkg")
        .site_addr(config.addr)
        .hash_files(hashes.is_file())
        .hash_file(std::sync::Arc::from(&*hashes.to_string_lossy()))
        .build()
}
