//! How a session begins: from noise, or from a picture.

use std::sync::Arc;

use candle_core::{DType, Tensor};
use image::RgbImage;

use super::Pipeline;
use super::condition::{Condition, zeros};
use super::session::{BatchKey, FreshNoise, Params, Session};
use crate::error::EngineError;
use crate::schedulers::Trajectory;
use crate::text::encoders::Encoded;

/// A picture to go on from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Of the size that is asked for.
    Picture(&'a RgbImage),
    /// The latents `[1, channels, height, width]` of another session, also of another model with
    /// the same autoencoder: this is how a refiner takes over.
    Latents(&'a Tensor),
}

/// Everything one session begins with.
pub(super) struct Opening {
    /// Standard normal, `[1, channels, height, width]`.
    pub(super) noise: Tensor,
    pub(super) fresh: FreshNoise,
    /// Clean latents of the same shape, and how much of the way is gone anew.
    pub(super) from: Option<(Tensor, f64)>,
    pub(super) prompt: Encoded,
    pub(super) negative: Option<Encoded>,
    pub(super) steps: usize,
    pub(super) guidance: f32,
}

impl Pipeline {
    /// Begins a picture: encodes the words, draws the noise from the seeds.
    ///
    /// # Errors
    /// [`EngineError::OutOfRange`] for sizes, steps, guidance or variations there are none of, and for
    /// every request to a refiner, which only goes on from pictures.
    pub fn open(&self, params: &Params) -> Result<Session, EngineError> {
        self.open_with(params, None)
    }

    /// Begins with a picture instead of noise alone. `strength` is how much of the way is gone
    /// anew, above 0 and at most 1: of `steps` steps only that share is taken, the last ones.
    ///
    /// # Errors
    /// Those of [`Pipeline::open`], and [`EngineError::OutOfRange`] when the picture has another
    /// size than the one asked for or the strength leaves no step.
    pub fn open_from(&self, params: &Params, start: Start<'_>, strength: f64) -> Result<Session, EngineError> {
        self.open_with(params, Some((start, strength)))
    }

    fn open_with(&self, params: &Params, start: Option<(Start<'_>, f64)>) -> Result<Session, EngineError> {
        self.check(params)?;
        let [channels, height, width] = self.latent_shape(params.width, params.height);
        let noise = params.seeds().noise(channels * height * width);
        let noise = Tensor::from_vec(noise, (1, channels, height, width), self.device.candle())?;
        let from = match start {
            Some((start, strength)) => Some((self.start_latents(start, params, noise.dims())?, strength)),
            None => None,
        };
        let prompt = self.encode_prompt(&params.prompt)?;
        let negative = if !self.is_guided(params.guidance) {
            None
        } else if self.family.zeros_for_empty && params.negative_prompt.is_empty() {
            Some(zeros(&prompt)?)
        } else {
            Some(self.encode_prompt(&params.negative_prompt)?)
        };
        self.begin(Opening {
            noise,
            fresh: FreshNoise::Seeds(params.seeds()),
            from,
            prompt,
            negative,
            steps: params.steps as usize,
            guidance: params.guidance,
        })
    }

    fn start_latents(&self, start: Start<'_>, params: &Params, shape: &[usize]) -> Result<Tensor, EngineError> {
        let latents = match start {
            Start::Latents(latents) => latents.to_dtype(DType::F32)?.to_device(self.device.candle())?,
            Start::Picture(picture) => {
                let sides = (picture.width(), picture.height());
                if sides != (params.width, params.height) {
                    return Err(EngineError::range(format!(
                        "the picture to begin with must be {} x {}, not {} x {}",
                        params.width, params.height, sides.0, sides.1
                    )));
                }
                let bytes = picture.as_raw().iter().map(|byte| f32::from(*byte) / 255.0);
                let pixels = Tensor::from_iter(bytes, self.device.candle())?;
                let (height, width) = (sides.1 as usize, sides.0 as usize);
                self.encode(&pixels.reshape((1, height, width, 3))?.permute((0, 3, 1, 2))?.contiguous()?)?
            }
        };
        if latents.dims() != shape {
            return Err(EngineError::range(format!("latents of shape {shape:?} are needed, not {:?}", latents.dims())));
        }
        Ok(latents)
    }

    pub(super) fn begin(&self, opening: Opening) -> Result<Session, EngineError> {
        let Opening { noise, fresh, from, prompt, negative, steps, guidance } = opening;
        let trajectory = match from {
            None if self.family.refines => {
                return Err(EngineError::range("this model only goes on from pictures, and there is none"));
            }
            None => Trajectory::begin(Arc::new(self.scheduler.schedule(steps)?), &noise)?,
            Some((picture, strength)) => {
                if !(0.0..=1.0).contains(&strength) {
                    return Err(EngineError::range(format!("the strength must lie between 0 and 1, not {strength}")));
                }
                let taken = ((steps as f64 * strength) as usize).min(steps);
                let schedule = self.scheduler.schedule_from(steps, steps - taken)?;
                Trajectory::begin_from(Arc::new(schedule), &picture, &noise)?
            }
        };
        let (_, channels, height, width) = noise.dims4()?;
        let sides = [height, width].map(|side| side * self.shape.factor);
        let prompt = Condition::new(prompt, &self.family, sides, false);
        let negative = negative.map(|negative| Condition::new(negative, &self.family, sides, true));
        let key = BatchKey {
            model: self.id.clone(),
            latents: [channels, height, width],
            words: prompt.states.dim(1)?,
            guided: negative.is_some(),
        };
        Ok(Session { key, trajectory, fresh, prompt, negative, guidance })
    }
}
