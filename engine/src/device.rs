//! The device a model lives on.

use crate::error::{EngineError, Result};
use crate::nn::in_pool;

/// A place where tensors live and are computed: the processor, or one CUDA card. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Device {
    inner: candle_core::Device,
    name: String,
}

impl Device {
    /// The processor. Always there.
    pub fn cpu() -> Device {
        Device { inner: candle_core::Device::Cpu, name: "cpu".into() }
    }

    /// The CUDA card with this ordinal.
    ///
    /// # Errors
    /// [`EngineError::NoCuda`] when this build lacks the `cuda` feature, [`EngineError::Device`]
    /// when there is no such card or its driver refuses.
    pub fn cuda(ordinal: usize) -> Result<Device, EngineError> {
        match candle_core::Device::new_cuda(ordinal) {
            Ok(inner) => Ok(Device { inner, name: format!("cuda:{ordinal}") }),
            Err(candle_core::Error::NotCompiledWithCudaSupport) => Err(EngineError::NoCuda),
            Err(_) if !cfg!(feature = "cuda") => Err(EngineError::NoCuda),
            Err(error) => Err(error.into()),
        }
    }

    /// `cpu`, or `cuda:0` and so on.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Whether this is the processor.
    pub fn is_cpu(&self) -> bool {
        self.inner.is_cpu()
    }

    /// Runs a network where it runs best: on a thread of the pool, if the processor computes.
    pub(crate) fn compute<R: Send>(&self, work: impl FnOnce() -> Result<R> + Send) -> Result<R, EngineError> {
        Ok(if self.is_cpu() { in_pool(work)? } else { work()? })
    }

    pub(crate) fn candle(&self) -> &candle_core::Device {
        &self.inner
    }
}
