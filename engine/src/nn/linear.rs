//! Linear layers.

use candle_core::Tensor;

use super::activation::Activation;
use super::cpu::linear::{PackedLinear, Source};
use super::cpu::view::{View, tensor};
use crate::error::{LoadError, Result};
use crate::weights::Scope;

/// `x` times weights plus bias.
#[derive(Debug)]
pub(crate) enum Linear {
    Cpu(PackedLinear),
    /// The weight is `[inputs, outputs]`.
    Device {
        weight: Tensor,
        bias: Option<Tensor>,
    },
}

impl Linear {
    /// Reads `weight` `[outputs, inputs]` and `bias` `[outputs]`.
    pub(crate) fn load(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Linear, LoadError> {
        let weight = scope.get("weight", &[outputs, inputs])?;
        Linear::new(scope, &weight, Some(scope.get("bias", &[outputs])?), inputs, outputs)
    }

    /// Reads `weight` `[outputs, inputs]`; there is no bias.
    pub(crate) fn load_plain(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Linear, LoadError> {
        let weight = scope.get("weight", &[outputs, inputs])?;
        Linear::new(scope, &weight, None, inputs, outputs)
    }

    /// A linear layer whose weights may lie in the file as those of a convolution of kernel 1.
    pub(crate) fn load_projection(
        scope: &Scope<'_>,
        inputs: usize,
        outputs: usize,
        linear: bool,
    ) -> Result<Linear, LoadError> {
        let shape = if linear { vec![outputs, inputs] } else { vec![outputs, inputs, 1, 1] };
        let weight = scope.get("weight", &shape)?;
        Linear::new(scope, &weight, Some(scope.get("bias", &[outputs])?), inputs, outputs)
    }

    /// Several layers without bias that read the same input, as one whose outputs follow each other.
    pub(crate) fn load_together(
        scope: &Scope<'_>,
        names: &[&str],
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear, LoadError> {
        let mut weight = Vec::new();
        for name in names {
            weight.extend(scope.at(name).get("weight", &[outputs, inputs])?);
        }
        Linear::new(scope, &weight, None, inputs, outputs * names.len())
    }

    fn new(
        scope: &Scope<'_>,
        weight: &[f32],
        bias: Option<Vec<f32>>,
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear, LoadError> {
        let device = scope.device().candle();
        if device.is_cpu() {
            return Ok(Linear::Cpu(PackedLinear::new(weight, bias, outputs, inputs)));
        }
        let weight = Tensor::from_slice(weight, (outputs, inputs), device)?.t()?.contiguous()?;
        let bias = bias.map(|bias| Tensor::from_vec(bias, outputs, device)).transpose()?;
        Ok(Linear::Device { weight, bias })
    }

    /// Maps the last axis of a tensor of any rank.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_with(x, None, Activation::None)
    }

    /// Maps the last axis, adds a residual of the output's shape, and activates.
    pub(crate) fn forward_with(&self, x: &Tensor, residual: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let Some(last) = shape.last_mut() else { candle_core::bail!("a linear layer needs an axis") };
        match self {
            Linear::Cpu(linear) => {
                if *last != linear.inputs {
                    candle_core::bail!("a linear layer of {} inputs was given {:?}", linear.inputs, x.dims());
                }
                *last = linear.outputs;
                run(linear, &x.contiguous()?, Source::Tokens, residual, activation, &shape)
            }
            Linear::Device { weight, bias } => {
                *last = weight.dim(1)?;
                let rows = x.elem_count() / weight.dim(0)?.max(1);
                let mut y = x.contiguous()?.reshape((rows, weight.dim(0)?))?.matmul(weight)?;
                if let Some(bias) = bias {
                    y = y.broadcast_add(bias)?;
                }
                let mut y = y.reshape(shape)?;
                if let Some(residual) = residual {
                    y = (y + residual)?;
                }
                activation.composed(&y)
            }
        }
    }

    /// Reads an image `[batch, inputs, height, width]` as tokens: `[batch, height * width, outputs]`.
    pub(crate) fn forward_planes(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        match self {
            Linear::Cpu(linear) => {
                if channels != linear.inputs {
                    candle_core::bail!("a projection of {} channels was given {:?}", linear.inputs, x.dims());
                }
                let source = Source::Planes(height * width);
                let shape = [batch, height * width, linear.outputs];
                run(linear, &x.contiguous()?, source, None, Activation::None, &shape)
            }
            Linear::Device { .. } => self.forward(&x.flatten_from(2)?.transpose(1, 2)?.contiguous()?),
        }
    }
}

fn run(
    linear: &PackedLinear,
    x: &Tensor,
    source: Source,
    residual: Option<&Tensor>,
    activation: Activation,
    shape: &[usize],
) -> Result<Tensor> {
    if let Some(residual) = residual
        && residual.dims() != shape
    {
        candle_core::bail!("{:?} cannot be added to {shape:?}", residual.dims());
    }
    let residual = residual.map(Tensor::contiguous).transpose()?;
    let residual = residual.as_ref().map(View::new).transpose()?;
    let residual = residual.as_ref().map(View::floats).transpose()?;
    let x = View::new(x)?;
    tensor(linear.run(x.floats()?, source, residual, activation), shape)
}
