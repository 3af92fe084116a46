//! What pages say at a moment of friction, in the language that the browser asks for.

use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use domain::phrases::{Language, sentence, title};
use domain::{AppError, Plan};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::{filled_in, handles, holder, visitor, wants_page};
use crate::create::request::request_from_form;
use crate::create::settings::ComposerForm;
use crate::error::{Check, PageError};

/// Seconds to wait for what is over in a moment, when it is said again later and nobody knows how long it is still.
const A_MOMENT: u32 = 5;

/// The language that the browser asks for.
pub(crate) fn language() -> Language {
    use_context::<Parts>()
        .and_then(|parts| {
            let wishes = parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            Some(Language::negotiate(wishes))
        })
        .unwrap_or_default()
}

impl From<AppError> for PageError {
    fn from(error: AppError) -> Self {
        answer_with(error.status());
        let language = language();
        let (lang, dir) = (language.tag().to_owned(), language.direction().to_owned());
        let title = title(&error, language).to_owned();
        let message = below(&title, sentence(&error, language));
        let phrases = language.phrases();
        let credits_link = matches!(error, AppError::DailyLimit { .. }).then(|| phrases.your_credits.to_owned());
        let code = error.code().to_owned();
        let check = match error {
            AppError::ChallengeRequired { visible, challenge } => Some(Check {
                visible,
                altcha: challenge.to_string(),
                title: title.clone(),
                message: message.clone(),
                checking: phrases.checking.to_owned(),
                proceed: phrases.continue_action.to_owned(),
                failed: phrases.challenge_failed.to_owned(),
                lang: lang.clone(),
                dir: dir.clone(),
            }),
            _ => None,
        };
        Self { code, title, message, lang, dir, credits_link, check }
    }
}

/// What a form without scripts is told after the code of an error. Only what is still true: the code comes from the
/// address, which anybody can write, so everything else about it is asked again.
pub(crate) async fn notice(form: ComposerForm, code: &str) -> Option<PageError> {
    let error = match code {
        "empty_prompt" | "prompt_too_long" | "invalid_size" | "unknown_model" | "out_of_range" | "bad_request"
        | "too_expensive" | "no_model" | "source_gone" => {
            price(form).await.err().filter(|error| error.code() == code)?
        }
        "daily_limit" => {
            let price = price(form).await.ok()?;
            let credits = &handles().credits;
            match holder().await.ok()? {
                Some((device, plan)) => credits.check(device, plan, price).await.err()?,
                None => credits.check_possible(price, Plan::default()).err()?,
            }
        }
        "challenge_required" => {
            let nothing = AppError::ChallengeRequired { visible: false, challenge: serde_json::Value::Null };
            let message = language().phrases().challenge_no_scripts.to_owned();
            return Some(PageError { message, check: None, ..nothing.into() });
        }
        "slow_down" => AppError::SlowDown { retry_seconds: A_MOMENT },
        "busy" => AppError::Busy { retry_seconds: Some(A_MOMENT) },
        "budget_spent" => AppError::BudgetSpent { retry_seconds: handles().credits.seconds_left_of_hour() },
        "unavailable" => AppError::Unavailable,
        "internal" => AppError::Internal,
        _ => return None,
    };
    Some(error.into())
}

/// Says on the answer to a server function what kind of error it is, for dashboards and consoles: a refusal is no fault of
/// ours. A form without scripts is sent back to its page, and a page that tells of an error is a page.
fn answer_with(status: u16) {
    let asked_by_script =
        use_context::<Parts>().is_some_and(|parts| parts.uri.path().starts_with("/act/") && !wants_page());
    if let (true, Some(response), Ok(status)) =
        (asked_by_script, use_context::<ResponseOptions>(), StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// A sentence as it stands below its title: sentences are whole, since programs read them alone, and what the title says
/// already is not said twice.
fn below(title: &str, sentence: String) -> String {
    let said = |rest: &str| rest.strip_prefix([':', '.', ',', ';', '।', '۔']).map(|rest| rest.trim_start().to_owned());
    let Some(rest) = sentence.strip_prefix(title).and_then(said).filter(|rest| !rest.is_empty()) else {
        return sentence;
    };
    let mut letters = rest.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or(sentence)
}

async fn price(form: ComposerForm) -> Result<u32, AppError> {
    Ok(handles().admission.quote(&visitor(), request_from_form(filled_in(form, 0))?).await?.price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_not_said_twice() {
        let title = "This file can't be used as a picture";
        let told = |sentence: &str| below(title, sentence.to_owned());
        assert_eq!(told("This file can't be used as a picture: it is a PDF."), "It is a PDF.");
        assert_eq!(told("This file can't be used as a picture."), "This file can't be used as a picture.");
        assert_eq!(told("This file can't be used as a picture or so."), "This file can't be used as a picture or so.");
        assert_eq!(below("Rien n’est décrit", "Rien n’est décrit. Écrivez.".into()), "Écrivez.");
        assert_eq!(below("Nothing", "Something else.".into()), "Something else.");
    }
}
