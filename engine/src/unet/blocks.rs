//! The levels of the network: down, middle and up.

use candle_core::Tensor;

use super::config::{BlockType, Level, UnetConfig};
use super::transformer::Transformer;
use crate::error::{LoadError, Result};
use crate::nn::conv::{Conv2d, ConvShape};
use crate::nn::resize::upsample;
use crate::nn::resnet::Resnet;
use crate::weights::Scope;

/// A residual block, with attention after it on some levels.
#[derive(Debug)]
struct Layer {
    resnet: Resnet,
    attention: Option<Transformer>,
}

impl Layer {
    fn load(
        scope: &Scope<'_>,
        config: &UnetConfig,
        level: &Level,
        kind: BlockType,
        index: usize,
        inputs: usize,
    ) -> Result<Layer, LoadError> {
        let resnet = Resnet::load(&scope.at("resnets").at(index), config.resnets(), inputs, level.channels)?;
        let attention = match kind {
            BlockType::Plain => None,
            BlockType::CrossAttention => Some(Transformer::load(&scope.at("attentions").at(index), config, level)?),
        };
        Ok(Layer { resnet, attention })
    }

    fn forward(&self, x: &Tensor, time: &Tensor, context: &Tensor) -> Result<Tensor> {
        let x = self.resnet.forward(x, Some(time))?;
        match &self.attention {
            Some(attention) => attention.forward(&x, context),
            None => Ok(x),
        }
    }
}

/// One level on the way down.
#[derive(Debug)]
pub(crate) struct Down {
    layers: Vec<Layer>,
    halve: Option<Conv2d>,
    /// Whether a row and a column of zeros are added below and to the right, in place of padding.
    pad: bool,
}

impl Down {
    pub(crate) fn load(scope: &Scope<'_>, config: &UnetConfig, index: usize, inputs: usize) -> Result<Down, LoadError> {
        let level = &config.levels[index];
        let mut layers = Vec::new();
        for layer in 0..level.layers {
            let inputs = if layer == 0 { inputs } else { level.channels };
            layers.push(Layer::load(scope, config, level, config.down[index], layer, inputs)?);
        }
        let halve = if index + 1 == config.levels.len() {
            None
        } else {
            let shape = ConvShape {
                stride: 2,
                padding: config.downsample_padding,
                ..ConvShape::three(level.channels, level.channels)
            };
            Some(Conv2d::load(&scope.at("downsamplers.0.conv"), shape)?)
        };
        Ok(Down { layers, halve, pad: config.downsample_padding == 0 })
    }

    /// Returns the result, and keeps every intermediate one for the way up.
    pub(crate) fn forward(&self, x: Tensor, time: &Tensor, context: &Tensor, kept: &mut Vec<Tensor>) -> Result<Tensor> {
        let mut x = x;
        for layer in &self.layers {
            x = layer.forward(&x, time, context)?;
            kept.push(x.clone());
        }
        if let Some(halve) = &self.halve {
            if self.pad {
                x = x.pad_with_zeros(2, 0, 1)?.pad_with_zeros(3, 0, 1)?;
            }
            x = halve.forward(&x)?;
            kept.push(x.clone());
        }
        Ok(x)
    }
}

/// The coarsest level.
#[derive(Debug)]
pub(crate) struct Mid {
    first: Resnet,
    attention: Transformer,
    last: Resnet,
}

impl Mid {
    pub(crate) fn load(scope: &Scope<'_>, config: &UnetConfig, level: &Level) -> Result<Mid, LoadError> {
        let resnet = |index: usize| {
            Resnet::load(&scope.at("resnets").at(index), config.resnets(), level.channels, level.channels)
        };
        Ok(Mid {
            first: resnet(0)?,
            attention: Transformer::load(&scope.at("attentions.0"), config, level)?,
            last: resnet(1)?,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor, time: &Tensor, context: &Tensor) -> Result<Tensor> {
        let x = self.first.forward(x, Some(time))?;
        let x = self.attention.forward(&x, context)?;
        self.last.forward(&x, Some(time))
    }
}

/// One level on the way up.
#[derive(Debug)]
pub(crate) struct Up {
    layers: Vec<Layer>,
    double: Option<Conv2d>,
}

impl Up {
    /// `index` counts from the coarsest level; `inputs` are the channels of the level before it.
    pub(crate) fn load(scope: &Scope<'_>, config: &UnetConfig, index: usize, inputs: usize) -> Result<Up, LoadError> {
        let depth = config.levels.len() - 1 - index;
        let level = &config.levels[depth];
        // The last layer meets what came down from the level above, or from the first convolution.
        let above = config.levels[depth.saturating_sub(1)].channels;
        let mut layers = Vec::new();
        for layer in 0..=level.layers {
            let inputs = if layer == 0 { inputs } else { level.channels };
            let kept = if layer == level.layers { above } else { level.channels };
            layers.push(Layer::load(scope, config, level, config.up[index], layer, inputs + kept)?);
        }
        let double = if depth == 0 {
            None
        } else {
            Some(Conv2d::load(&scope.at("upsamplers.0.conv"), ConvShape::three(level.channels, level.channels))?)
        };
        Ok(Up { layers, double })
    }

    /// Takes back what the way down kept, last first.
    pub(crate) fn forward(&self, x: Tensor, time: &Tensor, context: &Tensor, kept: &mut Vec<Tensor>) -> Result<Tensor> {
        let mut x = x;
        for layer in &self.layers {
            let Some(past) = kept.pop() else { candle_core::bail!("the way up is longer than the way down") };
            x = layer.forward(&Tensor::cat(&[&x, &past], 1)?, time, context)?;
        }
        match &self.double {
            Some(double) => double.forward(&upsample(&x, 2)?),
            None => Ok(x),
        }
    }
}
