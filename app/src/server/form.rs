//! What a form says, as a request.

use domain::{AppError, GenerationRequest};

/// Turns a form's text into a request; what is not a number is named.
#[expect(clippy::too_many_arguments, reason = "a form's fields are flat")]
pub fn request_from_form(
    prompt: String,
    negative: String,
    model: String,
    size: &str,
    count: &str,
    seed: &str,
    steps: &str,
    guidance: &str,
) -> Result<GenerationRequest, AppError> {
    let (width, height) = match size.trim() {
        "" => (None, None),
        size => {
            let (width, height) = size.split_once('x').ok_or_else(|| unreadable("size"))?;
            (number("size", width)?, number("size", height)?)
        }
    };
    Ok(GenerationRequest {
        prompt,
        negative_prompt: Some(negative).filter(|text| !text.trim().is_empty()),
        model: Some(model).filter(|name| !name.trim().is_empty()),
        count: number("count", count)?,
        seed: number("seed", seed)?,
        width,
        height,
        steps: number("steps", steps)?,
        guidance: number("guidance", guidance)?,
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
        request_from_form("a".into(), String::new(), String::new(), size, "2", seed, "", "")
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
