//! Doubling pictures: a few convolutions over the pixels, on top of a bilinear enlargement. The part `upscaler/` of a
//! model; `training/upscaler.py` has the same network for PyTorch.

mod config;
mod enlarge;
mod tiles;

use std::path::Path;

use candle_core::Tensor;

pub(crate) use self::config::UpscalerConfig;
use self::enlarge::onto_bilinear;
pub use self::tiles::Upscaling;
use crate::device::Device;
use crate::error::{EngineError, LoadError, Result};
use crate::nn::activation::Activation;
use crate::nn::conv::{Conv2d, ConvShape, Extra};
use crate::weights::Weights;

/// How many pixels along a side one becomes.
pub(crate) const SCALE: usize = 2;

/// A network that doubles pictures. Shareable between threads.
#[derive(Debug)]
pub struct Upscaler {
    config: UpscalerConfig,
    head: Conv2d,
    body: Vec<[Conv2d; 2]>,
    tail: Conv2d,
    out: Conv2d,
    device: Device,
}

impl Upscaler {
    /// Loads the folder of this part: `config.json` and `diffusion_pytorch_model.safetensors`.
    ///
    /// # Errors
    /// [`LoadError`], naming the file, tensor or setting at fault.
    pub fn load(dir: &Path, device: &Device) -> Result<Upscaler, LoadError> {
        let config = UpscalerConfig::read(&dir.join("config.json"))?;
        let weights = Weights::open(dir, "diffusion_pytorch_model", device)?;
        let root = weights.root();
        let channels = config.channels;
        let conv = |name: &str, inputs, outputs| Conv2d::load(&root.at(name), ConvShape::three(inputs, outputs));
        let block = |index: usize| {
            let same = |name: &str| conv(&format!("body.{index}.{name}"), channels, channels);
            Ok([same("conv1")?, same("conv2")?])
        };
        Ok(Upscaler {
            head: conv("head", 3, channels)?,
            body: (0..config.blocks).map(block).collect::<Result<_, LoadError>>()?,
            tail: conv("tail", channels, channels)?,
            out: conv("out", channels, 3 * SCALE * SCALE)?,
            config,
            device: device.clone(),
        })
    }

    /// Pictures `[n, 3, height, width]` between -1 and 1, to such of twice the sides: all at once, on the processor.
    ///
    /// # Errors
    /// What the device says, also about shapes that do not fit.
    pub fn double(&self, pictures: &Tensor) -> Result<Tensor, EngineError> {
        let (count, _, height, width) = pictures.dims4()?;
        let values = self.doubled(pictures)?;
        let shape = (count, 3, SCALE * height, SCALE * width);
        Ok(Tensor::from_vec(values, shape, &candle_core::Device::Cpu)?)
    }

    /// The values of [`Upscaler::double`].
    fn doubled(&self, pictures: &Tensor) -> Result<Vec<f32>, EngineError> {
        let pictures = pictures.to_device(self.device.candle())?;
        self.device.compute(|| {
            let (_, _, height, width) = pictures.dims4()?;
            let details = self.details(&pictures)?.flatten_all()?.to_vec1::<f32>()?;
            let pictures = pictures.flatten_all()?.to_vec1::<f32>()?;
            Ok(onto_bilinear(&details, &pictures, [height, width]))
        })
    }

    /// What is added to the bilinear enlargement: `[n, 3 * SCALE * SCALE, height, width]`.
    fn details(&self, pictures: &Tensor) -> Result<Tensor> {
        let first = self.head.forward(pictures)?;
        let mut x = first.clone();
        for [conv1, conv2] in &self.body {
            let h = conv1.forward_with(&x, Extra { activation: Activation::Relu, ..Extra::default() })?;
            x = conv2.forward_with(&h, Extra { residual: Some(&x), ..Extra::default() })?;
        }
        self.out.forward(&self.tail.forward_with(&x, Extra { residual: Some(&first), ..Extra::default() })?)
    }
}
