//! A loaded model, and the pictures it is making.

mod condition;
mod family;
pub(crate) mod info;
mod mask;
pub(crate) mod noise;
mod opening;
pub(crate) mod session;
mod state;
mod tensors;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use candle_core::{IndexOp, Tensor};
use image::RgbImage;

use self::condition::together;
use self::family::Family;
use self::info::{LatentRgb, ModelInfo, Plan};
use self::noise::Variation;
pub use self::opening::Start;
use self::session::{Origin, Params, Session};
pub use self::tensors::{Conditioning, Given, GivenImage};
use crate::device::Device;
use crate::error::{EngineError, LoadError};
use crate::nn::in_pool;
use crate::schedulers::Scheduler;
use crate::text::encoders::{Encoded, TextEncoders};
use crate::unet::Unet;
use crate::vae::{Vae, VaeShape};

/// No prompt is longer than this; what the text encoder has no room for is cut off anyway.
const LONGEST_PROMPT: usize = 10_000;

/// One loaded model. Shareable between threads; every session belongs to the pipeline that opened it.
pub struct Pipeline {
    info: ModelInfo,
    id: Arc<str>,
    family: Family,
    device: Device,
    text: TextEncoders,
    unet: Unet,
    scheduler: Scheduler,
    vae: Vae,
    shape: VaeShape,
    latent_rgb: Option<LatentRgb>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("info", &self.info).field("device", &self.device).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Loads a model from a directory in the diffusers layout.
    ///
    /// # Errors
    /// [`LoadError`], naming the file, tensor or setting at fault.
    pub fn load(dir: &Path, device: &Device) -> Result<Pipeline, LoadError> {
        static LOADED: AtomicU64 = AtomicU64::new(0);
        let plan = Plan::read(dir)?;
        let text: Vec<_> = plan.family.text_folders.iter().copied().zip(plan.clips).collect();
        let scheduler = Scheduler::read(&dir.join("scheduler").join("scheduler_config.json"))?;
        Ok(Pipeline {
            // Two copies of one model are two models: their files may differ by now.
            id: format!("{}#{}", plan.info.name, LOADED.fetch_add(1, Ordering::Relaxed)).into(),
            device: device.clone(),
            text: TextEncoders::load(dir, &text, plan.family.kind.states(), device)?,
            family: plan.family,
            unet: Unet::load(&dir.join("unet"), device)?,
            scheduler,
            vae: Vae::load(&dir.join("vae"), device)?,
            shape: plan.vae,
            latent_rgb: plan.latent_rgb,
            info: plan.info,
        })
    }

    /// What the model says about itself.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Advances every session by exactly one step, all of them in one forward pass of the network.
    /// Each may be at its own place of its own schedule and have its own guidance; their keys must
    /// be equal. On an error no session has moved.
    ///
    /// # Errors
    /// [`EngineError::Incompatible`], [`EngineError::Finished`], or what the device says.
    pub fn step(&self, sessions: &mut [&mut Session]) -> Result<(), EngineError> {
        let steps = self.check_batch(sessions)?;
        let Some(first) = sessions.first() else { return Ok(()) };
        let guided = first.key.guided;

        let mut inputs = Vec::with_capacity(2 * sessions.len());
        let mut words = Vec::with_capacity(2 * sessions.len());
        let mut timesteps = Vec::with_capacity(2 * sessions.len());
        let mut guidances = Vec::with_capacity(2 * sessions.len());
        for (session, step) in sessions.iter().zip(&steps) {
            let input = session.trajectory.input()?;
            if guided {
                inputs.push(input.clone());
                words.extend(&session.negative);
                timesteps.push(step.timestep);
                guidances.push(session.guidance);
            }
            guidances.push(session.guidance);
            inputs.push(input);
            words.push(&session.prompt);
            timesteps.push(step.timestep);
        }
        let (inputs, (words, added)) = (Tensor::cat(&inputs, 0)?, together(&words, guidances)?);
        let outputs = self.compute(|| self.unet.forward(&inputs, &timesteps, &words, &added))?;

        let mut moved = Vec::with_capacity(sessions.len());
        for (index, session) in sessions.iter().enumerate() {
            let output = if guided {
                let without = outputs.narrow(0, 2 * index, 1)?;
                let with = outputs.narrow(0, 2 * index + 1, 1)?;
                (&without + ((with - &without)? * f64::from(session.guidance))?)?
            } else {
                outputs.narrow(0, index, 1)?
            };
            moved.push(session.trajectory.advanced(&output, session.fresh_noise()?.as_ref())?);
        }
        for (session, trajectory) in sessions.iter_mut().zip(moved) {
            session.trajectory = trajectory;
        }
        Ok(())
    }

    /// A rough picture, one pixel per latent, of where the session is heading.
    ///
    /// # Errors
    /// What the device says.
    pub fn preview(&self, session: &Session) -> Result<RgbImage, EngineError> {
        self.check_owner(session)?;
        let latents = session.trajectory.clean().unwrap_or(session.latents());
        let planes = latents.i(0)?.flatten_from(1)?.to_vec2::<f32>()?;
        let [_, height, width] = session.key.latents;
        Ok(RgbImage::from_fn(width as u32, height as u32, |x, y| {
            let pixel = y as usize * width + x as usize;
            image::Rgb(match &self.latent_rgb {
                Some(map) => std::array::from_fn(|c| {
                    let sum: f32 = planes.iter().zip(&map.weights).map(|(plane, row)| plane[pixel] * row[c]).sum();
                    to_byte(sum + map.bias[c])
                }),
                // Without a map, the first channels: shapes without true colours.
                None => std::array::from_fn(|c| {
                    to_byte(planes.get(c).or(planes.first()).map_or(0.5, |plane| plane[pixel] / 6.0 + 0.5))
                }),
            })
        }))
    }

    /// The finished picture. Where a mask was black it is the picture it began with, to the byte.
    ///
    /// # Errors
    /// [`EngineError::Unfinished`] unless all steps have been taken.
    pub fn finish(&self, session: &Session) -> Result<RgbImage, EngineError> {
        self.check_owner(session)?;
        if !session.is_done() {
            return Err(EngineError::Unfinished { taken: session.step_index(), steps: session.steps() });
        }
        let picture = self.decode(session.latents())?.i(0)?.permute((1, 2, 0))?.contiguous()?;
        let (height, width, _) = picture.dims3()?;
        let bytes = picture.flatten_all()?.to_vec1::<f32>()?.into_iter().map(to_byte).collect();
        let mut picture = RgbImage::from_raw(width as u32, height as u32, bytes)
            .ok_or_else(|| EngineError::Encoding("the decoder gave too few pixels".into()))?;
        if let Origin::Masked(original) = &session.origin {
            original.put_back(&mut picture);
        }
        Ok(picture)
    }

    fn encode_prompt(&self, prompt: &str) -> Result<Encoded, EngineError> {
        let ids = self.text.tokenize(prompt)?;
        self.compute(|| self.text.encode(&ids))
    }

    /// Whether a step looks at the negative prompt too. Networks that are told the guidance do not.
    fn is_guided(&self, guidance: f32) -> bool {
        guidance > 1.0 && self.unet.config().guidance.is_none()
    }

    /// Runs a network where it runs best: on a thread of the pool, if the processor computes.
    fn compute<R: Send>(&self, work: impl FnOnce() -> Result<R, candle_core::Error> + Send) -> Result<R, EngineError> {
        Ok(if self.device.is_cpu() { in_pool(work)? } else { work()? })
    }

    fn latent_shape(&self, width: u32, height: u32) -> [usize; 3] {
        let VaeShape { factor, latent_channels } = self.shape;
        [latent_channels, height as usize / factor, width as usize / factor]
    }

    fn check(&self, params: &Params) -> Result<(), EngineError> {
        let (multiple, largest) = (self.info.size_multiple, self.info.largest_side());
        for (name, side) in [("width", params.width), ("height", params.height)] {
            if side == 0 || side > largest || !side.is_multiple_of(multiple) {
                return Err(EngineError::range(format!(
                    "the {name} must be a multiple of {multiple} between {multiple} and {largest}, not {side}"
                )));
            }
        }
        if !(1..=self.info.max_steps).contains(&params.steps) {
            return Err(EngineError::range(format!(
                "the number of steps must lie between 1 and {}, not {}",
                self.info.max_steps, params.steps
            )));
        }
        check_guidance(params.guidance)?;
        if let Some(Variation { strength, .. }) = params.variation.filter(|it| !(0.0..=1.0).contains(&it.strength)) {
            return Err(EngineError::range(format!(
                "the strength of a variation must lie between 0 and 1, not {strength}"
            )));
        }
        if params.prompt.len().max(params.negative_prompt.len()) > LONGEST_PROMPT {
            return Err(EngineError::range(format!("a prompt must not be longer than {LONGEST_PROMPT} bytes")));
        }
        Ok(())
    }

    fn check_owner(&self, session: &Session) -> Result<(), EngineError> {
        if session.key.model == self.id {
            return Ok(());
        }
        Err(EngineError::Incompatible(format!("one belongs to {}, not to {}", session.key.model, self.id)))
    }

    fn check_batch(&self, sessions: &[&mut Session]) -> Result<Vec<crate::schedulers::Step>, EngineError> {
        let mut steps = Vec::with_capacity(sessions.len());
        for session in sessions {
            self.check_owner(session)?;
            if session.key != sessions[0].key {
                return Err(EngineError::Incompatible(
                    "their sizes, prompts' lengths or kinds of guidance differ".into(),
                ));
            }
            steps.push(session.next().ok_or_else(|| EngineError::Finished { steps: session.steps() })?);
        }
        Ok(steps)
    }
}

fn check_guidance(guidance: f32) -> Result<(), EngineError> {
    if (0.0..=50.0).contains(&guidance) {
        return Ok(());
    }
    Err(EngineError::range(format!("the guidance must lie between 0 and 50, not {guidance}")))
}

/// 0 to 1 becomes 0 to 255, whatever lies outside is cut off.
fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}
