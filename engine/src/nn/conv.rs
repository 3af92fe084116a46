//! Two-dimensional convolution with what usually follows it.

use candle_core::Tensor;

use super::activation::Activation;
use super::cpu::conv::{ConvExtra, Order, PackedConv};
use super::cpu::view::{View, tensor};
use crate::error::{LoadError, Result};
use crate::weights::Scope;

/// A convolution with a square kernel.
#[derive(Debug)]
pub(crate) enum Conv2d {
    Cpu(PackedConv),
    Device { weight: Tensor, bias: Option<Tensor>, stride: usize, padding: usize },
}

/// Shape of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvShape {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) bias: bool,
}

impl ConvShape {
    /// Kernel 3, padding 1, with bias: the usual one.
    pub(crate) fn three(inputs: usize, outputs: usize) -> ConvShape {
        ConvShape { inputs, outputs, kernel: 3, stride: 1, padding: 1, bias: true }
    }

    /// Kernel 1, with bias.
    pub(crate) fn one(inputs: usize, outputs: usize) -> ConvShape {
        ConvShape { inputs, outputs, kernel: 1, stride: 1, padding: 0, bias: true }
    }
}

/// What else goes into the output.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extra<'a> {
    /// `[batch, outputs]`, added to every pixel.
    pub(crate) per_channel: Option<&'a Tensor>,
    /// The shape of the output.
    pub(crate) residual: Option<&'a Tensor>,
    /// Applied to the sum.
    pub(crate) activation: Activation,
}

impl Conv2d {
    /// Reads `weight` `[outputs, inputs, kernel, kernel]` and `bias` `[outputs]`.
    pub(crate) fn load(scope: &Scope<'_>, shape: ConvShape) -> Result<Conv2d, LoadError> {
        let ConvShape { inputs, outputs, kernel, stride, padding, bias } = shape;
        let weight = scope.get("weight", &[outputs, inputs, kernel, kernel])?;
        Conv2d::new(
            scope,
            weight,
            shape,
            if bias { Some(scope.get("bias", &[outputs])?) } else { None },
            stride,
            padding,
        )
    }

    /// A convolution of kernel 1 whose weights may lie in the file as a linear layer's.
    pub(crate) fn load_projection(
        scope: &Scope<'_>,
        inputs: usize,
        outputs: usize,
        linear: bool,
    ) -> Result<Conv2d, LoadError> {
        let shape = if linear { vec![outputs, inputs] } else { vec![outputs, inputs, 1, 1] };
        let weight = scope.get("weight", &shape)?;
        let bias = scope.get("bias", &[outputs])?;
        Conv2d::new(scope, weight, ConvShape::one(inputs, outputs), Some(bias), 1, 0)
    }

    fn new(
        scope: &Scope<'_>,
        weight: Vec<f32>,
        shape: ConvShape,
        bias: Option<Vec<f32>>,
        stride: usize,
        padding: usize,
    ) -> Result<Conv2d, LoadError> {
        let ConvShape { inputs, outputs, kernel, .. } = shape;
        let device = scope.device().candle();
        if device.is_cpu() {
            return Ok(Conv2d::Cpu(PackedConv::new(&weight, bias, [outputs, inputs, kernel], stride, padding)));
        }
        let weight = Tensor::from_vec(weight, (outputs, inputs, kernel, kernel), device)?;
        let bias = bias.map(|bias| Tensor::from_vec(bias, (1, outputs, 1, 1), device)).transpose()?;
        Ok(Conv2d::Device { weight, bias, stride, padding })
    }

    /// Convolves `[batch, inputs, height, width]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_with(x, Extra::default())
    }

    /// Convolves `[batch, inputs, height, width]`, adds and activates.
    pub(crate) fn forward_with(&self, x: &Tensor, extra: Extra<'_>) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        match self {
            Conv2d::Cpu(conv) => {
                if channels != conv.inputs || (height + 2 * conv.padding).min(width + 2 * conv.padding) < conv.kernel {
                    candle_core::bail!("a convolution of {} channels was given {:?}", conv.inputs, x.dims());
                }
                run(conv, x, [height, width], Order::Planes, extra, batch)
            }
            Conv2d::Device { weight, bias, stride, padding } => {
                finish(x.conv2d(weight, *padding, *stride, 1, 1)?, bias.as_ref(), extra)
            }
        }
    }

    /// A convolution of kernel 1 over tokens `[batch, height * width, inputs]`, into `[batch, outputs, height, width]`.
    pub(crate) fn forward_tokens(&self, x: &Tensor, height: usize, width: usize, extra: Extra<'_>) -> Result<Tensor> {
        let (batch, tokens, channels) = x.dims3()?;
        match self {
            Conv2d::Cpu(conv) if conv.kernel == 1 && conv.stride == 1 && conv.padding == 0 => {
                if channels != conv.inputs || tokens != height * width {
                    candle_core::bail!("a projection of {} channels was given {:?}", conv.inputs, x.dims());
                }
                run(conv, x, [height, width], Order::Tokens, extra, batch)
            }
            _ => {
                let planes = x.transpose(1, 2)?.contiguous()?.reshape((batch, channels, height, width))?;
                self.forward_with(&planes, extra)
            }
        }
    }
}

fn run(
    conv: &PackedConv,
    x: &Tensor,
    [height, width]: [usize; 2],
    order: Order,
    extra: Extra<'_>,
    batch: usize,
) -> Result<Tensor> {
    let (out_height, out_width) = conv.output_size(height, width);
    let shape = [batch, conv.outputs, out_height, out_width];
    let x = x.contiguous()?;
    let per_channel = of_shape(extra.per_channel, &shape[..2])?;
    let residual = of_shape(extra.residual, &shape)?;
    let per_channel = per_channel.as_ref().map(View::new).transpose()?;
    let residual = residual.as_ref().map(View::new).transpose()?;
    let extra = ConvExtra {
        per_channel: per_channel.as_ref().map(View::floats).transpose()?,
        residual: residual.as_ref().map(View::floats).transpose()?,
        activation: extra.activation,
    };
    let x = View::new(&x)?;
    tensor(conv.run(x.floats()?, [height, width], order, extra), shape.as_slice())
}

fn of_shape(tensor: Option<&Tensor>, shape: &[usize]) -> Result<Option<Tensor>> {
    match tensor {
        Some(tensor) if tensor.dims() != shape => {
            candle_core::bail!("{:?} cannot be added to {shape:?}", tensor.dims())
        }
        Some(tensor) => Ok(Some(tensor.contiguous()?)),
        None => Ok(None),
    }
}

/// What follows the sums, from candle's operations.
fn finish(mut x: Tensor, bias: Option<&Tensor>, extra: Extra<'_>) -> Result<Tensor> {
    if let Some(bias) = bias {
        x = x.broadcast_add(bias)?;
    }
    if let Some(added) = extra.per_channel {
        let (batch, channels) = added.dims2()?;
        x = x.broadcast_add(&added.reshape((batch, channels, 1, 1))?)?;
    }
    if let Some(added) = extra.residual {
        x = (x + added)?;
    }
    extra.activation.composed(&x)
}
