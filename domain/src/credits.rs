//! Credits: what a visitor may spend in a day, in UTC.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::phrases;

/// Credits a visitor gets each day unless the operator configures another number.
pub const DEFAULT_DAILY_CREDITS: u32 = 50;

/// A visitor's balance as they see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    /// Credits that can be spent now; held ones are already subtracted.
    pub credits_left: u32,
    /// Credits granted for today.
    pub daily: u32,
    /// When new credits arrive.
    pub resets_at: DateTime<Utc>,
}

/// The day an instant belongs to.
pub fn day_of(now: DateTime<Utc>) -> NaiveDate {
    now.date_naive()
}

/// The next 00:00 UTC after `now`.
pub fn next_reset(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = now.date_naive().checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    tomorrow.and_time(NaiveTime::MIN).and_utc()
}

/// What one entry in the ledger does.
///
/// The balance of a day is the sum of its entries: a grant adds, a hold
/// subtracts, a release adds back. A capture closes a hold and moves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Grant,
    Hold,
    Capture,
    Release,
}

impl EntryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
        }
    }

    /// Change of the spendable balance for an entry of `credits`.
    pub fn effect(self, credits: u32) -> i64 {
        match self {
            Self::Grant | Self::Release => i64::from(credits),
            Self::Hold => -i64::from(credits),
            Self::Capture => 0,
        }
    }
}

/// "3 h 20 min" or "12 min": how long until `then`, in English.
pub fn until(now: DateTime<Utc>, then: DateTime<Utc>) -> String {
    phrases::en::PHRASES.until(now, then)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a date")
    }

    #[test]
    fn credits_return_at_midnight_utc() {
        assert_eq!(next_reset(at("2026-11-20T20:40:00Z")), at("2026-11-21T00:00:00Z"));
        assert_eq!(next_reset(at("2026-12-31T00:00:00Z")), at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn waiting_reads_well() {
        assert_eq!(until(at("2026-11-20T20:40:00Z"), at("2026-11-21T00:00:00Z")), "3 h 20 min");
        assert_eq!(until(at("2026-11-20T23:59:30Z"), at("2026-11-21T00:00:00Z")), "1 min");
        assert_eq!(until(at("2026-11-20T22:00:00Z"), at("2026-11-21T00:00:00Z")), "2 h");
    }

    #[test]
    fn a_hold_and_its_release_cancel_out() {
        assert_eq!(EntryKind::Hold.effect(4) + EntryKind::Release.effect(4), 0);
        assert_eq!(EntryKind::Hold.effect(4) + EntryKind::Capture.effect(4), -4);
    }
}
