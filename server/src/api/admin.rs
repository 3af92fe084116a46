//! `GET /api/v1/admin/decisions`: what was asked of requests lately, and why. For whoever has the operator's key.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use domain::AppError;
use services::limits::{Entry, Limits};
use sha2::{Digest, Sha256};

use crate::problem::ProblemResponse;

/// Hash of the operator's key, where there is one; compared instead of the key so that timing tells nothing about it.
#[derive(Clone, Debug)]
pub struct AdminKey(Option<[u8; 32]>);

impl AdminKey {
    pub fn new(key: Option<&str>) -> Self {
        Self(key.map(|key| Sha256::digest(key).into()))
    }

    /// Without the key, nothing is here.
    fn check(&self, headers: &HeaderMap) -> Result<(), AppError> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = bearer.and_then(|value| value.strip_prefix("Bearer ")).map(Sha256::digest);
        match (&self.0, given) {
            (Some(key), Some(given)) if given.as_slice() == key => Ok(()),
            _ => Err(AppError::NotFound),
        }
    }
}

pub async fn decisions(
    State(key): State<AdminKey>,
    State(limits): State<Limits>,
    headers: HeaderMap,
) -> Result<Json<Vec<Entry>>, ProblemResponse> {
    key.check(&headers)?;
    Ok(Json(limits.decisions()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_key_opens_and_no_key_opens_nothing() {
        let with =
            |value: &'static str| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        let key = AdminKey::new(Some("secret"));
        assert_eq!(key.check(&with("Bearer secret")), Ok(()));
        for headers in [HeaderMap::new(), with("Bearer "), with("Bearer secre"), with("secret"), with("bearer secret")]
        {
            assert_eq!(key.check(&headers), Err(AppError::NotFound));
        }
        assert_eq!(AdminKey::new(None).check(&with("Bearer secret")), Err(AppError::NotFound));
        assert_eq!(AdminKey::new(None).check(&with("Bearer ")), Err(AppError::NotFound));
    }
}
