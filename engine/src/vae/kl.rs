//! The variational autoencoder most models come with (diffusers' `AutoencoderKL`): its configuration and
//! both its ways.

use std::path::Path;

use candle_core::Tensor;
use serde::Deserialize;
use serde_json::{Value, json};

use super::VaeShape;
use super::kl_decoder::KlDecoder;
use super::kl_encoder::KlEncoder;
use crate::config::only_known;
use crate::device::Device;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::resnet::ResnetStyle;
use crate::weights::Weights;

pub(super) const EPS: f64 = 1e-6;

/// What `vae/config.json` may say.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct KlConfig {
    pub(super) out_channels: usize,
    down_block_types: Vec<String>,
    up_block_types: Vec<String>,
    pub(super) block_out_channels: Vec<usize>,
    pub(super) layers_per_block: usize,
    act_fn: Activation,
    pub(super) latent_channels: usize,
    pub(super) norm_num_groups: usize,
    scaling_factor: f64,
    shift_factor: Option<f64>,
    pub(super) use_quant_conv: bool,
    pub(super) use_post_quant_conv: bool,
    pub(super) mid_block_add_attention: bool,
}

impl Default for KlConfig {
    fn default() -> KlConfig {
        KlConfig {
            out_channels: 3,
            down_block_types: vec!["DownEncoderBlock2D".into()],
            up_block_types: vec!["UpDecoderBlock2D".into()],
            block_out_channels: vec![64],
            layers_per_block: 1,
            act_fn: Activation::Silu,
            latent_channels: 4,
            norm_num_groups: 32,
            scaling_factor: 0.18215,
            shift_factor: None,
            use_quant_conv: true,
            use_post_quant_conv: true,
            mid_block_add_attention: true,
        }
    }
}

impl KlConfig {
    pub(crate) fn from_json(path: &Path, value: Value) -> Result<KlConfig, LoadError> {
        only_known(
            path,
            &value,
            &[("latents_mean", Value::Null), ("latents_std", Value::Null), ("in_channels", json!(3))],
        )?;
        let config: KlConfig =
            serde_json::from_value(value).map_err(|error| LoadError::config(path, error.to_string()))?;
        let bad = |reason: String| Err(LoadError::config(path, reason));
        if let Some(other) = config.up_block_types.iter().find(|kind| *kind != "UpDecoderBlock2D") {
            return bad(format!("the block {other:?} is not known here; known is \"UpDecoderBlock2D\""));
        }
        if let Some(other) = config.down_block_types.iter().find(|kind| *kind != "DownEncoderBlock2D") {
            return bad(format!("the block {other:?} is not known here; known is \"DownEncoderBlock2D\""));
        }
        let (levels, groups) = (config.block_out_channels.len(), config.norm_num_groups);
        if levels == 0 || levels > 8 || config.up_block_types.len() != levels {
            return bad("`block_out_channels` and `up_block_types` must be as long as each other, and at most 8".into());
        }
        if groups == 0 || config.block_out_channels.iter().any(|c| *c == 0 || c % groups != 0) {
            return bad(format!(
                "`block_out_channels` {:?} do not divide into {groups} groups",
                config.block_out_channels
            ));
        }
        if config.out_channels != 3 || config.latent_channels == 0 {
            return bad("pictures have three channels, and latents at least one".into());
        }
        let shift = config.shift_factor.unwrap_or(0.0);
        if !(config.scaling_factor.is_finite() && config.scaling_factor > 0.0 && shift.is_finite()) {
            return bad("`scaling_factor` must be positive".into());
        }
        Ok(config)
    }

    /// What its residual blocks have in common.
    pub(super) fn resnets(&self) -> ResnetStyle {
        ResnetStyle { groups: self.norm_num_groups, eps: EPS, activation: self.act_fn, time: None }
    }

    pub(crate) fn shape(&self) -> VaeShape {
        VaeShape { factor: 1 << (self.block_out_channels.len() - 1), latent_channels: self.latent_channels }
    }
}

/// Both ways. Some files hold the decoder alone.
#[derive(Debug)]
pub(crate) struct KlAutoencoder {
    decoder: KlDecoder,
    encoder: Option<KlEncoder>,
    scaling: f64,
    shift: f64,
}

impl KlAutoencoder {
    /// Loads the folder of this part.
    pub(crate) fn load(dir: &Path, config: &KlConfig, device: &Device) -> Result<KlAutoencoder, LoadError> {
        let weights = Weights::open(dir, "diffusion_pytorch_model", device)?;
        let root = weights.root();
        let encoder = if root.has("encoder.conv_in.weight") { Some(KlEncoder::load(&root, config)?) } else { None };
        Ok(KlAutoencoder {
            decoder: KlDecoder::load(&root, config)?,
            encoder,
            scaling: config.scaling_factor,
            shift: config.shift_factor.unwrap_or(0.0),
        })
    }

    pub(crate) fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        self.decoder.decode(&latents.affine(1.0 / self.scaling, self.shift)?)
    }

    /// The mean, or a sample if standard normal noise of the latents' shape is given.
    pub(crate) fn encode(&self, picture: &Tensor, noise: Option<&Tensor>) -> Result<Tensor> {
        let Some(encoder) = &self.encoder else { candle_core::bail!("this autoencoder only decodes") };
        let (mean, deviation) = encoder.forward(picture)?;
        let latents = match noise {
            Some(noise) => (mean + (deviation * noise)?)?,
            None => mean,
        };
        latents.affine(self.scaling, -self.shift * self.scaling)
    }
}
