//! Several heads: what is counted is read, judged and written in one transaction for a group of requests, so that no
//! two requests are judged by the same count, whichever heads they came to.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::AppError;
use domain::credits::day_of;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::decision::{Ask, Back, Counts, Pass, Ruling};
use super::hour_of;
use super::policy::Policy;
use super::store::{self, BucketKey};
use crate::db::explain;
use crate::group::Group;

/// Starts to decide.
pub(super) fn deciding(pool: &PgPool, policy: Arc<Policy>) -> Group<Ask, Result<Ruling, AppError>> {
    let pool = pool.clone();
    Group::spawn(move |asks: Vec<Ask>| {
        let (pool, policy) = (pool.clone(), policy.clone());
        async move {
            match decide(&pool, &policy, &asks).await {
                Ok(rulings) => rulings.into_iter().map(Ok).collect(),
                Err(error) => {
                    let error = explain(error);
                    asks.iter().map(|_| Err(error.clone())).collect()
                }
            }
        }
    })
}

async fn decide(pool: &PgPool, policy: &Policy, asks: &[Ask]) -> Result<Vec<Ruling>, sqlx::Error> {
    // Calls of one group are milliseconds apart; at midnight all of them belong to the day of the first.
    let Some(now) = asks.first().map(|ask| ask.now) else { return Ok(Vec::new()) };
    let keys = asks.iter().flat_map(|ask| ask.keys.all()).collect();
    let devices = asks.iter().map(|ask| ask.device.0).collect();
    let mut transaction = store::begin(pool).await?;
    let reserved_ms = store::lock_hour(&mut transaction, hour_of(now)).await?;
    let judge = |counts: &mut Counts| asks.iter().map(|ask| counts.judge(ask, policy)).collect();
    let rulings = change(&mut transaction, day_of(now), reserved_ms, keys, devices, judge).await?;
    transaction.commit().await?;
    Ok(rulings)
}

/// Takes back all that was counted for a job that was not accepted after all, once.
pub(super) async fn give_back(
    pool: &PgPool,
    policy: &Policy,
    pass: &Pass,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let mut transaction = store::begin(pool).await?;
    let reserved_ms = store::lock_hour(&mut transaction, hour_of(now)).await?;
    if store::take_pass(&mut transaction, pass.job).await? {
        take_back(&mut transaction, policy, day_of(pass.now), reserved_ms, &[pass.back()]).await?;
    }
    transaction.commit().await
}

/// Takes back, with the lock of an hour held, in which `reserved_ms` was given away.
pub(super) async fn take_back(
    db: &mut PgConnection,
    policy: &Policy,
    day: NaiveDate,
    reserved_ms: i64,
    backs: &[Back],
) -> Result<(), sqlx::Error> {
    let keys = backs.iter().flat_map(|back| back.counted.iter().map(|counted| counted.at)).collect();
    let devices = backs.iter().map(|back| back.device).collect();
    let take_back = |counts: &mut Counts| {
        for back in backs {
            counts.take_back(back, policy);
        }
    };
    change(db, day, reserved_ms, keys, devices, take_back).await
}

/// Changes a day's counts under these keys and of these devices, with an hour's lock held: nobody else does so meanwhile.
async fn change<Outcome>(
    db: &mut PgConnection,
    day: NaiveDate,
    reserved_ms: i64,
    mut keys: Vec<BucketKey>,
    mut devices: Vec<Uuid>,
    with: impl FnOnce(&mut Counts) -> Outcome,
) -> Result<Outcome, sqlx::Error> {
    keys.sort_unstable();
    keys.dedup();
    devices.sort_unstable();
    devices.dedup();
    let stored = store::read(db, day, &keys, &devices).await?;
    let mut counts = Counts::of(stored.buckets, stored.uses, reserved_ms);
    let outcome = with(&mut counts);
    if !counts.changes.is_empty() {
        store::write(db, day, &counts.changes).await?;
    }
    Ok(outcome)
}
