//! The way from pictures to latents of `AutoencoderKL` (Kingma and Welling, "Auto-Encoding Variational
//! Bayes"): it gives a mean and a deviation for every latent.

use candle_core::Tensor;

use super::kl::{EPS, KlConfig};
use super::kl_mid::Mid;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::conv::{Conv2d, ConvShape};
use crate::nn::norm::GroupNorm;
use crate::nn::resnet::Resnet;
use crate::weights::Scope;

#[derive(Debug)]
pub(super) struct KlEncoder {
    conv_in: Conv2d,
    down: Vec<Level>,
    mid: Mid,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    after: Option<Conv2d>,
}

#[derive(Debug)]
struct Level {
    resnets: Vec<Resnet>,
    halve: Option<Conv2d>,
}

impl KlEncoder {
    pub(super) fn load(root: &Scope<'_>, config: &KlConfig) -> Result<KlEncoder, LoadError> {
        let encoder = root.at("encoder");
        // A mean and a logarithm of the variance.
        let outputs = 2 * config.latent_channels;
        let mut down = Vec::new();
        let finest = config.block_out_channels[0];
        let mut inputs = finest;
        for (index, &channels) in config.block_out_channels.iter().enumerate() {
            let scope = encoder.at("down_blocks").at(index);
            let mut resnets = Vec::new();
            for layer in 0..config.layers_per_block {
                let inputs = if layer == 0 { inputs } else { channels };
                resnets.push(Resnet::load(&scope.at("resnets").at(layer), config.resnets(), inputs, channels)?);
            }
            let halve = if index + 1 == config.block_out_channels.len() {
                None
            } else {
                let shape = ConvShape { stride: 2, padding: 0, ..ConvShape::three(channels, channels) };
                Some(Conv2d::load(&scope.at("downsamplers.0.conv"), shape)?)
            };
            down.push(Level { resnets, halve });
            inputs = channels;
        }
        let after = if config.use_quant_conv {
            Some(Conv2d::load(&root.at("quant_conv"), ConvShape::one(outputs, outputs))?)
        } else {
            None
        };
        Ok(KlEncoder {
            conv_in: Conv2d::load(&encoder.at("conv_in"), ConvShape::three(3, finest))?,
            down,
            mid: Mid::load(&encoder.at("mid_block"), config, inputs)?,
            norm_out: GroupNorm::load(&encoder.at("conv_norm_out"), inputs, config.norm_num_groups, EPS)?,
            conv_out: Conv2d::load(&encoder.at("conv_out"), ConvShape::three(inputs, outputs))?,
            after,
        })
    }

    /// `[batch, 3, height, width]` between -1 and 1 to mean and deviation, each
    /// `[batch, latent channels, height / factor, width / factor]`.
    pub(super) fn forward(&self, picture: &Tensor) -> Result<(Tensor, Tensor)> {
        let mut x = self.conv_in.forward(picture)?;
        for level in &self.down {
            for resnet in &level.resnets {
                x = resnet.forward(&x, None)?;
            }
            if let Some(halve) = &level.halve {
                // A row and a column of zeros below and to the right, none above and to the left.
                x = halve.forward(&x.pad_with_zeros(2, 0, 1)?.pad_with_zeros(3, 0, 1)?)?;
            }
        }
        x = self.norm_out.forward(&self.mid.forward(&x)?, Activation::Silu)?;
        x = self.conv_out.forward(&x)?;
        if let Some(after) = &self.after {
            x = after.forward(&x)?;
        }
        let parts = x.chunk(2, 1)?;
        let [mean, logarithm] = parts.as_slice() else {
            candle_core::bail!("the encoder gave an odd number of channels")
        };
        Ok((mean.contiguous()?, (logarithm.clamp(-30f32, 20f32)? * 0.5)?.exp()?))
    }
}
