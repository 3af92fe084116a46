//! A session between two steps, as bytes: made here, continued by the same model on another device.

use candle_core::Tensor;

use super::Pipeline;
use crate::error::EngineError;
use crate::pipeline::opening::Start;
use crate::pipeline::session::{FreshNoise, Origin, Params, Session};
use crate::schedulers::LOOKBACK;

/// What the format begins with; the last byte is its version.
const MAGIC: [u8; 8] = *b"MSEYEST\x03";
/// Steps taken, steps in all, channels, height and width of the latents, whether it is kept where the last step began,
/// how many earlier steps are remembered, and what it began with.
const NUMBERS: usize = 8;

impl Pipeline {
    /// What [`Pipeline::resume`] needs to go on with a picture: the place in the schedule, the latents, and what
    /// multistep schedulers remember, in f32.
    ///
    /// Nothing else decides how it goes on: fresh noise is drawn from the seeds and the number of the step, and the words
    /// are encoded anew from the parameters, as is the picture it began with, if there is one.
    ///
    /// # Errors
    /// [`EngineError::Incompatible`] if another pipeline opened it, [`EngineError::State`] if it was given its noise
    /// instead of a seed, or what the device says.
    pub fn export(&self, session: &Session) -> Result<Vec<u8>, EngineError> {
        self.check_owner(session)?;
        if matches!(session.fresh, FreshNoise::Given(_)) {
            return Err(EngineError::State("its noise was given to it, and is not known elsewhere".into()));
        }
        let (latents, start, past) = session.trajectory.memory();
        let [channels, height, width] = session.key.latents;
        let mut bytes = MAGIC.to_vec();
        let kept = usize::from(start.is_some());
        let began = began(&session.origin);
        for number in [session.step_index(), session.steps(), channels, height, width, kept, past.len(), began] {
            let number = u32::try_from(number).map_err(|_| EngineError::State(format!("{number} is too much")))?;
            bytes.extend(number.to_le_bytes());
        }
        for tensor in std::iter::once(latents).chain(start).chain(past) {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Ok(bytes)
    }

    /// Begins a picture where another pipeline of the same model left it. `params` are those it was opened with.
    ///
    /// # Errors
    /// [`EngineError::State`] for bytes that are no state of such a picture; otherwise as [`Pipeline::open`].
    pub fn resume(&self, params: &Params, state: &[u8]) -> Result<Session, EngineError> {
        self.resumed(self.open(params)?, state)
    }

    /// The same for one that was begun with a picture: the one it was opened from, with its mask, and the strength.
    ///
    /// # Errors
    /// Those of [`Pipeline::resume`] and of [`Pipeline::open_from`].
    pub fn resume_from(
        &self,
        params: &Params,
        start: Start<'_>,
        strength: f64,
        state: &[u8],
    ) -> Result<Session, EngineError> {
        self.resumed(self.open_from(params, start, strength)?, state)
    }

    fn resumed(&self, mut session: Session, state: &[u8]) -> Result<Session, EngineError> {
        let unfit = |why: &str| EngineError::State(why.to_owned());
        let rest = state.strip_prefix(&MAGIC).ok_or_else(|| unfit("it is not in a known format"))?;
        let (words, []) = rest.as_chunks::<4>() else { return Err(unfit("it ends within a number")) };
        let (numbers, values) = words.split_at_checked(NUMBERS).ok_or_else(|| unfit("it ends too soon"))?;
        let numbers: Vec<usize> = numbers.iter().map(|number| u32::from_le_bytes(*number) as usize).collect();
        if numbers[7] != began(&session.origin) {
            return Err(unfit("it began otherwise: with a picture, with one and a mask, or with neither"));
        }
        let [channels, height, width] = session.key.latents;
        if numbers[1..5] != [session.steps(), channels, height, width] {
            return Err(unfit("it belongs to a picture of another shape"));
        }
        let (index, kept, past) = (numbers[0], numbers[5], numbers[6]);
        let size = channels * height * width;
        if index >= session.steps() || kept > 1 || past > LOOKBACK || values.len() != size * (1 + kept + past) {
            return Err(unfit("its parts do not fit together"));
        }
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(unfit("it holds numbers that no picture has"));
        }
        let tensor = |values: &[f32]| Tensor::from_slice(values, (1, channels, height, width), self.device.candle());
        let mut tensors = values.chunks(size.max(1)).map(tensor);
        let latents = tensors.next().ok_or_else(|| unfit("it holds no latents"))??;
        let start = if kept == 1 { tensors.next().transpose()? } else { None };
        let past = tensors.collect::<Result<Vec<_>, _>>()?;
        session.trajectory = session.trajectory.left_at(index, (latents, start, past))?;
        Ok(session)
    }
}

fn began(origin: &Origin) -> usize {
    match origin {
        Origin::Noise => 0,
        Origin::Picture => 1,
        Origin::Masked(_) => 2,
    }
}
