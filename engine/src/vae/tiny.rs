//! The tiny autoencoder: convolutions and nothing else (diffusers' `AutoencoderTiny`).

use std::path::Path;

use candle_core::Tensor;
use serde::Deserialize;
use serde_json::{Value, json};

use super::VaeShape;
use crate::config::only_known;
use crate::device::Device;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::conv::{Conv2d, ConvShape, Extra};
use crate::nn::resize::upsample;
use crate::weights::{Scope, Weights};

/// What `vae/config.json` may say.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct TinyConfig {
    in_channels: usize,
    out_channels: usize,
    encoder_block_out_channels: Vec<usize>,
    decoder_block_out_channels: Vec<usize>,
    act_fn: Activation,
    latent_channels: usize,
    upsampling_scaling_factor: usize,
    num_encoder_blocks: Vec<usize>,
    num_decoder_blocks: Vec<usize>,
    scaling_factor: f64,
    shift_factor: f64,
}

impl Default for TinyConfig {
    fn default() -> TinyConfig {
        TinyConfig {
            in_channels: 3,
            out_channels: 3,
            encoder_block_out_channels: vec![64; 4],
            decoder_block_out_channels: vec![64; 4],
            act_fn: Activation::Relu,
            latent_channels: 4,
            upsampling_scaling_factor: 2,
            num_encoder_blocks: vec![1, 3, 3, 3],
            num_decoder_blocks: vec![3, 3, 3, 1],
            scaling_factor: 1.0,
            shift_factor: 0.0,
        }
    }
}

impl TinyConfig {
    pub(crate) fn from_json(path: &Path, value: Value) -> Result<TinyConfig, LoadError> {
        only_known(path, &value, &[("upsample_fn", json!("nearest"))])?;
        let config: TinyConfig =
            serde_json::from_value(value).map_err(|error| LoadError::config(path, error.to_string()))?;
        let bad = |reason: &str| Err(LoadError::config(path, reason));
        let (encoder, decoder) = (&config.encoder_block_out_channels, &config.decoder_block_out_channels);
        if encoder.len() != config.num_encoder_blocks.len() || decoder.len() != config.num_decoder_blocks.len() {
            return bad("the numbers of blocks and of their channels differ");
        }
        if encoder.is_empty() || decoder.is_empty() || decoder.len() > 8 || encoder.len() > 8 {
            return bad("an autoencoder has one to eight levels");
        }
        // Each level begins with a convolution among its own channels, so all levels have as many.
        if [encoder, decoder].iter().any(|blocks| blocks.iter().any(|c| *c != blocks[0] || *c == 0)) {
            return bad("all blocks must have the same number of channels");
        }
        if config.in_channels != 3 || config.out_channels != 3 || config.latent_channels == 0 {
            return bad("pictures have three channels, and latents at least one");
        }
        if !(2..=4).contains(&config.upsampling_scaling_factor) {
            return bad("`upsampling_scaling_factor` must be 2, 3 or 4");
        }
        if !(config.scaling_factor.is_finite() && config.scaling_factor > 0.0 && config.shift_factor.is_finite()) {
            return bad("`scaling_factor` must be positive");
        }
        Ok(config)
    }

    pub(crate) fn shape(&self) -> VaeShape {
        let levels = self.decoder_block_out_channels.len() - 1;
        VaeShape { factor: self.upsampling_scaling_factor.pow(levels as u32), latent_channels: self.latent_channels }
    }
}

#[derive(Debug)]
enum Layer {
    Conv(Conv2d, Activation),
    Block([Conv2d; 3], Activation),
    Upsample(usize),
}

impl Layer {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Layer::Conv(conv, activation) => {
                conv.forward_with(x, Extra { activation: *activation, ..Extra::default() })
            }
            Layer::Block([first, second, third], activation) => {
                let inner = Extra { activation: *activation, ..Extra::default() };
                let h = first.forward_with(x, inner)?;
                let h = second.forward_with(&h, inner)?;
                // Whatever the activation inside, the sum passes a rectifier.
                third.forward_with(&h, Extra { residual: Some(x), activation: Activation::Relu, ..Extra::default() })
            }
            Layer::Upsample(factor) => upsample(x, *factor),
        }
    }
}

#[derive(Debug)]
pub(crate) struct TinyAutoencoder {
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    scaling: f64,
    shift: f64,
}

/// Collects layers, counting places as the file does.
struct Builder<'a> {
    scope: Scope<'a>,
    place: usize,
    layers: Vec<Layer>,
}

impl Builder<'_> {
    fn conv(&mut self, shape: ConvShape, activation: Activation) -> Result<(), LoadError> {
        self.layers.push(Layer::Conv(Conv2d::load(&self.scope.at(self.place), shape)?, activation));
        self.place += 1;
        Ok(())
    }

    fn blocks(&mut self, count: usize, channels: usize, activation: Activation) -> Result<(), LoadError> {
        for _ in 0..count {
            let scope = self.scope.at(self.place).at("conv");
            let conv = |index: usize| Conv2d::load(&scope.at(index), ConvShape::three(channels, channels));
            self.layers.push(Layer::Block([conv(0)?, conv(2)?, conv(4)?], activation));
            self.place += 1;
        }
        Ok(())
    }
}

impl TinyAutoencoder {
    pub(crate) fn load(dir: &Path, config: &TinyConfig, device: &Device) -> Result<TinyAutoencoder, LoadError> {
        let weights = Weights::open(dir, "diffusion_pytorch_model", device)?;
        Ok(TinyAutoencoder {
            encoder: encoder(&weights, config)?,
            decoder: decoder(&weights, config)?,
            scaling: config.scaling_factor,
            shift: config.shift_factor,
        })
    }

    pub(crate) fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        let raw = latents.affine(1.0 / self.scaling, self.shift)?;
        let mut x = ((raw / 3.0)?.tanh()? * 3.0)?;
        for layer in &self.decoder {
            x = layer.forward(&x)?;
        }
        x.affine(2.0, -1.0)
    }

    pub(crate) fn encode(&self, picture: &Tensor) -> Result<Tensor> {
        let mut x = picture.affine(0.5, 0.5)?;
        for layer in &self.encoder {
            x = layer.forward(&x)?;
        }
        x.affine(self.scaling, -self.shift * self.scaling)
    }
}

fn encoder(weights: &Weights, config: &TinyConfig) -> Result<Vec<Layer>, LoadError> {
    let mut layers = Builder { scope: weights.root().at("encoder.layers"), place: 0, layers: Vec::new() };
    let mut inputs = config.in_channels;
    let levels = config.encoder_block_out_channels.iter().zip(&config.num_encoder_blocks);
    for (index, (&channels, &blocks)) in levels.enumerate() {
        let shape = ConvShape::three(inputs, channels);
        let shape = if index == 0 { shape } else { ConvShape { stride: 2, bias: false, ..shape } };
        layers.conv(shape, Activation::None)?;
        layers.blocks(blocks, channels, config.act_fn)?;
        inputs = channels;
    }
    layers.conv(ConvShape::three(inputs, config.latent_channels), Activation::None)?;
    Ok(layers.layers)
}

fn decoder(weights: &Weights, config: &TinyConfig) -> Result<Vec<Layer>, LoadError> {
    let mut layers = Builder { scope: weights.root().at("decoder.layers"), place: 0, layers: Vec::new() };
    let first = config.decoder_block_out_channels[0];
    layers.conv(ConvShape::three(config.latent_channels, first), config.act_fn)?;
    // The activation has a place of its own.
    layers.place += 1;
    let last = config.num_decoder_blocks.len() - 1;
    let levels = config.decoder_block_out_channels.iter().zip(&config.num_decoder_blocks);
    for (index, (&channels, &blocks)) in levels.enumerate() {
        layers.blocks(blocks, channels, config.act_fn)?;
        if index == last {
            layers.conv(ConvShape::three(channels, config.out_channels), Activation::None)?;
        } else {
            layers.layers.push(Layer::Upsample(config.upsampling_scaling_factor));
            layers.place += 1;
            layers.conv(ConvShape { bias: false, ..ConvShape::three(channels, channels) }, Activation::None)?;
        }
    }
    Ok(layers.layers)
}
