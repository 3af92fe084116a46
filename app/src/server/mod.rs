//! What server functions reach for: the services, and who is asking. The only server-side module here.

mod history;
mod hydration;
mod library;
mod rewrite;
mod steps;
mod surprise;
mod words;

pub(crate) use history::history_page;
pub use hydration::late_scripts;
pub(crate) use library::{change_entry, delete_entry, keep_words, library_page};
pub(crate) use rewrite::apart;
pub(crate) use steps::{changed_words, steps};
pub(crate) use surprise::filled_in;
pub(crate) use words::notice;

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use domain::{AppError, DeviceId, GenerationRequest, JobView, Plan};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use services::credits::CreditsService;
use services::identity::{Identity, Visitor};
use services::jobs::{Admission, Admitted, Jobs, Models};
use services::library::Library;

/// The services that pages use, put into the context of every request.
#[derive(Clone, Debug)]
pub struct Handles {
    pub jobs: Jobs,
    pub admission: Admission,
    pub identity: Identity,
    pub credits: CreditsService,
    pub models: Models,
    pub library: Library,
}

pub(crate) fn handles() -> Handles {
    expect_context()
}

fn visitor() -> Visitor {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Visitor>().cloned())
        .unwrap_or_else(|| Visitor::from_cookies(std::iter::empty(), false))
}

/// The visitor's device, if they have one.
pub(crate) async fn device() -> Result<Option<DeviceId>, AppError> {
    handles().identity.device(&visitor()).await
}

/// The visitor's device and plan, if they have one.
pub(crate) async fn holder() -> Result<Option<(DeviceId, Plan)>, AppError> {
    handles().identity.holder(&visitor()).await
}

/// Accepts a request, and hands somebody new their cookie.
pub(crate) async fn create(request: GenerationRequest) -> Result<JobView, AppError> {
    let Admitted { job, cookie } = handles().admission.create(&visitor(), request).await?;
    set_cookie(cookie);
    Ok(job)
}

/// Gives Ultra to whoever says that they can't picture things, and hands somebody new their cookie.
pub(crate) async fn attest() -> Result<(), AppError> {
    set_cookie(handles().admission.attest(&visitor()).await?);
    Ok(())
}

/// A number that nobody can foresee.
pub(crate) fn random() -> u64 {
    services::clock::random_u128() as u64
}

fn set_cookie(cookie: Option<String>) {
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, cookie);
    }
}

/// Without scripts the browser follows a form's answer: send it to a page instead of data.
pub(crate) fn redirect_forms(to: &str) {
    if wants_page() {
        // What no header may hold is no address of ours.
        leptos_axum::redirect(if HeaderValue::from_str(to).is_ok() { to } else { "/" });
    }
}

/// Whether it is a browser itself that asks, which shows what it is answered.
fn wants_page() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// Says on a page's own status line that there is nothing here.
pub(crate) fn mark_missing(error: &AppError) {
    if let (AppError::NotFound, Some(response)) = (error, use_context::<ResponseOptions>()) {
        response.set_status(StatusCode::NOT_FOUND);
    }
}
