//! Which allowances are used up: each signal has a bucket of its own, judged by itself.
//!
//! What a cookie may have is the ledger's business. Here is what many cookies take together. A person keeps a cookie
//! and uses it again; whoever throws cookies away does not, or uses each of them up. So a bucket holds the credits that
//! were spent under a signal, less a bonus for each device that uses its cookie again and for each time that one comes
//! back: in a family, an office or a campus that stays near zero or below, and only rotation makes it grow.

use chrono::{DateTime, Utc};

use super::policy::Policy;

/// What one device had under one signal today.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Use {
    pub credits: i32,
    pub jobs: i32,
    /// Times it came back, as far as they count.
    pub returns: i16,
    pub last_at: Option<DateTime<Utc>>,
    /// Pauses between its jobs: mean in seconds, and sum of squared differences from it.
    pub gap_mean: f32,
    pub gap_m2: f32,
}

/// What happened under one signal today, the asking device included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    pub turnover: i32,
    pub credits: i32,
    /// Another device than the asking one was the last to be served.
    pub others_since: bool,
    pub own: Use,
}

/// The buckets of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Buckets {
    /// The fingerprint at the address range.
    pub pair: Option<Bucket>,
    pub address: Option<Bucket>,
    pub fingerprint: Option<Bucket>,
}

/// An allowance that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdraft {
    /// New cookies under one fingerprint at one address range.
    Pair,
    PairStrong,
    /// New cookies at one address range.
    Address,
    AddressStrong,
    /// Everything at one address range.
    AddressCredits,
}

impl Overdraft {
    /// As operators read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pair => "pair_turnover",
            Self::PairStrong => "pair_turnover_strong",
            Self::Address => "address_turnover",
            Self::AddressStrong => "address_turnover_strong",
            Self::AddressCredits => "address_credits",
        }
    }

    /// A proof without a person is not enough any more.
    pub fn is_strong(self) -> bool {
        matches!(self, Self::PairStrong | Self::AddressStrong | Self::AddressCredits)
    }
}

/// The allowances that a request for `price` credits would overdraw.
///
/// A device that has come back answers for itself alone: the ledger bounds it.
pub fn overdrafts(buckets: &Buckets, price: i32, policy: &Policy) -> Vec<Overdraft> {
    let mut found = Vec::new();
    let places = [
        (buckets.pair, policy.pair_turnover, policy.pair_strong, Overdraft::Pair, Overdraft::PairStrong),
        (buckets.address, policy.address_turnover, policy.address_strong, Overdraft::Address, Overdraft::AddressStrong),
    ];
    let returned = places.iter().any(|(bucket, ..)| bucket.is_some_and(|bucket| bucket.own.returns > 0));
    for (bucket, bound, strong, overdraft, strong_overdraft) in places {
        let Some(bucket) = bucket.filter(|_| !returned) else { continue };
        let turnover = bucket.turnover.saturating_add(price);
        if turnover > bound * strong {
            found.push(strong_overdraft);
        } else if turnover > bound {
            found.push(overdraft);
        }
    }
    if buckets.address.is_some_and(|address| address.credits.saturating_add(price) > policy.address_credits) {
        found.push(Overdraft::AddressCredits);
    }
    found
}

/// What a kept cookie is worth in one kind of bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouching {
    /// For each time that counts.
    pub credits: i32,
    /// Credits from which a cookie is used up, and using it vouches for nobody any more.
    pub used_up: Option<i32>,
}

/// How a request counts in one bucket.
#[derive(Clone, Copy, Debug)]
pub struct Serving {
    pub price: i32,
    /// The bucket's.
    pub bound: i32,
    pub vouching: Vouching,
    pub now: DateTime<Utc>,
    /// The cookie was used before today, or elsewhere.
    pub kept: bool,
    /// A person has just pressed a button, which covers some of the price.
    pub proven: bool,
}

impl Bucket {
    /// What others under the signal took and left: the asking device's own part is not held against it.
    pub fn others(&self, vouching: Vouching) -> i32 {
        self.turnover - self.own.credits + self.own.vouched(vouching)
    }

    /// This bucket and the device's part after it was served.
    #[must_use]
    pub fn serve(self, serving: Serving, policy: &Policy) -> Self {
        let own = self.own;
        let pause = own.last_at.map(|last| (serving.now - last).num_seconds());
        let came_back = match pause {
            None => serving.kept,
            Some(pause) => self.others_since || pause >= policy.return_after,
        };
        let returns = if came_back { (own.returns + 1).min(policy.most_returns) } else { own.returns };
        let covered = if serving.proven { policy.proven_credits } else { 0 };
        let counted = (serving.price - covered).max(0);
        let (gap_mean, gap_m2) = match pause {
            None => (0.0, 0.0),
            Some(pause) => welford(own, pause as f32),
        };
        let then = Use {
            credits: own.credits.saturating_add(counted),
            jobs: own.jobs.saturating_add(1),
            returns,
            last_at: Some(serving.now),
            gap_mean,
            gap_m2,
        };
        let vouched = then.vouched(serving.vouching) - own.vouched(serving.vouching);
        let least = -policy.saved * serving.bound;
        Self {
            turnover: self.turnover.saturating_add(counted).saturating_sub(vouched).max(least),
            credits: self.credits.saturating_add(serving.price),
            others_since: false,
            own: then,
        }
    }
}

/// What one request had raised in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Credits in the bucket.
    pub credits: i32,
    /// Credits of the device that count as turnover.
    pub counted: i32,
    /// Times that its coming back counted.
    pub returns: i16,
}

impl Bucket {
    /// This bucket and the device's part as if it had not been served: what it vouched for goes with it.
    #[must_use]
    pub fn take_back(self, taken: Taken, vouching: Vouching, bound: i32, policy: &Policy) -> Self {
        let own = self.own;
        let then = Use {
            credits: own.credits.saturating_sub(taken.counted),
            jobs: own.jobs.saturating_sub(1).max(0),
            returns: own.returns.saturating_sub(taken.returns).max(0),
            ..own
        };
        let vouched = own.vouched(vouching) - then.vouched(vouching);
        Self {
            turnover: self.turnover.saturating_sub(taken.counted).saturating_add(vouched).max(-policy.saved * bound),
            credits: self.credits.saturating_sub(taken.credits).max(0),
            others_since: self.others_since,
            own: then,
        }
    }
}

impl Use {
    /// What this device vouches for: once for using its cookie again, unless it used it up, and once for each time it
    /// came back.
    fn vouched(&self, vouching: Vouching) -> i32 {
        let again = self.jobs >= 2 && vouching.used_up.is_none_or(|used_up| self.credits < used_up);
        (i32::from(again) + i32::from(self.returns)) * vouching.credits
    }

    /// Pauses so far, and their standard deviation over their mean.
    pub fn steadiness(&self) -> (i32, f32) {
        let gaps = (self.jobs - 1).max(0);
        if gaps < 2 || self.gap_mean <= 0.0 {
            return (gaps, f32::INFINITY);
        }
        (gaps, (self.gap_m2 / (gaps - 1) as f32).sqrt() / self.gap_mean)
    }
}

/// Welford's running mean and sum of squares (Technometrics 4, 1962).
fn welford(own: Use, gap: f32) -> (f32, f32) {
    let count = own.jobs.max(1) as f32;
    let off = gap - own.gap_mean;
    let mean = own.gap_mean + off / count;
    (mean, own.gap_m2 + off * (gap - mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).expect("a time")
    }

    /// A cookie that is new, in a bucket with a bound of 55.
    fn serving(price: i32, second: i64) -> Serving {
        Serving {
            price,
            bound: 55,
            vouching: Policy::default().pair_vouching(),
            now: at(second),
            kept: false,
            proven: false,
        }
    }

    /// Serves devices in that order, each `price` at its second; answers the bucket and whether each was let in.
    fn day(requests: &[(usize, i64)], price: i32) -> Vec<bool> {
        let policy = Policy::default();
        let mut owns: std::collections::HashMap<usize, Use> = std::collections::HashMap::new();
        let (mut turnover, mut credits, mut last) = (0, 0, None);
        let mut admitted = Vec::new();
        for (device, second) in requests {
            let own = owns.get(device).copied().unwrap_or_default();
            let bucket = Bucket { turnover, credits, others_since: last.is_some_and(|last| last != *device), own };
            let buckets = Buckets { pair: Some(bucket), address: None, fingerprint: None };
            let fine = overdrafts(&buckets, price, &policy).is_empty();
            admitted.push(fine);
            if fine {
                let served = bucket.serve(serving(price, *second), &policy);
                (turnover, credits, last) = (served.turnover, served.credits, Some(*device));
                owns.insert(*device, served.own);
            }
        }
        admitted
    }

    #[test]
    fn thrown_away_cookies_add_up() {
        let admitted = day(&(0..500).map(|n| (n, n as i64 * 20)).collect::<Vec<_>>(), 4);
        assert_eq!(admitted.iter().filter(|fine| **fine).count(), 13);
    }

    #[test]
    fn using_each_cookie_up_first_is_no_better() {
        let admitted = day(&(0..500).map(|n| (n / 12, n as i64 * 20)).collect::<Vec<_>>(), 4);
        assert_eq!(admitted.iter().filter(|fine| **fine).count(), 13);
    }

    #[test]
    fn a_room_full_of_equal_machines_is_no_rotation() {
        // Sixty people take turns at equal machines; each asks five times.
        let requests: Vec<_> = (0..300).map(|n| (n % 60, n as i64 * 40)).collect();
        let admitted = day(&requests, 4);
        let refused = admitted.iter().filter(|fine| !**fine).count();
        assert!(refused > 0, "sixty newcomers at once look like rotation at first");
        let spread: Vec<_> = (0..300).map(|n| (n / 5 + (n % 5) % 2, n as i64 * 40)).collect();
        assert!(day(&spread, 4).iter().all(|fine| *fine));
    }

    #[test]
    fn every_bucket_is_judged_by_itself() {
        // The published code took the largest of its signals: 54 of one hid 75 of another.
        let policy = Policy::default();
        let bucket = |turnover| Some(Bucket { turnover, ..Bucket::default() });
        let found = |pair, address| {
            let buckets = Buckets { pair: bucket(pair), address: bucket(address), fingerprint: None };
            overdrafts(&buckets, 1, &policy)
        };
        assert_eq!(found(54, 54), []);
        assert_eq!(found(55, 0), [Overdraft::Pair]);
        assert_eq!(found(-90, 55), [Overdraft::Address]);
        assert_eq!(found(75, 880), [Overdraft::Pair, Overdraft::AddressStrong]);
        let crowd = Bucket { credits: 11_000, turnover: -200, ..Bucket::default() };
        let buckets = Buckets { pair: None, address: Some(crowd), fingerprint: None };
        assert_eq!(overdrafts(&buckets, 1, &policy), [Overdraft::AddressCredits]);
    }

    #[test]
    fn people_who_come_once_each_are_no_rotation() {
        // Forty people at equal machines, one after another and never again, with four requests each.
        let requests: Vec<_> = (0..160).map(|n| (n / 4, n as i64 * 45)).collect();
        assert!(day(&requests, 4).iter().all(|fine| *fine));
    }

    #[test]
    fn who_uses_a_cookie_up_vouches_for_nobody() {
        // Three ordinary sittings, a day that is used up, and somebody new.
        let mut requests: Vec<_> = (0..12).map(|n| (n / 4, n as i64 * 45)).collect();
        requests.extend((0..12).map(|n| (3, 600 + n * 45)));
        assert!(day(&requests, 4).iter().all(|fine| *fine));
        let alone: Vec<_> = (0..14).map(|n| (n / 12, n as i64 * 45)).collect();
        assert_eq!(day(&alone, 4).iter().filter(|fine| **fine).count(), 13, "a day and one first picture");
    }

    #[test]
    fn ones_own_part_is_not_held_against_one() {
        let requests: Vec<_> = (0..12).map(|n| (0, n * 5)).collect();
        assert!(day(&requests, 4).iter().all(|fine| *fine));
    }

    #[test]
    fn submitting_and_taking_back_vouches_for_nobody() {
        // A cookie that comes back again and again, and has every job taken back, in any order.
        let policy = Policy::default();
        let vouching = policy.pair_vouching();
        for last_first in [false, true] {
            let mut bucket = Bucket { turnover: 50, credits: 50, ..Bucket::default() };
            let mut jobs = Vec::new();
            for round in 0..6 {
                let before = Bucket { others_since: true, ..bucket };
                bucket = before.serve(Serving { kept: true, ..serving(4, round * 700) }, &policy);
                let returns = bucket.own.returns - before.own.returns;
                jobs.push(Taken { credits: 4, counted: 4, returns });
            }
            assert!(bucket.turnover < 50, "it vouched while it was there");
            if last_first {
                jobs.reverse();
            }
            for taken in jobs {
                bucket = bucket.take_back(taken, vouching, 55, &policy);
            }
            assert_eq!((bucket.turnover, bucket.credits), (50, 50), "last first: {last_first}");
            assert_eq!((bucket.own.credits, bucket.own.jobs, bucket.own.returns), (0, 0, 0));
        }
        // Nor does it dig below the floor.
        let floor = Bucket { turnover: -110, ..Bucket::default() };
        let served = floor.serve(Serving { kept: true, ..serving(4, 0) }, &policy);
        let back = served.take_back(Taken { credits: 4, counted: 4, returns: 1 }, vouching, 55, &policy);
        assert!(back.turnover >= -110, "{back:?}");
    }

    #[test]
    fn a_metronome_is_steady_and_a_person_is_not() {
        let policy = Policy::default();
        let run = |gaps: &[i64]| {
            let (mut bucket, mut now) = (Bucket::default().serve(serving(1, 0), &policy), 0);
            for gap in gaps {
                now += gap;
                bucket = bucket.serve(serving(1, now), &policy);
            }
            bucket.own.steadiness()
        };
        let (gaps, steady) = run(&[10; 12]);
        assert!(gaps == 12 && steady < 0.01, "{gaps} {steady}");
        assert!(run(&[8, 40, 15, 22, 90, 12, 31, 60, 9]).1 > 0.5);
    }
}
