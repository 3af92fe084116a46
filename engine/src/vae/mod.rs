//! Between pictures and latents.

mod kl;
mod kl_decoder;
mod kl_encoder;
mod kl_mid;
mod tiny;

use std::path::Path;

use candle_core::Tensor;
use serde_json::Value;

use self::kl::{KlAutoencoder, KlConfig};
use self::tiny::{TinyAutoencoder, TinyConfig};
use crate::config::read_json;
use crate::device::Device;
use crate::error::{LoadError, Result};

/// The autoencoders this engine knows, by their class in `vae/config.json`.
#[derive(Debug)]
pub(crate) enum Vae {
    Tiny(TinyAutoencoder),
    Kl(Box<KlAutoencoder>),
}

/// What a pipeline needs to know before it loads weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VaeShape {
    /// Pixels along the side of one latent.
    pub(crate) factor: usize,
    pub(crate) latent_channels: usize,
}

enum VaeConfig {
    Tiny(TinyConfig),
    Kl(KlConfig),
}

const KNOWN: [&str; 2] = ["AutoencoderTiny", "AutoencoderKL"];

impl VaeConfig {
    fn read(path: &Path) -> Result<VaeConfig, LoadError> {
        let value: Value = read_json(path)?;
        match value.get("_class_name").and_then(Value::as_str) {
            Some("AutoencoderTiny") => TinyConfig::from_json(path, value).map(VaeConfig::Tiny),
            Some("AutoencoderKL") => KlConfig::from_json(path, value).map(VaeConfig::Kl),
            Some(found) => {
                Err(LoadError::UnknownClass { found: found.to_owned(), known: KNOWN.map(str::to_owned).to_vec() })
            }
            None => Err(LoadError::config(path, "`_class_name` is missing")),
        }
    }
}

impl Vae {
    pub(crate) fn shape(dir: &Path) -> Result<VaeShape, LoadError> {
        Ok(match VaeConfig::read(&dir.join("config.json"))? {
            VaeConfig::Tiny(config) => config.shape(),
            VaeConfig::Kl(config) => config.shape(),
        })
    }

    /// Loads the folder of this part.
    pub(crate) fn load(dir: &Path, device: &Device) -> Result<Vae, LoadError> {
        match VaeConfig::read(&dir.join("config.json"))? {
            VaeConfig::Tiny(config) => TinyAutoencoder::load(dir, &config, device).map(Vae::Tiny),
            VaeConfig::Kl(config) => KlAutoencoder::load(dir, &config, device).map(|kl| Vae::Kl(Box::new(kl))),
        }
    }

    /// Latents as the denoising network sees them, `[batch, channels, height, width]`, to a picture
    /// `[batch, 3, height * factor, width * factor]` between about -1 and 1.
    pub(crate) fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        match self {
            Vae::Tiny(tiny) => tiny.decode(latents),
            Vae::Kl(kl) => kl.decode(latents),
        }
    }

    /// The way back: a picture between -1 and 1 to latents as the denoising network sees them. With
    /// standard normal noise of the latents' shape they are a sample where the autoencoder gives a
    /// distribution, else its mean.
    pub(crate) fn encode(&self, picture: &Tensor, noise: Option<&Tensor>) -> Result<Tensor> {
        match self {
            Vae::Tiny(tiny) => tiny.encode(picture),
            Vae::Kl(kl) => kl.encode(picture, noise),
        }
    }
}
