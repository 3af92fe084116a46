//! Errors that people and programs can act on. Codes are stable; sentences may improve.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::phrases;

/// Everything a door can answer instead of what was asked for.
///
/// `Display` is the sentence a person reads, in English: what happened, that
/// nothing was lost or charged where that could be feared, and what to do.
/// The words, and those of other languages, are in [`crate::phrases`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AppError {
    EmptyPrompt,
    PromptTooLong {
        chars: usize,
        max: usize,
    },
    InvalidSize {
        width: u32,
        height: u32,
        min: u32,
        max: u32,
        multiple: u32,
    },
    UnknownModel {
        model: String,
        known: Vec<String>,
    },
    OutOfRange {
        field: String,
        min: f64,
        max: f64,
    },
    BadRequest {
        reason: String,
    },
    NotFound,
    MethodNotAllowed,
    TooLarge {
        max_bytes: u64,
    },
    CrossSite,
    DailyLimit {
        left: u32,
        daily: u32,
        price: u32,
        now: DateTime<Utc>,
        resets_at: DateTime<Utc>,
        /// Credits a day with an account, where this studio has accounts.
        account_daily: Option<u32>,
    },
    ChallengeRequired {
        /// A person has to press a button for it; otherwise the page answers by itself.
        visible: bool,
        /// An ALTCHA proof-of-work challenge, version 2.
        challenge: serde_json::Value,
    },
    SlowDown {
        retry_seconds: u32,
    },
    BudgetSpent {
        retry_seconds: u32,
    },
    TooExpensive {
        price: u32,
        daily: u32,
    },
    Busy {
        /// Left out where nobody knows.
        retry_seconds: Option<u32>,
    },
    NoModel,
    GenerationFailed,
    /// The picture to go on from is not there, or belongs to somebody else: the two look the same.
    SourceGone,
    /// A file that was sent in as a picture is not taken.
    PhotoRefused {
        /// In English: what it is, that nothing was kept, and what to do.
        reason: String,
    },
    /// A file that was sent in to be imported is not taken.
    ImportRefused {
        /// As above.
        reason: String,
    },
    Unavailable,
    Internal,
}

/// `application/problem+json` (RFC 9457) with a stable `code`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub code: String,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits_left: Option<u32>,
    /// What is to be proven, and how much of a person's attention that takes: see `docs/limits.md`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
}

/// What a `challenge_required` asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// A person starts it; otherwise it is answered without their noticing.
    pub visible: bool,
    /// ALTCHA proof of work, version 2. The answer goes into the header `X-Mindseye-Proof`.
    pub altcha: serde_json::Value,
}

impl AppError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyPrompt => "empty_prompt",
            Self::PromptTooLong { .. } => "prompt_too_long",
            Self::InvalidSize { .. } => "invalid_size",
            Self::UnknownModel { .. } => "unknown_model",
            Self::OutOfRange { .. } => "out_of_range",
            Self::BadRequest { .. } => "bad_request",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge { .. } => "too_large",
            Self::CrossSite => "cross_site",
            Self::DailyLimit { .. } => "daily_limit",
            Self::ChallengeRequired { .. } => "challenge_required",
            Self::SlowDown { .. } => "slow_down",
            Self::BudgetSpent { .. } => "budget_spent",
            Self::TooExpensive { .. } => "too_expensive",
            Self::Busy { .. } => "busy",
            Self::NoModel => "no_model",
            Self::GenerationFailed => "generation_failed",
            Self::SourceGone => "source_gone",
            Self::PhotoRefused { .. } => "photo_refused",
            Self::ImportRefused { .. } => "import_refused",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::EmptyPrompt
            | Self::PromptTooLong { .. }
            | Self::InvalidSize { .. }
            | Self::UnknownModel { .. }
            | Self::OutOfRange { .. }
            | Self::PhotoRefused { .. }
            | Self::ImportRefused { .. }
            | Self::TooExpensive { .. } => 422,
            Self::BadRequest { .. } => 400,
            Self::CrossSite => 403,
            Self::NotFound | Self::SourceGone => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge { .. } => 413,
            Self::DailyLimit { .. } | Self::SlowDown { .. } => 429,
            Self::ChallengeRequired { .. } => 428,
            Self::BudgetSpent { .. } | Self::Busy { .. } | Self::NoModel | Self::Unavailable => 503,
            Self::GenerationFailed | Self::Internal => 500,
        }
    }

    /// A short heading, in English.
    pub fn title(&self) -> &'static str {
        phrases::en::PHRASES.title(self)
    }

    /// Seconds for the `Retry-After` header, where trying again later helps.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Busy { retry_seconds } => *retry_seconds,
            Self::SlowDown { retry_seconds } | Self::BudgetSpent { retry_seconds } => Some(*retry_seconds),
            Self::NoModel | Self::Unavailable => Some(3),
            Self::DailyLimit { now, resets_at, .. } => {
                Some(u32::try_from((*resets_at - *now).num_seconds().max(1)).unwrap_or(u32::MAX))
            }
            _ => None,
        }
    }

    /// The body of the answer, in English.
    pub fn problem(&self) -> Problem {
        let (resets_at, credits_left) = match self {
            Self::DailyLimit { resets_at, left, .. } => (Some(*resets_at), Some(*left)),
            _ => (None, None),
        };
        let challenge = match self {
            Self::ChallengeRequired { visible, challenge } => {
                Some(Challenge { visible: *visible, altcha: challenge.clone() })
            }
            _ => None,
        };
        Problem {
            kind: "about:blank".into(),
            title: self.title().into(),
            status: self.status(),
            code: self.code().into(),
            detail: self.to_string(),
            resets_at,
            credits_left,
            challenge,
        }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&phrases::en::PHRASES.sentence(self))
    }
}

impl std::error::Error for AppError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_kind_and_says_when() {
        let error = AppError::DailyLimit {
            left: 0,
            daily: 50,
            price: 4,
            now: "2026-11-20T20:40:00Z".parse().expect("a date"),
            resets_at: "2026-11-21T00:00:00Z".parse().expect("a date"),
            account_daily: None,
        };
        assert_eq!(
            error.to_string(),
            "You have used today's 50 credits. New ones arrive at 00:00 UTC (in 3 h 20 min). Everything you made is still here."
        );
        let problem = error.problem();
        assert_eq!((problem.status, problem.code.as_str()), (429, "daily_limit"));
        assert_eq!(error.retry_after(), Some(12_000));
    }

    #[test]
    fn errors_survive_the_wire() {
        let error = AppError::InvalidSize { width: 1, height: 2, min: 64, max: 512, multiple: 32 };
        let json = serde_json::to_string(&error).expect("json");
        assert_eq!(serde_json::from_str::<AppError>(&json).expect("back"), error);
    }
}
