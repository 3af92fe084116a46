//! A session between two steps, as bytes: made here, continued by the same model on another device.

use candle_core::Tensor;

use super::Pipeline;
use crate::error::EngineError;
use crate::pipeline::session::{Params, Session};

/// What the format begins with; the last byte is its version.
const MAGIC: [u8; 8] = *b"MSEYEST\x01";
/// Steps taken, steps in all, and channels, height and width of the latents.
const NUMBERS: usize = 5;

impl Pipeline {
    /// What [`Pipeline::resume`] needs to go on with a picture: the place in the schedule and the latents, in f32.
    ///
    /// Nothing else decides how it goes on: no step draws random numbers or remembers more than the latents, and the
    /// words are encoded anew from the parameters.
    ///
    /// # Errors
    /// [`EngineError::Incompatible`] if another pipeline opened it, or what the device says.
    pub fn export(&self, session: &Session) -> Result<Vec<u8>, EngineError> {
        self.check_owner(session)?;
        let latents = session.latents.flatten_all()?.to_vec1::<f32>()?;
        let [channels, height, width] = session.key.latents;
        let mut bytes = MAGIC.to_vec();
        bytes.reserve(4 * (NUMBERS + latents.len()));
        for number in [session.index, session.steps(), channels, height, width] {
            let number = u32::try_from(number).map_err(|_| EngineError::State(format!("{number} is too much")))?;
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(latents.iter().flat_map(|value| value.to_le_bytes()));
        Ok(bytes)
    }

    /// Begins a picture where another pipeline of the same model left it. `params` are those it was opened with.
    ///
    /// # Errors
    /// [`EngineError::State`] for bytes that are no state of such a picture; otherwise as [`Pipeline::open`].
    pub fn resume(&self, params: &Params, state: &[u8]) -> Result<Session, EngineError> {
        let unfit = |why: &str| EngineError::State(why.to_owned());
        let mut session = self.open(params)?;
        let rest = state.strip_prefix(&MAGIC).ok_or_else(|| unfit("it is not in a known format"))?;
        let (words, []) = rest.as_chunks::<4>() else { return Err(unfit("it ends within a number")) };
        let (numbers, values) = words.split_at_checked(NUMBERS).ok_or_else(|| unfit("it ends too soon"))?;
        let numbers: Vec<usize> = numbers.iter().map(|number| u32::from_le_bytes(*number) as usize).collect();
        let [channels, height, width] = session.key.latents;
        if numbers[1..] != [session.steps(), channels, height, width] {
            return Err(unfit("it belongs to a picture of another shape"));
        }
        if numbers[0] >= session.steps() || values.len() != channels * height * width {
            return Err(unfit("its parts do not fit together"));
        }
        let latents: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        if latents.iter().any(|value| !value.is_finite()) {
            return Err(unfit("it holds numbers that no picture has"));
        }
        session.latents = Tensor::from_vec(latents, (1, channels, height, width), self.device.candle())?;
        session.index = numbers[0];
        Ok(session)
    }
}
