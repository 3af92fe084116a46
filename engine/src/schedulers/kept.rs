//! A part of a picture that stays while the rest is drawn anew.

use candle_core::Tensor;

use super::step::Step;
use crate::error::Result;

/// Clean latents, the noise they are put under, and where they do not count. All of one shape.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) picture: Tensor,
    /// Standard normal; the same at every step, so that what stays lies on one path.
    pub(crate) noise: Tensor,
    /// u8: 1 where the picture is drawn anew, 0 where it stays.
    pub(crate) redrawn: Tensor,
}

impl Kept {
    /// These latents where they are drawn anew; elsewhere what the picture looks like at the beginning of `next`, or
    /// without noise when there is no next step.
    pub(super) fn around(&self, latents: &Tensor, next: Option<&Step>) -> Result<Tensor> {
        let stays = match next {
            Some(step) => ((&self.picture * f64::from(step.signal))? + (&self.noise * f64::from(step.spread))?)?,
            None => self.picture.clone(),
        };
        self.redrawn.where_cond(latents, &stays)
    }
}
