//! A sentence that was taken apart, as its page shows it.

use domain::AppError;
use domain::request::MAX_PROMPT_CHARS;
use prompts::{Part, rewrite};

use crate::rewrite::api::Apart;

/// # Errors
/// [`AppError::PromptTooLong`].
pub(crate) fn apart(text: &str) -> Result<Apart, AppError> {
    let chars = text.chars().count();
    if chars > MAX_PROMPT_CHARS {
        return Err(AppError::PromptTooLong { chars, max: MAX_PROMPT_CHARS });
    }
    let rewritten = rewrite(text);
    let mut runs: Vec<(String, Option<String>)> = Vec::new();
    let mut told = 0;
    for span in &rewritten.spans {
        let between = text.get(told..span.start).unwrap_or_default();
        let said = text.get(span.start..span.end).unwrap_or_default();
        told = span.end;
        if !between.is_empty() {
            runs.push((between.to_owned(), None));
        }
        runs.push((said.to_owned(), name(span.part).map(str::to_owned)));
    }
    let parts = Part::ALL.into_iter().filter_map(|part| {
        let said = rewritten.part(part);
        name(part).filter(|_| !said.is_empty()).map(|name| (name.to_owned(), said.to_owned()))
    });
    Ok(Apart { runs, parts: parts.collect(), prompt: rewritten.prompt() })
}

/// What a part is called. None for what only joins others.
fn name(part: Part) -> Option<&'static str> {
    Some(match part {
        Part::Subject => "Subject",
        Part::Setting => "Setting",
        Part::Shot => "Shot",
        Part::Lens => "Lens",
        Part::Motion => "Motion",
        Part::Light => "Light",
        Part::Grade => "Grade",
        Part::Mood => "Mood",
        Part::LeftOver => "Also",
        Part::Joint => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_sentence_is_lost() {
        for text in
            ["slow dolly in on an old fisherman at golden hour, shallow depth of field", "", "  ein rotes Haus! "]
        {
            let apart = apart(text).expect("short enough");
            let whole: String = apart.runs.iter().map(|(run, _)| run.as_str()).collect();
            assert!(text.starts_with(&whole), "{whole:?} of {text:?}");
            assert!(text[whole.len()..].chars().all(|c| !c.is_alphanumeric()), "{text:?}");
        }
        let fisherman = apart("slow dolly in on an old fisherman at golden hour").expect("short enough");
        let said = |part: &str| fisherman.parts.iter().find(|(name, _)| name == part).map(|(_, said)| said.as_str());
        assert_eq!((said("Motion"), said("Light")), (Some("slow dolly in"), Some("golden hour")));
        assert_eq!(apart(&"a".repeat(2_001)).expect_err("too long").code(), "prompt_too_long");
    }
}
