//! Layers. On the processor each is one of our kernels; on other devices, candle's operations.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod conv;
mod cpu;
pub(crate) mod embeddings;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod resize;
pub(crate) mod resnet;

pub(crate) use self::cpu::in_pool;

#[cfg(test)]
mod tests;
