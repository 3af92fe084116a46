use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use domain::{ModelCard, ValidRequest, Way};
use engine::{Rgb, RgbImage};
use image::imageops::{FilterType, resize};

use super::{Backend, BackendError, Model, Offer, StartPicture};

/// How much longer than a picture a clip takes.
const CLIP_FACTOR: u32 = 8;

/// Steps of a picture that takes the time it was told.
const STEPS: u32 = 12;

/// A worker for load tests: takes a fixed time per picture of twelve steps and draws a labelled test card.
#[derive(Clone, Debug)]
pub struct FakeBackend {
    per_image: Duration,
    batch: usize,
    models: Vec<String>,
}

/// One pretended model: `starter` draws pictures, `clip` stands for something slow, `upscale` makes pictures larger.
#[derive(Debug)]
pub struct FakeModel {
    card: ModelCard,
    per_image: Duration,
    batch: usize,
}

/// One test card in the making.
#[derive(Debug)]
pub struct FakeSession {
    prompt: String,
    width: u32,
    height: u32,
    seed: u64,
    steps: u32,
    done: u32,
    /// What it goes on from, and how.
    from: Option<(Arc<StartPicture>, Way)>,
}

impl FakeBackend {
    /// `batch` sessions that share a pass take as long as one. The only model is `starter`.
    pub fn new(per_image: Duration, batch: usize) -> Self {
        Self { per_image, batch, models: vec!["starter".into()] }
    }

    /// With these models instead; the one called `clip` is slow and offers `video`, and `upscale` what it is called.
    pub fn with_models(self, models: &[String]) -> Self {
        Self { models: models.to_vec(), ..self }
    }

    fn pace(&self, model: &str) -> Duration {
        if model == "clip" { self.per_image * CLIP_FACTOR } else { self.per_image }
    }
}

impl Backend for FakeBackend {
    type Model = FakeModel;

    fn describe(&self) -> String {
        match self.batch {
            1 => format!("fake ({} ms a picture)", self.per_image.as_millis()),
            batch => format!("fake ({} ms a pass of up to {batch} pictures)", self.per_image.as_millis()),
        }
    }

    fn memory_mb(&self) -> u64 {
        0
    }

    fn concurrency(&self, _batch_gain: f64) -> u32 {
        u32::try_from(self.batch).unwrap_or(u32::MAX)
    }

    fn catalogue(&self) -> Vec<Offer> {
        let offer = |name: &String| Offer {
            card: card(name),
            memory_mb: if name == "clip" { 10_000 } else { 20 },
            load_ms: self.pace(name).as_secs_f64() * 1_000.0,
        };
        self.models.iter().map(offer).collect()
    }

    fn load(&self, model: &str) -> Result<FakeModel, BackendError> {
        if !self.models.iter().any(|name| name == model) {
            return Err(BackendError::UnknownModel(model.into()));
        }
        pretend(self.pace(model));
        Ok(FakeModel { card: card(model), per_image: self.pace(model), batch: self.batch })
    }
}

impl Model for FakeModel {
    type Session = FakeSession;

    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn open(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
    ) -> Result<FakeSession, BackendError> {
        let from = match &request.source {
            None => None,
            Some(source) => Some((start.ok_or(BackendError::NoStart)?.clone(), source.way.clone())),
        };
        Ok(FakeSession {
            prompt: request.prompt.clone(),
            width: request.width,
            height: request.height,
            seed,
            steps: request.passes().max(1),
            done: 0,
            from,
        })
    }

    fn export(&self, session: &FakeSession) -> Result<Vec<u8>, BackendError> {
        Ok(session.done.to_le_bytes().to_vec())
    }

    fn resume(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
        state: &[u8],
    ) -> Result<FakeSession, BackendError> {
        let session = self.open(request, seed, start)?;
        let done = state.try_into().map(u32::from_le_bytes).ok().filter(|done| *done <= session.steps);
        let done = done.ok_or_else(|| BackendError::Failed("that is no state of a test card".into()))?;
        Ok(FakeSession { done, ..session })
    }

    fn key(&self, session: &FakeSession) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.card.name, session.width, session.height).hash(&mut hasher);
        hasher.finish()
    }

    fn batch_cap(&self, _session: &FakeSession) -> usize {
        self.batch
    }

    fn progress(&self, session: &FakeSession) -> (u32, u32) {
        (session.done, session.steps)
    }

    fn step(&self, sessions: &mut [&mut FakeSession]) -> Result<(), BackendError> {
        for pass in sessions.chunks_mut(self.batch) {
            pretend(self.per_image / STEPS);
            for session in pass {
                session.done += 1;
            }
        }
        Ok(())
    }

    fn preview(&self, session: &FakeSession) -> Option<Vec<u8>> {
        let picture = RgbImage::from_pixel(8, 8, colour(session));
        engine::encode_png(&picture, None).ok()
    }

    fn finish(&self, session: &FakeSession, recipe: &str) -> Result<Vec<u8>, BackendError> {
        let picture = match &session.from {
            None => drawn(session),
            Some((start, Way::Upscale { .. })) => {
                resize(&start.picture, session.width, session.height, FilterType::Nearest)
            }
            Some((start, Way::Vary { strength, .. })) => over(start, drawn(session), *strength),
            Some((start, Way::Extend { .. })) => over(start, drawn(session), 1.0),
        };
        engine::encode_png(&picture, Some(recipe)).map_err(|error| BackendError::Failed(error.to_string()))
    }
}

fn card(name: &str) -> ModelCard {
    let (title, capability) = match name {
        "starter" => ("Test card".to_owned(), "image.fast"),
        "clip" => ("Test clip".to_owned(), "video"),
        "upscale" => ("Larger test card".to_owned(), "upscale"),
        other => (format!("Test card ({other})"), "image.fast"),
    };
    let (native_size, default_steps, max_steps) = if name == "upscale" { (512, 1, 1) } else { (256, STEPS, 50) };
    ModelCard {
        name: name.to_owned(),
        title,
        capability: capability.into(),
        native_size,
        default_steps,
        max_steps,
        default_guidance: 3.0,
        size_multiple: 32,
    }
}

#[expect(clippy::disallowed_methods, reason = "standing in for work is this backend's purpose")]
fn pretend(time: Duration) {
    std::thread::sleep(time);
}

/// A colour and a stripe that depend on the words and the seed: enough to tell cards apart.
fn drawn(session: &FakeSession) -> RgbImage {
    let stripe = (session.seed % u64::from(session.height.max(1))) as u32;
    RgbImage::from_fn(session.width, session.height, |_, y| {
        if y / 8 == stripe / 8 { Rgb([255, 255, 255]) } else { colour(session) }
    })
}

/// A card over the picture it goes on from, as strong as this where that may change.
fn over(start: &StartPicture, mut card: RgbImage, strength: f64) -> RgbImage {
    for (x, y, new) in card.enumerate_pixels_mut() {
        let stays = start.mask.as_ref().is_some_and(|mask| mask.get_pixel(x, y).0 == [0]);
        let share = if stays { 0.0 } else { strength };
        for (new, old) in new.0.iter_mut().zip(start.picture.get_pixel(x, y).0) {
            *new = (f64::from(old) + (f64::from(*new) - f64::from(old)) * share).round() as u8;
        }
    }
    card
}

fn colour(session: &FakeSession) -> Rgb<u8> {
    let mut hasher = DefaultHasher::new();
    (&session.prompt, session.seed).hash(&mut hasher);
    let [r, g, b, ..] = hasher.finish().to_be_bytes();
    Rgb([r, g, b])
}
