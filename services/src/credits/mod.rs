//! The ledger: every movement of a job's money is one entry, made once.
//!
//! A hold is taken in the transaction that inserts the job, a capture in the
//! one that publishes its pictures, a release in the one that ends it without.
//! The functions that move money therefore take the caller's transaction.

mod store;

use chrono::{DateTime, Utc};
use domain::credits::{day_of, next_reset};
use domain::{AppError, Credits, DeviceId, JobId};
use sqlx::{PgConnection, PgPool};

use crate::clock::SharedClock;
use crate::db::explain;

/// Reads balances and holds credits.
#[derive(Clone, Debug)]
pub struct CreditsService {
    pool: PgPool,
    clock: SharedClock,
    daily: u32,
}

impl CreditsService {
    /// `daily` credits are granted to every visitor at 00:00 UTC.
    pub fn new(pool: PgPool, clock: SharedClock, daily: u32) -> Self {
        Self { pool, clock, daily }
    }

    /// What `device` may spend now; a visitor without a device has today's grant untouched.
    pub async fn balance(&self, device: Option<DeviceId>) -> Result<Credits, AppError> {
        let now = self.clock.now();
        let left = match device {
            None => None,
            Some(device) => store::balance(&self.pool, device, day_of(now)).await.map_err(explain)?,
        };
        Ok(self.view(left.unwrap_or(self.daily), now))
    }

    /// Refuses a price that no day's credits can pay: waiting would not help.
    pub fn check_possible(&self, price: u32) -> Result<(), AppError> {
        if price > self.daily { Err(AppError::TooExpensive { price, daily: self.daily }) } else { Ok(()) }
    }

    /// Holds `price` credits of today for a job, inside the transaction that inserts it.
    ///
    /// Decided by one conditional `UPDATE`: of any number of parallel calls on
    /// one remaining credit, exactly one succeeds.
    pub async fn hold(
        &self,
        transaction: &mut PgConnection,
        device: DeviceId,
        job: JobId,
        price: u32,
    ) -> Result<(), AppError> {
        let now = self.clock.now();
        let day = day_of(now);
        store::grant(transaction, device, day, self.daily).await.map_err(explain)?;
        if store::hold(transaction, device, day, job, price).await.map_err(explain)? {
            return Ok(());
        }
        let left = store::balance(transaction, device, day).await.map_err(explain)?.unwrap_or(0);
        Err(AppError::DailyLimit {
            left,
            daily: self.daily,
            price,
            now,
            resets_at: next_reset(now),
            account_daily: None,
        })
    }

    fn view(&self, credits_left: u32, now: DateTime<Utc>) -> Credits {
        Credits { credits_left, daily: self.daily, resets_at: next_reset(now) }
    }
}

/// Closes a job's hold by giving its credits back. Doing so again changes nothing.
pub(crate) async fn release(transaction: &mut PgConnection, job: JobId) -> Result<(), sqlx::Error> {
    store::close(transaction, job, domain::credits::EntryKind::Release).await
}

/// Balances that differ from the sum of their entries. Always empty, or something is very wrong.
pub async fn drift(pool: &PgPool) -> Result<Vec<(DeviceId, i64)>, AppError> {
    store::drift(pool).await.map_err(explain)
}

/// Credits by kind of entry, over everything.
pub async fn totals(pool: &PgPool) -> Result<Vec<(String, i64)>, AppError> {
    store::totals(pool).await.map_err(explain)
}
