//! What a form says, as a request.

use domain::{AppError, GenerationRequest};

use crate::create::settings::ComposerForm;

/// Turns a form's text into a request; what is not a number is named.
pub(crate) fn request_from_form(form: ComposerForm) -> Result<GenerationRequest, AppError> {
    let (width, height) = match form.size.trim() {
        "" => (None, None),
        size => {
            let (width, height) = size.split_once('x').ok_or_else(|| unreadable("size"))?;
            let side = |text| number("size", text)?.ok_or_else(|| unreadable("size"));
            (Some(side(width)?), Some(side(height)?))
        }
    };
    Ok(GenerationRequest {
        prompt: form.prompt,
        negative_prompt: Some(form.negative).filter(|text| !text.trim().is_empty()),
        model: Some(form.model).filter(|name| !name.trim().is_empty()),
        count: number("count", &form.count)?,
        seed: number("seed", &form.seed)?,
        width,
        height,
        steps: number("steps", &form.steps)?,
        guidance: number("guidance", &form.guidance)?,
    })
}

fn number<T: std::str::FromStr>(field: &str, text: &str) -> Result<Option<T>, AppError> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| unreadable(field)),
    }
}

fn unreadable(field: &str) -> AppError {
    AppError::BadRequest { reason: format!("“{field}” is not a number that works here") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(size: &str, seed: &str) -> Result<GenerationRequest, AppError> {
        request_from_form(ComposerForm {
            prompt: "a".into(),
            size: size.into(),
            count: "2".into(),
            seed: seed.into(),
            ..ComposerForm::default()
        })
    }

    #[test]
    fn empty_fields_mean_defaults() {
        let request = form("", "").expect("valid");
        assert_eq!((request.width, request.seed, request.count, request.model), (None, None, Some(2), None));
        assert_eq!(form("320x192", "9").map(|r| (r.width, r.height, r.seed)), Ok((Some(320), Some(192), Some(9))));
    }

    #[test]
    fn what_is_not_a_number_is_named() {
        for (size, seed) in [("wide", ""), ("1x", ""), ("", "-1"), ("", "1e9"), ("", "seed")] {
            assert_eq!(form(size, seed).expect_err("refused").code(), "bad_request");
        }
    }
}
