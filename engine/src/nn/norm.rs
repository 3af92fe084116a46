//! Group and layer normalisation.

use candle_core::{D, Tensor};

use super::activation::Activation;
use super::cpu::norm;
use super::cpu::view::{View, tensor};
use crate::error::{LoadError, Result};
use crate::weights::Scope;

/// Normalises groups of channels of an image.
#[derive(Debug)]
pub(crate) struct GroupNorm {
    groups: usize,
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl GroupNorm {
    /// Reads `weight` and `bias` `[channels]`; `channels` is a multiple of `groups`.
    pub(crate) fn load(scope: &Scope<'_>, channels: usize, groups: usize, eps: f64) -> Result<GroupNorm, LoadError> {
        let [weight, bias] = affine(scope, channels)?;
        Ok(GroupNorm::new(groups, weight, bias, eps))
    }

    pub(crate) fn new(groups: usize, weight: Tensor, bias: Tensor, eps: f64) -> GroupNorm {
        GroupNorm { groups, weight, bias, eps }
    }

    /// Normalises `[batch, channels, height, width]` and activates.
    pub(crate) fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.forward_modulated(x, None, activation)
    }

    /// Normalises `[batch, channels, height, width]`, scales and shifts, and activates. `modulation` is
    /// `[batch, 2 * channels]`: how much more than 1 each channel is scaled by, then what is added to each.
    pub(crate) fn forward_modulated(
        &self,
        x: &Tensor,
        modulation: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        if channels != self.weight.elem_count() {
            candle_core::bail!("a norm of {} channels was given {:?}", self.weight.elem_count(), x.dims());
        }
        if let Some(modulation) = modulation.filter(|modulation| modulation.dims() != [batch, 2 * channels]) {
            candle_core::bail!("a norm of {channels} channels cannot be scaled by {:?}", modulation.dims());
        }
        if !x.device().is_cpu() {
            return self.composed(x, modulation, activation);
        }
        let x = x.contiguous()?;
        let modulation = modulation.map(Tensor::contiguous).transpose()?;
        let modulation = modulation.as_ref().map(View::new).transpose()?;
        let (weight, bias) = (View::new(&self.weight)?, View::new(&self.bias)?);
        let settings = norm::GroupNorm {
            pixels: height * width,
            groups: self.groups,
            weight: weight.floats()?,
            bias: bias.floats()?,
            modulation: modulation.as_ref().map(View::floats).transpose()?,
            eps: self.eps as f32,
            activation,
        };
        tensor(norm::group_norm(View::new(&x)?.floats()?, settings), x.shape())
    }

    /// The same from candle's operations.
    pub(crate) fn composed(&self, x: &Tensor, modulation: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        let grouped = x.contiguous()?.reshape((batch, self.groups, channels / self.groups * height * width))?;
        let grouped = grouped.broadcast_sub(&grouped.mean_keepdim(D::Minus1)?)?;
        let variance = grouped.sqr()?.mean_keepdim(D::Minus1)?;
        let normed = grouped.broadcast_div(&(variance + self.eps)?.sqrt()?)?.reshape(x.shape())?;
        let weight = self.weight.reshape((1, channels, 1, 1))?;
        let bias = self.bias.reshape((1, channels, 1, 1))?;
        let mut normed = normed.broadcast_mul(&weight)?.broadcast_add(&bias)?;
        if let Some(modulation) = modulation {
            let each = |from| modulation.narrow(1, from, channels)?.reshape((batch, channels, 1, 1));
            normed = normed.broadcast_mul(&(each(0)? + 1.0)?)?.broadcast_add(&each(channels)?)?;
        }
        activation.composed(&normed)
    }
}

/// Normalises every token.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// Reads `weight` and `bias` `[width]`.
    pub(crate) fn load(scope: &Scope<'_>, width: usize, eps: f64) -> Result<LayerNorm, LoadError> {
        let [weight, bias] = affine(scope, width)?;
        Ok(LayerNorm::new(weight, bias, eps))
    }

    pub(crate) fn new(weight: Tensor, bias: Tensor, eps: f64) -> LayerNorm {
        LayerNorm { weight, bias, eps }
    }

    /// Normalises the last axis.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.contiguous()?;
        if !x.device().is_cpu() {
            return candle_nn::ops::layer_norm(&x, &self.weight, &self.bias, self.eps as f32);
        }
        let (weight, bias) = (View::new(&self.weight)?, View::new(&self.bias)?);
        let values = norm::layer_norm(View::new(&x)?.floats()?, weight.floats()?, bias.floats()?, self.eps as f32);
        tensor(values, x.shape())
    }
}

fn affine(scope: &Scope<'_>, width: usize) -> Result<[Tensor; 2], LoadError> {
    let device = scope.device().candle();
    let weight = Tensor::from_vec(scope.get("weight", &[width])?, width, device)?;
    let bias = Tensor::from_vec(scope.get("bias", &[width])?, width, device)?;
    Ok([weight, bias])
}
