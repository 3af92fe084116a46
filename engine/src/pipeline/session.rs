//! One picture in the making.

use std::sync::Arc;

use candle_core::Tensor;

use crate::schedulers::{Schedule, Step};

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
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) index: usize,
    /// `[1, channels, height, width]`.
    pub(crate) latents: Tensor,
    /// The latents the last step believed in, of the same shape.
    pub(crate) clean: Option<Tensor>,
    /// `[1, words, width]`.
    pub(crate) prompt: Tensor,
    /// `[1, words, width]`, when the key says guided.
    pub(crate) negative: Option<Tensor>,
    pub(crate) guidance: f32,
}

impl Session {
    /// How many steps have been taken.
    pub fn step_index(&self) -> usize {
        self.index
    }

    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.schedule.steps.len()
    }

    pub fn is_done(&self) -> bool {
        self.index >= self.steps()
    }

    /// Sessions with equal keys may share a forward pass.
    pub fn key(&self) -> &BatchKey {
        &self.key
    }

    /// The latents as they are now, `[1, channels, height, width]`.
    pub fn latents(&self) -> &Tensor {
        &self.latents
    }

    pub(crate) fn next(&self) -> Option<Step> {
        self.schedule.steps.get(self.index).copied()
    }
}
