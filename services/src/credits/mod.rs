//! The ledger: every movement of a job's money is one entry, made once.
//!
//! A hold is taken in the transaction that inserts the job, a capture in the
//! one that publishes its pictures, a release in the one that ends it without.
//! The functions that move money therefore take the caller's transaction.

mod store;

use chrono::{DateTime, Timelike, Utc};
use domain::credits::{
    DEFAULT_DAILY_CREDITS, DEFAULT_ULTRA_CREDITS, EntryKind, Statement, StatementLine, day_of, next_reset, split,
};
use domain::{AppError, Credits, DeviceId, JobId, Plan};
use sqlx::{PgConnection, PgPool};

use crate::clock::SharedClock;
use crate::db::explain;
use crate::gauges;

/// Leftovers of past days that are written off in one transaction.
const EXPIRED_AT_ONCE: i64 = 1_000;

/// Credits a day for each plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily {
    pub visitor: u32,
    pub ultra: u32,
}

impl Default for Daily {
    fn default() -> Self {
        Self { visitor: DEFAULT_DAILY_CREDITS, ultra: DEFAULT_ULTRA_CREDITS }
    }
}

impl Daily {
    pub fn of(self, plan: Plan) -> u32 {
        match plan {
            Plan::Visitor => self.visitor,
            Plan::Ultra => self.ultra,
        }
    }
}

/// Reads balances and moves credits.
#[derive(Clone, Debug)]
pub struct CreditsService {
    pool: PgPool,
    clock: SharedClock,
    daily: Daily,
}

impl CreditsService {
    /// `daily` credits are granted to everybody at 00:00 UTC.
    pub fn new(pool: PgPool, clock: SharedClock, daily: Daily) -> Self {
        Self { pool, clock, daily }
    }

    /// What somebody may spend now; who has no device yet has a visitor's day untouched.
    pub async fn balance(&self, holder: Option<(DeviceId, Plan)>) -> Result<Credits, AppError> {
        let now = self.clock.now();
        let Some((device, plan)) = holder else { return Ok(self.view(self.daily.visitor, 0, Plan::Visitor, now)) };
        let pots = store::pots(&self.pool, device, day_of(now)).await.map_err(explain)?;
        Ok(self.view(pots.today.unwrap_or(self.daily.of(plan)), pots.lasting, plan, now))
    }

    /// Refuses a price that no day's credits can pay: waiting would not help.
    pub fn check_possible(&self, price: u32, plan: Plan) -> Result<(), AppError> {
        let daily = self.daily.of(plan);
        if price > daily { Err(AppError::TooExpensive { price, daily }) } else { Ok(()) }
    }

    /// Refuses what can't be paid at the moment, before anything is written down. [`CreditsService::hold`] decides.
    pub async fn check(&self, device: DeviceId, plan: Plan, price: u32) -> Result<(), AppError> {
        let credits = self.balance(Some((device, plan))).await?;
        if price <= credits.credits_left { Ok(()) } else { Err(self.limit(credits.credits_left, price, plan)) }
    }

    /// Holds `price` credits for a job, inside the transaction that inserts it: today's first, then lasting ones.
    ///
    /// Decided under the lock of the balances: of any number of parallel calls on
    /// one remaining credit, exactly one succeeds.
    pub async fn hold(
        &self,
        transaction: &mut PgConnection,
        device: DeviceId,
        plan: Plan,
        job: JobId,
        price: u32,
    ) -> Result<(), AppError> {
        let day = day_of(self.clock.now());
        store::grant(transaction, device, day, EntryKind::Grant, self.daily.of(plan)).await.map_err(explain)?;
        let pots = store::lock_pots(transaction, device, day).await.map_err(explain)?;
        let today = pots.today.unwrap_or(0);
        let Some((of_today, lasting)) = split(price, today, pots.lasting) else {
            return Err(self.limit(today.saturating_add(pots.lasting), price, plan));
        };
        store::hold(transaction, device, day, job, of_today).await.map_err(explain)?;
        store::hold(transaction, device, domain::credits::LASTING, job, lasting).await.map_err(explain)
    }

    /// Grants what a plan has more than a visitor's day, today. Doing so again changes nothing.
    pub async fn grant_plan(
        &self,
        transaction: &mut PgConnection,
        device: DeviceId,
        plan: Plan,
    ) -> Result<(), AppError> {
        let day = day_of(self.clock.now());
        store::grant(transaction, device, day, EntryKind::Grant, self.daily.visitor).await.map_err(explain)?;
        let more = self.daily.of(plan).saturating_sub(self.daily.visitor);
        store::grant(transaction, device, day, EntryKind::Plan, more).await.map_err(explain)
    }

    /// Grants credits that last, once in an owner's life.
    pub async fn grant_sign_up(
        &self,
        transaction: &mut PgConnection,
        device: DeviceId,
        credits: u32,
    ) -> Result<(), AppError> {
        let day = domain::credits::LASTING;
        store::grant(transaction, device, day, EntryKind::SignUp, credits).await.map_err(explain)
    }

    /// Gives back what a finished job cost, once; what belonged to a day that is over comes back as lasting credits.
    /// Answers the credits that came back now.
    pub async fn refund(&self, transaction: &mut PgConnection, job: JobId) -> Result<u32, AppError> {
        store::refund(transaction, job, day_of(self.clock.now())).await.map_err(explain)
    }

    /// Writes off what is left of past days; answers how many balances. To be called until it answers 0.
    pub async fn expire(&self) -> Result<u64, AppError> {
        store::expire(&self.pool, day_of(self.clock.now()), EXPIRED_AT_ONCE).await.map_err(explain)
    }

    /// An owner's entries, the newest first, from before the entry `before`.
    pub async fn statement(
        &self,
        device: DeviceId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StatementLine>, AppError> {
        store::statement(&self.pool, device, before.unwrap_or(i64::MAX), i64::from(limit.clamp(1, 200)))
            .await
            .map_err(explain)
    }

    /// A page of somebody's statement: what they have, and the entries before `before`. Who has no device yet has a
    /// day untouched and no entries.
    pub async fn account(
        &self,
        holder: Option<(DeviceId, Plan)>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Statement, AppError> {
        let credits = self.balance(holder).await?;
        let mut entries = match holder {
            // One more than is shown tells whether there are older ones.
            Some((device, _)) => self.statement(device, before, limit.saturating_add(1)).await?,
            None => Vec::new(),
        };
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let older = entries.last().filter(|_| more).map(|last| last.id);
        Ok(Statement { credits, at: self.clock.now(), entries, older })
    }

    /// Credits a day for each plan.
    pub fn daily(&self) -> Daily {
        self.daily
    }

    /// Seconds until the next full hour, when everybody's device time is new.
    pub fn seconds_left_of_hour(&self) -> u32 {
        let now = self.clock.now();
        3_600 - (now.minute() * 60 + now.second())
    }

    /// Compares every balance with its entries and tells the operator; answers how many differ, which is none.
    pub async fn audit(&self) -> Result<usize, AppError> {
        let drifted = drift(&self.pool).await?;
        gauges::keep("mindseye_ledger_drift", None, drifted.len() as f64);
        if !drifted.is_empty() {
            tracing::error!(balances = drifted.len(), "balances differ from the sum of their entries");
        }
        Ok(drifted.len())
    }

    fn limit(&self, left: u32, price: u32, plan: Plan) -> AppError {
        let now = self.clock.now();
        let daily = self.daily.of(plan);
        AppError::DailyLimit { left, daily, price, now, resets_at: next_reset(now), account_daily: None }
    }

    fn view(&self, today: u32, lasting: u32, plan: Plan, now: DateTime<Utc>) -> Credits {
        let (credits_left, daily) = (today.saturating_add(lasting), self.daily.of(plan));
        Credits { credits_left, lasting, daily, plan, resets_at: next_reset(now) }
    }
}

/// Closes a job's hold by giving its credits back. Doing so again changes nothing.
pub(crate) async fn release(transaction: &mut PgConnection, job: JobId) -> Result<(), sqlx::Error> {
    store::close(transaction, job, EntryKind::Release).await
}

/// Balances that differ from the sum of their entries. Always empty, or something is very wrong.
pub async fn drift(pool: &PgPool) -> Result<Vec<(DeviceId, i64)>, AppError> {
    store::drift(pool).await.map_err(explain)
}

/// Credits by kind of entry, over everything.
pub async fn totals(pool: &PgPool) -> Result<Vec<(String, i64)>, AppError> {
    store::totals(pool).await.map_err(explain)
}
