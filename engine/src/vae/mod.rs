//! Between pictures and latents.

mod tiny;

use std::path::Path;

use candle_core::Tensor;
use serde_json::Value;

use self::tiny::TinyAutoencoder;
use crate::config::read_json;
use crate::device::Device;
use crate::error::{LoadError, Result};

/// The autoencoders this engine knows, by their class in `vae/config.json`.
#[derive(Debug)]
pub(crate) enum Vae {
    Tiny(TinyAutoencoder),
}

/// What a pipeline needs to know before it loads weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VaeShape {
    /// Pixels along the side of one latent.
    pub(crate) factor: usize,
    pub(crate) latent_channels: usize,
}

const KNOWN: [&str; 1] = ["AutoencoderTiny"];

impl Vae {
    pub(crate) fn shape(dir: &Path) -> Result<VaeShape, LoadError> {
        let path = dir.join("config.json");
        let value = class(&path)?;
        tiny::TinyConfig::from_json(&path, value).map(|config| config.shape())
    }

    /// Loads the folder of this part.
    pub(crate) fn load(dir: &Path, device: &Device) -> Result<Vae, LoadError> {
        let path = dir.join("config.json");
        let config = tiny::TinyConfig::from_json(&path, class(&path)?)?;
        Ok(Vae::Tiny(TinyAutoencoder::load(dir, &config, device)?))
    }

    /// Latents as the denoising network sees them, `[batch, channels, height, width]`, to a picture
    /// `[batch, 3, height * factor, width * factor]` between about -1 and 1.
    pub(crate) fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        match self {
            Vae::Tiny(tiny) => tiny.decode(latents),
        }
    }

    /// The way back: a picture between -1 and 1 to latents as the denoising network sees them.
    pub(crate) fn encode(&self, picture: &Tensor) -> Result<Tensor> {
        match self {
            Vae::Tiny(tiny) => tiny.encode(picture),
        }
    }
}

/// Reads the configuration, of a class that is known.
fn class(path: &Path) -> Result<Value, LoadError> {
    let value: Value = read_json(path)?;
    match value.get("_class_name").and_then(Value::as_str) {
        Some(found) if KNOWN.contains(&found) => Ok(value),
        Some(found) => {
            Err(LoadError::UnknownClass { found: found.to_owned(), known: KNOWN.map(str::to_owned).to_vec() })
        }
        None => Err(LoadError::config(path, "`_class_name` is missing")),
    }
}
