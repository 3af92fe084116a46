//! A wish for pictures: as it arrives, and as it is once it has been checked.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::ids::{JobId, OutputId};
use crate::model::ModelCard;
use crate::source::{Canvas, Change, Original, PHOTO_WORDS, Source, SourceRequest, UpscaleRequest, Way};

mod restored;
#[cfg(test)]
mod tests;

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

/// A request as a client sends it. Everything but the prompt may be left out, and where it goes on from a picture, that
/// too: then the picture's own words and settings stand.
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
    /// Make it from this picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceRequest>,
    /// Make this picture larger, and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upscale: Option<UpscaleRequest>,
    /// The job of one's own that this one follows, for its trail. Not needed where a picture is named: there it is the
    /// one that made the picture. What is not one's own is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<JobId>,
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
    /// What it is made from, where that is not words alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl ValidRequest {
    /// Seed of the picture at `index`: consecutive from the first, wrapping inside [`MAX_SEED`].
    pub fn seed_of(&self, index: u32) -> u64 {
        (self.seed + u64::from(index)) & MAX_SEED
    }

    /// Steps that are taken: fewer than there are where it goes on from a picture.
    pub fn passes(&self) -> u32 {
        self.source.as_ref().map_or(self.steps, |source| source.passes(self.steps))
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
        let source = self.source.as_ref().map(|source| &source.way);
        if let Some(Way::Upscale { factor }) = source {
            return format!(
                "{}\nSeed: {}, Size: {}x{}, Hires upscale: {factor}, Hires upscaler: {}, Version: Mindseye",
                self.prompt, self.seed, self.width, self.height, self.model
            );
        }
        let mut text = self.prompt.clone();
        if !self.negative_prompt.is_empty() {
            text.push_str("\nNegative prompt: ");
            text.push_str(&self.negative_prompt);
        }
        let strength = match source {
            Some(Way::Vary { strength, .. }) => format!(", Denoising strength: {strength}"),
            Some(Way::Extend { .. }) => ", Denoising strength: 1".to_owned(),
            _ => String::new(),
        };
        text.push_str(&format!(
            "\nSteps: {}, Sampler: Euler, CFG scale: {}, Seed: {}, Size: {}x{}, Model: {}{strength}, Version: Mindseye",
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
    /// The picture that it goes on from, if it does.
    pub fn media(&self) -> Option<OutputId> {
        let source = self.source.as_ref().map(|source| source.media);
        source.or(self.upscale.as_ref().map(|upscale| upscale.media))
    }

    /// Checks a request that goes on from no picture, against the models that can run now.
    ///
    /// `models` must not be empty for a request to pass; the first one that makes pictures is the
    /// default. `random_seed` is used when the request names none.
    pub fn validate(self, models: &[ModelCard], random_seed: u64) -> Result<ValidRequest, AppError> {
        self.validate_from(models, random_seed, None)
    }

    /// As [`GenerationRequest::validate`]. `original` is the picture that [`GenerationRequest::media`] names, if there
    /// is one that the person may go on from.
    pub fn validate_from(
        self,
        models: &[ModelCard],
        random_seed: u64,
        original: Option<&Original>,
    ) -> Result<ValidRequest, AppError> {
        if self.source.is_some() && self.upscale.is_some() {
            return Err(AppError::BadRequest { reason: "it is either “source” or “upscale”".into() });
        }
        let original = match (self.media(), original) {
            (None, _) => None,
            (Some(media), Some(original)) if original.media == media => Some(original),
            (Some(_), _) => return Err(AppError::SourceGone),
        };
        match (&self.upscale, original) {
            (Some(upscale), Some(original)) => larger(upscale, original, models, self.model.as_deref()),
            _ => self.drawn(models, random_seed, original),
        }
    }

    fn drawn(
        self,
        models: &[ModelCard],
        random_seed: u64,
        original: Option<&Original>,
    ) -> Result<ValidRequest, AppError> {
        let change = self.source.as_ref().map(SourceRequest::check).transpose()?;
        // What the person leaves out is as it was.
        let before = original.and_then(|original| original.making.as_ref()).map(|making| &making.request);
        let mut prompt = clean_text(&self.prompt);
        if let Some(before) = before.filter(|_| prompt.is_empty()) {
            prompt = before.prompt.clone();
        }
        if prompt.is_empty() {
            return Err(AppError::EmptyPrompt);
        }
        let negative = self.negative_prompt.as_deref().or(before.map(|before| before.negative_prompt.as_str()));
        let negative_prompt = clean_text(negative.unwrap_or_default());
        for text in [&prompt, &negative_prompt] {
            let chars = text.chars().count();
            if chars > MAX_PROMPT_CHARS {
                return Err(AppError::PromptTooLong { chars, max: MAX_PROMPT_CHARS });
            }
        }
        let draws = |card: &&ModelCard| !card.upscales();
        let mut drawing = models.iter().filter(draws);
        let named = self.model.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let card = match (named, before) {
            (Some(name), _) => find(models, name, draws)?,
            (None, Some(before)) => models
                .iter()
                .filter(draws)
                .find(|card| card.name == before.model)
                .or(drawing.next())
                .ok_or(AppError::NoModel)?,
            (None, None) => drawing.next().ok_or(AppError::NoModel)?,
        };
        if change.is_some() && !card.goes_on() {
            return Err(AppError::BadRequest { reason: format!("“{}” does not go on from pictures", card.name) });
        }
        let before = before.filter(|before| before.model == card.name);
        let count = within("count", self.count.unwrap_or(DEFAULT_COUNT), 1, MAX_COUNT)?;
        let steps = self.steps.or(before.map(|before| before.steps)).unwrap_or(card.default_steps);
        let steps = within("steps", steps, 1, card.max_steps)?;
        let (width, height, way) = match (change, original) {
            (Some(Change::Extend(extend)), Some(original)) => {
                let Canvas { width, height, placed } = extend.canvas((original.width, original.height), card);
                if self.width.is_some_and(|wanted| wanted != width)
                    || self.height.is_some_and(|wanted| wanted != height)
                {
                    let reason = format!("with that room it is {width}x{height}: “width” and “height” can be left out");
                    return Err(AppError::BadRequest { reason });
                }
                (width, height, Some(Way::Extend { extend, placed }))
            }
            (Some(Change::Vary { strength, region }), _) => {
                let (width, height) = self.size(card, original)?;
                (width, height, Some(Way::Vary { strength, region }))
            }
            (None | Some(Change::Extend(_)), _) => {
                let (width, height) = self.size(card, original)?;
                (width, height, None)
            }
        };
        let guidance = self.guidance.or(before.map(|before| before.guidance)).unwrap_or(card.default_guidance);
        if !guidance.is_finite() || !(0.0..=MAX_GUIDANCE).contains(&guidance) {
            return Err(AppError::OutOfRange { field: "guidance".into(), min: 0.0, max: MAX_GUIDANCE.into() });
        }
        let seed = self.seed.unwrap_or(random_seed & MAX_SEED);
        if seed > MAX_SEED {
            return Err(AppError::OutOfRange { field: "seed".into(), min: 0.0, max: MAX_SEED as f64 });
        }
        let source = original.zip(way).map(|(original, way)| source(original, way));
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
            source,
        })
    }

    /// Width and height, in pixels, where the room around a picture does not decide.
    fn size(&self, card: &ModelCard, original: Option<&Original>) -> Result<(u32, u32), AppError> {
        let (width, height) = match (self.width, self.height, original) {
            (None, None, None) => (card.native_size, card.native_size),
            (None, None, Some(Original { width, height, .. })) if card.fits(*width, *height) => (*width, *height),
            // One that the model can't make is made as like it as it can.
            (None, None, Some(original)) => card.size_for(original.width, original.height),
            (Some(side), None, _) | (None, Some(side), _) => (side, side),
            (Some(width), Some(height), _) => (width, height),
        };
        if card.fits(width, height) {
            return Ok((width, height));
        }
        let (min, max) = (card.min_side(), card.max_side());
        Err(AppError::InvalidSize { width, height, min, max, multiple: card.size_multiple })
    }
}

/// The same picture, larger: nothing of it is chosen anew, so the words and the seed are its own.
fn larger(
    upscale: &UpscaleRequest,
    original: &Original,
    models: &[ModelCard],
    model: Option<&str>,
) -> Result<ValidRequest, AppError> {
    let (width, height) = upscale.check(original)?;
    let upscales = |card: &&ModelCard| card.upscales();
    let card = match model.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => find(models, name, upscales)?,
        None if models.is_empty() => return Err(AppError::NoModel),
        None => models.iter().find(upscales).ok_or_else(|| unknown("upscale", models, |card| !card.upscales()))?,
    };
    let making = original.making.as_ref();
    Ok(ValidRequest {
        prompt: making.map_or(PHOTO_WORDS, |making| &making.request.prompt).to_owned(),
        negative_prompt: String::new(),
        model: card.name.clone(),
        capability: card.capability.clone(),
        count: 1,
        seed: making.map_or(0, |making| making.seed) & MAX_SEED,
        width,
        height,
        steps: 1,
        guidance: 0.0,
        source: Some(source(original, Way::Upscale { factor: upscale.factor })),
    })
}

fn source(original: &Original, way: Way) -> Source {
    Source { media: original.media, width: original.width, height: original.height, way }
}

fn find<'a>(
    models: &'a [ModelCard],
    name: &str,
    fits: impl Fn(&&ModelCard) -> bool,
) -> Result<&'a ModelCard, AppError> {
    let found = models.iter().filter(|card| fits(card)).find(|card| card.name == name);
    found.ok_or_else(|| unknown(name, models, |card| fits(&card)))
}

fn unknown(name: &str, models: &[ModelCard], fits: impl Fn(&ModelCard) -> bool) -> AppError {
    AppError::UnknownModel {
        // The name is echoed to a person: never at a length somebody else chose.
        model: name.chars().take(64).collect(),
        known: models.iter().filter(|card| fits(card)).map(|card| card.name.clone()).collect(),
    }
}

fn within(field: &str, value: u32, min: u32, max: u32) -> Result<u32, AppError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(AppError::OutOfRange { field: field.into(), min: f64::from(min), max: f64::from(max) })
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
