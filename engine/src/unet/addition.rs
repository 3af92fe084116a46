//! What is added to the time embedding: with SDXL the pooled text and the sizes a picture is to look
//! like (Podell et al., "SDXL", section 2.2; diffusers' `addition_embed_type` "text_time"), elsewhere
//! what the words say together (diffusers' "text").

use candle_core::Tensor;

use super::config::UnetConfig;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::attention::attention;
use crate::nn::embeddings::{TimestepEmbedding, Timesteps};
use crate::nn::linear::Linear;
use crate::nn::norm::LayerNorm;
use crate::weights::Scope;

/// PyTorch's default for layer norms.
const EPS: f64 = 1e-5;

/// What a configuration says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdditionConfig {
    /// The pooled text and sizes.
    TextTime {
        /// Waves of each size.
        width: usize,
        /// Width of the pooled text and of the waves of all sizes together.
        inputs: usize,
    },
    /// All words, pooled by attention with that many heads.
    Text { heads: usize },
}

/// What networks are told besides words and timesteps, for a batch. Empty is what they are not told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Added {
    /// `[batch, width]`.
    pub(crate) pooled: Option<Tensor>,
    /// The sizes of all samples, one sample after the other.
    pub(crate) time_ids: Vec<f32>,
    /// One for each sample; networks that compute guidance from two passes do not look at it.
    pub(crate) guidances: Vec<f32>,
}

#[derive(Debug)]
pub(crate) enum Addition {
    TextTime(TextTime),
    Text(Text),
}

impl Addition {
    pub(crate) fn load(root: &Scope<'_>, unet: &UnetConfig, config: AdditionConfig) -> Result<Addition, LoadError> {
        let scope = root.at("add_embedding");
        match config {
            AdditionConfig::TextTime { width, inputs } => {
                Ok(Addition::TextTime(TextTime::load(&scope, unet, width, inputs)?))
            }
            AdditionConfig::Text { heads } => Ok(Addition::Text(Text::load(&scope, unet, heads)?)),
        }
    }

    /// `[batch, width of the time embedding]`, from `[batch, words, width]` and what else is known.
    pub(crate) fn forward(&self, context: &Tensor, added: &Added) -> Result<Tensor> {
        match self {
            Addition::TextTime(addition) => addition.forward(added),
            Addition::Text(addition) => addition.forward(context),
        }
    }
}

#[derive(Debug)]
pub(crate) struct TextTime {
    width: usize,
    inputs: usize,
    waves: Timesteps,
    embedding: TimestepEmbedding,
}

impl TextTime {
    fn load(scope: &Scope<'_>, unet: &UnetConfig, width: usize, inputs: usize) -> Result<TextTime, LoadError> {
        let waves = Timesteps { channels: width, flip_sin_to_cos: unet.flip_sin_to_cos, freq_shift: unet.freq_shift };
        let embedding = TimestepEmbedding::load(scope, inputs, unet.time_embedding, Activation::Silu)?;
        Ok(TextTime { width, inputs, waves, embedding })
    }

    fn forward(&self, added: &Added) -> Result<Tensor> {
        let Some(pooled) = &added.pooled else { candle_core::bail!("this network needs pooled text and sizes") };
        let (batch, width) = pooled.dims2()?;
        let sizes = added.time_ids.len() / batch.max(1);
        if width + sizes * self.width != self.inputs || sizes * batch != added.time_ids.len() {
            candle_core::bail!("pooled text of width {width} and {sizes} sizes do not make {} values", self.inputs);
        }
        let waves = self.waves.forward(&added.time_ids, pooled.device())?;
        let waves = waves.reshape((batch, sizes * self.width))?;
        self.embedding.forward(&Tensor::cat(&[pooled, &waves], 1)?)
    }
}

/// Attention pooling (diffusers' `TextTimeEmbedding`): the words' mean asks, it and the words answer.
#[derive(Debug)]
pub(crate) struct Text {
    heads: usize,
    norm_in: LayerNorm,
    /// `[1, 1, width]`.
    place: Tensor,
    q: Linear,
    k: Linear,
    v: Linear,
    proj: Linear,
    norm_out: LayerNorm,
}

impl Text {
    fn load(scope: &Scope<'_>, unet: &UnetConfig, heads: usize) -> Result<Text, LoadError> {
        let (width, pool) = (unet.context(), scope.at("pool"));
        let place = pool.get("positional_embedding", &[1, width])?;
        Ok(Text {
            heads,
            norm_in: LayerNorm::load(&scope.at("norm1"), width, EPS)?,
            place: Tensor::from_vec(place, (1, 1, width), scope.device().candle())?,
            q: Linear::load(&pool.at("q_proj"), width, width)?,
            k: Linear::load(&pool.at("k_proj"), width, width)?,
            v: Linear::load(&pool.at("v_proj"), width, width)?,
            proj: Linear::load(&scope.at("proj"), width, unet.time_embedding)?,
            norm_out: LayerNorm::load(&scope.at("norm2"), unet.time_embedding, EPS)?,
        })
    }

    fn forward(&self, context: &Tensor) -> Result<Tensor> {
        let words = self.norm_in.forward(context)?;
        let asking = words.mean_keepdim(1)?.broadcast_add(&self.place)?;
        let all = Tensor::cat(&[&asking, &words], 1)?;
        let (q, k, v) = (self.q.forward(&asking)?, self.k.forward(&all)?, self.v.forward(&all)?);
        let pooled = attention(&q, &k, &v, self.heads, false)?.squeeze(1)?;
        self.norm_out.forward(&self.proj.forward(&pooled)?)
    }
}
