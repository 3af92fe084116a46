//! One decision: what is asked, what is counted, and the ruling, without a database.
//!
//! Where the counts lie while they are judged by is another matter: [`super::book`] for a head that is alone,
//! [`super::together`] for several.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{Behaviour, DeviceId, JobId};
use uuid::Uuid;

use super::allowance::{Bucket, Buckets, Serving, Use, Vouching, overdrafts};
use super::day_key::SignalKey;
use super::hour_of;
use super::policy::Policy;
use super::risk::{Demand, Evidence, Reason, demand, risk, why};
use super::store::{BucketKey, BucketRow, Counted};
use crate::identity::Agent;

/// Kinds of buckets, as the table numbers them.
const ADDRESS: i16 = 1;
const PAIR: i16 = 2;
const FINGERPRINT: i16 = 3;
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
    pub job: JobId,
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
    pub(super) job: JobId,
    pub(super) device: DeviceId,
    pub(super) now: DateTime<Utc>,
    /// Device time that was reserved, in milliseconds.
    pub(super) ms: i64,
    pub(super) counted: Vec<Counted>,
    /// What spoke against it, though not enough.
    pub why: Vec<Reason>,
}

/// What of a pass is taken back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Back {
    pub device: Uuid,
    pub hour: DateTime<Utc>,
    pub ms: i64,
    pub counted: Vec<Counted>,
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

/// Today's counts, and what was changed in them since that was last written down.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub buckets: HashMap<BucketKey, BucketRow>,
    pub uses: HashMap<Uuid, Vec<(BucketKey, Use)>>,
    /// Device time that was given away in this hour, in milliseconds.
    pub reserved_ms: i64,
    pub changes: Changes,
}

/// What became of counts: differences where several may write, the last word where only one device does.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub reserved_ms: HashMap<DateTime<Utc>, i64>,
    pub buckets: HashMap<BucketKey, BucketRow>,
    pub uses: HashMap<(Uuid, BucketKey), Use>,
    pub passes: HashMap<JobId, Pass>,
    /// Passes that count no more.
    pub void: Vec<JobId>,
}

impl Pass {
    /// All of it, for a request that then was not served.
    pub(super) fn back(&self) -> Back {
        Back { device: self.device.0, hour: hour_of(self.now), ms: self.ms, counted: self.counted.clone() }
    }
}

impl Keys {
    pub(super) fn all(&self) -> impl Iterator<Item = BucketKey> {
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
    /// Judges a request, and counts it if it may pass.
    pub(super) fn judge(&mut self, ask: &Ask, policy: &Policy) -> Ruling {
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
        self.reserve(hour_of(ask.now), ask.ms);
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
            let by = (after.turnover - before.turnover, after.credits - before.credits);
            self.change_bucket(key, by, Some(ask.device.0));
            self.set_use(ask.device.0, key, after.own);
            // A request that is taken back was one all the same: that its device came back stays.
            let came_back = i32::from(after.own.returns - before.own.returns) * vouching.credits;
            counted.push(Counted {
                at: key,
                credits: after.own.credits - before.own.credits,
                turnover: after.turnover - before.turnover + came_back,
            });
        }
        let pass = Pass { job: ask.job, device: ask.device, now: ask.now, ms: ask.ms, counted, why };
        self.changes.passes.insert(ask.job, pass.clone());
        Ruling::Served(pass)
    }

    /// Takes back what was counted with a pass, or the part of it that is named.
    pub(super) fn take_back(&mut self, back: &Back) {
        self.reserve(back.hour, -back.ms);
        for counted in &back.counted {
            self.change_bucket(counted.at, (-counted.turnover, -counted.credits), None);
            let own = self.own(back.device, counted.at);
            if own.jobs == 0 {
                continue;
            }
            let own = Use { credits: own.credits - counted.credits, jobs: own.jobs - 1, ..own };
            self.set_use(back.device, counted.at, own);
        }
    }

    /// Drops what is counted by one kind of signal.
    pub(super) fn forget(&mut self, kind: i16) {
        self.buckets.retain(|key, _| key.kind != kind);
        for uses in self.uses.values_mut() {
            uses.retain(|(key, _)| key.kind != kind);
        }
        self.uses.retain(|_, uses| !uses.is_empty());
    }

    /// Entries, each of some hundred bytes.
    pub(super) fn len(&self) -> usize {
        self.buckets.len() + self.uses.values().map(Vec::len).sum::<usize>()
    }

    fn reserve(&mut self, hour: DateTime<Utc>, ms: i64) {
        self.reserved_ms += ms;
        *self.changes.reserved_ms.entry(hour).or_default() += ms;
    }

    fn change_bucket(&mut self, key: BucketKey, by: (i32, i32), device: Option<Uuid>) {
        for row in [self.buckets.entry(key).or_default(), self.changes.buckets.entry(key).or_default()] {
            row.turnover += by.0;
            row.credits += by.1;
            row.last_device = device.or(row.last_device);
        }
    }

    fn set_use(&mut self, device: Uuid, key: BucketKey, own: Use) {
        let uses = self.uses.entry(device).or_default();
        match uses.iter_mut().find(|(at, _)| *at == key) {
            Some((_, before)) => *before = own,
            None => uses.push((key, own)),
        }
        self.changes.uses.insert((device, key), own);
    }

    fn own(&self, device: Uuid, key: BucketKey) -> Use {
        let uses = self.uses.get(&device);
        uses.and_then(|uses| uses.iter().find(|(at, _)| *at == key)).map(|(_, own)| *own).unwrap_or_default()
    }

    fn bucket(&self, device: Uuid, key: BucketKey) -> Bucket {
        let row = self.buckets.get(&key).copied().unwrap_or_default();
        let others_since = row.last_device.is_some_and(|last| last != device);
        Bucket { turnover: row.turnover, credits: row.credits, others_since, own: self.own(device, key) }
    }

    /// Address ranges that the device was used from today.
    fn ranges(&self, device: Uuid) -> u32 {
        let uses = self.uses.get(&device).map(Vec::as_slice).unwrap_or_default();
        uses.iter().filter(|(key, _)| key.kind == ADDRESS).count() as u32
    }
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.reserved_ms.is_empty()
            && self.buckets.is_empty()
            && self.uses.is_empty()
            && self.passes.is_empty()
            && self.void.is_empty()
    }

    /// These, and then the later ones.
    pub(super) fn then(mut self, later: Self) -> Self {
        for (hour, ms) in later.reserved_ms {
            *self.reserved_ms.entry(hour).or_default() += ms;
        }
        for (key, by) in later.buckets {
            let row = self.buckets.entry(key).or_default();
            row.turnover += by.turnover;
            row.credits += by.credits;
            row.last_device = by.last_device.or(row.last_device);
        }
        self.uses.extend(later.uses);
        self.passes.extend(later.passes);
        self.void.extend(later.void);
        self
    }
}
