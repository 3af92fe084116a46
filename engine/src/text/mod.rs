//! From words to the states the denoising network attends to.

pub(crate) mod clip;
pub(crate) mod encoders;
pub(crate) mod tokenizer;
