//! Keys of workers on other machines: made and revoked by the operator, one per worker.

mod store;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::{AppError, WorkerId};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use thiserror::Error;

use crate::clock;
use crate::db::explain;

/// Longest name of a worker.
const LONGEST_NAME: usize = 63;

/// Makes, checks and revokes keys.
#[derive(Clone, Debug)]
pub struct WorkerKeys {
    pool: PgPool,
}

/// A key as the operator sees it; the key itself is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct KeyInfo {
    /// The only name its worker may use.
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What is kept of a key, by which it is known again. Of random keys, it tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

/// Why a key was not made or revoked.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("“{0}” can't be a worker's name: use lower-case letters, digits and dashes, {LONGEST_NAME} at most")]
    Name(String),
    #[error("there is a key for “{0}” already; revoke it first")]
    Exists(String),
    #[error("there is no valid key for “{0}”")]
    Unknown(String),
    #[error(transparent)]
    Database(AppError),
}

impl WorkerKeys {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Makes a key for a worker of that name. Only its hash is kept.
    pub async fn create(&self, name: &str) -> Result<String, KeyError> {
        check_name(name)?;
        let key = format!("mw_{}", URL_SAFE_NO_PAD.encode(clock::random_bytes::<24>()));
        match store::insert(&self.pool, name, &KeyHash::of(&key)).await {
            Ok(true) => Ok(key),
            Ok(false) => Err(KeyError::Exists(name.into())),
            Err(error) => Err(KeyError::Database(explain(error))),
        }
    }

    /// Revokes the key of that name: its worker is turned away at its next heartbeat.
    pub async fn revoke(&self, name: &str) -> Result<(), KeyError> {
        match store::revoke(&self.pool, name).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(KeyError::Unknown(name.into())),
            Err(error) => Err(KeyError::Database(explain(error))),
        }
    }

    pub async fn list(&self) -> Result<Vec<KeyInfo>, AppError> {
        store::list(&self.pool).await.map_err(explain)
    }

    /// The worker that this key belongs to, if it is valid.
    pub async fn owner(&self, key: &str) -> Result<Option<WorkerId>, AppError> {
        let name = store::find(&self.pool, &KeyHash::of(key)).await.map_err(explain)?;
        Ok(name.map(WorkerId))
    }

    /// Whether this very key still stands: another one of the same name does not count.
    pub async fn stands(&self, key: &KeyHash) -> Result<bool, AppError> {
        store::stands(&self.pool, key).await.map_err(explain)
    }
}

impl KeyHash {
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(fits) && !name.starts_with('-');
    // Those names belong to the workers that a head starts by itself.
    if good && !name.starts_with("local-") { Ok(()) } else { Err(KeyError::Name(name.chars().take(80).collect())) }
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_are_plain_and_not_those_of_local_workers() {
        for good in ["attic", "box-2", "0"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "Attic", "a b", "local-0", "ö", &"a".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
