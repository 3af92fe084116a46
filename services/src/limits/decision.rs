//! Decisions in groups: what is counted is read, judged and written in one transaction, so that no two requests are
//! judged by the same count.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::credits::day_of;
use domain::{AppError, Behaviour, DeviceId};
use sqlx::PgPool;
use uuid::Uuid;

use super::allowance::{Bucket, Buckets, Serving, Use, Vouching, overdrafts};
use super::day_key::SignalKey;
use super::hour_of;
use super::policy::Policy;
use super::risk::{Demand, Evidence, Reason, demand, risk, why};
use super::store::{self, BucketKey, BucketRow, Counted};
use crate::db::explain;
use crate::group::Group;
use crate::identity::Agent;

/// Kinds of buckets, as the table numbers them.
const ADDRESS: i16 = 1;
const PAIR: i16 = 2;
const FINGERPRINT: i16 = 3;
/// The only kind that every request has.
pub(super) const PROMPT: i16 = 4;

/// Words are counted in jobs: one that comes back takes one away.
const PROMPT_VOUCHING: Vouching = Vouching { credits: 1, used_up: None };

/// The keys of a request's buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    /// None where the address tells no place.
    pub address: Option<SignalKey>,
    /// None where neither the address nor a fingerprint tells anything.
    pub pair: Option<SignalKey>,
    pub fingerprint: Option<SignalKey>,
    pub prompt: SignalKey,
}

/// A request to be judged.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub device: DeviceId,
    pub first: bool,
    pub kept: bool,
    pub keys: Keys,
    pub behaviour: Option<Behaviour>,
    pub agent: Agent,
    pub edge_score: Option<u8>,
    pub price: i32,
    /// Device time.
    pub ms: i64,
    /// What it has proven.
    pub proven: Demand,
    pub now: DateTime<Utc>,
}

/// A request that was let through, with what was counted for it.
#[derive(Clone, Debug)]
pub struct Pass {
    pub(super) device: DeviceId,
    pub(super) now: DateTime<Utc>,
    pub(super) ms: i64,
    pub(super) counted: Vec<Counted>,
    /// What spoke against it, though not enough.
    pub why: Vec<Reason>,
}

#[derive(Clone, Debug)]
pub(super) enum Ruling {
    Served(Pass),
    Prove {
        demand: Demand,
        why: Vec<Reason>,
    },
    /// The hour's device time is given away.
    Spent,
}

/// What a group of decisions works on: today's counts, as they were and as they become.
struct Counts {
    buckets: HashMap<BucketKey, BucketRow>,
    uses: HashMap<(Uuid, BucketKey), Use>,
    reserved_ms: i64,
    changed_buckets: HashSet<BucketKey>,
    changed_uses: HashSet<(Uuid, BucketKey)>,
}

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
    let (day, hour) = (day_of(now), hour_of(now));
    let mut transaction = store::begin(pool).await?;
    let before = store::lock_hour(&mut transaction, hour).await?;
    let mut wanted: Vec<BucketKey> = asks.iter().flat_map(|ask| ask.keys.all()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut devices: Vec<Uuid> = asks.iter().map(|ask| ask.device.0).collect();
    devices.sort_unstable();
    devices.dedup();
    let stored = store::read(&mut transaction, day, &wanted, &devices).await?;
    let mut counts = Counts {
        buckets: stored.buckets.into_iter().collect(),
        uses: stored.uses.into_iter().map(|(device, key, used)| ((device, key), used)).collect(),
        reserved_ms: before,
        changed_buckets: HashSet::new(),
        changed_uses: HashSet::new(),
    };
    let rulings: Vec<Ruling> = asks.iter().map(|ask| counts.judge(ask, policy)).collect();
    if !counts.changed_uses.is_empty() {
        let buckets: Vec<_> =
            counts.changed_buckets.iter().filter_map(|key| Some((*key, *counts.buckets.get(key)?))).collect();
        let uses: Vec<_> =
            counts.changed_uses.iter().filter_map(|at| Some((at.0, at.1, *counts.uses.get(at)?))).collect();
        store::write(&mut transaction, day, hour, counts.reserved_ms - before, &buckets, &uses).await?;
    }
    transaction.commit().await?;
    Ok(rulings)
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = BucketKey> {
        let key = |kind, key: Option<SignalKey>| key.map(|key| BucketKey { kind, key });
        [
            key(ADDRESS, self.address),
            key(PAIR, self.pair),
            key(FINGERPRINT, self.fingerprint),
            key(PROMPT, Some(self.prompt)),
        ]
        .into_iter()
        .flatten()
    }
}

impl Counts {
    fn judge(&mut self, ask: &Ask, policy: &Policy) -> Ruling {
        let bucket = |kind, key| self.bucket(ask.device.0, BucketKey { kind, key });
        let buckets = Buckets {
            pair: ask.keys.pair.map(|key| bucket(PAIR, key)),
            address: ask.keys.address.map(|key| bucket(ADDRESS, key)),
            fingerprint: ask.keys.fingerprint.map(|key| bucket(FINGERPRINT, key)),
        };
        let evidence = Evidence {
            first: ask.first,
            buckets,
            behaviour: ask.behaviour,
            agent: ask.agent,
            edge_score: ask.edge_score,
            ranges: self.ranges(ask.device.0),
            same_words: bucket(PROMPT, ask.keys.prompt).others(PROMPT_VOUCHING),
        };
        let overdrawn = overdrafts(&buckets, ask.price, policy);
        let reasons = risk(&evidence, policy);
        let demand = demand(&overdrawn, &reasons, ask.first, policy);
        let why = why(&overdrawn, &reasons, policy);
        if demand > ask.proven {
            return Ruling::Prove { demand, why };
        }
        if self.reserved_ms.saturating_add(ask.ms) > policy.hourly_ms {
            return Ruling::Spent;
        }
        self.reserved_ms += ask.ms;
        let visible = ask.proven == Demand::Visible;
        let mut counted = Vec::new();
        for key in ask.keys.all() {
            let (price, bound, vouching) = match key.kind {
                ADDRESS => (ask.price, policy.address_turnover, policy.vouching()),
                FINGERPRINT => (ask.price, policy.fingerprint_turnover, policy.vouching()),
                PAIR => (ask.price, policy.pair_turnover, policy.pair_vouching()),
                _ => (1, policy.pair_turnover, PROMPT_VOUCHING),
            };
            let before = self.bucket(ask.device.0, key);
            // A cookie that made something, on an earlier day or at another place, is one that is kept.
            let kept = ask.kept || !ask.first;
            let serving = Serving { price, bound, vouching, now: ask.now, kept, proven: visible };
            let after = before.serve(serving, policy);
            let row = BucketRow { turnover: after.turnover, credits: after.credits, last_device: Some(ask.device.0) };
            self.buckets.insert(key, row);
            self.uses.insert((ask.device.0, key), after.own);
            self.changed_buckets.insert(key);
            self.changed_uses.insert((ask.device.0, key));
            // A request that is taken back was one all the same: that its device came back stays.
            let came_back = i32::from(after.own.returns - before.own.returns) * vouching.credits;
            counted.push(Counted {
                at: key,
                credits: after.own.credits - before.own.credits,
                turnover: after.turnover - before.turnover + came_back,
            });
        }
        Ruling::Served(Pass { device: ask.device, now: ask.now, ms: ask.ms, counted, why })
    }

    fn bucket(&self, device: Uuid, key: BucketKey) -> Bucket {
        let row = self.buckets.get(&key).copied().unwrap_or_default();
        let own = self.uses.get(&(device, key)).copied().unwrap_or_default();
        let others_since = row.last_device.is_some_and(|last| last != device);
        Bucket { turnover: row.turnover, credits: row.credits, others_since, own }
    }

    /// Address ranges that the device was used from today.
    fn ranges(&self, device: Uuid) -> u32 {
        self.uses.keys().filter(|(of, key)| *of == device && key.kind == ADDRESS).count() as u32
    }
}
