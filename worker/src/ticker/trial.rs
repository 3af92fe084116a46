//! Trying a model before it is announced: a standard picture's first steps, alone and shared.

use std::sync::Arc;

use dispatch::PassTimes;
use domain::{ModelCard, OutputId, Source, ValidRequest, Way};

use crate::backend::{BackendError, Model, StartPicture};
use crate::clock::Stopwatch;

/// Passes of one session, the first of which pays for what is made once.
const SINGLE_PASSES: u32 = 4;
/// Passes of each larger number of sessions.
const SHARED_PASSES: u32 = 3;
/// A model whose pass takes longer than this, in milliseconds, learns about sharing from real work.
const LONG_PASS_MS: f64 = 2_000.0;
/// A larger number of sessions is tried if this one takes less than so much of its halves.
const WORTH_MORE: f64 = 0.95;

/// A model that is being tried, one pass at a time, so that pictures in the making go on.
pub struct Trial<M: Model> {
    model: M,
    sessions: Vec<M::Session>,
    /// Sessions that share the passes now.
    size: usize,
    tried: Tried,
}

/// What a trial found.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Of standard pictures.
    pub key: u64,
    pub times: PassTimes,
    /// Most sessions that may share a pass.
    pub cap: usize,
    pub finish_ms: f64,
    /// Milliseconds of a standard picture alone.
    pub standard_ms: f64,
}

impl<M: Model> Trial<M> {
    /// Shares passes between `most` sessions at most.
    pub fn new(model: M, most: usize) -> Self {
        let tried = Tried { key: 0, times: PassTimes::default(), cap: most, finish_ms: 0.0, standard_ms: 0.0 };
        Self { model, sessions: Vec::new(), size: 1, tried }
    }

    /// Makes one pass. `Ok(true)` when all is known.
    ///
    /// # Errors
    /// What the model says: it is not fit for work. That a shared pass fails only means that it is not shared.
    pub fn pass(&mut self) -> Result<bool, BackendError> {
        match self.try_pass() {
            Err(error) if self.size > 1 => {
                tracing::warn!(model = %self.model.card().name, %error, sessions = self.size, "no pass is shared by so many");
                self.tried.cap = self.size / 2;
                self.sessions.clear();
                Ok(true)
            }
            other => other,
        }
    }

    pub fn name(&self) -> &str {
        &self.model.card().name
    }

    /// The model, and what was found.
    pub fn end(self) -> (M, Tried) {
        (self.model, self.tried)
    }

    fn try_pass(&mut self) -> Result<bool, BackendError> {
        if self.sessions.is_empty() {
            self.open()?;
        }
        let watch = Stopwatch::start();
        self.model.step(&mut self.sessions.iter_mut().collect::<Vec<_>>())?;
        self.tried.times.record(self.size, watch.ms());
        let Some(first) = self.sessions.first() else { return Ok(true) };
        let (done, steps) = self.model.progress(first);
        if done < steps {
            return Ok(false);
        }
        let single_ms = self.tried.times.pass_ms(1).unwrap_or_default();
        if self.size == 1 {
            let watch = Stopwatch::start();
            self.model.finish(first, "warm-up")?;
            self.tried.finish_ms = watch.ms();
            // A picture that is made larger takes the passes it takes, whatever the card says.
            let card = self.model.card();
            let passes = if card.upscales() { steps } else { card.default_steps };
            self.tried.standard_ms = single_ms * f64::from(passes) + self.tried.finish_ms;
        }
        self.sessions.clear();
        let ms = |size: usize| self.tried.times.calm_ms(size).unwrap_or(f64::INFINITY);
        let paid = self.size == 1 || ms(self.size) < WORTH_MORE * 2.0 * ms(self.size / 2);
        self.size *= 2;
        Ok(self.size > self.tried.cap || single_ms > LONG_PASS_MS || !paid)
    }

    fn open(&mut self) -> Result<(), BackendError> {
        let passes = if self.size == 1 { SINGLE_PASSES } else { SHARED_PASSES };
        let standard = standard(self.model.card(), passes);
        let start = standard.source.as_ref().map(|from| Arc::new(StartPicture::blank(from.width, from.height)));
        for seed in 0..self.size as u64 {
            let session = self.model.open(&standard, seed, start.as_ref())?;
            self.tried.key = self.model.key(&session);
            self.tried.cap = self.tried.cap.min(self.model.batch_cap(&session)).max(1);
            self.sessions.push(session);
        }
        Ok(())
    }
}

/// A standard picture of so many steps; of what makes pictures larger, one twice as large as it was.
fn standard(card: &ModelCard, steps: u32) -> ValidRequest {
    let half = (card.native_size / 2).max(1);
    let larger =
        || Source { media: OutputId::from_random(0), width: half, height: half, way: Way::Upscale { factor: 2 } };
    ValidRequest {
        prompt: "warm-up".into(),
        negative_prompt: String::new(),
        model: card.name.clone(),
        capability: card.capability.clone(),
        count: 1,
        seed: 0,
        width: card.native_size,
        height: card.native_size,
        steps: steps.min(card.max_steps),
        guidance: card.default_guidance,
        source: card.upscales().then(larger),
    }
}
