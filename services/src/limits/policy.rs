//! Every number of the rules, in one place. Operators change single ones in the file that `MINDSEYE_POLICY` names.

use serde::Deserialize;

use super::allowance::Vouching;

/// Weights and bounds. The defaults are what `docs/limits.md` measures.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What using the same cookie again vouches for, and coming back with it, in credits.
    pub vouched: i32,
    /// Credits from which a cookie is used up. One machine on which one cookie after another is used up is rotation; at
    /// an address with many machines, such days are people's.
    pub used_up: i32,
    /// Times a device's coming back counts.
    pub most_returns: i16,
    /// Seconds after which a device that is used again has come back, though nobody was there in between.
    pub return_after: i64,
    /// What newcomers may take under one fingerprint at one address range: a person's day and a tenth.
    pub pair_turnover: i32,
    /// The same at one address range, whatever the fingerprint.
    pub address_turnover: i32,
    /// The same under one fingerprint anywhere: this one only raises the risk.
    pub fingerprint_turnover: i32,
    /// How far below zero a turnover may be saved up, as a multiple of its bound.
    pub saved: i32,
    /// Multiples of their bounds at which a silent proof is no longer enough.
    pub pair_strong: i32,
    pub address_strong: i32,
    /// Credits in a day at one address range, whoever takes them: 200 people's and a tenth.
    pub address_credits: i32,
    /// What a visible proof covers of a request's price: a person was there, for a grid or two of pictures.
    pub proven_credits: i32,
    pub weights: Weights,
    /// Points from which a proof is asked for, and from which a person has to press a button.
    pub silent_at: u32,
    pub visible_at: u32,
    /// Milliseconds of device time for everybody without an account in an hour.
    #[serde(skip)]
    pub hourly_ms: i64,
}

/// Points of each observation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    pub fingerprint_turnover: u32,
    pub program: u32,
    pub headless: u32,
    pub mechanical: u32,
    pub hasty: u32,
    pub edge_likely: u32,
    pub edge_certain: u32,
    pub steady: u32,
    pub same_words: u32,
    pub many_ranges: u32,
}

/// GPU seconds an hour that are given away unless the operator says otherwise: ten cards' worth.
pub const DEFAULT_HOURLY_SECONDS: u32 = 36_000;

impl Policy {
    /// Under a fingerprint at an address range.
    pub fn pair_vouching(&self) -> Vouching {
        Vouching { credits: self.vouched, used_up: Some(self.used_up) }
    }

    /// Under other signals.
    pub fn vouching(&self) -> Vouching {
        Vouching { credits: self.vouched, used_up: None }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            vouched: 20,
            used_up: 40,
            most_returns: 2,
            return_after: 600,
            pair_turnover: 55,
            address_turnover: 55,
            fingerprint_turnover: 300,
            saved: 2,
            pair_strong: 4,
            address_strong: 16,
            address_credits: 11_000,
            proven_credits: 8,
            weights: Weights::default(),
            silent_at: 50,
            visible_at: 100,
            hourly_ms: i64::from(DEFAULT_HOURLY_SECONDS) * 1_000,
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            fingerprint_turnover: 25,
            program: 15,
            headless: 30,
            mechanical: 20,
            hasty: 10,
            edge_likely: 25,
            edge_certain: 40,
            steady: 25,
            same_words: 25,
            many_ranges: 25,
        }
    }
}
