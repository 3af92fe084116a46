//! A schedule as numbers: what the network is shown at each step, and what becomes of the latents.

/// How many values of earlier steps a step may look back at.
pub const LOOKBACK: usize = 3;

/// What a step leaves behind for those after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remembers {
    #[default]
    Nothing,
    /// The predicted clean latents.
    Clean,
    /// The network's output.
    Output,
}

/// Latents that are mended before the step is taken, from where the step before began:
/// `previous * (its beginning) + values · (this step's value, then those remembered, newest first)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Correction {
    pub previous: f32,
    pub values: [f32; LOOKBACK + 1],
}

/// One step: what the network is shown, and what becomes of the latents.
///
/// With the *value* of a step being what it remembers (the clean latents if it remembers nothing),
/// the latents after it are `keep * latents + push * output + values · (this value, then those
/// remembered, newest first) + noise * fresh noise`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// What the network is told about the noise.
    pub timestep: f32,
    /// The network sees the latents times this.
    pub input_scale: f32,
    pub keep: f32,
    pub push: f32,
    pub values: [f32; LOOKBACK + 1],
    /// Factor of standard normal noise drawn for this step alone.
    pub noise: f32,
    /// The predicted clean latents are `clean_keep * latents + clean_push * output`.
    pub clean_keep: f32,
    pub clean_push: f32,
    /// The clean latents are cut off at plus and minus this.
    pub clip: Option<f32>,
    pub correction: Option<Correction>,
    pub remembers: Remembers,
    /// At the beginning of this step the latents are `signal` times the picture plus `spread`
    /// times noise.
    pub signal: f32,
    pub spread: f32,
}

impl Default for Step {
    /// A step that changes nothing.
    fn default() -> Step {
        Step {
            timestep: 0.0,
            input_scale: 1.0,
            keep: 1.0,
            push: 0.0,
            values: [0.0; LOOKBACK + 1],
            noise: 0.0,
            clean_keep: 1.0,
            clean_push: 0.0,
            clip: None,
            correction: None,
            remembers: Remembers::Nothing,
            signal: 1.0,
            spread: 0.0,
        }
    }
}

/// All steps of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Standard normal noise times this is where a picture begins.
    pub initial_scale: f32,
    pub steps: Vec<Step>,
}

impl Schedule {
    /// Whether any step wants fresh noise.
    pub fn is_noisy(&self) -> bool {
        self.steps.iter().any(|step| step.noise != 0.0)
    }
}
