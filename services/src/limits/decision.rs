//! One decision: what is asked, what is counted, and the ruling, without a database.
//!
//! Where the counts lie while they are judged by is another matter: [`super::book`] for a head that is alone,
//! [`super::together`] for several.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{Behaviour, DeviceId, JobId};
use uuid::Uuid;

use super::allowance::{Bucket, Buckets, Serving, Taken, Use, Vouching, overdrafts};
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
    entries: usize,
}

/// What became of counts: differences where several may write, the last word where only one device does.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub reserved_ms: HashMap<DateTime<Utc>, i64>,
    pub buckets: HashMap<BucketKey, BucketRow>,
    pub uses: HashMap<(Uuid, BucketKey), Use>,
    pub passes: HashMap<JobId, Pass>,
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
            let (bound, vouching) = terms(key.kind, policy);
            let price = if key.kind == PROMPT { 1 } else { ask.price };
            let before = self.bucket(ask.device.0, key);
            // A cookie that made something, on an earlier day or at another place, is one that is kept.
            let kept = ask.kept || !ask.first;
            let serving = Serving { price, bound, vouching, now: ask.now, kept, proven: visible };
            let after = before.serve(serving, policy);
            self.change(ask.device.0, key, before, after, Some(ask.device.0));
            counted.push(Counted {
                at: key,
                credits: after.credits - before.credits,
                counted: after.own.credits - before.own.credits,
                returns: after.own.returns - before.own.returns,
            });
        }
        let pass = Pass { job: ask.job, device: ask.device, now: ask.now, ms: ask.ms, counted, why };
        self.changes.passes.insert(ask.job, pass.clone());
        Ruling::Served(pass)
    }

    /// Counts as they were read. Nothing of them is a change.
    pub(super) fn of(
        buckets: Vec<(BucketKey, BucketRow)>,
        uses: Vec<(Uuid, BucketKey, Use)>,
        reserved_ms: i64,
    ) -> Self {
        let mut counts = Self { entries: buckets.len() + uses.len(), reserved_ms, ..Self::default() };
        counts.buckets.extend(buckets);
        for (device, key, own) in uses {
            counts.uses.entry(device).or_default().push((key, own));
        }
        counts
    }

    /// Takes back what was counted with a pass, or the part of it that is named.
    pub(super) fn take_back(&mut self, back: &Back, policy: &Policy) {
        self.reserve(back.hour, -back.ms);
        for counted in &back.counted {
            let (bound, vouching) = terms(counted.at.kind, policy);
            let before = self.bucket(back.device, counted.at);
            if before.own.jobs == 0 {
                continue;
            }
            let taken = Taken { credits: counted.credits, counted: counted.counted, returns: counted.returns };
            let after = before.take_back(taken, vouching, bound, policy);
            self.change(back.device, counted.at, before, after, None);
            if after.own.jobs == 0 {
                self.forget_use(back.device, counted.at);
            }
        }
    }

    /// Drops what is counted by one kind of signal.
    pub(super) fn forget(&mut self, kind: i16) {
        self.buckets.retain(|key, _| key.kind != kind);
        for uses in self.uses.values_mut() {
            uses.retain(|(key, _)| key.kind != kind);
        }
        self.uses.retain(|_, uses| !uses.is_empty());
        self.entries = self.buckets.len() + self.uses.values().map(Vec::len).sum::<usize>();
    }

    /// Entries, each of some hundred bytes.
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    /// Credits that a device spent today where its address tells a place.
    pub(super) fn spent(&self, device: Uuid) -> i32 {
        let uses = self.uses.get(&device).map(Vec::as_slice).unwrap_or_default();
        uses.iter().filter(|(key, _)| key.kind == ADDRESS).map(|(_, own)| own.credits).sum()
    }

    fn reserve(&mut self, hour: DateTime<Utc>, ms: i64) {
        self.reserved_ms += ms;
        *self.changes.reserved_ms.entry(hour).or_default() += ms;
    }

    fn change(&mut self, device: Uuid, key: BucketKey, before: Bucket, after: Bucket, last_device: Option<Uuid>) {
        self.entries += usize::from(!self.buckets.contains_key(&key));
        for row in [self.buckets.entry(key).or_default(), self.changes.buckets.entry(key).or_default()] {
            row.turnover += after.turnover - before.turnover;
            row.credits += after.credits - before.credits;
            row.last_device = last_device.or(row.last_device);
        }
        let uses = self.uses.entry(device).or_default();
        match uses.iter_mut().find(|(at, _)| *at == key) {
            Some((_, own)) => *own = after.own,
            None => {
                uses.push((key, after.own));
                self.entries += 1;
            }
        }
        self.changes.uses.insert((device, key), after.own);
    }

    /// Nothing is left of it; a bucket in which nobody has anything goes as well.
    fn forget_use(&mut self, device: Uuid, key: BucketKey) {
        if let Some(uses) = self.uses.get_mut(&device) {
            let before = uses.len();
            uses.retain(|(at, _)| *at != key);
            self.entries -= before - uses.len();
            if uses.is_empty() {
                self.uses.remove(&device);
            }
        }
        if self.buckets.get(&key).is_some_and(|row| (row.turnover, row.credits) == (0, 0)) {
            self.buckets.remove(&key);
            self.entries -= 1;
        }
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

/// How far newcomers may go in a bucket of that kind, and what its devices vouch for.
fn terms(kind: i16, policy: &Policy) -> (i32, Vouching) {
    match kind {
        ADDRESS => (policy.address_turnover, policy.vouching()),
        FINGERPRINT => (policy.fingerprint_turnover, policy.vouching()),
        PAIR => (policy.pair_turnover, policy.pair_vouching()),
        _ => (policy.pair_turnover, PROMPT_VOUCHING),
    }
}

impl Changes {
    /// Without what is counted by one kind of signal.
    pub(super) fn without(mut self, kind: i16) -> Self {
        self.buckets.retain(|key, _| key.kind != kind);
        self.uses.retain(|(_, key), _| key.kind != kind);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reserved_ms.is_empty() && self.buckets.is_empty() && self.uses.is_empty() && self.passes.is_empty()
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
        self
    }
}
