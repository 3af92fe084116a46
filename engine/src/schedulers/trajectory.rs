//! One picture's way through its schedule.

use std::sync::Arc;

use candle_core::Tensor;

use super::kept::Kept;
use super::step::{LOOKBACK, Remembers, Schedule, Step};
use crate::error::{EngineError, Result};

/// Latents somewhere on their schedule, with what multistep schedulers remember of earlier steps.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trajectory {
    schedule: Arc<Schedule>,
    index: usize,
    latents: Tensor,
    clean: Option<Tensor>,
    /// Where the last step began, when the next one corrects it.
    start: Option<Tensor>,
    /// What earlier steps remembered, newest first.
    past: Vec<Tensor>,
    /// What of a picture stays at every step.
    kept: Option<Kept>,
}

impl Trajectory {
    /// Begins with standard normal noise of any shape, f32.
    ///
    /// # Errors
    /// What the device says.
    pub fn begin(schedule: Arc<Schedule>, noise: &Tensor) -> Result<Trajectory, EngineError> {
        let latents = (noise * f64::from(schedule.initial_scale))?;
        Ok(Trajectory::at_the_beginning(schedule, latents))
    }

    /// What decides how it goes on, beside its place: the latents, where the last step began if the next one corrects
    /// it, and what earlier steps remembered, newest first. All of the latents' shape.
    pub(crate) fn memory(&self) -> (&Tensor, Option<&Tensor>, &[Tensor]) {
        (&self.latents, self.start.as_ref(), &self.past)
    }

    /// The same picture, as another trajectory on the same schedule left it at `index` with such a memory.
    ///
    /// # Errors
    /// [`EngineError::State`] if the next step needs more than is there.
    pub(crate) fn left_at(
        &self,
        index: usize,
        (latents, start, past): (Tensor, Option<Tensor>, Vec<Tensor>),
    ) -> Result<Trajectory, EngineError> {
        let (schedule, kept) = (self.schedule.clone(), self.kept.clone());
        let trajectory = Trajectory { schedule, index, latents, clean: None, start, past, kept };
        let lacks = |step: Step| {
            let missing = |factors: [f32; LOOKBACK + 1]| {
                (0..LOOKBACK).any(|back| factors[back + 1] != 0.0 && trajectory.past.get(back).is_none())
            };
            let start = step.correction.is_some_and(|correction| correction.previous != 0.0);
            missing(step.values)
                || step.correction.is_some_and(|correction| missing(correction.values))
                || (start && trajectory.start.is_none())
        };
        match trajectory.next_step() {
            None => Err(EngineError::State("no step is left".into())),
            Some(step) if lacks(step) => Err(EngineError::State("it lacks what the next step looks back at".into())),
            Some(_) => Ok(trajectory),
        }
    }

    /// Begins with a picture under as much noise as the first step expects. Both are clean latents
    /// and standard normal noise of one shape, f32.
    ///
    /// # Errors
    /// What the device says.
    pub fn begin_from(schedule: Arc<Schedule>, picture: &Tensor, noise: &Tensor) -> Result<Trajectory, EngineError> {
        let step = schedule.steps.first().copied().unwrap_or_default();
        let latents = sum(&[(step.signal, Some(picture)), (step.spread, Some(noise))])?;
        Ok(Trajectory::at_the_beginning(schedule, latents))
    }

    fn at_the_beginning(schedule: Arc<Schedule>, latents: Tensor) -> Trajectory {
        Trajectory { schedule, index: 0, latents, clean: None, start: None, past: Vec::new(), kept: None }
    }

    /// The same, with a part of a picture that stays: after every step the latents there are the picture's, under as
    /// much noise as the next step expects.
    pub(crate) fn keeping(self, kept: Kept) -> Trajectory {
        Trajectory { kept: Some(kept), ..self }
    }

    /// The latents as they are now.
    pub fn latents(&self) -> &Tensor {
        &self.latents
    }

    /// The clean latents the last step predicted.
    pub fn clean(&self) -> Option<&Tensor> {
        self.clean.as_ref()
    }

    /// How many steps have been taken.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.schedule.steps.len()
    }

    /// Whether there are no steps left, or none at all.
    pub fn is_empty(&self) -> bool {
        self.index >= self.len()
    }

    /// The step that comes next.
    pub fn next_step(&self) -> Option<Step> {
        self.schedule.steps.get(self.index).copied()
    }

    /// What the network is to be shown at the next step.
    ///
    /// # Errors
    /// What the device says.
    pub fn input(&self) -> Result<Tensor, EngineError> {
        match self.next_step() {
            Some(step) if step.input_scale != 1.0 => Ok((&self.latents * f64::from(step.input_scale))?),
            _ => Ok(self.latents.clone()),
        }
    }

    /// The same picture one step later. `output` is what the network said about [`Trajectory::input`],
    /// `noise` is standard normal; both have the shape of the latents.
    ///
    /// # Errors
    /// [`EngineError::Finished`] after the last step, [`EngineError::OutOfRange`] when the step
    /// wants noise and there is none, or what the device says.
    pub fn advanced(&self, output: &Tensor, noise: Option<&Tensor>) -> Result<Trajectory, EngineError> {
        let Some(step) = self.next_step() else { return Err(EngineError::Finished { steps: self.len() }) };
        if step.noise != 0.0 && noise.is_none() {
            return Err(EngineError::range("this scheduler needs fresh noise at every step"));
        }
        let mut clean = sum(&[(step.clean_keep, Some(&self.latents)), (step.clean_push, Some(output))])?;
        if let Some(most) = step.clip {
            clean = clean.clamp(-most, most)?;
        }
        let value = if step.remembers == Remembers::Output { output } else { &clean };
        let values = |factors: [f32; LOOKBACK + 1]| {
            let remembered = std::iter::once(Some(value)).chain((0..LOOKBACK).map(|i| self.past.get(i)));
            factors.into_iter().zip(remembered).collect::<Vec<_>>()
        };
        let start = match step.correction {
            None => self.latents.clone(),
            Some(correction) => {
                let mut terms = vec![(correction.previous, self.start.as_ref())];
                terms.extend(values(correction.values));
                sum(&terms)?
            }
        };
        let mut terms = vec![(step.keep, Some(&start)), (step.push, Some(output))];
        terms.extend(values(step.values));
        terms.push((step.noise, noise));
        let mut latents = sum(&terms)?;

        let mut past = self.past.clone();
        if step.remembers != Remembers::Nothing {
            past.insert(0, value.clone());
            past.truncate(LOOKBACK);
        }
        let next = self.schedule.steps.get(self.index + 1);
        let start = next.and_then(|next| next.correction).map(|_| start);
        if let Some(kept) = &self.kept {
            latents = kept.around(&latents, next)?;
            clean = kept.around(&clean, None)?;
        }
        Ok(Trajectory {
            schedule: self.schedule.clone(),
            index: self.index + 1,
            latents,
            clean: Some(clean),
            start,
            past,
            kept: self.kept.clone(),
        })
    }
}

/// The sum of tensors times factors; a factor of 0 needs no tensor.
fn sum(terms: &[(f32, Option<&Tensor>)]) -> Result<Tensor> {
    let mut total: Option<Tensor> = None;
    for (factor, tensor) in terms.iter().filter(|(factor, _)| *factor != 0.0) {
        let Some(tensor) = tensor else { candle_core::bail!("a step looks back at a step that was not taken") };
        let term = (*tensor * f64::from(*factor))?;
        total = Some(match total {
            Some(total) => (total + term)?,
            None => term,
        });
    }
    match (total, terms.iter().find_map(|(_, tensor)| *tensor)) {
        (Some(total), _) => Ok(total),
        (None, Some(any)) => any.zeros_like(),
        (None, None) => candle_core::bail!("a sum of nothing"),
    }
}
