//! How long a picture takes to be enlarged, 256 to 512 pixels unless told otherwise, by a network of 32 channels and 6
//! blocks with random weights: `cargo run --release -p engine --example bench_upscaler [-- SIDE]`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device as Place, Tensor};
use engine::{Device, Rgb, RgbImage, Upscaler};

const CHANNELS: usize = 32;
const BLOCKS: usize = 6;
const RUNS: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let side: u32 = std::env::args().nth(1).map_or(Ok(256), |side| side.parse())?;
    let dir = tempfile::tempdir()?;
    write(dir.path())?;
    let upscaler = Upscaler::load(dir.path(), &Device::cpu())?;
    let picture = RgbImage::from_fn(side, side, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
    for factor in [2, 4] {
        let mut times = Vec::new();
        // The first one warms caches and pages, and is not counted.
        for run in 0..=RUNS {
            let started = Instant::now();
            upscaler.upscale(&picture, factor)?;
            if run > 0 {
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        let tiles = upscaler.begin(&picture, factor)?.steps();
        println!(
            "{side} to {:4} px {:8.1} ms  (median of {RUNS}, shortest {:.1}; {CHANNELS} channels, {BLOCKS} blocks, {tiles} tiles)",
            side * factor,
            times[RUNS / 2],
            times[0],
        );
    }
    Ok(())
}

/// Writes a network with random weights.
fn write(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut tensors = HashMap::new();
    let mut conv = |name: String, inputs: usize, outputs: usize| -> Result<(), candle_core::Error> {
        let deviation = 1.0 / (9.0 * inputs as f32).sqrt();
        tensors.insert(format!("{name}.weight"), Tensor::randn(0.0, deviation, (outputs, inputs, 3, 3), &Place::Cpu)?);
        tensors.insert(format!("{name}.bias"), Tensor::randn(0.0, 0.01f32, outputs, &Place::Cpu)?);
        Ok(())
    };
    conv("head".into(), 3, CHANNELS)?;
    for block in 0..BLOCKS {
        conv(format!("body.{block}.conv1"), CHANNELS, CHANNELS)?;
        conv(format!("body.{block}.conv2"), CHANNELS, CHANNELS)?;
    }
    conv("tail".into(), CHANNELS, CHANNELS)?;
    conv("out".into(), CHANNELS, 12)?;
    candle_core::safetensors::save(&tensors, dir.join("diffusion_pytorch_model.safetensors"))?;
    let config = serde_json::json!({
        "_class_name": "MindseyeUpscaler", "channels": CHANNELS, "blocks": BLOCKS, "scale": 2,
    });
    std::fs::write(dir.join("config.json"), config.to_string())?;
    Ok(())
}
