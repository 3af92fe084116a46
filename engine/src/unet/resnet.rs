//! The residual block: two normalised convolutions, the time embedding between them.

use candle_core::Tensor;

use super::config::UnetConfig;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::conv::{Conv2d, ConvShape, Extra};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::weights::Scope;

#[derive(Debug)]
pub(crate) struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// Where the number of channels changes.
    shortcut: Option<Conv2d>,
    activation: Activation,
}

impl Resnet {
    pub(crate) fn load(
        scope: &Scope<'_>,
        config: &UnetConfig,
        inputs: usize,
        outputs: usize,
    ) -> Result<Resnet, LoadError> {
        let norm = |name: &str, channels| GroupNorm::load(&scope.at(name), channels, config.groups, config.eps);
        let shortcut = if inputs == outputs {
            None
        } else {
            Some(Conv2d::load(&scope.at("conv_shortcut"), ConvShape::one(inputs, outputs))?)
        };
        Ok(Resnet {
            norm1: norm("norm1", inputs)?,
            conv1: Conv2d::load(&scope.at("conv1"), ConvShape::three(inputs, outputs))?,
            time: Linear::load(&scope.at("time_emb_proj"), config.time_embedding, outputs)?,
            norm2: norm("norm2", outputs)?,
            conv2: Conv2d::load(&scope.at("conv2"), ConvShape::three(outputs, outputs))?,
            shortcut,
            activation: config.activation,
        })
    }

    /// `x` is `[batch, inputs, height, width]`, `time` the activated time embedding `[batch, width]`.
    pub(crate) fn forward(&self, x: &Tensor, time: &Tensor) -> Result<Tensor> {
        let time = self.time.forward(time)?;
        let h = self.norm1.forward(x, self.activation)?;
        let h = self.conv1.forward_with(&h, Extra { per_channel: Some(&time), ..Extra::default() })?;
        let h = self.norm2.forward(&h, self.activation)?;
        let past = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x)?,
            None => x.clone(),
        };
        self.conv2.forward_with(&h, Extra { residual: Some(&past), ..Extra::default() })
    }
}
