//! The way from latents to pictures of `AutoencoderKL`.

use candle_core::Tensor;

use super::kl::{EPS, KlConfig};
use super::kl_mid::Mid;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::conv::{Conv2d, ConvShape};
use crate::nn::norm::GroupNorm;
use crate::nn::resize::upsample;
use crate::nn::resnet::Resnet;
use crate::weights::Scope;

#[derive(Debug)]
pub(super) struct KlDecoder {
    before: Option<Conv2d>,
    conv_in: Conv2d,
    mid: Mid,
    up: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

#[derive(Debug)]
struct Level {
    resnets: Vec<Resnet>,
    double: Option<Conv2d>,
}

impl KlDecoder {
    pub(super) fn load(root: &Scope<'_>, config: &KlConfig) -> Result<KlDecoder, LoadError> {
        let decoder = root.at("decoder");
        let style = config.resnets();
        let latents = config.latent_channels;
        let before = if config.use_post_quant_conv {
            Some(Conv2d::load(&root.at("post_quant_conv"), ConvShape::one(latents, latents))?)
        } else {
            None
        };
        let finest = config.block_out_channels[0];
        let coarsest = config.block_out_channels[config.block_out_channels.len() - 1];
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
            mid: Mid::load(&decoder.at("mid_block"), config, coarsest)?,
            up,
            norm_out: GroupNorm::load(&decoder.at("conv_norm_out"), finest, config.norm_num_groups, EPS)?,
            conv_out: Conv2d::load(&decoder.at("conv_out"), ConvShape::three(finest, config.out_channels))?,
        })
    }

    /// `latents` are as the decoder was trained with, unscaled.
    pub(super) fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        let mut x = match &self.before {
            Some(before) => before.forward(latents)?,
            None => latents.clone(),
        };
        x = self.mid.forward(&self.conv_in.forward(&x)?)?;
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
