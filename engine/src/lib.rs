//! Diffusion models on candle. The unit of work is the denoising **step**.
//!
//! A [`Pipeline`] is one model, loaded from a directory in the diffusers layout. It opens a
//! [`Session`] per picture, advances any batch of compatible sessions by one step at a time, and
//! decodes those that are done. Progress, previews, cancellation, yielding and batching across
//! requests all follow from that: nothing runs between steps.
//!
//! ```no_run
//! use engine::{Device, Params, Pipeline};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pipeline = Pipeline::load("models/starter".as_ref(), &Device::cpu())?;
//! let info = pipeline.info();
//! let mut session = pipeline.open(&Params {
//!     prompt: "a red boat on a calm sea at sunset".into(),
//!     negative_prompt: String::new(),
//!     width: info.native_size,
//!     height: info.native_size,
//!     steps: info.default_steps,
//!     guidance: info.default_guidance,
//!     seed: 1,
//!     variation: None,
//! })?;
//! while !session.is_done() {
//!     pipeline.step(&mut [&mut session])?;
//! }
//! pipeline.finish(&session)?.save("picture.png")?;
//! # Ok(())
//! # }
//! ```
//!
//! Computation is in f32 on the processor, with kernels of our own (`nn` holds them), and on a
//! CUDA card through candle with the feature `cuda`.

#![forbid(unsafe_code)]

mod checksums;
mod config;
mod device;
mod error;
mod nn;
mod picture;
mod pipeline;
mod schedulers;
mod text;
mod unet;
mod vae;
mod weights;

pub use candle_core::Tensor;
pub use device::Device;
pub use error::{EngineError, LoadError};
pub use image::{GrayImage, Luma, Rgb, RgbImage};
pub use picture::encode_png;
pub use pipeline::info::ModelInfo;
pub use pipeline::noise::{Variation, noise, step_noise};
pub use pipeline::session::{BatchKey, Params, Session};
pub use pipeline::{Conditioning, Given, GivenImage, Pipeline, Start};
pub use schedulers::{Correction, LOOKBACK, Remembers, Schedule, Scheduler, Step, Trajectory};
