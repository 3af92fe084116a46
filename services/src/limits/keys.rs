//! The day's key and the secrets of challenges, shared by all heads through the database and kept at hand here.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::AppError;
use domain::credits::day_of;
use sqlx::PgPool;

use super::day_key::DayKey;
use super::store;
use crate::clock::{self, SharedClock};
use crate::db::explain;

/// How long secrets are believed to be the newest.
pub(super) const FRESH: TimeDelta = TimeDelta::seconds(60);
/// And when something does not verify: another head may have rotated them.
pub(super) const DOUBTED: TimeDelta = TimeDelta::seconds(5);
/// Secrets that still verify: the newest and the one before, so that a rotation interrupts nobody.
const KEPT: usize = 2;

#[derive(Clone, Debug)]
pub(super) struct KeyRing {
    pool: PgPool,
    clock: SharedClock,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    day: Option<(NaiveDate, DayKey)>,
    proofs: Option<(DateTime<Utc>, Vec<[u8; 32]>)>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held(…)")
    }
}

impl KeyRing {
    pub(super) fn new(pool: PgPool, clock: SharedClock) -> Self {
        Self { pool, clock, held: Arc::default() }
    }

    /// Today's key; the first head that needs it draws it.
    pub(super) async fn day(&self) -> Result<DayKey, AppError> {
        let today = day_of(self.clock.now());
        if let Some((day, key)) = self.held().day
            && day == today
        {
            return Ok(key);
        }
        let key = store::day_key(&self.pool, today, &clock::random_bytes()).await.map_err(explain)?;
        let key = DayKey(key);
        self.held().day = Some((today, key));
        Ok(key)
    }

    /// Secrets that challenges are verified with, the one that signs first, read no longer than `fresh` ago. Never empty.
    pub(super) async fn proofs(&self, fresh: TimeDelta) -> Result<Vec<[u8; 32]>, AppError> {
        let now = self.clock.now();
        if let Some((read_at, secrets)) = &self.held().proofs
            && now - *read_at < fresh
        {
            return Ok(secrets.clone());
        }
        let mut secrets = store::proof_keys(&self.pool, KEPT).await.map_err(explain)?;
        if secrets.is_empty() {
            store::add_proof_key(&self.pool, &clock::random_bytes(), now).await.map_err(explain)?;
            secrets = store::proof_keys(&self.pool, KEPT).await.map_err(explain)?;
        }
        self.held().proofs = Some((now, secrets.clone()));
        Ok(secrets)
    }

    /// Signs from now on with a new secret; what the last one signed stays good.
    pub(super) async fn rotate(pool: &PgPool, now: DateTime<Utc>) -> Result<(), AppError> {
        store::add_proof_key(pool, &clock::random_bytes(), now).await.map_err(explain)?;
        store::drop_old_proof_keys(pool, KEPT).await.map_err(explain)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
