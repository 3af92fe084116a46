//! Several heads: what is counted is read, judged and written in one transaction for a group of requests, so that no
//! two requests are judged by the same count, whichever heads they came to.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::credits::day_of;
use domain::{AppError, JobId};
use sqlx::PgPool;
use uuid::Uuid;

use super::decision::{Ask, Back, Counts, Ruling};
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
    let judge = |counts: &mut Counts| asks.iter().map(|ask| counts.judge(ask, policy)).collect();
    change(pool, day_of(now), hour_of(now), keys, devices, judge).await
}

/// Takes back, for jobs that count no more.
pub(super) async fn take_back(
    pool: &PgPool,
    day: NaiveDate,
    backs: &[Back],
    void: &[JobId],
) -> Result<(), sqlx::Error> {
    let Some(hour) = backs.iter().map(|back| back.hour).max() else { return Ok(()) };
    let keys = backs.iter().flat_map(|back| back.counted.iter().map(|counted| counted.at)).collect();
    let devices = backs.iter().map(|back| back.device).collect();
    let take_back = |counts: &mut Counts| {
        for back in backs {
            counts.take_back(back);
        }
        counts.changes.void.extend(void);
    };
    change(pool, day, hour, keys, devices, take_back).await
}

/// Changes today's counts under these keys and of these devices, with nobody else doing so meanwhile.
async fn change<Outcome>(
    pool: &PgPool,
    day: NaiveDate,
    hour: DateTime<Utc>,
    mut keys: Vec<BucketKey>,
    mut devices: Vec<Uuid>,
    with: impl FnOnce(&mut Counts) -> Outcome,
) -> Result<Outcome, sqlx::Error> {
    let mut transaction = store::begin(pool).await?;
    let reserved_ms = store::lock_hour(&mut transaction, hour).await?;
    keys.sort_unstable();
    keys.dedup();
    devices.sort_unstable();
    devices.dedup();
    let stored = store::read(&mut transaction, day, &keys, &devices).await?;
    let mut counts = Counts { buckets: stored.buckets.into_iter().collect(), reserved_ms, ..Counts::default() };
    counts.uses = by_device(stored.uses);
    let outcome = with(&mut counts);
    if !counts.changes.is_empty() {
        store::write(&mut transaction, day, &counts.changes).await?;
    }
    transaction.commit().await?;
    Ok(outcome)
}

/// What each device had.
pub(super) fn by_device<Use>(uses: Vec<(Uuid, BucketKey, Use)>) -> HashMap<Uuid, Vec<(BucketKey, Use)>> {
    let mut devices: HashMap<Uuid, Vec<(BucketKey, Use)>> = HashMap::new();
    for (device, key, used) in uses {
        devices.entry(device).or_default().push((key, used));
    }
    devices
}
