//! The pipeline from tensors instead of words: for comparing it with other implementations.

use candle_core::{IndexOp, Tensor};
use image::{GrayImage, Luma};

use super::condition::zeros;
use super::opening::{Begun, Opening};
use super::{Pipeline, check_guidance, to_byte};
use crate::error::EngineError;
use crate::pipeline::session::{FreshNoise, Session};
use crate::text::encoders::Encoded;
use crate::unet::addition::Added;

/// Words, encoded by somebody else or still to be encoded.
#[derive(Clone, Debug)]
pub enum Conditioning {
    Embeddings {
        /// `[n, words, width]`, f32; the width is that of all text encoders together.
        states: Tensor,
        /// `[n, width]`, f32, for models that look at it.
        pooled: Option<Tensor>,
    },
    /// `n` rows of token ids, the same for every text encoder.
    Ids(Vec<Vec<u32>>),
    /// For each of `n` prompts a row of token ids for each text encoder.
    IdsPerEncoder(Vec<Vec<Vec<u32>>>),
}

/// Everything a batch of `n` pictures begins with, under the names diffusers' pipelines use.
#[derive(Clone, Debug)]
pub struct Given {
    /// Noise `[n, channels, height, width]`, f32, before the scheduler scales it.
    pub latents: Tensor,
    pub prompt: Conditioning,
    /// Needed when `guidance` is above 1, except for models that then look at zeros.
    pub negative: Option<Conditioning>,
    pub steps: usize,
    pub guidance: f32,
    /// Noise `[steps, n, channels, height, width]`, f32, for schedulers whose steps put fresh noise
    /// in; the last step of such a schedule takes none.
    pub step_noise: Option<Tensor>,
    /// What the pictures begin with instead of noise alone.
    pub image: Option<GivenImage>,
}

/// Pictures to go on from.
#[derive(Clone, Debug)]
pub struct GivenImage {
    /// Pictures `[n, 3, height, width]` between 0 and 1, or latents `[n, channels, height, width]` as
    /// the network sees them; f32.
    pub image: Tensor,
    /// How much of the way is gone anew: above 0, and 1 for all of it.
    pub strength: f64,
    /// Noise of the latents' shape with which the autoencoder's distribution is sampled; its mean
    /// is taken without.
    pub sample_noise: Option<Tensor>,
    /// Masks `[n, 1, height, width]` in pixels, f32: 0 where a picture stays, 1 where it is drawn anew. The latents
    /// stay, that is: pixels are not put back into what they are decoded to.
    pub mask: Option<Tensor>,
}

impl Pipeline {
    /// Opens one session per sample of the given tensors.
    ///
    /// # Errors
    /// [`EngineError::OutOfRange`] when shapes do not fit the model or each other.
    pub fn open_given(&self, given: &Given) -> Result<Vec<Session>, EngineError> {
        check_guidance(given.guidance)?;
        if given.steps == 0 || given.steps > 1000 {
            return Err(EngineError::range(format!(
                "the number of steps must lie between 1 and 1000, not {}",
                given.steps
            )));
        }
        let device = self.device.candle();
        let (count, channels, height, width) = given.latents.dims4()?;
        let divisor = self.unet.config().divisor();
        if channels != self.shape.latent_channels
            || height % divisor != 0
            || width % divisor != 0
            || height * width == 0
        {
            return Err(EngineError::range(format!(
                "latents must have {} channels and sides that are multiples of {divisor}, not {:?}",
                self.shape.latent_channels,
                given.latents.dims()
            )));
        }
        let prompt = self.condition(&given.prompt, count)?;
        let guided = self.is_guided(given.guidance);
        let negative = match &given.negative {
            Some(negative) if guided => Some(self.condition(negative, count)?),
            None if guided && self.family.zeros_for_empty => {
                Some(prompt.iter().map(zeros).collect::<Result<Vec<_>, _>>()?)
            }
            None if guided => {
                return Err(EngineError::range("guidance above 1 needs a negative prompt, if only an empty one"));
            }
            _ => None,
        };
        let words = |encoded: &[Encoded]| encoded.first().map(|first| first.states.dims().to_vec());
        if negative.as_ref().is_some_and(|negative| words(negative) != words(&prompt)) {
            return Err(EngineError::range("the prompt and the negative prompt must have the same shape"));
        }
        let latents = given.latents.to_device(device)?;
        let noise = given.step_noise.as_ref().map(|noise| noise.to_device(device)).transpose()?;
        if noise.as_ref().is_some_and(|noise| noise.rank() != 5 || noise.dims()[1..] != *latents.dims()) {
            return Err(EngineError::range(format!(
                "noise for the steps must have the shape of the latents at each of them, {:?}",
                latents.dims()
            )));
        }
        if noise.is_none() && self.scheduler.schedule(given.steps)?.is_noisy() {
            return Err(EngineError::range("this scheduler's steps put fresh noise in: `step_noise` is missing"));
        }
        let mut images = match &given.image {
            Some(image) => self.given_images(image, latents.dims())?.into_iter().map(Some).collect(),
            None => vec![None; count],
        };
        let negative: Vec<_> = match negative {
            Some(negative) => negative.into_iter().map(Some).collect(),
            None => vec![None; count],
        };
        prompt
            .into_iter()
            .zip(negative)
            .enumerate()
            .map(|(index, (prompt, negative))| {
                let latents = latents.narrow(0, index, 1)?;
                let fresh = match &noise {
                    Some(noise) => (0..noise.dim(0)?).map(|step| noise.get(step)?.narrow(0, index, 1)).collect(),
                    None => Ok(Vec::new()),
                };
                self.begin(Opening {
                    noise: latents.contiguous()?,
                    fresh: FreshNoise::Given(fresh?),
                    from: images[index].take(),
                    prompt,
                    negative,
                    steps: given.steps,
                    guidance: given.guidance,
                })
            })
            .collect()
    }

    /// What the network attends to, `[1, ids, width of all text encoders]`, and the pooled text
    /// `[1, width]` of models that have it, for the ids each text encoder is given.
    ///
    /// # Errors
    /// When there are more ids than positions, or an id that is not in the vocabulary.
    pub fn encode_ids(&self, ids: &[Vec<u32>]) -> Result<(Tensor, Option<Tensor>), EngineError> {
        let encoded = self.compute(|| self.text.encode(ids))?;
        Ok((encoded.states, encoded.pooled))
    }

    /// The ids of a prompt for each text encoder, padded to its length.
    ///
    /// # Errors
    /// [`EngineError::Prompt`], when a tokenizer has no token for it.
    pub fn tokenize(&self, prompt: &str) -> Result<Vec<Vec<u32>>, EngineError> {
        self.text.tokenize(prompt)
    }

    /// One pass of the denoising network: `[n, channels, height, width]`, a timestep for each
    /// sample, and text states `[n, words, width]`; for models that look at them also pooled text
    /// `[n, width]` and sizes `[n, sizes]`.
    ///
    /// # Errors
    /// What the device says, also about shapes that do not fit.
    pub fn predict(
        &self,
        latents: &Tensor,
        timesteps: &[f32],
        words: &Tensor,
        added: Option<(&Tensor, &Tensor)>,
    ) -> Result<Tensor, EngineError> {
        let added = match added {
            Some((pooled, sizes)) => {
                let time_ids = sizes.flatten_all()?.to_vec1()?;
                Added { pooled: Some(pooled.clone()), time_ids, guidances: Vec::new() }
            }
            None => Added::default(),
        };
        self.compute(|| self.unet.forward(latents, timesteps, words, &added))
    }

    /// Latents `[n, channels, height, width]` to pictures `[n, 3, height, width]` between 0 and 1.
    ///
    /// # Errors
    /// What the device says.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor, EngineError> {
        self.compute(|| self.vae.decode(latents)?.affine(0.5, 0.5)?.clamp(0f32, 1f32))
    }

    /// Pictures `[n, 3, height, width]` between 0 and 1 to latents.
    ///
    /// # Errors
    /// What the device says.
    pub fn encode(&self, pictures: &Tensor) -> Result<Tensor, EngineError> {
        self.compute(|| self.vae.encode(&pictures.affine(2.0, -1.0)?, None))
    }

    /// What each session begins with.
    fn given_images(&self, given: &GivenImage, shape: &[usize]) -> Result<Vec<Begun>, EngineError> {
        let latents = self.clean_latents(given, shape)?;
        let wanted = [shape[0], 1, shape[2] * self.shape.factor, shape[3] * self.shape.factor];
        if let Some(mask) = given.mask.as_ref().filter(|mask| mask.dims() != wanted) {
            return Err(EngineError::range(format!("masks must have the shape {wanted:?}, not {:?}", mask.dims())));
        }
        let image = |index: usize| -> Result<Begun, EngineError> {
            let redrawn = match &given.mask {
                Some(mask) => {
                    let rows = mask.i((index, 0))?.to_vec2::<f32>()?;
                    let pixel = |x: u32, y: u32| Luma([to_byte(rows[y as usize][x as usize])]);
                    let mask = GrayImage::from_fn(wanted[3] as u32, wanted[2] as u32, pixel);
                    Some(self.redrawn(&mask, &[1, shape[1], shape[2], shape[3]])?)
                }
                None => None,
            };
            let latents = latents.narrow(0, index, 1)?.contiguous()?;
            Ok(Begun { latents, strength: given.strength, redrawn, original: None })
        };
        (0..shape[0]).map(image).collect()
    }

    /// Pictures as latents of this shape.
    fn clean_latents(&self, given: &GivenImage, shape: &[usize]) -> Result<Tensor, EngineError> {
        let image = given.image.to_device(self.device.candle())?;
        let latents = if image.dims() == shape {
            image
        } else {
            let (height, width) = (shape[2] * self.shape.factor, shape[3] * self.shape.factor);
            if image.dims() != [shape[0], 3, height, width] {
                let found = image.dims();
                return Err(EngineError::range(format!(
                    "images must have the shape {:?}, or that of the latents, not {found:?}",
                    [shape[0], 3, height, width]
                )));
            }
            let noise = given.sample_noise.as_ref();
            if noise.is_some_and(|noise| noise.dims() != shape) {
                return Err(EngineError::range("noise to sample the autoencoder with must have the latents' shape"));
            }
            let noise = noise.map(|noise| noise.to_device(self.device.candle())).transpose()?;
            self.compute(|| self.vae.encode(&image.affine(2.0, -1.0)?, noise.as_ref()))?
        };
        if latents.dims() != shape {
            return Err(EngineError::range("the autoencoder made latents of another shape"));
        }
        Ok(latents)
    }

    /// One entry for each prompt, checked against the network.
    fn condition(&self, given: &Conditioning, count: usize) -> Result<Vec<Encoded>, EngineError> {
        let device = self.device.candle();
        let encoded: Vec<Encoded> = match given {
            Conditioning::Embeddings { states, pooled } => {
                let found = states.dim(0)?;
                let row = |tensor: &Tensor, index| tensor.narrow(0, index, 1)?.to_device(device)?.contiguous();
                if pooled.as_ref().is_some_and(|pooled| pooled.dims().first() != Some(&found)) {
                    return Err(EngineError::range("there must be as much pooled text as there are prompts"));
                }
                let encoded = |index| -> Result<Encoded, EngineError> {
                    let pooled = pooled.as_ref().map(|pooled| row(pooled, index)).transpose()?;
                    Ok(Encoded { states: row(states, index)?, pooled })
                };
                (0..found).map(encoded).collect::<Result<_, _>>()?
            }
            Conditioning::Ids(rows) => {
                let each = |ids: &Vec<u32>| self.text.encode(&vec![ids.clone(); self.text.count()]);
                self.compute(|| rows.iter().map(each).collect())?
            }
            Conditioning::IdsPerEncoder(rows) => {
                self.compute(|| rows.iter().map(|ids| self.text.encode(ids)).collect())?
            }
        };
        let wanted = self.unet.config().context();
        if encoded.len() != count
            || encoded.iter().any(|one| one.states.dims3().map(|dims| dims.2).ok() != Some(wanted))
        {
            let found = encoded.first().map(|one| one.states.dims().to_vec());
            return Err(EngineError::range(format!(
                "{count} prompts of width {wanted} are needed, not {} of shape {found:?}",
                encoded.len()
            )));
        }
        if let Some(addition) = self.unet.config().addition {
            let wanted = addition.inputs - self.family.time_ids(0, 0, false).len() * addition.width;
            let fits = |one: &Encoded| one.pooled.as_ref().is_some_and(|pooled| pooled.dims() == [1, wanted]);
            if !encoded.iter().all(fits) {
                return Err(EngineError::range(format!("this model needs pooled text of width {wanted}")));
            }
        }
        Ok(encoded)
    }
}
