use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{ModelCard, ValidRequest, Way};
use engine::{Device, EngineError, LoadError, ModelInfo, Params, Pipeline, Session, Start};

use super::enlarging::{self, Enlarger, Loaded};
use super::{Backend, BackendError, DeviceSpec, Model, Offer, StartPicture};

/// Weights that are read and packed in a millisecond, in MiB: a guess until a load was measured.
const LOADED_MB_PER_MS: f64 = 0.2;
/// Shared passes on a processor: there is little to gain beyond.
const CPU_BATCH: usize = 8;
/// Shared passes on a card, for pictures of `CARD_SIDE` and smaller; larger ones fill it sooner.
const CARD_BATCH: usize = 8;
const CARD_SIDE: u64 = 512;

/// The real thing: diffusion models on a CPU or a GPU.
#[derive(Debug)]
pub struct EngineBackend {
    device: Device,
    folder: PathBuf,
    memory_mb: u64,
}

/// One loaded diffusion model.
#[derive(Debug)]
pub struct EngineModel {
    card: ModelCard,
    pipeline: Pipeline,
    on_cpu: bool,
}

/// One picture in the making.
#[derive(Debug)]
pub struct EngineSession {
    key: u64,
    /// Pixels of the picture.
    area: u64,
    pub(crate) session: Session,
}

impl EngineBackend {
    /// Models from `folder`, on a device with this much memory (in MiB; 0 when unknown).
    /// Those that can't be used are reported once.
    ///
    /// # Errors
    /// [`BackendError::Failed`] when there is no such device.
    pub fn new(device: &DeviceSpec, folder: &Path, memory_mb: u64) -> Result<Self, BackendError> {
        for path in model_folders(folder) {
            if let Err(error) = ModelInfo::read(&path) {
                tracing::error!(model = %path.display(), %error, "a model can't be used");
            }
        }
        Ok(Self { device: open_device(device)?, folder: folder.to_owned(), memory_mb })
    }
}

/// Folders below `folder` that hold a model in the diffusers layout, in a stable order.
pub fn model_folders(folder: &Path) -> Vec<PathBuf> {
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
        DeviceSpec::Cuda(ordinal) => Device::cuda(*ordinal).map_err(failed),
        DeviceSpec::Cpu | DeviceSpec::Fake { .. } => Ok(Device::cpu()),
    }
}

/// What the head needs to know of a model.
pub fn card(info: &ModelInfo) -> ModelCard {
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
        variation: None,
    }
}

impl Backend for EngineBackend {
    type Model = Loaded;

    fn describe(&self) -> String {
        if !self.device.is_cpu() {
            return self.device.name();
        }
        match std::thread::available_parallelism() {
            Ok(threads) => format!("cpu ({threads} threads)"),
            Err(_) => "cpu".into(),
        }
    }

    fn memory_mb(&self) -> u64 {
        self.memory_mb
    }

    fn concurrency(&self, batch_gain: f64) -> u32 {
        match (self.device.is_cpu(), batch_gain >= 1.1) {
            (false, _) => 8,
            (true, true) => 4,
            // The second job is ready when the first one ends, and may pass it if it is shorter.
            (true, false) => 2,
        }
    }

    fn catalogue(&self) -> Vec<Offer> {
        let mut names = HashSet::new();
        let readable = model_folders(&self.folder).into_iter().filter_map(|path| match ModelInfo::read(&path) {
            Ok(info) => Some((path, info)),
            Err(error) => {
                tracing::debug!(model = %path.display(), %error, "a model can't be used");
                None
            }
        });
        let offers = readable.flat_map(|(path, info)| {
            let memory_mb = info.weight_bytes.div_ceil(1 << 20);
            let drawing = Offer { card: card(&info), memory_mb, load_ms: memory_mb as f64 / LOADED_MB_PER_MS };
            std::iter::once(drawing).chain(enlarging::offer(&path, &info))
        });
        offers.filter(|offer| names.insert(offer.card.name.clone())).collect()
    }

    fn load(&self, model: &str) -> Result<Loaded, BackendError> {
        let read = |path: PathBuf| ModelInfo::read(&path).ok().map(|info| (path, info));
        let all: Vec<(PathBuf, ModelInfo)> = model_folders(&self.folder).into_iter().filter_map(read).collect();
        if let Some((folder, _)) = all.iter().find(|(_, info)| info.name == model) {
            let pipeline = Pipeline::load(folder, &self.device).map_err(unloadable)?;
            let on_cpu = self.device.is_cpu();
            return Ok(Loaded::Draws(Box::new(EngineModel { card: card(pipeline.info()), pipeline, on_cpu })));
        }
        let enlarges = |info: &ModelInfo| info.upscales && enlarging::name(info) == model;
        let found = all.iter().find(|(_, info)| enlarges(info));
        let (folder, info) = found.ok_or_else(|| BackendError::UnknownModel(model.into()))?;
        Ok(Loaded::Enlarges(Box::new(Enlarger::load(folder, info, &self.device)?)))
    }
}

impl Model for EngineModel {
    type Session = EngineSession;

    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn open(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
    ) -> Result<EngineSession, BackendError> {
        let params = params(request, seed);
        let session = match self.begins(request, start)? {
            None => self.pipeline.open(&params),
            Some((start, strength)) => self.pipeline.open_from(&params, start, strength),
        };
        Ok(opened(request, session.map_err(failed)?))
    }

    fn export(&self, session: &EngineSession) -> Result<Vec<u8>, BackendError> {
        self.pipeline.export(&session.session).map_err(failed)
    }

    fn resume(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
        state: &[u8],
    ) -> Result<EngineSession, BackendError> {
        let params = params(request, seed);
        let session = match self.begins(request, start)? {
            None => self.pipeline.resume(&params, state),
            Some((start, strength)) => self.pipeline.resume_from(&params, start, strength, state),
        };
        Ok(opened(request, session.map_err(failed)?))
    }

    fn key(&self, session: &EngineSession) -> u64 {
        session.key
    }

    fn batch_cap(&self, session: &EngineSession) -> usize {
        if self.on_cpu {
            return CPU_BATCH;
        }
        let larger = session.area.max(1) as f64 / (CARD_SIDE * CARD_SIDE) as f64;
        ((CARD_BATCH as f64 / larger) as usize).clamp(1, CARD_BATCH)
    }

    fn progress(&self, session: &EngineSession) -> (u32, u32) {
        let count = |steps: usize| u32::try_from(steps).unwrap_or(u32::MAX);
        (count(session.session.step_index()), count(session.session.steps()))
    }

    fn step(&self, sessions: &mut [&mut EngineSession]) -> Result<(), BackendError> {
        let mut inner: Vec<&mut Session> = sessions.iter_mut().map(|session| &mut session.session).collect();
        self.pipeline.step(&mut inner).map_err(failed)
    }

    fn preview(&self, session: &EngineSession) -> Option<Vec<u8>> {
        let picture = self.pipeline.preview(&session.session).ok()?;
        engine::encode_png(&picture, None).ok()
    }

    fn finish(&self, session: &EngineSession, recipe: &str) -> Result<Vec<u8>, BackendError> {
        let picture = self.pipeline.finish(&session.session).map_err(failed)?;
        engine::encode_png(&picture, Some(recipe)).map_err(failed)
    }
}

impl EngineModel {
    /// What a picture begins with besides noise, and how much of the way is gone anew.
    fn begins<'a>(
        &self,
        request: &ValidRequest,
        start: Option<&'a Arc<StartPicture>>,
    ) -> Result<Option<(Start<'a>, f64)>, BackendError> {
        let Some(source) = &request.source else { return Ok(None) };
        if let Way::Upscale { .. } = source.way {
            return Err(BackendError::Unfit(format!("“{}” makes nothing larger", self.card.name)));
        }
        let StartPicture { picture, mask } = &**start.ok_or(BackendError::NoStart)?;
        let start = match mask {
            None => Start::Picture(picture),
            Some(mask) => Start::Masked { picture, mask },
        };
        // Half a step more, so that rounding takes none away.
        let strength = (f64::from(request.passes()) + 0.5) / f64::from(request.steps.max(1));
        Ok(Some((start, strength.min(1.0))))
    }
}

fn opened(request: &ValidRequest, session: Session) -> EngineSession {
    let mut hasher = DefaultHasher::new();
    session.key().hash(&mut hasher);
    let area = u64::from(request.width) * u64::from(request.height);
    EngineSession { key: hasher.finish(), area, session }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err passes")]
pub(super) fn failed(error: EngineError) -> BackendError {
    match error {
        EngineError::OutOfMemory => BackendError::OutOfMemory(error.to_string()),
        EngineError::OutOfRange { .. } | EngineError::Prompt(_) => BackendError::Unfit(error.to_string()),
        _ => BackendError::Failed(error.to_string()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err passes")]
pub(super) fn unloadable(error: LoadError) -> BackendError {
    let text = error.to_string();
    let lower = text.to_lowercase();
    // The engine knows only the driver's sentence here.
    let no_memory = ["out of memory", "out_of_memory", "alloc_failed"].iter().any(|sign| lower.contains(sign));
    match error {
        LoadError::Device(_) if no_memory => BackendError::OutOfMemory(text),
        _ => BackendError::Failed(text),
    }
}
