//! Looking at a tensor's floats, and making a tensor of floats, without copies.

use candle_core::{Error, Layout, Shape, Storage, Tensor};
use parking_lot::RwLockReadGuard;

use crate::error::Result;

/// A contiguous f32 tensor on the processor, held for reading.
pub(crate) struct View<'a> {
    storage: RwLockReadGuard<'a, Storage>,
    layout: &'a Layout,
}

impl<'a> View<'a> {
    pub(crate) fn new(tensor: &'a Tensor) -> Result<View<'a>> {
        let (storage, layout) = tensor.storage_and_layout();
        if !layout.is_contiguous() {
            return Err(Error::RequiresContiguous { op: "view" });
        }
        Ok(View { storage, layout })
    }

    pub(crate) fn floats(&self) -> Result<&[f32]> {
        let Storage::Cpu(storage) = &*self.storage else {
            return Err(Error::msg("a tensor of another device reached a kernel of the processor"));
        };
        let start = self.layout.start_offset();
        storage
            .as_slice::<f32>()?
            .get(start..start + self.layout.shape().elem_count())
            .ok_or_else(|| Error::msg("a tensor reaches outside of its storage"))
    }
}

/// A processor tensor that takes the values over.
pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &candle_core::Device::Cpu)
}
