//! What a picture is to show, as the network reads it.

use candle_core::Tensor;

use super::family::Family;
use crate::error::Result;
use crate::text::encoders::Encoded;
use crate::unet::addition::Added;

/// One prompt's states, and what some networks are told besides.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// `[1, words, width]`.
    pub(crate) states: Tensor,
    /// `[1, width]`, where the network has use for it.
    pooled: Option<Tensor>,
    /// The sizes the network is told.
    time_ids: Vec<f32>,
}

impl Condition {
    /// For a picture of these sides in pixels.
    pub(crate) fn new(encoded: Encoded, family: &Family, [height, width]: [usize; 2], negative: bool) -> Condition {
        let time_ids = family.time_ids(height, width, negative);
        let pooled = if time_ids.is_empty() { None } else { encoded.pooled };
        Condition { states: encoded.states, pooled, time_ids }
    }
}

/// The same for a batch: `[batch, words, width]`, and what the network is told besides.
pub(crate) fn together(conditions: &[&Condition], guidances: Vec<f32>) -> Result<(Tensor, Added)> {
    let states: Vec<&Tensor> = conditions.iter().map(|condition| &condition.states).collect();
    let pooled: Vec<&Tensor> = conditions.iter().filter_map(|condition| condition.pooled.as_ref()).collect();
    let pooled = if pooled.is_empty() { None } else { Some(Tensor::cat(&pooled, 0)?) };
    let time_ids = conditions.iter().flat_map(|condition| condition.time_ids.iter().copied()).collect();
    Ok((Tensor::cat(&states, 0)?, Added { pooled, time_ids, guidances }))
}

/// What stands for no words at all.
pub(crate) fn zeros(encoded: &Encoded) -> Result<Encoded> {
    let pooled = encoded.pooled.as_ref().map(Tensor::zeros_like).transpose()?;
    Ok(Encoded { states: encoded.states.zeros_like()?, pooled })
}
