//! Guidance that distilled networks are told instead of computing it from two passes (Meng et al., "On
//! Distillation of Guided Diffusion Models"; diffusers' `time_cond_proj_dim`).

use candle_core::{Device, Tensor};

use crate::error::{LoadError, Result};
use crate::nn::embeddings::Timesteps;
use crate::nn::linear::Linear;
use crate::weights::Scope;

#[derive(Debug)]
pub(crate) struct GuidanceEmbedding {
    waves: Timesteps,
    projection: Linear,
}

impl GuidanceEmbedding {
    /// `width` is that of the guidance's waves, `outputs` that of the timestep's.
    pub(crate) fn load(root: &Scope<'_>, width: usize, outputs: usize) -> Result<GuidanceEmbedding, LoadError> {
        Ok(GuidanceEmbedding {
            waves: Timesteps { channels: width, flip_sin_to_cos: false, freq_shift: 1.0 },
            projection: Linear::load_plain(&root.at("time_embedding.cond_proj"), width, outputs)?,
        })
    }

    /// What is added to the waves of the timesteps, `[batch, outputs]`.
    pub(crate) fn forward(&self, guidances: &[f32], device: &Device) -> Result<Tensor> {
        let thousands: Vec<f32> = guidances.iter().map(|guidance| (guidance - 1.0) * 1000.0).collect();
        self.projection.forward(&self.waves.forward(&thousands, device)?)
    }
}
