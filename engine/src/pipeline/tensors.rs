//! The pipeline from tensors instead of words: for comparing it with other implementations.

use candle_core::Tensor;

use super::{Pipeline, check_guidance};
use crate::error::EngineError;
use crate::pipeline::session::{FreshNoise, Session};

/// Words, encoded by somebody else or still to be encoded.
#[derive(Clone, Debug)]
pub enum Conditioning {
    /// `[n, words, width]`, f32.
    Embeddings(Tensor),
    /// `n` rows of token ids.
    Ids(Vec<Vec<u32>>),
}

/// Everything a batch of `n` pictures begins with, under the names diffusers' pipelines use.
#[derive(Clone, Debug)]
pub struct Given {
    /// Noise `[n, channels, height, width]`, f32, before the scheduler scales it.
    pub latents: Tensor,
    pub prompt: Conditioning,
    /// Needed when `guidance` is above 1.
    pub negative: Option<Conditioning>,
    pub steps: usize,
    pub guidance: f32,
    /// Noise `[steps, n, channels, height, width]`, f32, for schedulers whose steps put fresh noise
    /// in; the last step of such a schedule takes none.
    pub step_noise: Option<Tensor>,
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
        let negative = match &given.negative {
            Some(negative) if given.guidance > 1.0 => Some(self.condition(negative, count)?),
            None if given.guidance > 1.0 => {
                return Err(EngineError::range("guidance above 1 needs a negative prompt, if only an empty one"));
            }
            _ => None,
        };
        if negative.as_ref().is_some_and(|negative| negative.dims() != prompt.dims()) {
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
        (0..count)
            .map(|index| {
                let negative = negative.as_ref().map(|negative| negative.narrow(0, index, 1)).transpose()?;
                let (latents, prompt) = (latents.narrow(0, index, 1)?, prompt.narrow(0, index, 1)?);
                let fresh = match &noise {
                    Some(noise) => (0..noise.dim(0)?).map(|step| noise.get(step)?.narrow(0, index, 1)).collect(),
                    None => Ok(Vec::new()),
                };
                let fresh = FreshNoise::Given(fresh?);
                self.begin(&latents.contiguous()?, fresh, prompt, negative, given.steps, given.guidance)
            })
            .collect()
    }

    /// The last hidden states of the text encoder, `[1, ids, width]`.
    ///
    /// # Errors
    /// When there are more ids than positions, or an id that is not in the vocabulary.
    pub fn encode_ids(&self, ids: &[u32]) -> Result<Tensor, EngineError> {
        self.compute(|| self.text.forward(ids))
    }

    /// The ids of a prompt, padded to the text encoder's length.
    ///
    /// # Errors
    /// [`EngineError::Prompt`], when the tokenizer has no token for it.
    pub fn tokenize(&self, prompt: &str) -> Result<Vec<u32>, EngineError> {
        self.tokenizer.encode(prompt)
    }

    /// One pass of the denoising network: `[n, channels, height, width]`, a timestep for each
    /// sample, and text states `[n, words, width]`.
    ///
    /// # Errors
    /// What the device says, also about shapes that do not fit.
    pub fn predict(&self, latents: &Tensor, timesteps: &[f32], words: &Tensor) -> Result<Tensor, EngineError> {
        self.compute(|| self.unet.forward(latents, timesteps, words))
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
        self.compute(|| self.vae.encode(&pictures.affine(2.0, -1.0)?))
    }

    fn condition(&self, given: &Conditioning, count: usize) -> Result<Tensor, EngineError> {
        let states = match given {
            Conditioning::Embeddings(states) => states.to_device(self.device.candle())?,
            Conditioning::Ids(rows) => {
                let rows = rows.iter().map(|ids| self.text.forward(ids)).collect::<Result<Vec<_>, _>>()?;
                Tensor::cat(&rows, 0)?
            }
        };
        let (found, _, width) = states.dims3()?;
        if found != count || width != self.unet.config().context() {
            return Err(EngineError::range(format!(
                "{count} prompts of width {} are needed, not {:?}",
                self.unet.config().context(),
                states.dims()
            )));
        }
        Ok(states)
    }
}
