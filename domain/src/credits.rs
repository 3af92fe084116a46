//! Credits: what a visitor may spend in a day, in UTC.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::phrases;

/// Credits a visitor gets each day unless the operator configures another number.
pub const DEFAULT_DAILY_CREDITS: u32 = 50;

/// Credits a day for whoever has Ultra, unless the operator configures another number.
pub const DEFAULT_ULTRA_CREDITS: u32 = 1_000;

/// What somebody is entitled to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    #[default]
    Visitor,
    /// Everything; also free, for good, for whoever says that they can't picture things (C4).
    Ultra,
}

impl Plan {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Ultra => "ultra",
        }
    }

    /// Reads [`Plan::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Visitor, Self::Ultra].into_iter().find(|plan| plan.as_str() == name)
    }
}

/// A visitor's balance as they see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    /// Credits that can be spent now; held ones are already subtracted.
    pub credits_left: u32,
    /// Those of them that do not end with the day.
    #[serde(default)]
    pub lasting: u32,
    /// Credits granted for each day.
    pub daily: u32,
    #[serde(default)]
    pub plan: Plan,
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

/// The pot of credits that last: its day never comes.
pub const LASTING: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// What one entry in the ledger does.
///
/// The balance of a pot is the sum of its entries: a grant adds, a hold
/// subtracts, a release or refund adds back, and what is left of a day expires
/// with it. A capture closes a hold and moves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A day's credits.
    Grant,
    /// What a plan adds to the day on which it began.
    Plan,
    /// Lasting credits for a new account.
    SignUp,
    Hold,
    Capture,
    Release,
    Refund,
    Expire,
}

impl EntryKind {
    pub const ALL: [Self; 8] =
        [Self::Grant, Self::Plan, Self::SignUp, Self::Hold, Self::Capture, Self::Release, Self::Refund, Self::Expire];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Plan => "plan",
            Self::SignUp => "sign_up",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Refund => "refund",
            Self::Expire => "expire",
        }
    }

    /// Reads [`EntryKind::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Change of the spendable balance for an entry of `credits`.
    pub fn effect(self, credits: u32) -> i64 {
        match self {
            Self::Grant | Self::Plan | Self::SignUp | Self::Release | Self::Refund => i64::from(credits),
            Self::Hold | Self::Expire => -i64::from(credits),
            Self::Capture => 0,
        }
    }
}

/// One entry as its owner reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    pub id: i64,
    pub at: DateTime<Utc>,
    /// The day whose credits these are; [`LASTING`] for those that last.
    pub day: NaiveDate,
    pub kind: EntryKind,
    pub credits: u32,
    pub job: Option<crate::JobId>,
}

/// A page of somebody's own statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(flatten)]
    pub credits: Credits,
    /// When it was drawn up.
    pub at: DateTime<Utc>,
    /// The newest first.
    pub entries: Vec<StatementLine>,
    /// Key of the next page, where there are older entries.
    pub older: Option<i64>,
}

/// How a price is paid: so many of today's credits, which would end, before lasting ones. `None`: it can't be.
pub fn split(price: u32, today: u32, lasting: u32) -> Option<(u32, u32)> {
    let of_today = price.min(today);
    let rest = price - of_today;
    (rest <= lasting).then_some((of_today, rest))
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
    fn credits_that_end_are_spent_first() {
        assert_eq!(split(4, 50, 200), Some((4, 0)));
        assert_eq!(split(4, 1, 200), Some((1, 3)));
        assert_eq!(split(4, 0, 4), Some((0, 4)));
        assert_eq!(split(4, 1, 2), None);
    }

    #[test]
    fn names_of_entries_round_trip() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).expect("json"), kind.as_str());
        }
    }

    #[test]
    fn a_hold_and_its_release_cancel_out() {
        assert_eq!(EntryKind::Hold.effect(4) + EntryKind::Release.effect(4), 0);
        assert_eq!(EntryKind::Hold.effect(4) + EntryKind::Capture.effect(4), -4);
    }
}
