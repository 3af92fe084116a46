//! The composer's fields: what a form says, and what a link fills in.

use domain::{AppError, GenerationRequest};
use leptos_router::params::ParamsMap;

/// Aspect ratios on offer: width, height, name.
pub const ASPECTS: [(u32, u32, &str); 5] =
    [(1, 1, "Square"), (3, 2, "Landscape"), (2, 3, "Portrait"), (16, 9, "Wide"), (9, 16, "Tall")];

/// Fields of the composer, as text, filled in by a link or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefill {
    pub prompt: Option<String>,
    pub negative: String,
    pub size: String,
    pub count: String,
    pub seed: String,
    pub steps: String,
    pub guidance: String,
}

impl Prefill {
    /// Reads a link's query.
    pub fn from_query(query: &ParamsMap) -> Self {
        let field = |name: &str| query.get(name).unwrap_or_default();
        Self {
            prompt: query.get("prompt").filter(|prompt| !prompt.trim().is_empty()),
            negative: field("negative"),
            size: field("size"),
            count: field("count"),
            seed: field("seed"),
            steps: field("steps"),
            guidance: field("guidance"),
        }
    }

    /// Whether anything behind "Settings" differs from its default.
    pub fn has_settings(&self) -> bool {
        [&self.negative, &self.seed, &self.steps, &self.guidance].iter().any(|field| !field.is_empty())
    }
}

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
