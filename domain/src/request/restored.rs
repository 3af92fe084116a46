//! Requests that come back from an archive: any model may have made them, also one that is not here.

use super::{MAX_COUNT, MAX_GUIDANCE, MAX_PROMPT_CHARS, MAX_SEED, ValidRequest, clean_text, within};
use crate::error::AppError;
use crate::source::{Original, SourceRequest, UpscaleRequest, Way};

/// Longest name of a model or a capability, in characters.
const MAX_NAME_CHARS: usize = 64;
/// Longest side of any model's pictures, in pixels, and most steps of any.
const MAX_SIDE: u32 = 16_384;
const MAX_STEPS: u32 = 1_000;

impl ValidRequest {
    /// Whether this could be a request that was accepted once, as far as that can be told without the model's card.
    ///
    /// # Errors
    /// What a request like it would be refused with.
    pub fn check_restored(&self) -> Result<(), AppError> {
        if self.prompt.is_empty() {
            return Err(AppError::EmptyPrompt);
        }
        for text in [&self.prompt, &self.negative_prompt] {
            let chars = text.chars().count();
            if chars > MAX_PROMPT_CHARS {
                return Err(AppError::PromptTooLong { chars, max: MAX_PROMPT_CHARS });
            }
        }
        let words = [&self.prompt, &self.negative_prompt, &self.model, &self.capability];
        if words.iter().any(|text| clean_text(text) != **text) {
            return Err(bad("a text has signs that are none"));
        }
        for name in [&self.model, &self.capability] {
            if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) {
                return Err(bad("a model has a name of 1 to 64 characters"));
            }
        }
        within("count", self.count, 1, MAX_COUNT)?;
        within("steps", self.steps, 1, MAX_STEPS)?;
        within("width", self.width, 1, MAX_SIDE)?;
        within("height", self.height, 1, MAX_SIDE)?;
        if !(0.0..=MAX_GUIDANCE).contains(&self.guidance) {
            return Err(AppError::OutOfRange { field: "guidance".into(), min: 0.0, max: MAX_GUIDANCE.into() });
        }
        if self.seed > MAX_SEED {
            return Err(AppError::OutOfRange { field: "seed".into(), min: 0.0, max: MAX_SEED as f64 });
        }
        let Some(source) = &self.source else { return Ok(()) };
        within("width", source.width, 1, MAX_SIDE)?;
        within("height", source.height, 1, MAX_SIDE)?;
        let media = source.media;
        match &source.way {
            Way::Vary { strength, region } => {
                let region = (!region.is_empty()).then(|| region.clone());
                SourceRequest { media, strength: Some(*strength), region, extend: None }.check().map(drop)
            }
            Way::Extend { extend, placed } => {
                SourceRequest { media, strength: None, region: None, extend: Some(*extend) }.check()?;
                let fits =
                    |at: u32, side: u32, whole: u32| side > 0 && at.checked_add(side).is_some_and(|end| end <= whole);
                let inside =
                    fits(placed.left, placed.width, self.width) && fits(placed.top, placed.height, self.height);
                if inside { Ok(()) } else { Err(bad("a picture lies outside the one that it was extended to")) }
            }
            Way::Upscale { factor } => {
                let original = Original { media, width: source.width, height: source.height, making: None };
                let size = UpscaleRequest { media, factor: *factor }.check(&original)?;
                if size == (self.width, self.height) { Ok(()) } else { Err(bad("a picture grew by another factor")) }
            }
        }
    }
}

fn bad(reason: &str) -> AppError {
    AppError::BadRequest { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OutputId;
    use crate::source::{Extend, Placed, Source};

    fn request() -> ValidRequest {
        ValidRequest {
            prompt: "a sea".into(),
            negative_prompt: String::new(),
            model: "another-model".into(),
            capability: "image.fast".into(),
            count: 4,
            seed: 7,
            width: 128,
            height: 96,
            steps: 12,
            guidance: 3.0,
            source: None,
        }
    }

    fn from(width: u32, height: u32, way: Way) -> Option<Source> {
        Some(Source { media: OutputId::from_random(1), width, height, way })
    }

    #[test]
    fn what_was_accepted_once_comes_back() {
        assert_eq!(request().check_restored(), Ok(()));
        let varied = from(64, 64, Way::Vary { strength: 0.5, region: Vec::new() });
        assert_eq!(ValidRequest { source: varied, ..request() }.check_restored(), Ok(()));
        let extend = Extend { right: 0.5, ..Extend::default() };
        let placed = Placed { left: 0, top: 0, width: 80, height: 96 };
        let wider = from(64, 64, Way::Extend { extend, placed });
        assert_eq!(ValidRequest { source: wider, ..request() }.check_restored(), Ok(()));
        let larger = from(64, 48, Way::Upscale { factor: 2 });
        assert_eq!(ValidRequest { source: larger, guidance: 0.0, ..request() }.check_restored(), Ok(()));
    }

    #[test]
    fn what_never_was_does_not() {
        let code = |request: ValidRequest| request.check_restored().expect_err("refused").code();
        assert_eq!(code(ValidRequest { prompt: String::new(), ..request() }), "empty_prompt");
        assert_eq!(code(ValidRequest { prompt: "a\u{202E}b".into(), ..request() }), "bad_request");
        assert_eq!(code(ValidRequest { negative_prompt: "a".repeat(2_001), ..request() }), "prompt_too_long");
        assert_eq!(code(ValidRequest { model: "m".repeat(65), ..request() }), "bad_request");
        assert_eq!(code(ValidRequest { count: 9, ..request() }), "out_of_range");
        assert_eq!(code(ValidRequest { steps: 0, ..request() }), "out_of_range");
        assert_eq!(code(ValidRequest { width: 100_000, ..request() }), "out_of_range");
        assert_eq!(code(ValidRequest { seed: MAX_SEED + 1, ..request() }), "out_of_range");
        assert_eq!(code(ValidRequest { guidance: f32::NAN, ..request() }), "out_of_range");
        let varied = from(64, 64, Way::Vary { strength: 7.0, region: Vec::new() });
        assert_eq!(code(ValidRequest { source: varied, ..request() }), "out_of_range");
        let extend = Extend { right: 0.5, ..Extend::default() };
        let placed = Placed { left: u32::MAX, top: 0, width: 80, height: 96 };
        let outside = from(64, 64, Way::Extend { extend, placed });
        assert_eq!(code(ValidRequest { source: outside, ..request() }), "bad_request");
        let larger = from(64, 64, Way::Upscale { factor: 4 });
        assert_eq!(code(ValidRequest { source: larger, ..request() }), "bad_request");
    }
}
