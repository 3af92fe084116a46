//! The denoising network of the Stable Diffusion family: diffusers' `UNet2DConditionModel`.

pub(crate) mod addition;
mod blocks;
pub(crate) mod config;
mod guidance;
mod transformer;

use std::path::Path;

use candle_core::Tensor;

use self::addition::{Added, Addition};
use self::blocks::{Down, Mid, Up};
use self::config::UnetConfig;
use self::guidance::GuidanceEmbedding;
use crate::device::Device;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::conv::{Conv2d, ConvShape};
use crate::nn::embeddings::{TimestepEmbedding, Timesteps};
use crate::nn::norm::GroupNorm;
use crate::weights::Weights;

#[derive(Debug)]
pub(crate) struct Unet {
    config: UnetConfig,
    timesteps: Timesteps,
    time: TimestepEmbedding,
    addition: Option<Addition>,
    guidance: Option<GuidanceEmbedding>,
    conv_in: Conv2d,
    down: Vec<Down>,
    mid: Option<Mid>,
    up: Vec<Up>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Unet {
    /// Loads the folder of this part.
    pub(crate) fn load(dir: &Path, device: &Device) -> Result<Unet, LoadError> {
        let config = UnetConfig::read(&dir.join("config.json"))?;
        let weights = Weights::open(dir, "diffusion_pytorch_model", device)?;
        let root = weights.root();
        let first = config.first_channels();
        let same = |inputs, outputs, kernel: usize| ConvShape {
            kernel,
            padding: (kernel - 1) / 2,
            ..ConvShape::three(inputs, outputs)
        };

        let mut down = Vec::new();
        let mut channels = first;
        for (index, level) in config.levels.iter().enumerate() {
            down.push(Down::load(&root.at("down_blocks").at(index), &config, index, channels)?);
            channels = level.channels;
        }
        let mid = match config.levels.last() {
            Some(level) if config.mid => Some(Mid::load(&root.at("mid_block"), &config, level)?),
            _ => None,
        };
        let mut up = Vec::new();
        for (index, level) in config.levels.iter().rev().enumerate() {
            up.push(Up::load(&root.at("up_blocks").at(index), &config, index, channels)?);
            channels = level.channels;
        }
        Ok(Unet {
            timesteps: Timesteps {
                channels: first,
                flip_sin_to_cos: config.flip_sin_to_cos,
                freq_shift: config.freq_shift,
            },
            time: TimestepEmbedding::load(&root.at("time_embedding"), first, config.time_embedding, config.activation)?,
            addition: match config.addition {
                Some(addition) => Some(Addition::load(&root, &config, addition)?),
                None => None,
            },
            guidance: match config.guidance {
                Some(width) => Some(GuidanceEmbedding::load(&root, width, first)?),
                None => None,
            },
            conv_in: Conv2d::load(&root.at("conv_in"), same(config.in_channels, first, config.conv_in_kernel))?,
            down,
            mid,
            up,
            norm_out: GroupNorm::load(&root.at("conv_norm_out"), first, config.groups, config.eps)?,
            conv_out: Conv2d::load(&root.at("conv_out"), same(first, config.out_channels, config.conv_out_kernel))?,
            config,
        })
    }

    pub(crate) fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// What the network says about noisy latents.
    ///
    /// `x` is `[batch, in_channels, height, width]` with sides that divide by [`UnetConfig::divisor`],
    /// `timesteps` has one entry per sample, `context` is `[batch, words, width]`. The result is `[batch, out_channels, height, width]`.
    pub(crate) fn forward(&self, x: &Tensor, timesteps: &[f32], context: &Tensor, added: &Added) -> Result<Tensor> {
        let mut waves = self.timesteps.forward(timesteps, x.device())?;
        if let Some(guidance) = self.guidance.as_ref().filter(|_| !added.guidances.is_empty()) {
            waves = (waves + guidance.forward(&added.guidances, x.device())?)?;
        }
        let mut time = self.time.forward(&waves)?;
        if let Some(addition) = &self.addition {
            time = (time + addition.forward(context, added)?)?;
        }
        // Every residual block begins by activating the time embedding: once is enough.
        let time = self.config.activation.apply(&time)?;
        let mut x = self.conv_in.forward(x)?;
        let mut kept = vec![x.clone()];
        for block in &self.down {
            x = block.forward(x, &time, context, &mut kept)?;
        }
        if let Some(mid) = &self.mid {
            x = mid.forward(&x, &time, context)?;
        }
        for block in &self.up {
            x = block.forward(x, &time, context, &mut kept)?;
        }
        let activation: Activation = self.config.activation;
        self.conv_out.forward(&self.norm_out.forward(&x, activation)?)
    }
}
