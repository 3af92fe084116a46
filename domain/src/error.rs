//! Errors that people and programs can act on. Codes are stable; sentences may improve.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::credits::until;

/// Everything a door can answer instead of what was asked for.
///
/// `Display` is the sentence a person reads: what happened, that nothing was
/// lost or charged where that could be feared, and what to do.
#[derive(Clone, Debug, PartialEq, Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AppError {
    #[error("Describe what you would like to see: the prompt is empty. A few words are enough.")]
    EmptyPrompt,
    #[error(
        "This prompt has {chars} characters, and the longest that works is {max}. Nothing was charged; please shorten it."
    )]
    PromptTooLong { chars: usize, max: usize },
    #[error(
        "A picture of {width} by {height} can't be made by this model. Each side must be between {min} and {max} pixels and a multiple of {multiple}. Nothing was charged."
    )]
    InvalidSize { width: u32, height: u32, min: u32, max: u32, multiple: u32 },
    #[error("There is no model called “{model}” here. Available: {}. Nothing was charged.", known.join(", "))]
    UnknownModel { model: String, known: Vec<String> },
    #[error("“{field}” must be between {min} and {max}. Nothing was charged.")]
    OutOfRange { field: String, min: u64, max: u64 },
    #[error("This request could not be read: {reason}. Nothing was charged.")]
    BadRequest { reason: String },
    #[error("There is nothing here, or it is not yours.")]
    NotFound,
    #[error("This address does not take that kind of request.")]
    MethodNotAllowed,
    #[error("This request is larger than {max_bytes} bytes, the most that is accepted here. Nothing was charged.")]
    TooLarge { max_bytes: u64 },
    #[error("This request came from another site, so it was not carried out. Open the studio and try again there.")]
    CrossSite,
    #[error("{}", daily_limit_sentence(*left, *daily, *price, *now, *resets_at, *account_daily))]
    DailyLimit {
        left: u32,
        daily: u32,
        price: u32,
        now: DateTime<Utc>,
        resets_at: DateTime<Utc>,
        /// Credits a day with an account, where this studio has accounts.
        account_daily: Option<u32>,
    },
    #[error("{}", if *visible { PROVE_VISIBLY } else { PROVE_SILENTLY })]
    ChallengeRequired {
        /// A person has to press a button for it; otherwise the page answers by itself.
        visible: bool,
        /// An ALTCHA proof-of-work challenge, version 2.
        challenge: serde_json::Value,
    },
    #[error("That was a little fast. Nothing was charged. Please try again in {retry_seconds} s.")]
    SlowDown { retry_seconds: u32 },
    #[error(
        "Everybody together has used what this studio can give away in an hour. Nothing was charged, and your credits are untouched. Please try again in {}.", wait_words(*retry_seconds)
    )]
    BudgetSpent { retry_seconds: u32 },
    #[error(
        "This would need {price} credits, and a day has {daily}. Ask for fewer or smaller pictures, or fewer steps. Nothing was charged."
    )]
    TooExpensive { price: u32, daily: u32 },
    #[error(
        "So many people are waiting that a new request would take very long. Nothing was charged. Please try again {}.", later_words(*retry_seconds)
    )]
    Busy {
        /// Left out where nobody knows.
        retry_seconds: Option<u32>,
    },
    #[error("No model is ready yet. The studio is warming up; nothing was charged. Please try again in a few seconds.")]
    NoModel,
    #[error(
        "This picture could not be made, even after several attempts. Your credits are back. Trying again with other words or another seed may help."
    )]
    GenerationFailed,
    #[error(
        "The studio can't reach its database at the moment. Nothing was lost or charged, and it is being retried. Please try again in a few seconds."
    )]
    Unavailable,
    #[error("Something went wrong on our side. Nothing was charged. Please try again.")]
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

const PROVE_SILENTLY: &str = "This page has to do a small calculation before the next picture. It takes about a second and happens by itself; nothing was charged.";
const PROVE_VISIBLY: &str = "A lot comes from your network today, so we ask you to confirm that you are a person. Press Continue; it takes a few seconds, and nothing was charged.";

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
            | Self::TooExpensive { .. } => 422,
            Self::BadRequest { .. } => 400,
            Self::CrossSite => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge { .. } => 413,
            Self::DailyLimit { .. } | Self::SlowDown { .. } => 429,
            Self::ChallengeRequired { .. } => 428,
            Self::BudgetSpent { .. } | Self::Busy { .. } | Self::NoModel | Self::Unavailable => 503,
            Self::GenerationFailed | Self::Internal => 500,
        }
    }

    /// A short heading.
    pub fn title(&self) -> &'static str {
        match self {
            Self::EmptyPrompt => "The prompt is empty",
            Self::PromptTooLong { .. } => "The prompt is too long",
            Self::InvalidSize { .. } => "This size can't be made",
            Self::UnknownModel { .. } => "Unknown model",
            Self::OutOfRange { .. } => "A setting is out of range",
            Self::BadRequest { .. } => "The request could not be read",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::TooLarge { .. } => "The request is too large",
            Self::CrossSite => "Request from another site",
            Self::DailyLimit { .. } => "Today's credits are used up",
            Self::ChallengeRequired { .. } => "One moment",
            Self::SlowDown { .. } => "A little slower, please",
            Self::BudgetSpent { .. } => "This hour's pictures are all made",
            Self::TooExpensive { .. } => "More than a day's credits",
            Self::Busy { .. } => "Very busy",
            Self::NoModel => "Warming up",
            Self::GenerationFailed => "The picture could not be made",
            Self::Unavailable => "Back in a moment",
            Self::Internal => "Something went wrong",
        }
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

    /// The body of the answer.
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

fn daily_limit_sentence(
    left: u32,
    daily: u32,
    price: u32,
    now: DateTime<Utc>,
    resets_at: DateTime<Utc>,
    account_daily: Option<u32>,
) -> String {
    let wait = until(now, resets_at);
    let account = account_daily.map(|daily| format!(" An account has {daily} a day and is free.")).unwrap_or_default();
    if left == 0 {
        format!(
            "You have used today's {daily} credits. New ones arrive at 00:00 UTC (in {wait}). Everything you made is still here.{account}"
        )
    } else {
        format!(
            "This needs {price} credits, and {left} of today's {daily} are left. Ask for fewer or smaller pictures, or come back at 00:00 UTC (in {wait}). Nothing was charged.{account}"
        )
    }
}

/// When to try again, as far as it is known.
fn later_words(seconds: Option<u32>) -> String {
    seconds.map_or_else(|| "later".into(), |seconds| format!("in {seconds} seconds"))
}

/// "40 s" or "12 min".
fn wait_words(seconds: u32) -> String {
    if seconds < 90 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

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
