//! One picture in the making.

use std::sync::Arc;

use candle_core::Tensor;

use super::condition::Condition;
use super::mask::Original;
use super::noise::{Seeds, Variation};
use crate::error::Result;
use crate::schedulers::{Step, Trajectory};

/// What somebody wants to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    pub prompt: String,
    pub negative_prompt: String,
    /// Pixels; a multiple of the model's `size_multiple`.
    pub width: u32,
    /// Pixels; a multiple of the model's `size_multiple`.
    pub height: u32,
    pub steps: u32,
    /// How strongly the prompt is followed. At 1 or below, the negative prompt is not looked at and
    /// a step costs half.
    pub guidance: f32,
    pub seed: u64,
    /// Another seed to lean towards.
    pub variation: Option<Variation>,
}

/// Sessions with equal keys may share a forward pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BatchKey {
    pub(crate) model: Arc<str>,
    /// Channels, height and width of the latents.
    pub(crate) latents: [usize; 3],
    /// Tokens of the prompt.
    pub(crate) words: usize,
    pub(crate) guided: bool,
}

/// One picture in the making: its latents, its schedule, its conditioning. Dropping it cancels it.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) key: BatchKey,
    /// Latents `[1, channels, height, width]` on their schedule.
    pub(crate) trajectory: Trajectory,
    pub(crate) fresh: FreshNoise,
    pub(crate) prompt: Condition,
    /// When the key says guided.
    pub(crate) negative: Option<Condition>,
    pub(crate) guidance: f32,
    pub(crate) origin: Origin,
}

/// What a session began with.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Noise,
    Picture,
    /// A part of this picture stays.
    Masked(Arc<Original>),
}

/// Where the noise that steps put in comes from.
#[derive(Clone, Debug)]
pub(crate) enum FreshNoise {
    Seeds(Seeds),
    /// One tensor of the latents' shape for each step.
    Given(Vec<Tensor>),
}

impl Params {
    pub(crate) fn seeds(&self) -> Seeds {
        Seeds { seed: self.seed, variation: self.variation }
    }
}

impl Session {
    /// How many steps have been taken.
    pub fn step_index(&self) -> usize {
        self.trajectory.index()
    }

    /// How many steps there are: as many as were asked for, or one more where the scheduler
    /// (`PNDMScheduler`) repeats one.
    pub fn steps(&self) -> usize {
        self.trajectory.len()
    }

    pub fn is_done(&self) -> bool {
        self.trajectory.is_empty()
    }

    /// Sessions with equal keys may share a forward pass.
    pub fn key(&self) -> &BatchKey {
        &self.key
    }

    /// The latents as they are now, `[1, channels, height, width]`.
    pub fn latents(&self) -> &Tensor {
        self.trajectory.latents()
    }

    pub(crate) fn next(&self) -> Option<Step> {
        self.trajectory.next_step()
    }

    /// The noise the next step puts in, if it does.
    pub(crate) fn fresh_noise(&self) -> Result<Option<Tensor>> {
        if self.next().is_none_or(|step| step.noise == 0.0) {
            return Ok(None);
        }
        let (index, latents) = (self.step_index(), self.latents());
        match &self.fresh {
            FreshNoise::Given(steps) => Ok(steps.get(index).cloned()),
            FreshNoise::Seeds(seeds) => {
                let values = seeds.step_noise(index, latents.elem_count());
                Tensor::from_vec(values, latents.shape(), latents.device()).map(Some)
            }
        }
    }
}
