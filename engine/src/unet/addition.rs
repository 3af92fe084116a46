//! What SDXL adds to the time embedding: the pooled text, and the sizes a picture is to look like
//! (Podell et al., "SDXL", section 2.2; diffusers' `addition_embed_type` "text_time").

use candle_core::Tensor;

use super::config::UnetConfig;
use crate::error::{LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::embeddings::{TimestepEmbedding, Timesteps};
use crate::weights::Scope;

/// What a configuration says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AdditionConfig {
    /// Waves of each size.
    pub(crate) width: usize,
    /// Width of the pooled text and of the waves of all sizes together.
    pub(crate) inputs: usize,
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
pub(crate) struct Addition {
    config: AdditionConfig,
    waves: Timesteps,
    embedding: TimestepEmbedding,
}

impl Addition {
    pub(crate) fn load(root: &Scope<'_>, unet: &UnetConfig, config: AdditionConfig) -> Result<Addition, LoadError> {
        let waves =
            Timesteps { channels: config.width, flip_sin_to_cos: unet.flip_sin_to_cos, freq_shift: unet.freq_shift };
        let scope = root.at("add_embedding");
        let embedding = TimestepEmbedding::load(&scope, config.inputs, unet.time_embedding, Activation::Silu)?;
        Ok(Addition { config, waves, embedding })
    }

    /// `[batch, width of the time embedding]`.
    pub(crate) fn forward(&self, added: &Added) -> Result<Tensor> {
        let Some(pooled) = &added.pooled else { candle_core::bail!("this network needs pooled text and sizes") };
        let (batch, width) = pooled.dims2()?;
        let sizes = added.time_ids.len() / batch.max(1);
        if width + sizes * self.config.width != self.config.inputs || sizes * batch != added.time_ids.len() {
            candle_core::bail!(
                "pooled text of width {width} and {sizes} sizes do not make {} values",
                self.config.inputs
            );
        }
        let waves = self.waves.forward(&added.time_ids, pooled.device())?;
        let waves = waves.reshape((batch, sizes * self.config.width))?;
        self.embedding.forward(&Tensor::cat(&[pooled, &waves], 1)?)
    }
}
