//! Errors as `application/problem+json`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::AppError;
use serde::de::DeserializeOwned;

/// An error on its way to a client.
#[derive(Debug)]
pub struct ProblemResponse(pub AppError);

impl From<AppError> for ProblemResponse {
    fn from(error: AppError) -> Self {
        Self(error)
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0.problem())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let AppError::TooLarge { .. } = self.0 {
            // The rest of the body is never read, so the connection can't be used again: better the client knows.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// A JSON body; anything else becomes a problem that says what is wrong with it.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ProblemResponse;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Self::Rejection> {
        let Json(body) =
            Json::<serde_json::Value>::from_request(request, state).await.map_err(|rejection| explain(&rejection))?;
        // A list would be taken for the fields in their order of declaration.
        if !body.is_object() {
            return Err(AppError::BadRequest { reason: "it must be a JSON object".into() }.into());
        }
        let body = T::deserialize(body).map_err(|error| AppError::BadRequest {
            // The sentence quotes what was sent: never at a length somebody else chose.
            reason: error.to_string().chars().take(200).collect(),
        })?;
        Ok(Self(body))
    }
}

fn explain(rejection: &JsonRejection) -> AppError {
    let reason = match rejection {
        JsonRejection::JsonSyntaxError(_) | JsonRejection::JsonDataError(_) => "it is not valid JSON".to_owned(),
        JsonRejection::MissingJsonContentType(_) => "send it as application/json".to_owned(),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return AppError::TooLarge { max_bytes: crate::router::BODY_LIMIT as u64 };
        }
        _ => "its body did not arrive whole".to_owned(),
    };
    AppError::BadRequest { reason }
}

/// An id in the path; one that is no id looks like one that does not exist.
#[derive(Debug)]
pub struct IdPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for IdPath<T> {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(ProblemResponse(AppError::NotFound)),
        }
    }
}
