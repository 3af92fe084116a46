//! What makes finished pictures larger: a small network that some models come with, offered as a model of its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use domain::model::UPSCALE;
use domain::{ModelCard, ValidRequest, Way};
use engine::{Device, ModelInfo, Upscaler, Upscaling};

use super::diffusion::{EngineModel, EngineSession, failed, unloadable};
use super::{BackendError, Model, Offer, StartPicture};

/// The folder in a model's that holds it.
const FOLDER: &str = "upscaler";

/// Something that a model's folder offers, loaded.
#[derive(Debug)]
pub enum Loaded {
    Draws(Box<EngineModel>),
    Enlarges(Box<Enlarger>),
}

/// One picture in the making, of either.
#[derive(Debug)]
pub enum LoadedSession {
    Drawn(Box<EngineSession>),
    Enlarged(Box<Upscaling>),
}

/// A loaded network that makes pictures larger.
#[derive(Debug)]
pub struct Enlarger {
    card: ModelCard,
    upscaler: Upscaler,
}

/// What a model offers beside drawing, if it comes with something that makes pictures larger.
pub fn offer(folder: &Path, info: &ModelInfo) -> Option<Offer> {
    let weights = folder.join(FOLDER).join("diffusion_pytorch_model.safetensors");
    let memory_mb = std::fs::metadata(weights).map_or(1, |file| file.len().div_ceil(1 << 20));
    info.upscales.then(|| Offer { card: card(info), memory_mb, load_ms: 50.0 })
}

/// The model's name with what it does behind it.
pub fn name(info: &ModelInfo) -> String {
    format!("{}-upscaler", info.name)
}

impl Enlarger {
    pub fn load(folder: &Path, info: &ModelInfo, device: &Device) -> Result<Self, BackendError> {
        let upscaler = Upscaler::load(&folder.join(FOLDER), device).map_err(unloadable)?;
        Ok(Self { card: card(info), upscaler })
    }

    fn open(&self, request: &ValidRequest, start: Option<&Arc<StartPicture>>) -> Result<Upscaling, BackendError> {
        let Some(Way::Upscale { factor }) = request.source.as_ref().map(|source| &source.way) else {
            return Err(BackendError::Unfit(format!("“{}” only makes pictures larger", self.card.name)));
        };
        self.upscaler.begin(&start.ok_or(BackendError::NoStart)?.picture, *factor).map_err(failed)
    }
}

/// Its standard picture is one of its model's, twice as large.
fn card(info: &ModelInfo) -> ModelCard {
    ModelCard {
        name: name(info),
        title: format!("{}, larger", info.title),
        capability: UPSCALE.into(),
        native_size: info.native_size * 2,
        default_steps: 1,
        max_steps: 1,
        default_guidance: 0.0,
        size_multiple: 1,
    }
}

/// A session that another model opened: the bench never mixes them up.
fn strange() -> BackendError {
    BackendError::Failed("a picture belongs to another model".into())
}

impl Model for Loaded {
    type Session = LoadedSession;

    fn card(&self) -> &ModelCard {
        match self {
            Self::Draws(model) => model.card(),
            Self::Enlarges(enlarger) => &enlarger.card,
        }
    }

    fn open(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
    ) -> Result<LoadedSession, BackendError> {
        match self {
            Self::Draws(model) => model.open(request, seed, start).map(|drawn| LoadedSession::Drawn(Box::new(drawn))),
            Self::Enlarges(enlarger) => {
                enlarger.open(request, start).map(|enlarged| LoadedSession::Enlarged(Box::new(enlarged)))
            }
        }
    }

    fn export(&self, session: &LoadedSession) -> Result<Vec<u8>, BackendError> {
        match (self, session) {
            (Self::Draws(model), LoadedSession::Drawn(drawn)) => model.export(drawn),
            // It is over in a moment wherever it is.
            _ => Err(BackendError::Unfit("what makes pictures larger ends where it began".into())),
        }
    }

    fn resume(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
        state: &[u8],
    ) -> Result<LoadedSession, BackendError> {
        match self {
            Self::Draws(model) => {
                model.resume(request, seed, start, state).map(|drawn| LoadedSession::Drawn(Box::new(drawn)))
            }
            Self::Enlarges(_) => Err(BackendError::Unfit("what makes pictures larger ends where it began".into())),
        }
    }

    fn key(&self, session: &LoadedSession) -> u64 {
        match (self, session) {
            (Self::Draws(model), LoadedSession::Drawn(drawn)) => model.key(drawn),
            _ => {
                let mut hasher = DefaultHasher::new();
                (UPSCALE, &self.card().name).hash(&mut hasher);
                hasher.finish()
            }
        }
    }

    fn batch_cap(&self, session: &LoadedSession) -> usize {
        match (self, session) {
            (Self::Draws(model), LoadedSession::Drawn(drawn)) => model.batch_cap(drawn),
            // A tile is a pass of its own.
            _ => 1,
        }
    }

    fn progress(&self, session: &LoadedSession) -> (u32, u32) {
        let count = |steps: usize| u32::try_from(steps).unwrap_or(u32::MAX);
        match (self, session) {
            (Self::Draws(model), LoadedSession::Drawn(drawn)) => model.progress(drawn),
            (_, LoadedSession::Enlarged(enlarged)) => (count(enlarged.step_index()), count(enlarged.steps())),
            _ => (0, 0),
        }
    }

    fn step(&self, sessions: &mut [&mut LoadedSession]) -> Result<(), BackendError> {
        match self {
            Self::Draws(model) => {
                let mut drawn: Vec<&mut EngineSession> = Vec::with_capacity(sessions.len());
                for session in sessions {
                    let LoadedSession::Drawn(session) = &mut **session else { return Err(strange()) };
                    drawn.push(session);
                }
                model.step(&mut drawn)
            }
            Self::Enlarges(enlarger) => {
                // One at a time (`batch_cap`), so that none has moved where it fails.
                for session in sessions {
                    let LoadedSession::Enlarged(session) = &mut **session else { return Err(strange()) };
                    enlarger.upscaler.step(session).map_err(failed)?;
                }
                Ok(())
            }
        }
    }

    fn preview(&self, session: &LoadedSession) -> Option<Vec<u8>> {
        match (self, session) {
            (Self::Draws(model), LoadedSession::Drawn(drawn)) => model.preview(drawn),
            _ => None,
        }
    }

    fn finish(&self, session: &LoadedSession, recipe: &str) -> Result<Vec<u8>, BackendError> {
        match (self, session) {
            (Self::Draws(model), LoadedSession::Drawn(drawn)) => model.finish(drawn, recipe),
            (_, LoadedSession::Enlarged(enlarged)) => {
                let picture = enlarged.clone().finish().map_err(failed)?;
                engine::encode_png(&picture, Some(recipe)).map_err(failed)
            }
            _ => Err(strange()),
        }
    }
}
