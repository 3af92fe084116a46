//! A wish for pictures: as it arrives, and as it is once it has been checked.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::model::ModelCard;

/// Longest prompt that is accepted, in characters.
pub const MAX_PROMPT_CHARS: usize = 2_000;
/// Most pictures one request may ask for.
pub const MAX_COUNT: u32 = 8;
/// Pictures made when the request does not say how many.
pub const DEFAULT_COUNT: u32 = 4;
/// Largest seed. JavaScript's numbers are exact up to here, so every client can repeat it.
pub const MAX_SEED: u64 = (1 << 53) - 1;
/// Largest guidance scale that is accepted.
pub const MAX_GUIDANCE: f32 = 20.0;

/// A request as a client sends it; everything but the prompt may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerationRequest {
    pub prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance: Option<f32>,
}

/// A request that has been checked: every field is set and within its bounds.
///
/// This is what is stored with a job, priced, planned and sent to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidRequest {
    pub prompt: String,
    pub negative_prompt: String,
    pub model: String,
    pub capability: String,
    pub count: u32,
    /// Seed of the first picture; picture `i` uses [`ValidRequest::seed_of`]`(i)`.
    pub seed: u64,
    pub width: u32,
    pub height: u32,
    pub steps: u32,
    pub guidance: f32,
}

impl ValidRequest {
    /// Seed of the picture at `index`: consecutive from the first, wrapping inside [`MAX_SEED`].
    pub fn seed_of(&self, index: u32) -> u64 {
        (self.seed + u64::from(index)) & MAX_SEED
    }

    /// Requests with equal keys may share a forward pass at any step: same model, size and kind of guidance.
    ///
    /// Words, seeds, steps and the strength of the guidance differ freely within a pass.
    pub fn batch_key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.model, self.width, self.height, self.guidance > 1.0).hash(&mut hasher);
        hasher.finish()
    }

    /// The recipe in the `parameters` convention that other tools read from a PNG.
    pub fn recipe(&self, index: u32) -> String {
        let mut text = self.prompt.clone();
        if !self.negative_prompt.is_empty() {
            text.push_str("\nNegative prompt: ");
            text.push_str(&self.negative_prompt);
        }
        text.push_str(&format!(
            "\nSteps: {}, Sampler: Euler, CFG scale: {}, Seed: {}, Size: {}x{}, Model: {}, Version: Mindseye",
            self.steps,
            self.guidance,
            self.seed_of(index),
            self.width,
            self.height,
            self.model
        ));
        text
    }
}

impl GenerationRequest {
    /// Checks the request against the models that can run now.
    ///
    /// `models` must not be empty for a request to pass; the first one is the
    /// default. `random_seed` is used when the request names none.
    pub fn validate(self, models: &[ModelCard], random_seed: u64) -> Result<ValidRequest, AppError> {
        let prompt = clean_text(&self.prompt);
        if prompt.is_empty() {
            return Err(AppError::EmptyPrompt);
        }
        let negative_prompt = clean_text(self.negative_prompt.as_deref().unwrap_or_default());
        for text in [&prompt, &negative_prompt] {
            let chars = text.chars().count();
            if chars > MAX_PROMPT_CHARS {
                return Err(AppError::PromptTooLong { chars, max: MAX_PROMPT_CHARS });
            }
        }
        let default = models.first().ok_or(AppError::NoModel)?;
        let card = match self.model.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            None => default,
            Some(name) => {
                models.iter().find(|card| card.name == name).ok_or_else(|| AppError::UnknownModel {
                    // The name is echoed to a person: never at a length somebody else chose.
                    model: name.chars().take(64).collect(),
                    known: models.iter().map(|card| card.name.clone()).collect(),
                })?
            }
        };
        let count = within("count", self.count.unwrap_or(DEFAULT_COUNT), 1, MAX_COUNT)?;
        let steps = within("steps", self.steps.unwrap_or(card.default_steps), 1, card.max_steps)?;
        let (width, height) = match (self.width, self.height) {
            (None, None) => (card.native_size, card.native_size),
            (Some(side), None) | (None, Some(side)) => (side, side),
            (Some(width), Some(height)) => (width, height),
        };
        let fits = |side: u32| {
            (card.min_side()..=card.max_side()).contains(&side) && side.is_multiple_of(card.size_multiple.max(1))
        };
        if !fits(width) || !fits(height) {
            return Err(AppError::InvalidSize {
                width,
                height,
                min: card.min_side(),
                max: card.max_side(),
                multiple: card.size_multiple,
            });
        }
        let guidance = self.guidance.unwrap_or(card.default_guidance);
        if !guidance.is_finite() || !(0.0..=MAX_GUIDANCE).contains(&guidance) {
            return Err(AppError::OutOfRange { field: "guidance".into(), min: 0, max: MAX_GUIDANCE as u64 });
        }
        let seed = self.seed.unwrap_or(random_seed & MAX_SEED);
        if seed > MAX_SEED {
            return Err(AppError::OutOfRange { field: "seed".into(), min: 0, max: MAX_SEED });
        }
        Ok(ValidRequest {
            prompt,
            negative_prompt,
            model: card.name.clone(),
            capability: card.capability.clone(),
            count,
            seed,
            width,
            height,
            steps,
            guidance,
        })
    }
}

fn within(field: &str, value: u32, min: u32, max: u32) -> Result<u32, AppError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(AppError::OutOfRange { field: field.into(), min: u64::from(min), max: u64::from(max) })
    }
}

/// Collapses white space and drops control characters, which would corrupt logs, metadata and pages.
fn clean_text(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(8_192));
    for word in text.split_whitespace() {
        let start = clean.len();
        if start > 0 {
            clean.push(' ');
        }
        let before = clean.len();
        clean.extend(word.chars().filter(|c| !c.is_control() && !is_bidi_override(*c)));
        if clean.len() == before {
            clean.truncate(start);
        }
    }
    clean
}

/// Characters that reorder the text around them: harmless in a picture, a disguise on a page.
fn is_bidi_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::starter_card;

    fn check(request: GenerationRequest) -> Result<ValidRequest, AppError> {
        request.validate(&[starter_card()], 7)
    }

    fn wish(prompt: &str) -> GenerationRequest {
        GenerationRequest { prompt: prompt.into(), ..GenerationRequest::default() }
    }

    #[test]
    fn defaults_come_from_the_model() {
        let valid = check(wish("  a red\n\tsun ")).expect("valid");
        assert_eq!(valid.prompt, "a red sun");
        assert_eq!((valid.width, valid.height, valid.steps, valid.count), (256, 256, 12, 4));
        assert_eq!(valid.seed, 7);
        assert_eq!(valid.seed_of(3), 10);
    }

    #[test]
    fn control_and_bidi_characters_are_dropped() {
        let valid = check(wish("a \u{0} b\u{202E}c \u{7}")).expect("valid");
        assert_eq!(valid.prompt, "a bc");
    }

    #[test]
    fn bad_requests_name_what_is_wrong() {
        let code = |request| check(request).expect_err("must be refused").code();
        assert_eq!(code(wish(" \u{0} ")), "empty_prompt");
        assert_eq!(code(wish(&"x".repeat(10_000))), "prompt_too_long");
        assert_eq!(code(GenerationRequest { width: Some(257), height: Some(256), ..wish("a") }), "invalid_size");
        assert_eq!(code(GenerationRequest { width: Some(0), ..wish("a") }), "invalid_size");
        assert_eq!(code(GenerationRequest { width: Some(1 << 20), ..wish("a") }), "invalid_size");
        assert_eq!(code(GenerationRequest { model: Some("nope".into()), ..wish("a") }), "unknown_model");
        assert_eq!(code(GenerationRequest { count: Some(0), ..wish("a") }), "out_of_range");
        assert_eq!(code(GenerationRequest { count: Some(9), ..wish("a") }), "out_of_range");
        assert_eq!(code(GenerationRequest { steps: Some(51), ..wish("a") }), "out_of_range");
        assert_eq!(code(GenerationRequest { guidance: Some(f32::NAN), ..wish("a") }), "out_of_range");
        assert_eq!(code(GenerationRequest { seed: Some(u64::MAX), ..wish("a") }), "out_of_range");
    }

    #[test]
    fn the_recipe_follows_the_parameters_convention() {
        let valid = check(GenerationRequest { negative_prompt: Some("fog".into()), ..wish("a sea") }).expect("valid");
        assert_eq!(
            valid.recipe(1),
            "a sea\nNegative prompt: fog\nSteps: 12, Sampler: Euler, CFG scale: 3, Seed: 8, Size: 256x256, Model: starter, Version: Mindseye"
        );
    }
}
