//! The decoder of the variational autoencoder most models come with (diffusers' `AutoencoderKL`).

use std::path::Path;

use candle_core::Tensor;
use serde::Deserialize;
use serde_json::{Value, json};

use super::VaeShape;
use crate::config::only_known;
use crate::device::Device;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::attention::attention;
use crate::nn::conv::{Conv2d, ConvShape, Extra};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::nn::resize::upsample;
use crate::nn::resnet::{Resnet, ResnetStyle};
use crate::weights::{Scope, Weights};

const EPS: f64 = 1e-6;

/// What `vae/config.json` may say.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct KlConfig {
    out_channels: usize,
    up_block_types: Vec<String>,
    block_out_channels: Vec<usize>,
    layers_per_block: usize,
    act_fn: Activation,
    latent_channels: usize,
    norm_num_groups: usize,
    scaling_factor: f64,
    shift_factor: Option<f64>,
    use_post_quant_conv: bool,
    mid_block_add_attention: bool,
}

impl Default for KlConfig {
    fn default() -> KlConfig {
        KlConfig {
            out_channels: 3,
            up_block_types: vec!["UpDecoderBlock2D".into()],
            block_out_channels: vec![64],
            layers_per_block: 1,
            act_fn: Activation::Silu,
            latent_channels: 4,
            norm_num_groups: 32,
            scaling_factor: 0.18215,
            shift_factor: None,
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

    pub(crate) fn shape(&self) -> VaeShape {
        VaeShape { factor: 1 << (self.block_out_channels.len() - 1), latent_channels: self.latent_channels }
    }
}

#[derive(Debug)]
pub(crate) struct KlDecoder {
    before: Option<Conv2d>,
    conv_in: Conv2d,
    first: Resnet,
    attention: Option<PixelAttention>,
    last: Resnet,
    up: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    scaling: f64,
    shift: f64,
}

#[derive(Debug)]
struct Level {
    resnets: Vec<Resnet>,
    double: Option<Conv2d>,
}

impl KlDecoder {
    pub(crate) fn load(dir: &Path, config: &KlConfig, device: &Device) -> Result<KlDecoder, LoadError> {
        let weights = Weights::open(dir, "diffusion_pytorch_model", device)?;
        let (root, decoder) = (weights.root(), weights.root().at("decoder"));
        let style = ResnetStyle { groups: config.norm_num_groups, eps: EPS, activation: config.act_fn, time: None };
        let latents = config.latent_channels;
        let before = if config.use_post_quant_conv {
            Some(Conv2d::load(&root.at("post_quant_conv"), ConvShape::one(latents, latents))?)
        } else {
            None
        };
        let finest = config.block_out_channels[0];
        let coarsest = config.block_out_channels[config.block_out_channels.len() - 1];
        let mid = decoder.at("mid_block");
        let attention = if config.mid_block_add_attention {
            Some(PixelAttention::load(&mid.at("attentions.0"), coarsest, config.norm_num_groups)?)
        } else {
            None
        };
        let mut up = Vec::new();
        let mut inputs = coarsest;
        for (index, &channels) in config.block_out_channels.iter().rev().enumerate() {
            let scope = decoder.at("up_blocks").at(index);
            let mut resnets = Vec::new();
            for layer in 0..=config.layers_per_block {
                let inputs = if layer == 0 { inputs } else { channels };
                resnets.push(Resnet::load(&scope.at("resnets").at(layer), style, inputs, channels)?);
            }
            let double = if index + 1 == config.block_out_channels.len() {
                None
            } else {
                Some(Conv2d::load(&scope.at("upsamplers.0.conv"), ConvShape::three(channels, channels))?)
            };
            up.push(Level { resnets, double });
            inputs = channels;
        }
        Ok(KlDecoder {
            before,
            conv_in: Conv2d::load(&decoder.at("conv_in"), ConvShape::three(latents, coarsest))?,
            first: Resnet::load(&mid.at("resnets.0"), style, coarsest, coarsest)?,
            attention,
            last: Resnet::load(&mid.at("resnets.1"), style, coarsest, coarsest)?,
            up,
            norm_out: GroupNorm::load(&decoder.at("conv_norm_out"), finest, config.norm_num_groups, EPS)?,
            conv_out: Conv2d::load(&decoder.at("conv_out"), ConvShape::three(finest, config.out_channels))?,
            scaling: config.scaling_factor,
            shift: config.shift_factor.unwrap_or(0.0),
        })
    }

    pub(crate) fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        let mut x = latents.affine(1.0 / self.scaling, self.shift)?;
        if let Some(before) = &self.before {
            x = before.forward(&x)?;
        }
        x = self.first.forward(&self.conv_in.forward(&x)?, None)?;
        if let Some(attention) = &self.attention {
            x = attention.forward(&x)?;
        }
        x = self.last.forward(&x, None)?;
        for level in &self.up {
            for resnet in &level.resnets {
                x = resnet.forward(&x, None)?;
            }
            if let Some(double) = &level.double {
                x = double.forward(&upsample(&x, 2)?)?;
            }
        }
        self.conv_out.forward(&self.norm_out.forward(&x, Activation::Silu)?)
    }
}

/// Attention of every pixel to all others, in one head.
#[derive(Debug)]
struct PixelAttention {
    norm: GroupNorm,
    queries: Linear,
    keys: Linear,
    values: Linear,
    out: Conv2d,
}

impl PixelAttention {
    fn load(scope: &Scope<'_>, channels: usize, groups: usize) -> Result<PixelAttention, LoadError> {
        // Older files have other names for the same layers.
        let names = if scope.has("query.weight") {
            ["query", "key", "value", "proj_attn"]
        } else {
            ["to_q", "to_k", "to_v", "to_out.0"]
        };
        let linear = |name: &str| Linear::load(&scope.at(name), channels, channels);
        Ok(PixelAttention {
            norm: GroupNorm::load(&scope.at("group_norm"), channels, groups, EPS)?,
            queries: linear(names[0])?,
            keys: linear(names[1])?,
            values: linear(names[2])?,
            out: Conv2d::load_projection(&scope.at(names[3]), channels, channels, true)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (_, _, height, width) = x.dims4()?;
        let normed = self.norm.forward(x, Activation::None)?;
        let project = |linear: &Linear| linear.forward_planes(&normed);
        let attended = attention(&project(&self.queries)?, &project(&self.keys)?, &project(&self.values)?, 1, false)?;
        self.out.forward_tokens(&attended, height, width, Extra { residual: Some(x), ..Extra::default() })
    }
}
