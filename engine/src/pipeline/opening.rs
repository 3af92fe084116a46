//! How a session begins: from noise, or from a picture.

use std::sync::Arc;

use candle_core::{DType, Tensor};
use image::{GrayImage, RgbImage};

use super::Pipeline;
use super::condition::{Condition, zeros};
use super::mask::{self, Original};
use super::session::{BatchKey, FreshNoise, Origin, Params, Session};
use crate::error::EngineError;
use crate::schedulers::{Kept, Trajectory};
use crate::text::encoders::Encoded;

/// A picture to go on from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Of the size that is asked for.
    Picture(&'a RgbImage),
    /// The latents `[1, channels, height, width]` of another session, also of another model with
    /// the same autoencoder: this is how a refiner takes over.
    Latents(&'a Tensor),
    /// A picture of which only a part is drawn anew, and a mask; both of the size that is asked for.
    ///
    /// Where the mask is black the result is the picture, to the byte; where it is white it is drawn anew, but for a
    /// border as wide as a latent along which the two go over into each other; where it is grey they are mixed.
    Masked { picture: &'a RgbImage, mask: &'a GrayImage },
}

/// Everything one session begins with.
pub(super) struct Opening {
    /// Standard normal, `[1, channels, height, width]`.
    pub(super) noise: Tensor,
    pub(super) fresh: FreshNoise,
    pub(super) from: Option<Begun>,
    pub(super) prompt: Encoded,
    pub(super) negative: Option<Encoded>,
    pub(super) steps: usize,
    pub(super) guidance: f32,
}

/// What a session begins with besides noise.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    /// Clean, of the noise's shape.
    pub(super) latents: Tensor,
    /// How much of the way is gone anew.
    pub(super) strength: f64,
    /// u8, of the same shape: 1 where the picture is drawn anew.
    pub(super) redrawn: Option<Tensor>,
    /// Where the pixels that stay come from.
    pub(super) original: Option<Arc<Original>>,
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
    /// anew, above 0 and at most 1: of `steps` steps only that share is taken, the last ones. At 1 what is
    /// drawn anew within a mask shows nothing of what was there.
    ///
    /// # Errors
    /// Those of [`Pipeline::open`], and [`EngineError::OutOfRange`] when the picture or its mask has another
    /// size than the one asked for, the strength leaves no step, or the mask nothing to draw.
    pub fn open_from(&self, params: &Params, start: Start<'_>, strength: f64) -> Result<Session, EngineError> {
        self.open_with(params, Some((start, strength)))
    }

    fn open_with(&self, params: &Params, start: Option<(Start<'_>, f64)>) -> Result<Session, EngineError> {
        self.check(params)?;
        let [channels, height, width] = self.latent_shape(params.width, params.height);
        let noise = params.seeds().noise(channels * height * width);
        let noise = Tensor::from_vec(noise, (1, channels, height, width), self.device.candle())?;
        let from = match start {
            Some((start, strength)) => Some(self.starting(start, strength, params, noise.dims())?),
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

    fn starting(
        &self,
        start: Start<'_>,
        strength: f64,
        params: &Params,
        shape: &[usize],
    ) -> Result<Begun, EngineError> {
        let fits = |what: &str, sides: (u32, u32)| {
            if sides == (params.width, params.height) {
                return Ok(());
            }
            let (width, height) = sides;
            Err(EngineError::range(format!(
                "{what} must be {} x {}, not {width} x {height}",
                params.width, params.height
            )))
        };
        let (mut redrawn, mut original) = (None, None);
        let latents = match start {
            Start::Latents(latents) => latents.to_dtype(DType::F32)?.to_device(self.device.candle())?,
            Start::Picture(picture) => {
                fits("the picture to begin with", picture.dimensions())?;
                self.encode(&self.pixels(picture)?)?
            }
            Start::Masked { picture, mask } => {
                fits("the picture to begin with", picture.dimensions())?;
                fits("the mask", mask.dimensions())?;
                redrawn = Some(self.redrawn(mask, shape)?);
                original = Some(Arc::new(Original::new(picture, mask, self.shape.factor as u32)));
                self.encode(&self.pixels(picture)?)?
            }
        };
        if latents.dims() != shape {
            return Err(EngineError::range(format!("latents of shape {shape:?} are needed, not {:?}", latents.dims())));
        }
        Ok(Begun { latents, strength, redrawn, original })
    }

    /// A picture as the encoder takes it: `[1, 3, height, width]`, between 0 and 1.
    fn pixels(&self, picture: &RgbImage) -> Result<Tensor, EngineError> {
        let (height, width) = (picture.height() as usize, picture.width() as usize);
        let bytes = picture.as_raw().iter().map(|byte| f32::from(*byte) / 255.0);
        let pixels = Tensor::from_iter(bytes, self.device.candle())?;
        Ok(pixels.reshape((1, height, width, 3))?.permute((0, 3, 1, 2))?.contiguous()?)
    }

    /// Which latents are drawn anew: u8, of the shape `[1, channels, height, width]` of the latents.
    pub(super) fn redrawn(&self, mask: &GrayImage, shape: &[usize]) -> Result<Tensor, EngineError> {
        let latents = mask::redrawn(mask, self.shape.factor);
        if !latents.contains(&1) {
            return Err(EngineError::range("the mask is dark everywhere: it leaves nothing to draw"));
        }
        let (height, width) = (mask.height() as usize / self.shape.factor, mask.width() as usize / self.shape.factor);
        let latents = Tensor::from_vec(latents, (1, 1, height, width), self.device.candle())?;
        Ok(latents.broadcast_as(shape)?.contiguous()?)
    }

    pub(super) fn begin(&self, opening: Opening) -> Result<Session, EngineError> {
        let Opening { noise, fresh, from, prompt, negative, steps, guidance } = opening;
        let trajectory = self.trajectory(&noise, from.as_ref(), steps)?;
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
        let origin = match from {
            None => Origin::Noise,
            Some(Begun { original: None, .. }) => Origin::Picture,
            Some(Begun { original: Some(original), .. }) => Origin::Masked(original),
        };
        Ok(Session { key, trajectory, fresh, prompt, negative, guidance, origin })
    }

    fn trajectory(&self, noise: &Tensor, from: Option<&Begun>, steps: usize) -> Result<Trajectory, EngineError> {
        let Some(Begun { latents, strength, redrawn, .. }) = from else {
            if self.family.refines {
                return Err(EngineError::range("this model only goes on from pictures, and there is none"));
            }
            return Trajectory::begin(Arc::new(self.scheduler.schedule(steps)?), noise);
        };
        if !(0.0..=1.0).contains(strength) {
            return Err(EngineError::range(format!("the strength must lie between 0 and 1, not {strength}")));
        }
        let taken = ((steps as f64 * strength) as usize).min(steps);
        let schedule = Arc::new(self.scheduler.schedule_from(steps, steps - taken)?);
        let Some(redrawn) = redrawn else { return Trajectory::begin_from(schedule, latents, noise) };
        // Schedules begin with a trace of the picture left, which is one too many where nothing of it is wanted.
        let begun = if *strength < 1.0 {
            Trajectory::begin_from(schedule, latents, noise)?
        } else {
            Trajectory::begin(schedule, noise)?
        };
        Ok(begun.keeping(Kept { picture: latents.clone(), noise: noise.clone(), redrawn: redrawn.clone() }))
    }
}
