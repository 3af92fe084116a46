//! Pictures without a head: `generate`, and `models`.

use std::path::{Path, PathBuf};

use clap::Args;
use domain::request::MAX_SEED;
use domain::{GenerationRequest, ModelCard};
use engine::{ModelInfo, Pipeline};

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
    let folders = model_folders(&args.models);
    let folder = match &args.model {
        None => folders.first(),
        Some(name) => folders.iter().find(|path| ModelInfo::read(path).is_ok_and(|info| info.name == *name)),
    };
    let Some(folder) = folder else {
        let wanted = args.model.as_deref().unwrap_or("any model");
        return Err(format!("{wanted} is not in {}; `mindseye-worker models` lists what is", args.models.display()));
    };
    let device = open_device(&args.device).map_err(|error| error.to_string())?;
    let pipeline = Pipeline::load(folder, &device).map_err(|error| error.to_string())?;
    let card: ModelCard = card(pipeline.info());
    let request = GenerationRequest {
        prompt: args.prompt.clone(),
        negative_prompt: Some(args.negative_prompt.clone()),
        model: Some(card.name.clone()),
        count: Some(args.count),
        seed: Some(args.seed.unwrap_or_else(random_seed)),
        width: args.size.map(|(width, _)| width),
        height: args.size.map(|(_, height)| height),
        steps: args.steps,
        guidance: args.guidance,
        ..GenerationRequest::default()
    };
    let request = request.validate(&[card], 0).map_err(|error| error.to_string())?;
    for index in 0..request.count {
        let watch = Stopwatch::start();
        let seed = request.seed_of(index);
        let mut session = pipeline.open(&params(&request, seed)).map_err(|error| error.to_string())?;
        while !session.is_done() {
            pipeline.step(&mut [&mut session]).map_err(|error| error.to_string())?;
        }
        let picture = pipeline.finish(&session).map_err(|error| error.to_string())?;
        let png = engine::encode_png(&picture, Some(&request.recipe(index))).map_err(|error| error.to_string())?;
        let path = numbered(&args.out, index, request.count);
        std::fs::write(&path, png).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        eprintln!("{} (seed {seed}, {:.1} s)", path.display(), watch.ms() / 1_000.0);
    }
    Ok(())
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
