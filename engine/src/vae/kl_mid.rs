//! What encoder and decoder of `AutoencoderKL` have in common: their coarsest level.

use candle_core::Tensor;

use super::kl::{EPS, KlConfig};
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::attention::attention;
use crate::nn::conv::{Conv2d, Extra};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::nn::resnet::Resnet;
use crate::weights::Scope;

#[derive(Debug)]
pub(super) struct Mid {
    first: Resnet,
    attention: Option<PixelAttention>,
    last: Resnet,
}

impl Mid {
    pub(super) fn load(scope: &Scope<'_>, config: &KlConfig, channels: usize) -> Result<Mid, LoadError> {
        let attention = if config.mid_block_add_attention {
            Some(PixelAttention::load(&scope.at("attentions.0"), channels, config.norm_num_groups)?)
        } else {
            None
        };
        Ok(Mid {
            first: Resnet::load(&scope.at("resnets.0"), config.resnets(), channels, channels)?,
            attention,
            last: Resnet::load(&scope.at("resnets.1"), config.resnets(), channels, channels)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.first.forward(x, None)?;
        if let Some(attention) = &self.attention {
            x = attention.forward(&x)?;
        }
        self.last.forward(&x, None)
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
