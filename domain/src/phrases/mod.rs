//! What the studio says at a moment of friction, in every language it speaks.
//!
//! Each language is one file and fills the same struct, so a missing
//! translation does not compile. English is what [`AppError`] displays.

use std::fmt::Display;

use chrono::{DateTime, Utc};

use crate::AppError;

mod de;
pub(crate) mod en;
mod es;
mod fil;
mod fr;
mod hi;
mod id;
mod language;
mod pl;
mod pt_br;
#[cfg(test)]
mod tests;
mod th;
mod tr;
mod ur;
mod vi;

pub use language::Language;

/// The texts of one language. Names in braces are filled in.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(serde::Serialize))]
pub struct Phrases {
    // How long. These stand in `{wait}`.
    pub seconds: &'static str,
    pub minutes: &'static str,
    pub hours: &'static str,
    pub hours_minutes: &'static str,

    // On pages.
    pub continue_action: &'static str,
    pub try_again: &'static str,
    pub checking: &'static str,
    pub nothing_charged: &'static str,
    pub new_credits: &'static str,
    pub account_suggestion: &'static str,
    /// A link to the page about them.
    pub your_credits: &'static str,
    /// After a challenge was answered twice and still is asked for.
    pub challenge_failed: &'static str,
    pub challenge_no_scripts: &'static str,

    // Errors, each with its heading, in the order of `AppError`.
    pub empty_prompt_title: &'static str,
    pub empty_prompt: &'static str,
    pub prompt_too_long_title: &'static str,
    pub prompt_too_long: &'static str,
    pub invalid_size_title: &'static str,
    pub invalid_size: &'static str,
    pub unknown_model_title: &'static str,
    pub unknown_model: &'static str,
    pub out_of_range_title: &'static str,
    pub out_of_range: &'static str,
    pub bad_request_title: &'static str,
    pub bad_request: &'static str,
    pub not_found_title: &'static str,
    pub not_found: &'static str,
    pub method_not_allowed_title: &'static str,
    pub method_not_allowed: &'static str,
    pub too_large_title: &'static str,
    pub too_large: &'static str,
    pub cross_site_title: &'static str,
    pub cross_site: &'static str,
    pub daily_limit_title: &'static str,
    pub daily_limit_none_left: &'static str,
    pub daily_limit_some_left: &'static str,
    pub challenge_required_title: &'static str,
    pub challenge_required_silent: &'static str,
    /// Names the button `continue_action`.
    pub challenge_required_visible: &'static str,
    pub slow_down_title: &'static str,
    pub slow_down: &'static str,
    pub budget_spent_title: &'static str,
    pub budget_spent: &'static str,
    pub too_expensive_title: &'static str,
    pub too_expensive: &'static str,
    pub busy_title: &'static str,
    pub busy: &'static str,
    /// Where nobody knows how long.
    pub busy_later: &'static str,
    pub no_model_title: &'static str,
    pub no_model: &'static str,
    pub generation_failed_title: &'static str,
    pub generation_failed: &'static str,
    pub source_gone_title: &'static str,
    pub source_gone: &'static str,
    pub photo_refused_title: &'static str,
    /// `{reason}` is in English, and says what to do.
    pub photo_refused: &'static str,
    pub import_refused_title: &'static str,
    /// As `photo_refused`.
    pub import_refused: &'static str,
    pub unavailable_title: &'static str,
    pub unavailable: &'static str,
    pub internal_title: &'static str,
    pub internal: &'static str,
}

/// The heading of an error.
pub fn title(error: &AppError, language: Language) -> &'static str {
    language.phrases().title(error)
}

/// The sentence of an error: what happened, what was not lost, what to do.
pub fn sentence(error: &AppError, language: Language) -> String {
    language.phrases().sentence(error)
}

/// "3 h 20 min" or "12 min": how long until `then`.
pub fn until(now: DateTime<Utc>, then: DateTime<Utc>, language: Language) -> String {
    language.phrases().until(now, then)
}

/// "New credits at 00:00 UTC (in 3 h 20 min)".
pub fn new_credits(now: DateTime<Utc>, resets_at: DateTime<Utc>, language: Language) -> String {
    let phrases = language.phrases();
    fill(phrases.new_credits, &[("wait", &phrases.until(now, resets_at))])
}

/// "An account has 100 a day and is free."
pub fn account_suggestion(daily: u32, language: Language) -> String {
    fill(language.phrases().account_suggestion, &[("daily", &daily)])
}

impl Language {
    /// The texts of this language.
    pub fn phrases(self) -> &'static Phrases {
        match self {
            Self::English => &en::PHRASES,
            Self::Hindi => &hi::PHRASES,
            Self::BrazilianPortuguese => &pt_br::PHRASES,
            Self::Indonesian => &id::PHRASES,
            Self::Vietnamese => &vi::PHRASES,
            Self::Spanish => &es::PHRASES,
            Self::Filipino => &fil::PHRASES,
            Self::Urdu => &ur::PHRASES,
            Self::German => &de::PHRASES,
            Self::French => &fr::PHRASES,
            Self::Turkish => &tr::PHRASES,
            Self::Polish => &pl::PHRASES,
            Self::Thai => &th::PHRASES,
        }
    }
}

/// These take the texts and not the language: whoever needs English alone, as
/// `Display` does, then carries no other language into the browser.
impl Phrases {
    pub(crate) fn title(&self, error: &AppError) -> &'static str {
        match error {
            AppError::EmptyPrompt => self.empty_prompt_title,
            AppError::PromptTooLong { .. } => self.prompt_too_long_title,
            AppError::InvalidSize { .. } => self.invalid_size_title,
            AppError::UnknownModel { .. } => self.unknown_model_title,
            AppError::OutOfRange { .. } => self.out_of_range_title,
            AppError::BadRequest { .. } => self.bad_request_title,
            AppError::NotFound => self.not_found_title,
            AppError::MethodNotAllowed => self.method_not_allowed_title,
            AppError::TooLarge { .. } => self.too_large_title,
            AppError::CrossSite => self.cross_site_title,
            AppError::DailyLimit { .. } => self.daily_limit_title,
            AppError::ChallengeRequired { .. } => self.challenge_required_title,
            AppError::SlowDown { .. } => self.slow_down_title,
            AppError::BudgetSpent { .. } => self.budget_spent_title,
            AppError::TooExpensive { .. } => self.too_expensive_title,
            AppError::Busy { .. } => self.busy_title,
            AppError::NoModel => self.no_model_title,
            AppError::GenerationFailed => self.generation_failed_title,
            AppError::SourceGone => self.source_gone_title,
            AppError::PhotoRefused { .. } => self.photo_refused_title,
            AppError::ImportRefused { .. } => self.import_refused_title,
            AppError::Unavailable => self.unavailable_title,
            AppError::Internal => self.internal_title,
        }
    }

    pub(crate) fn sentence(&self, error: &AppError) -> String {
        match error {
            AppError::EmptyPrompt => self.empty_prompt.into(),
            AppError::PromptTooLong { chars, max } => fill(self.prompt_too_long, &[("chars", chars), ("max", max)]),
            AppError::InvalidSize { width, height, min, max, multiple } => fill(
                self.invalid_size,
                &[("width", width), ("height", height), ("min", min), ("max", max), ("multiple", multiple)],
            ),
            AppError::UnknownModel { model, known } => {
                fill(self.unknown_model, &[("model", model), ("known", &known.join(", "))])
            }
            AppError::OutOfRange { field, min, max } => {
                fill(self.out_of_range, &[("field", field), ("min", min), ("max", max)])
            }
            AppError::BadRequest { reason } => fill(self.bad_request, &[("reason", reason)]),
            AppError::NotFound => self.not_found.into(),
            AppError::MethodNotAllowed => self.method_not_allowed.into(),
            AppError::TooLarge { max_bytes } => fill(self.too_large, &[("max_bytes", max_bytes)]),
            AppError::CrossSite => self.cross_site.into(),
            AppError::DailyLimit { left, daily, price, now, resets_at, account_daily } => {
                let wait = self.until(*now, *resets_at);
                let mut sentence = if *left == 0 {
                    fill(self.daily_limit_none_left, &[("daily", daily), ("wait", &wait)])
                } else {
                    fill(
                        self.daily_limit_some_left,
                        &[("price", price), ("left", left), ("daily", daily), ("wait", &wait)],
                    )
                };
                if let Some(daily) = account_daily {
                    sentence.push(' ');
                    sentence.push_str(&fill(self.account_suggestion, &[("daily", daily)]));
                }
                sentence
            }
            AppError::ChallengeRequired { visible: false, .. } => self.challenge_required_silent.into(),
            AppError::ChallengeRequired { visible: true, .. } => self.challenge_required_visible.into(),
            AppError::SlowDown { retry_seconds } => fill(self.slow_down, &[("seconds", retry_seconds)]),
            AppError::BudgetSpent { retry_seconds } => {
                fill(self.budget_spent, &[("wait", &self.short_wait(*retry_seconds))])
            }
            AppError::TooExpensive { price, daily } => fill(self.too_expensive, &[("price", price), ("daily", daily)]),
            AppError::Busy { retry_seconds: Some(seconds) } => fill(self.busy, &[("seconds", seconds)]),
            AppError::Busy { retry_seconds: None } => self.busy_later.to_owned(),
            AppError::NoModel => self.no_model.into(),
            AppError::GenerationFailed => self.generation_failed.into(),
            AppError::SourceGone => self.source_gone.into(),
            AppError::PhotoRefused { reason } => fill(self.photo_refused, &[("reason", reason)]),
            AppError::ImportRefused { reason } => fill(self.import_refused, &[("reason", reason)]),
            AppError::Unavailable => self.unavailable.into(),
            AppError::Internal => self.internal.into(),
        }
    }

    /// "3 h 20 min" or "12 min": how long until `then`.
    pub(crate) fn until(&self, now: DateTime<Utc>, then: DateTime<Utc>) -> String {
        let minutes = ((then - now).num_seconds().max(0) as u64).div_ceil(60);
        match (minutes / 60, minutes % 60) {
            (0, minutes) => fill(self.minutes, &[("minutes", &minutes)]),
            (hours, 0) => fill(self.hours, &[("hours", &hours)]),
            (hours, minutes) => fill(self.hours_minutes, &[("hours", &hours), ("minutes", &minutes)]),
        }
    }

    /// "40 s" or "12 min".
    fn short_wait(&self, seconds: u32) -> String {
        if seconds < 90 {
            fill(self.seconds, &[("seconds", &seconds)])
        } else {
            fill(self.minutes, &[("minutes", &seconds.div_ceil(60))])
        }
    }
}

/// The template with its names in braces replaced. What is put in is not read
/// again: it may come from a stranger and have braces of its own.
fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            filled.push_str(&value.to_string());
        } else {
            // Only a mistake in a template comes here, and the tests look for
            // the brace that is left.
            filled.push('{');
            filled.push_str(name);
            filled.push('}');
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}
