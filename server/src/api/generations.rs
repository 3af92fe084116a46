//! `/api/v1/generations`: make pictures, follow them, stop them.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::{AppError, GenerationRequest, JobEvent, JobId, JobView};
use futures::Stream;
use services::identity::Identity;
use services::jobs::{Admission, Admitted, Jobs, Subscription};
use tokio::sync::watch;

use crate::problem::{IdPath, JsonBody, ProblemResponse};
use crate::visitor::Who;

/// `POST /api/v1/generations`: accepts a job, `202` with the job.
pub async fn create(
    State(admission): State<Admission>,
    Who(visitor): Who,
    JsonBody(request): JsonBody<GenerationRequest>,
) -> Result<Response, ProblemResponse> {
    let Admitted { job, cookie } = admission.create(&visitor, request).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/generations/{}", job.id));
    let mut response = (StatusCode::ACCEPTED, Json(job)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `GET /api/v1/generations`: the visitor's latest jobs.
pub async fn list(
    State(jobs): State<Jobs>,
    State(identity): State<Identity>,
    Who(visitor): Who,
) -> Result<Json<Vec<JobView>>, ProblemResponse> {
    match identity.device(&visitor).await? {
        None => Ok(Json(Vec::new())),
        Some(owner) => Ok(Json(jobs.recent(owner, 50).await?)),
    }
}

/// `GET /api/v1/generations/{id}`.
pub async fn read(
    State(jobs): State<Jobs>,
    State(identity): State<Identity>,
    Who(visitor): Who,
    IdPath(id): IdPath<JobId>,
) -> Result<Json<JobView>, ProblemResponse> {
    let owner = identity.device(&visitor).await?.ok_or(AppError::NotFound)?;
    Ok(Json(jobs.get(owner, id).await?))
}

/// `DELETE /api/v1/generations/{id}`: cancels it; credits come back.
pub async fn cancel(
    State(jobs): State<Jobs>,
    State(identity): State<Identity>,
    Who(visitor): Who,
    IdPath(id): IdPath<JobId>,
) -> Result<Json<JobView>, ProblemResponse> {
    let owner = identity.device(&visitor).await?.ok_or(AppError::NotFound)?;
    Ok(Json(jobs.cancel(owner, id).await?))
}

/// `GET /api/v1/generations/{id}/events`: the state now, then every change, until the job ends.
///
/// A stream that was cut resumes by itself: the first event says everything
/// that was missed.
pub async fn events(
    State(jobs): State<Jobs>,
    State(identity): State<Identity>,
    State(stopping): State<watch::Receiver<bool>>,
    Who(visitor): Who,
    IdPath(id): IdPath<JobId>,
) -> Result<Response, ProblemResponse> {
    let owner = identity.device(&visitor).await?.ok_or(AppError::NotFound)?;
    let (now, subscription) = jobs.watch(owner, id).await?;
    let reread = move || {
        let jobs = jobs.clone();
        async move { jobs.get(owner, id).await.ok() }
    };
    let stream = Sse::new(follow(now, subscription, reread, stopping)).keep_alive(KeepAlive::default());
    // Proxies must pass events on as they come.
    Ok(([("x-accel-buffering", "no")], stream).into_response())
}

fn follow<R, F>(
    now: JobView,
    subscription: Subscription,
    reread: R,
    stopping: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>>
where
    R: Fn() -> F + Send,
    F: Future<Output = Option<JobView>> + Send,
{
    let mut first = vec![(subscription.last_id, JobEvent::State(Box::new(now)))];
    first.extend(subscription.latest.iter().map(|p| (subscription.last_id, JobEvent::Progress(p.clone()))));
    first.reverse();
    let state = (first, subscription, reread, stopping, false);
    futures::stream::unfold(state, |(mut first, mut subscription, reread, mut stopping, ended)| async move {
        if ended {
            return None;
        }
        let (id, event) = match first.pop() {
            Some(next) => next,
            None => tokio::select! {
                next = subscription.next() => match next.ok()? {
                    Some(numbered) => (numbered.id, numbered.event),
                    // Fell behind: say everything at once instead.
                    None => (subscription.last_id, JobEvent::State(Box::new(reread().await?))),
                },
                // An open stream would hold up a restart; the browser comes back to the next server.
                _ = stopping.changed() => return None,
            },
        };
        let ended = matches!(&event, JobEvent::State(view) if view.status.is_final());
        let data = match &event {
            JobEvent::State(view) => Event::default().json_data(view),
            JobEvent::Progress(progress) => Event::default().json_data(progress),
        };
        let data = data.ok()?.event(event.name()).id(id.to_string());
        Some((Ok(data), (first, subscription, reread, stopping, ended)))
    })
}
