//! What can go wrong, in sentences a person understands.

use std::path::{Path, PathBuf};

/// The result of a computation on tensors, unless said otherwise.
pub(crate) type Result<T, E = candle_core::Error> = std::result::Result<T, E>;

/// Why a model directory could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("{} is missing", path.display())]
    MissingFile { path: PathBuf },

    #[error("{} could not be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },

    #[error("only pickled weights were found ({}); pickle can run code, so only safetensors are read", path.display())]
    PickleOnly { path: PathBuf },

    #[error("the class {found:?} is not known here; known are {}", known.join(", "))]
    UnknownClass { found: String, known: Vec<String> },

    #[error("{} does not describe a model this engine can run: {reason}", path.display())]
    BadConfig { path: PathBuf, reason: String },

    #[error("the weights in {} are damaged: {reason}", path.display())]
    BadWeights { path: PathBuf, reason: String },

    #[error("{} is not the file that SHA256SUMS names: its checksum differs", path.display())]
    WrongChecksum { path: PathBuf },

    #[error("the tensor {tensor:?} is missing from {}", path.display())]
    MissingTensor { path: PathBuf, tensor: String },

    #[error("the tensor {tensor:?} in {} has shape {found:?}, but the configuration asks for {expected:?}", path.display())]
    WrongShape { path: PathBuf, tensor: String, found: Vec<usize>, expected: Vec<usize> },

    #[error("the device refused the model: {0}")]
    Device(String),
}

impl LoadError {
    pub(crate) fn config(path: &Path, reason: impl Into<String>) -> LoadError {
        LoadError::BadConfig { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn weights(path: &Path, reason: impl Into<String>) -> LoadError {
        LoadError::BadWeights { path: path.to_owned(), reason: reason.into() }
    }

    /// Tells a missing file apart from one that is there but cannot be read.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> LoadError {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => LoadError::MissingFile { path },
            _ => LoadError::Unreadable { path, reason: error.to_string() },
        }
    }
}

impl From<candle_core::Error> for LoadError {
    fn from(error: candle_core::Error) -> LoadError {
        LoadError::Device(error.to_string())
    }
}

/// Why a picture could not be made. The pipeline still works afterwards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    #[error("these sessions cannot advance together: {0}")]
    Incompatible(String),

    #[error("{what}")]
    OutOfRange { what: String },

    #[error("a session that has taken its {steps} steps cannot take another")]
    Finished { steps: usize },

    #[error("the picture is not finished: {taken} of {steps} steps taken")]
    Unfinished { taken: usize, steps: usize },

    #[error("the picture can't go on from what was kept of it: {0}")]
    State(String),

    #[error("the prompt could not be read: {0}")]
    Prompt(String),

    #[error("the device ran out of memory; a smaller picture or batch may fit")]
    OutOfMemory,

    #[error("this build has no CUDA support; build it with the feature `cuda`")]
    NoCuda,

    #[error("the picture could not be written: {0}")]
    Encoding(String),

    #[error("the device failed: {0}")]
    Device(String),
}

impl EngineError {
    pub(crate) fn range(what: impl Into<String>) -> EngineError {
        EngineError::OutOfRange { what: what.into() }
    }
}

impl From<candle_core::Error> for EngineError {
    fn from(error: candle_core::Error) -> EngineError {
        let text = error.to_string();
        let lower = text.to_lowercase();
        if lower.contains("out_of_memory") || lower.contains("out of memory") || lower.contains("alloc_failed") {
            EngineError::OutOfMemory
        } else {
            EngineError::Device(text)
        }
    }
}
