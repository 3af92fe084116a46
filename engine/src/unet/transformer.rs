//! Attention over the pixels of an image and the words of a prompt.

use candle_core::Tensor;

use super::config::{Level, UnetConfig};
use crate::error::{LoadError, Result};
use crate::nn::activation::{Activation, geglu};
use crate::nn::attention::attention;
use crate::nn::conv::{Conv2d, Extra};
use crate::nn::linear::Linear;
use crate::nn::norm::{GroupNorm, LayerNorm};
use crate::weights::Scope;

/// An image in, an image out; between them its pixels are tokens.
#[derive(Debug)]
pub(crate) struct Transformer {
    norm: GroupNorm,
    proj_in: Linear,
    blocks: Vec<Block>,
    proj_out: Conv2d,
}

impl Transformer {
    pub(crate) fn load(scope: &Scope<'_>, config: &UnetConfig, level: &Level) -> Result<Transformer, LoadError> {
        let channels = level.channels;
        let mut blocks = Vec::new();
        for index in 0..level.transformer_layers {
            blocks.push(Block::load(&scope.at("transformer_blocks").at(index), config, level)?);
        }
        let linear = config.linear_projection;
        Ok(Transformer {
            norm: GroupNorm::load(&scope.at("norm"), channels, config.groups, 1e-6)?,
            proj_in: Linear::load_projection(&scope.at("proj_in"), channels, channels, linear)?,
            blocks,
            proj_out: Conv2d::load_projection(&scope.at("proj_out"), channels, channels, linear)?,
        })
    }

    /// `x` is `[batch, channels, height, width]`, `context` `[batch, words, width]`.
    pub(crate) fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let (_, _, height, width) = x.dims4()?;
        let mut tokens = self.proj_in.forward_planes(&self.norm.forward(x, Activation::None)?)?;
        for block in &self.blocks {
            tokens = block.forward(&tokens, context)?;
        }
        self.proj_out.forward_tokens(&tokens, height, width, Extra { residual: Some(x), ..Extra::default() })
    }
}

#[derive(Debug)]
struct Block {
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    feed_in: Linear,
    feed_out: Linear,
    only_cross: bool,
}

impl Block {
    fn load(scope: &Scope<'_>, config: &UnetConfig, level: &Level) -> Result<Block, LoadError> {
        let width = level.channels;
        let norm = |name: &str| LayerNorm::load(&scope.at(name), width, 1e-5);
        let only_cross = config.only_cross_attention;
        let first = if only_cross { level.context } else { width };
        let feed = scope.at("ff").at("net");
        Ok(Block {
            norm1: norm("norm1")?,
            attn1: Attention::load(&scope.at("attn1"), level.heads, width, first, !only_cross)?,
            norm2: norm("norm2")?,
            attn2: Attention::load(&scope.at("attn2"), level.heads, width, level.context, false)?,
            norm3: norm("norm3")?,
            feed_in: Linear::load(&feed.at(0).at("proj"), width, 8 * width)?,
            feed_out: Linear::load(&feed.at(2), 4 * width, width)?,
            only_cross,
        })
    }

    fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let normed = self.norm1.forward(x)?;
        let x = self.attn1.forward(&normed, if self.only_cross { context } else { &normed }, x)?;
        let x = self.attn2.forward(&self.norm2.forward(&x)?, context, &x)?;
        let hidden = geglu(&self.feed_in.forward(&self.norm3.forward(&x)?)?)?;
        self.feed_out.forward_with(&hidden, Some(&x), Activation::None)
    }
}

#[derive(Debug)]
struct Attention {
    heads: usize,
    width: usize,
    projections: Projections,
    out: Linear,
}

/// Projections that read the same input are one layer.
#[derive(Debug)]
enum Projections {
    SelfAttention(Linear),
    Cross { queries: Linear, keys_values: Linear },
}

impl Attention {
    fn load(scope: &Scope<'_>, heads: usize, width: usize, context: usize, own: bool) -> Result<Attention, LoadError> {
        let projections = if own {
            Projections::SelfAttention(Linear::load_together(scope, &["to_q", "to_k", "to_v"], width, width)?)
        } else {
            Projections::Cross {
                queries: Linear::load_plain(&scope.at("to_q"), width, width)?,
                keys_values: Linear::load_together(scope, &["to_k", "to_v"], context, width)?,
            }
        };
        let out = Linear::load(&scope.at("to_out").at(0), width, width)?;
        Ok(Attention { heads, width, projections, out })
    }

    /// Attends from `x` to `context`, and adds `residual`.
    fn forward(&self, x: &Tensor, context: &Tensor, residual: &Tensor) -> Result<Tensor> {
        let part = |tensor: &Tensor, index: usize| tensor.narrow(2, index * self.width, self.width);
        let (q, k, v) = match &self.projections {
            Projections::SelfAttention(all) => {
                let all = all.forward(x)?;
                (part(&all, 0)?, part(&all, 1)?, part(&all, 2)?)
            }
            Projections::Cross { queries, keys_values } => {
                let both = keys_values.forward(context)?;
                (queries.forward(x)?, part(&both, 0)?, part(&both, 1)?)
            }
        };
        let attended = attention(&q, &k, &v, self.heads, false)?;
        self.out.forward_with(&attended, Some(residual), Activation::None)
    }
}
