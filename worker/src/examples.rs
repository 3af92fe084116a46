//! `examples`: the pictures that stand beside the page's starting points and styles.

use std::path::{Path, PathBuf};

use clap::Args;
use domain::GenerationRequest;
use domain::examples::{STARTS, STYLE_SAMPLE, STYLES};
use image::imageops::{self, FilterType};

use crate::backend::DeviceSpec;
use crate::generate::Loaded;

/// Good enough for a thumbnail, and a few kilobytes: all of them are part of the first page.
const QUALITY: f32 = 70.0;
/// Pixels of a side.
const START_SIDE: u32 = 256;
const STYLE_SIDE: u32 = 128;

/// Draws the pictures of the page's starting points and styles.
#[derive(Debug, Args)]
pub struct ExamplesArgs {
    /// Folder for the pictures.
    #[arg(long, default_value = "public/examples")]
    out: PathBuf,
    /// Model by name.
    #[arg(long, default_value = "starter")]
    model: String,
    /// Folder with one folder per model.
    #[arg(long, env = "MINDSEYE_MODELS", default_value = "models")]
    models: PathBuf,
}

/// # Errors
/// With a sentence, when the model can't draw or the folder can't be written.
pub fn run(args: &ExamplesArgs) -> Result<(), String> {
    let model = Loaded::open(&args.models, Some(&args.model), &DeviceSpec::Cpu)?;
    std::fs::create_dir_all(&args.out).map_err(|error| format!("{} can't be made: {error}", args.out.display()))?;
    for start in &STARTS {
        draw(&model, start.prompt, start.seed, START_SIDE, &args.out.join(start.slug))?;
    }
    for style in &STYLES {
        draw(&model, &style.applied(STYLE_SAMPLE), style.seed, STYLE_SIDE, &args.out.join(style.slug))?;
    }
    Ok(())
}

fn draw(model: &Loaded, prompt: &str, seed: u64, side: u32, path: &Path) -> Result<(), String> {
    let request =
        GenerationRequest { prompt: prompt.to_owned(), seed: Some(seed), count: Some(1), ..Default::default() };
    let picture = model.draw(&model.request(request)?, 0)?;
    let picture = imageops::resize(&picture, side, side, FilterType::CatmullRom);
    let bytes = webp::Encoder::from_rgb(picture.as_raw(), picture.width(), picture.height())
        .encode_simple(false, QUALITY)
        .map_err(|error| format!("{prompt} could not be written as WebP: {error:?}"))?;
    let path = path.with_extension("webp");
    std::fs::write(&path, &*bytes).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    eprintln!("{}  {prompt}", path.display());
    Ok(())
}
