//! All text encoders of a model together: one for Stable Diffusion, two for SDXL.

use std::path::Path;

use candle_core::{D, Tensor};

use super::clip::{ClipConfig, ClipText};
use super::tokenizer::ClipTokenizer;
use crate::device::Device;
use crate::error::{EngineError, LoadError, Result};

/// Which of an encoder's states the network attends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum States {
    /// Those of the last layer, normalised.
    Last,
    /// Those the last layer reads, as they are.
    Penultimate,
}

/// A prompt as the network sees it.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    /// `[1, words, width]`; the width is that of all encoders together.
    pub(crate) states: Tensor,
    /// `[1, width]` from the first encoder that has a projection, if one has.
    pub(crate) pooled: Option<Tensor>,
}

#[derive(Debug)]
pub(crate) struct TextEncoders {
    encoders: Vec<(ClipTokenizer, ClipText)>,
    states: States,
}

impl TextEncoders {
    /// Loads the encoders in these folders of a model, each with the tokenizer that goes with it.
    pub(crate) fn load(
        dir: &Path,
        folders: &[(&str, ClipConfig)],
        states: States,
        device: &Device,
    ) -> Result<TextEncoders, LoadError> {
        let encoders = folders.iter().map(|(folder, config)| {
            let tokenizer = dir.join(folder.replace("text_encoder", "tokenizer"));
            Ok((
                ClipTokenizer::load(&tokenizer, config.max_position_embeddings)?,
                ClipText::load(&dir.join(folder), config.clone(), device)?,
            ))
        });
        Ok(TextEncoders { encoders: encoders.collect::<Result<_, LoadError>>()?, states })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.encoders.len()
    }

    /// The ids of a prompt for each encoder, cut or padded to its length.
    pub(crate) fn tokenize(&self, prompt: &str) -> Result<Vec<Vec<u32>>, EngineError> {
        self.encoders.iter().map(|(tokenizer, _)| tokenizer.encode(prompt)).collect()
    }

    /// Encodes one prompt, given as its ids for each encoder.
    pub(crate) fn encode(&self, ids: &[Vec<u32>]) -> Result<Encoded> {
        if ids.len() != self.encoders.len() {
            candle_core::bail!("{} rows of ids for {} text encoders", ids.len(), self.encoders.len());
        }
        let (mut states, mut pooled) = (Vec::new(), None);
        for ((_, encoder), ids) in self.encoders.iter().zip(ids) {
            let found = encoder.encode(ids)?;
            pooled = pooled.or(found.pooled);
            states.push(match self.states {
                States::Last => found.last,
                States::Penultimate => found.penultimate,
            });
        }
        Ok(Encoded { states: Tensor::cat(&states, D::Minus1)?, pooled })
    }
}
