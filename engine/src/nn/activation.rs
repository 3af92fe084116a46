//! Activation functions, by the names configurations give them.

use candle_core::Tensor;

use super::cpu::elementwise;
use super::cpu::view::{View, tensor};
use crate::error::Result;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub(crate) enum Activation {
    #[default]
    #[serde(skip)]
    None,
    #[serde(rename = "relu")]
    Relu,
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    #[serde(rename = "gelu")]
    Gelu,
    #[serde(rename = "quick_gelu")]
    QuickGelu,
}

impl Activation {
    /// The activation of every value of a tensor of any shape.
    pub(crate) fn apply(self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() && self != Activation::None {
            let x = x.contiguous()?;
            return tensor(elementwise::activated(View::new(&x)?.floats()?, self), x.shape());
        }
        self.composed(x)
    }

    /// The same from candle's operations.
    pub(crate) fn composed(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Activation::None => Ok(x.clone()),
            Activation::Relu => x.relu(),
            Activation::Silu => x.silu(),
            Activation::Gelu => x.gelu_erf(),
            Activation::QuickGelu => x * candle_nn::ops::sigmoid(&(x * 1.702)?)?,
        }
    }
}

/// Splits the last axis into value and gate, and returns `value * gelu(gate)`.
pub(crate) fn geglu(x: &Tensor) -> Result<Tensor> {
    let mut shape = x.dims().to_vec();
    let Some(last) = shape.last_mut() else { candle_core::bail!("a gated unit needs an axis") };
    *last /= 2;
    let width = *last;
    if x.device().is_cpu() {
        let x = x.contiguous()?;
        return tensor(elementwise::geglu(View::new(&x)?.floats()?, width), shape);
    }
    let axis = shape.len() - 1;
    x.narrow(axis, 0, width)? * x.narrow(axis, width, width)?.gelu_erf()?
}
