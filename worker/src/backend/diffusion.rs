use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use domain::worker::WarmModel;
use domain::{ModelCard, ValidRequest};
use engine::{Device, Params, Pipeline, Session};

use super::{Backend, BackendError, DeviceSpec};
use crate::clock::Stopwatch;

/// The real thing: diffusion models on a CPU or a GPU.
#[derive(Debug)]
pub struct EngineBackend {
    device: Device,
    /// Loaded models by name; all stay resident.
    models: BTreeMap<String, Pipeline>,
}

/// One picture in the making.
#[derive(Debug)]
pub struct EngineSession {
    model: String,
    session: Session,
}

impl EngineBackend {
    /// Loads every model in `folder`. A model that does not load is reported and left out.
    pub fn load(device: &DeviceSpec, folder: &Path) -> Result<Self, BackendError> {
        let device = open_device(device)?;
        let mut models = BTreeMap::new();
        let mut reason = String::from("it holds no folder with a model_index.json");
        for path in model_folders(folder) {
            match Pipeline::load(&path, &device) {
                Ok(pipeline) => {
                    models.insert(pipeline.info().name.clone(), pipeline);
                }
                Err(error) => {
                    tracing::error!(model = %path.display(), %error, "a model does not load");
                    reason = error.to_string();
                }
            }
        }
        if models.is_empty() {
            return Err(BackendError::NoModels { folder: folder.display().to_string(), reason });
        }
        Ok(Self { device, models })
    }

    fn pipeline(&self, model: &str) -> Result<&Pipeline, BackendError> {
        self.models.get(model).ok_or_else(|| BackendError::UnknownModel(model.into()))
    }
}

/// Folders below `folder` that hold a model in the diffusers layout, in a stable order.
pub fn model_folders(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("model_index.json").is_file())
        .collect();
    found.sort();
    found
}

/// Opens the device that was asked for.
pub fn open_device(device: &DeviceSpec) -> Result<Device, BackendError> {
    match device {
        DeviceSpec::Cuda(ordinal) => Device::cuda(*ordinal).map_err(|error| BackendError::Failed(error.to_string())),
        DeviceSpec::Cpu | DeviceSpec::Fake { .. } => Ok(Device::cpu()),
    }
}

/// What the head needs to know of a model.
pub fn card(pipeline: &Pipeline) -> ModelCard {
    let info = pipeline.info();
    ModelCard {
        name: info.name.clone(),
        title: info.title.clone(),
        capability: info.capability.clone(),
        native_size: info.native_size,
        default_steps: info.default_steps,
        max_steps: info.max_steps,
        default_guidance: info.default_guidance,
        size_multiple: info.size_multiple,
    }
}

/// The engine's parameters for one picture of a request.
pub fn params(request: &ValidRequest, seed: u64) -> Params {
    Params {
        prompt: request.prompt.clone(),
        negative_prompt: request.negative_prompt.clone(),
        width: request.width,
        height: request.height,
        steps: request.steps,
        guidance: request.guidance,
        seed,
    }
}

fn failed(error: impl std::fmt::Display) -> BackendError {
    BackendError::Failed(error.to_string())
}

impl Backend for EngineBackend {
    type Session = EngineSession;

    fn describe(&self) -> String {
        self.device.name()
    }

    fn warm_up(&self) -> Result<Vec<WarmModel>, BackendError> {
        self.models
            .values()
            .map(|pipeline| {
                let card = card(pipeline);
                // Two steps and the decoding say enough: the rest of a picture is more of the same steps.
                let watch = Stopwatch::start();
                let mut session = pipeline
                    .open(&Params {
                        prompt: "warm-up".into(),
                        negative_prompt: String::new(),
                        width: card.native_size,
                        height: card.native_size,
                        steps: 2,
                        guidance: card.default_guidance,
                        seed: 0,
                    })
                    .map_err(failed)?;
                pipeline.step(&mut [&mut session]).map_err(failed)?;
                let first_ms = watch.ms();
                pipeline.step(&mut [&mut session]).map_err(failed)?;
                let step_ms = watch.ms() - first_ms;
                let before_decoding = watch.ms();
                pipeline.finish(&session).map_err(failed)?;
                let decode_ms = watch.ms() - before_decoding;
                let standard_ms = step_ms * f64::from(card.default_steps) + decode_ms;
                Ok(WarmModel { card, standard_ms })
            })
            .collect()
    }

    fn open(&self, request: &ValidRequest, seed: u64) -> Result<Self::Session, BackendError> {
        let session = self.pipeline(&request.model)?.open(&params(request, seed)).map_err(failed)?;
        Ok(EngineSession { model: request.model.clone(), session })
    }

    fn key(&self, session: &Self::Session) -> u64 {
        let mut hasher = DefaultHasher::new();
        session.model.hash(&mut hasher);
        session.session.key().hash(&mut hasher);
        hasher.finish()
    }

    fn progress(&self, session: &Self::Session) -> (u32, u32) {
        let count = |steps: usize| u32::try_from(steps).unwrap_or(u32::MAX);
        (count(session.session.step_index()), count(session.session.steps()))
    }

    fn step(&self, sessions: &mut [&mut Self::Session]) -> Result<(), BackendError> {
        let Some(first) = sessions.first() else { return Ok(()) };
        let pipeline = self.pipeline(&first.model)?;
        let mut inner: Vec<&mut Session> = sessions.iter_mut().map(|session| &mut session.session).collect();
        pipeline.step(&mut inner).map_err(failed)
    }

    fn preview(&self, session: &Self::Session) -> Option<Vec<u8>> {
        let picture = self.pipeline(&session.model).ok()?.preview(&session.session).ok()?;
        engine::encode_png(&picture, None).ok()
    }

    fn finish(&self, session: &Self::Session, recipe: &str) -> Result<Vec<u8>, BackendError> {
        let picture = self.pipeline(&session.model)?.finish(&session.session).map_err(failed)?;
        engine::encode_png(&picture, Some(recipe)).map_err(failed)
    }

    fn max_batch(&self) -> usize {
        // On a CPU a batch takes as long as its singles and only makes the first picture later.
        if self.device.is_cpu() { 1 } else { 8 }
    }
}
