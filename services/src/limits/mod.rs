//! What is asked of a request before it is served, beyond having credits: two questions, never one score. Which
//! allowances are used up ([`allowance`]), and how automated it looks ([`risk`]); both pure, with their numbers in
//! [`policy`]. `docs/limits.md` says why, and what it comes to.

pub mod allowance;
mod book;
mod day_key;
mod decision;
mod journal;
mod keys;
pub mod policy;
mod proof;
mod rate;
pub mod risk;
mod settle;
mod store;
mod together;

pub use day_key::SignalKey;
pub use decision::Pass;
pub use journal::Entry;
pub use policy::Policy;
pub use proof::{Purpose, solve};
pub use rate::{Bursts, Rate};
pub use risk::{Demand, Reason};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use domain::credits::day_of;
use domain::{AppError, JobId};
use sqlx::PgPool;
use tokio::sync::Semaphore;

use self::book::{Answer, Book};
use self::day_key::DayKey;
use self::decision::{Ask, Keys, Ruling};
use self::journal::Journal;
use self::keys::KeyRing;
use self::proof::Bought;
use crate::clock::{self, SharedClock};
use crate::db::explain;
use crate::gauges;
use crate::group::Group;
use crate::identity::{Actor, Signals, Visitor};

/// What a standard picture is believed to take before one was measured, in milliseconds.
const STANDARD_MS: f64 = 1_000.0;
/// How long measured times are believed.
const MEASURED_FOR: TimeDelta = TimeDelta::seconds(30);
/// Hashes are deleted within 26 hours of the start of their day: an hour is left for a head that is away.
const KEPT_FOR: TimeDelta = TimeDelta::hours(25);
/// Challenges that are made at once.
const CHALLENGES_AT_ONCE: usize = 2;
/// Share of people who may meet a limit before the operator is told.
const ALARMING: f64 = 0.03;
/// People in a day below whom that share says nothing.
const FEW: i64 = 100;
/// Share of the hour's device time from which the operator is told.
const NEARLY_SPENT: f64 = 0.8;

/// Where counts lie while they are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// In this process, the only head there is; written down a moment later. As long as there are at most so many
    /// entries, of some hundred bytes each: then in the database for the rest of the day.
    Alone { most: usize },
    /// In the database, with every other head.
    Together,
}

impl Counting {
    /// Some hundred MB at most.
    pub const ALONE: Self = Self::Alone { most: 500_000 };
}

/// A request as limits see it.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// What it is going to be.
    pub job: JobId,
    pub purpose: Purpose,
    pub prompt: &'a str,
    pub model: &'a str,
    /// Credits.
    pub price: u32,
    /// Standard pictures' worth of device time.
    pub standard_pictures: f64,
}

/// Decides. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Limits {
    pool: PgPool,
    clock: SharedClock,
    policy: Arc<Policy>,
    keys: KeyRing,
    /// None where several heads count together.
    book: Option<Book>,
    deciding: Group<Ask, Result<Ruling, AppError>>,
    bursts: Bursts,
    journal: Journal,
    /// Places to make challenges in.
    challenging: Arc<Semaphore>,
    measured: Arc<Mutex<Option<Measured>>>,
}

/// Device time of a standard picture of each model, and when that was read.
#[derive(Debug)]
struct Measured {
    read_at: DateTime<Utc>,
    standard_ms: HashMap<String, f64>,
}

impl Limits {
    /// Must be called within a runtime.
    pub fn new(pool: PgPool, clock: SharedClock, policy: Policy, bursts: Bursts, counting: Counting) -> Self {
        let policy = Arc::new(policy);
        let deciding = together::deciding(&pool, policy.clone());
        let keys = KeyRing::new(pool.clone(), clock.clone());
        let book = match counting {
            Counting::Alone { most } => Some(Book::open(pool.clone(), most)),
            Counting::Together => None,
        };
        Self {
            pool,
            clock,
            policy,
            keys,
            book,
            deciding,
            bursts,
            journal: Journal::default(),
            challenging: Arc::new(Semaphore::new(CHALLENGES_AT_ONCE)),
            measured: Arc::default(),
        }
    }

    /// Counts one more request against the visitor's pace.
    ///
    /// # Errors
    /// [`AppError::SlowDown`], [`AppError::Unavailable`].
    pub async fn pace(&self, visitor: &Visitor) -> Result<(), AppError> {
        let key = self.keys.day().await?;
        let (cookie, address) = (visitor.secret_bytes(), key.client(&visitor.signals));
        self.bursts.take(cookie.map(|cookie| key.cookie(cookie)), address).await.map_err(|wait| {
            metrics::counter!("mindseye_bursts_refused_total").increment(1);
            let retry_seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
            AppError::SlowDown { retry_seconds }
        })
    }

    /// Lets a request through, and counts it in the same step, or says what is to be proven or waited for.
    ///
    /// # Errors
    /// [`AppError::ChallengeRequired`], [`AppError::BudgetSpent`], [`AppError::Unavailable`].
    pub async fn decide(&self, actor: &Actor, signals: &Signals, wish: Wish<'_>) -> Result<Pass, AppError> {
        let now = self.clock.now();
        let day_key = self.keys.day().await?;
        let bought = Bought { purpose: wish.purpose, subject: day_key.place(signals), price: wish.price };
        let proven = match &signals.proof {
            Some(answer) => self.spend(answer, bought, now).await?,
            None => Demand::Nothing,
        };
        let ask = Ask {
            job: wish.job,
            device: actor.device,
            first: actor.first,
            kept: actor.kept,
            keys: Keys {
                address: day_key.address(signals),
                pair: day_key.pair(signals),
                fingerprint: day_key.fingerprint(signals),
                prompt: day_key.prompt(signals, wish.prompt),
            },
            behaviour: signals.behaviour,
            agent: signals.agent,
            edge_score: signals.edge_score,
            price: i32::try_from(wish.price).unwrap_or(i32::MAX),
            ms: (wish.standard_pictures * self.standard_ms(wish.model, now).await).ceil() as i64,
            proven,
            now,
        };
        let ruling = self.rule(ask).await?;
        let outcome = match &ruling {
            Ruling::Served(_) => "served",
            Ruling::Prove { demand: Demand::Visible, .. } => "visible",
            Ruling::Prove { .. } => "silent",
            Ruling::Spent => "budget",
        };
        metrics::counter!("mindseye_limits_decisions_total", "outcome" => outcome).increment(1);
        let person = who(&day_key, actor, signals);
        match ruling {
            Ruling::Served(pass) => {
                self.journal.write(now, Demand::Nothing, &pass.why);
                Ok(pass)
            }
            Ruling::Prove { demand, why } => {
                self.journal.write(now, demand, &why);
                for reason in &why {
                    metrics::counter!("mindseye_limits_reasons_total", "reason" => reason.name).increment(1);
                }
                if demand == Demand::Visible {
                    self.met(&person, "challenge").await;
                }
                let secrets = self.keys.proofs(keys::FRESH).await?;
                let secret = secrets.first().copied().ok_or(AppError::Unavailable)?;
                let drawn = clock::random_u128() as u32;
                // Some milliseconds of arithmetic: not on a thread that others wait for.
                // And never so many at once that they take the machine.
                let place = self.challenging.acquire().await.map_err(|_| AppError::Unavailable)?;
                let made = tokio::task::spawn_blocking(move || proof::challenge(&secret, bought, demand, drawn, now));
                let made = made.await.map_err(|_| AppError::Internal)?;
                drop(place);
                let challenge = made.map_err(|error| {
                    tracing::error!(%error, "no challenge could be made");
                    AppError::Internal
                })?;
                Err(AppError::ChallengeRequired { visible: demand == Demand::Visible, challenge })
            }
            Ruling::Spent => {
                self.met(&person, "budget_spent").await;
                let left = 3_600 - (now.minute() * 60 + now.second());
                Err(AppError::BudgetSpent { retry_seconds: left.max(1) })
            }
        }
    }

    /// Writes down what is only in memory: before a head ends.
    pub async fn write_down(&self) {
        let Some(book) = &self.book else { return };
        if let Err(error) = book.write().await {
            tracing::warn!(%error, "the last moment's counts are forgotten");
        }
    }

    /// The latest decisions of this head against which something spoke, the newest first.
    pub fn decisions(&self) -> Vec<Entry> {
        self.journal.read()
    }

    /// Takes note that a person met a limit.
    pub async fn met_limit(&self, actor: &Actor, signals: &Signals, code: &'static str) {
        if let Ok(key) = self.keys.day().await {
            self.met(&who(&key, actor, signals), code).await;
        }
    }

    /// Deletes what is older than it may be, and tells metrics and the log how people fare. To be called every minute.
    pub async fn look_after(&self) -> Result<(), AppError> {
        self.bursts.forget_quiet_ones();
        let now = self.clock.now();
        if let Some(book) = &self.book {
            book.close(now);
            book.write().await.map_err(explain)?;
        }
        let oldest = day_of(now - KEPT_FOR + TimeDelta::days(1));
        let gone = store::sweep(&self.pool, oldest, now).await.map_err(explain)?;
        if gone > 0 {
            tracing::info!(rows = gone, "yesterday's hashes are deleted");
        }
        let (people, met, reserved) = store::watch(&self.pool, day_of(now), hour_of(now)).await.map_err(explain)?;
        let everybody = people.max(met).max(1);
        let share = met as f64 / everybody as f64;
        let used = reserved as f64 / self.policy.hourly_ms.max(1) as f64;
        gauges::keep("mindseye_people_today", None, people as f64);
        gauges::keep("mindseye_people_limited_ratio", None, share);
        gauges::keep("mindseye_anonymous_budget_used_ratio", None, used);
        if everybody >= FEW && share > ALARMING {
            tracing::warn!(share, people, "more than three in a hundred people met a limit today");
        }
        if used > NEARLY_SPENT {
            tracing::warn!(used, "this hour's device time for visitors is nearly given away");
        }
        Ok(())
    }

    /// Signs challenges with a new secret from now on. Answers under way stay good, and nobody is logged out:
    /// owner cookies are not signed with anything.
    pub async fn rotate_keys(pool: &PgPool, now: DateTime<Utc>) -> Result<(), AppError> {
        KeyRing::rotate(pool, now).await
    }

    /// Whether it is known, without asking the ledger, that a device has not yet spent so much today that `price` more
    /// would be above `daily`.
    pub fn has_left(&self, actor: &Actor, daily: u32, price: u32) -> bool {
        let spent = self.book.as_ref().and_then(|book| book.spent(actor.device, self.clock.now()));
        // Where a device spent nothing that is known of, nothing is known.
        actor.is_new()
            || spent.is_some_and(|spent| spent > 0 && i64::from(spent) + i64::from(price) <= i64::from(daily))
    }

    /// Judges by the counts of the day, and counts what may pass.
    async fn rule(&self, ask: Ask) -> Result<Ruling, AppError> {
        if let Some(book) = &self.book {
            let mut answer = book.judge(&ask, &self.policy);
            if matches!(answer, Answer::Closed) {
                book.turn(ask.now).await.map_err(explain)?;
                answer = book.judge(&ask, &self.policy);
            }
            match answer {
                Answer::Ruled(ruling) => return Ok(ruling),
                // What memory knows has to be where it is looked for.
                Answer::Closed | Answer::Full => book.write().await.map_err(explain)?,
            }
        }
        self.deciding.call(ask).await.unwrap_or(Err(AppError::Unavailable))
    }

    /// What an answer proves, once.
    async fn spend(&self, answer: &str, bought: Bought, now: DateTime<Utc>) -> Result<Demand, AppError> {
        let mut proven = None;
        for fresh in [keys::FRESH, keys::DOUBTED] {
            if proven.is_none() {
                let secrets = self.keys.proofs(fresh).await?;
                proven = proof::verify(&secrets, answer, bought, now);
            }
        }
        let Some(proven) = proven else {
            metrics::counter!("mindseye_proofs_total", "outcome" => "refused").increment(1);
            return Ok(Demand::Nothing);
        };
        let new = store::spend_proof(&self.pool, &proven.id, proven.expires_at).await.map_err(explain)?;
        let outcome = if new { "accepted" } else { "replayed" };
        metrics::counter!("mindseye_proofs_total", "outcome" => outcome).increment(1);
        Ok(if new { proven.level } else { Demand::Nothing })
    }

    async fn met(&self, person: &SignalKey, code: &'static str) {
        if let Err(error) = store::met(&self.pool, day_of(self.clock.now()), person, code).await {
            tracing::debug!(%error, "a met limit is not counted");
        }
    }

    /// Device time of a standard picture, on the slowest worker that was measured: the budget is never overspent
    /// because a picture went to the slow card.
    async fn standard_ms(&self, model: &str, now: DateTime<Utc>) -> f64 {
        let of = |times: &HashMap<String, f64>| times.get(model).copied().unwrap_or(STANDARD_MS);
        if let Some(measured) = &*self.measured.lock().unwrap_or_else(PoisonError::into_inner)
            && now - measured.read_at < MEASURED_FOR
        {
            return of(&measured.standard_ms);
        }
        let Ok(times) = store::standard_ms(&self.pool).await else { return STANDARD_MS };
        let standard_ms: HashMap<String, f64> = times.into_iter().collect();
        let ms = of(&standard_ms);
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner) = Some(Measured { read_at: now, standard_ms });
        ms
    }
}

/// A person, as far as those who meet limits are told apart: somebody new is a place, not whatever they say they are.
fn who(key: &DayKey, actor: &Actor, signals: &Signals) -> SignalKey {
    if actor.is_new() { key.place(signals) } else { key.device(actor.device) }
}

/// The hour an instant belongs to.
fn hour_of(now: DateTime<Utc>) -> DateTime<Utc> {
    now.with_minute(0).and_then(|t| t.with_second(0)).and_then(|t| t.with_nanosecond(0)).unwrap_or(now)
}
