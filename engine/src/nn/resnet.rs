//! The residual block: two normalised convolutions, and a time embedding between them where there is one.

use candle_core::Tensor;

use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::conv::{Conv2d, ConvShape, Extra};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::weights::Scope;

/// What the residual blocks of one network have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResnetStyle {
    pub(crate) groups: usize,
    pub(crate) eps: f64,
    pub(crate) activation: Activation,
    /// Width of the time embedding, and what it does.
    pub(crate) time: Option<(usize, TimeShift)>,
}

/// What a time embedding does within a residual block (diffusers' `resnet_time_scale_shift`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub(crate) enum TimeShift {
    /// It is added between the convolutions.
    #[default]
    #[serde(rename = "default")]
    Shift,
    /// It scales and shifts what the second norm gives.
    #[serde(rename = "scale_shift")]
    ScaleShift,
}

#[derive(Debug)]
pub(crate) struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Option<(Linear, TimeShift)>,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// Where the number of channels changes.
    shortcut: Option<Conv2d>,
    activation: Activation,
}

impl Resnet {
    /// Both numbers of channels divide into the groups.
    pub(crate) fn load(
        scope: &Scope<'_>,
        style: ResnetStyle,
        inputs: usize,
        outputs: usize,
    ) -> Result<Resnet, LoadError> {
        let norm = |name: &str, channels| GroupNorm::load(&scope.at(name), channels, style.groups, style.eps);
        let time = match style.time {
            Some((width, shift)) => {
                let values = if shift == TimeShift::ScaleShift { 2 * outputs } else { outputs };
                Some((Linear::load(&scope.at("time_emb_proj"), width, values)?, shift))
            }
            None => None,
        };
        let shortcut = if inputs == outputs {
            None
        } else {
            Some(Conv2d::load(&scope.at("conv_shortcut"), ConvShape::one(inputs, outputs))?)
        };
        Ok(Resnet {
            norm1: norm("norm1", inputs)?,
            conv1: Conv2d::load(&scope.at("conv1"), ConvShape::three(inputs, outputs))?,
            time,
            norm2: norm("norm2", outputs)?,
            conv2: Conv2d::load(&scope.at("conv2"), ConvShape::three(outputs, outputs))?,
            shortcut,
            activation: style.activation,
        })
    }

    /// `x` is `[batch, inputs, height, width]`, `time` the activated time embedding `[batch, width]`.
    pub(crate) fn forward(&self, x: &Tensor, time: Option<&Tensor>) -> Result<Tensor> {
        let (mut added, mut modulation) = (None, None);
        if let (Some((linear, shift)), Some(time)) = (&self.time, time) {
            let values = Some(linear.forward(time)?);
            match shift {
                TimeShift::Shift => added = values,
                TimeShift::ScaleShift => modulation = values,
            }
        }
        let h = self.norm1.forward(x, self.activation)?;
        let h = self.conv1.forward_with(&h, Extra { per_channel: added.as_ref(), ..Extra::default() })?;
        let h = self.norm2.forward_modulated(&h, modulation.as_ref(), self.activation)?;
        let past = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x)?,
            None => x.clone(),
        };
        self.conv2.forward_with(&h, Extra { residual: Some(&past), ..Extra::default() })
    }
}
