//! Pictures without a head: `generate`, and `models`.

use std::path::{Path, PathBuf};

use clap::Args;
use domain::request::MAX_SEED;
use domain::{GenerationRequest, ModelCard, ValidRequest};
use engine::{ModelInfo, Pipeline};
use image::RgbImage;

use crate::backend::DeviceSpec;
use crate::backend::diffusion::{card, model_folders, open_device, params};
use crate::clock::Stopwatch;

/// Makes pictures without a head.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// What to draw.
    #[arg(long)]
    prompt: String,
    /// Where to put the picture; with several, a number is added to the name.
    #[arg(long)]
    out: PathBuf,
    /// What to keep away from.
    #[arg(long, default_value = "")]
    negative_prompt: String,
    /// Same seed, same picture. Drawn at random when left out.
    #[arg(long)]
    seed: Option<u64>,
    /// Width and height in pixels, for example 256x256.
    #[arg(long, value_parser = size)]
    size: Option<(u32, u32)>,
    /// Denoising steps.
    #[arg(long)]
    steps: Option<u32>,
    /// How closely to follow the words.
    #[arg(long)]
    guidance: Option<f32>,
    /// How many pictures.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Model by name; the first one found when left out.
    #[arg(long)]
    model: Option<String>,
    /// Folder with one folder per model.
    #[arg(long, env = "MINDSEYE_MODELS", default_value = "models")]
    models: PathBuf,
    /// Device: cpu or cuda:0.
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,
}

pub fn run(args: &GenerateArgs) -> Result<(), String> {
    let model = Loaded::open(&args.models, args.model.as_deref(), &args.device)?;
    let request = model.request(GenerationRequest {
        prompt: args.prompt.clone(),
        negative_prompt: Some(args.negative_prompt.clone()),
        count: Some(args.count),
        seed: Some(args.seed.unwrap_or_else(random_seed)),
        width: args.size.map(|(width, _)| width),
        height: args.size.map(|(_, height)| height),
        steps: args.steps,
        guidance: args.guidance,
        ..GenerationRequest::default()
    })?;
    for index in 0..request.count {
        let watch = Stopwatch::start();
        let picture = model.draw(&request, index)?;
        let png = engine::encode_png(&picture, Some(&request.recipe(index))).map_err(|error| error.to_string())?;
        let path = numbered(&args.out, index, request.count);
        std::fs::write(&path, png).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        eprintln!("{} (seed {}, {:.1} s)", path.display(), request.seed_of(index), watch.ms() / 1_000.0);
    }
    Ok(())
}

/// A model that draws without a head.
pub struct Loaded {
    pipeline: Pipeline,
    card: ModelCard,
}

impl Loaded {
    /// Loads a model by name from a folder of models; the first one when no name is given.
    ///
    /// # Errors
    /// With a sentence, when it isn't there or doesn't load.
    pub fn open(models: &Path, name: Option<&str>, device: &DeviceSpec) -> Result<Loaded, String> {
        let folders = model_folders(models);
        let folder = match name {
            None => folders.first(),
            Some(name) => folders.iter().find(|path| ModelInfo::read(path).is_ok_and(|info| info.name == *name)),
        };
        let Some(folder) = folder else {
            let wanted = name.unwrap_or("any model");
            return Err(format!("{wanted} is not in {}; `mindseye-worker models` lists what is", models.display()));
        };
        let device = open_device(device).map_err(|error| error.to_string())?;
        let pipeline = Pipeline::load(folder, &device).map_err(|error| error.to_string())?;
        let card = card(pipeline.info());
        Ok(Loaded { pipeline, card })
    }

    /// A request as this model understands it.
    ///
    /// # Errors
    /// With a sentence, when it asks for what can't be.
    pub fn request(&self, request: GenerationRequest) -> Result<ValidRequest, String> {
        let request = GenerationRequest { model: Some(self.card.name.clone()), ..request };
        request.validate(std::slice::from_ref(&self.card), 0).map_err(|error| error.to_string())
    }

    /// One of a request's pictures.
    ///
    /// # Errors
    /// With a sentence, when the device gives up.
    pub fn draw(&self, request: &ValidRequest, index: u32) -> Result<RgbImage, String> {
        let seed = request.seed_of(index);
        let mut session = self.pipeline.open(&params(request, seed)).map_err(|error| error.to_string())?;
        while !session.is_done() {
            self.pipeline.step(&mut [&mut session]).map_err(|error| error.to_string())?;
        }
        self.pipeline.finish(&session).map_err(|error| error.to_string())
    }
}

pub fn list_models(folder: &Path) -> Result<(), String> {
    let folders = model_folders(folder);
    if folders.is_empty() {
        return Err(format!("no model in {}", folder.display()));
    }
    for path in folders {
        match ModelInfo::read(&path) {
            Ok(info) => eprintln!(
                "{}  {}  {} px, {} steps, {:.1} MB",
                info.name,
                info.class_name,
                info.native_size,
                info.default_steps,
                info.weight_bytes as f64 / 1e6
            ),
            Err(error) => eprintln!("{}  can't be used: {error}", path.display()),
        }
    }
    Ok(())
}

fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's hasher keys are random per process: enough to vary a picture.
    RandomState::new().hash_one(std::process::id()) & MAX_SEED
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("“{text}” is not a size like 256x256");
    let (width, height) = text.split_once(['x', 'X', '×']).ok_or_else(wrong)?;
    Ok((width.trim().parse().map_err(|_| wrong())?, height.trim().parse().map_err(|_| wrong())?))
}

/// `picture.png`, or `picture-1.png` and so on when there are several.
fn numbered(path: &Path, index: u32, count: u32) -> PathBuf {
    if count == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or("png".into(), |extension| extension.to_string_lossy());
    path.with_file_name(format!("{stem}-{}.{extension}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_names() {
        assert_eq!(size("256x128"), Ok((256, 128)));
        assert!(size("256").is_err());
        assert!(size("axb").is_err());
        assert_eq!(numbered(Path::new("a/b.png"), 0, 1), Path::new("a/b.png"));
        assert_eq!(numbered(Path::new("a/b.png"), 1, 4), Path::new("a/b-2.png"));
    }
}
