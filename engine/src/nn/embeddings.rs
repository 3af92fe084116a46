//! Embeddings: sinusoidal ones of a timestep, learned ones of tokens.

use candle_core::{Device, Tensor};

use super::activation::Activation;
use super::linear::Linear;
use crate::error::{LoadError, Result};
use crate::weights::Scope;

/// Waves of a timestep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timesteps {
    pub(crate) channels: usize,
    /// Cosines before sines.
    pub(crate) flip_sin_to_cos: bool,
    pub(crate) freq_shift: f64,
}

impl Timesteps {
    /// `[timesteps, channels]`.
    pub(crate) fn forward(&self, timesteps: &[f32], device: &Device) -> Result<Tensor> {
        let half = self.channels / 2;
        // In f32 throughout: at timestep 1000 the models were trained with exactly these roundings.
        let span = half as f32 - self.freq_shift as f32;
        let frequencies: Vec<f32> = (0..half).map(|i| (-(10_000f64.ln()) as f32 * i as f32 / span).exp()).collect();
        let mut values = Vec::with_capacity(timesteps.len() * self.channels);
        for timestep in timesteps {
            let sines = frequencies.iter().map(|frequency| (timestep * frequency).sin());
            let cosines = frequencies.iter().map(|frequency| (timestep * frequency).cos());
            if self.flip_sin_to_cos {
                values.extend(cosines.chain(sines));
            } else {
                values.extend(sines.chain(cosines));
            }
            values.extend(std::iter::repeat_n(0.0, self.channels - 2 * half));
        }
        Tensor::from_vec(values, (timesteps.len(), self.channels), device)
    }
}

/// The two linear layers over a timestep's waves.
#[derive(Debug)]
pub(crate) struct TimestepEmbedding {
    linear_1: Linear,
    linear_2: Linear,
    activation: Activation,
}

impl TimestepEmbedding {
    pub(crate) fn load(
        scope: &Scope<'_>,
        inputs: usize,
        width: usize,
        activation: Activation,
    ) -> Result<TimestepEmbedding, LoadError> {
        let linear_1 = Linear::load(&scope.at("linear_1"), inputs, width)?;
        let linear_2 = Linear::load(&scope.at("linear_2"), width, width)?;
        Ok(TimestepEmbedding { linear_1, linear_2, activation })
    }

    /// `[batch, inputs]` to `[batch, width]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.linear_2.forward(&self.linear_1.forward_with(x, None, self.activation)?)
    }
}

/// A table of learned vectors.
#[derive(Debug)]
pub(crate) struct Embedding(Tensor);

impl Embedding {
    /// Reads `weight` `[count, width]`.
    pub(crate) fn load(scope: &Scope<'_>, count: usize, width: usize) -> Result<Embedding, LoadError> {
        let values = scope.get("weight", &[count, width])?;
        Ok(Embedding(Tensor::from_vec(values, (count, width), scope.device().candle())?))
    }

    /// `[ids, width]`; an id outside of the table is an error.
    pub(crate) fn forward(&self, ids: &[u32]) -> Result<Tensor> {
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.0.dims()[0]) {
            candle_core::bail!("token {id} is not among the {} known ones", self.0.dims()[0]);
        }
        self.0.index_select(&Tensor::new(ids, self.0.device())?, 0)
    }

    /// The first `count` vectors: `[count, width]`.
    pub(crate) fn first(&self, count: usize) -> Result<Tensor> {
        self.0.narrow(0, 0, count)
    }
}
