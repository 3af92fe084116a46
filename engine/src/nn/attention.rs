//! Scaled dot-product attention over several heads.

use candle_core::{D, Tensor};

use super::cpu::attention::{Sizes, attend};
use super::cpu::view::{View, tensor};
use crate::error::Result;

/// `q` is `[batch, queries, heads * dim]`, `k` and `v` are `[batch, keys, heads * dim]`; the result
/// has the shape of `q`. With `causal`, a query sees only the keys up to its own place.
pub(crate) fn attention(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, causal: bool) -> Result<Tensor> {
    let (batch, queries, width) = q.dims3()?;
    let keys = k.dim(1)?;
    if k.dims() != [batch, keys, width] || v.dims() != k.dims() || width % heads != 0 || keys == 0 {
        candle_core::bail!("attention over {:?}, {:?} and {:?} with {heads} heads", q.dims(), k.dims(), v.dims());
    }
    if !q.device().is_cpu() {
        return composed(q, k, v, heads, causal);
    }
    let sizes = Sizes { batch, heads, dim: width / heads, queries, keys, causal };
    let (q, k, v) = (q.contiguous()?, k.contiguous()?, v.contiguous()?);
    let (qv, kv, vv) = (View::new(&q)?, View::new(&k)?, View::new(&v)?);
    tensor(attend(qv.floats()?, kv.floats()?, vv.floats()?, sizes), q.shape())
}

/// The same from candle's operations.
pub(crate) fn composed(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, causal: bool) -> Result<Tensor> {
    let (batch, queries, width) = q.dims3()?;
    let keys = k.dim(1)?;
    let split = |x: &Tensor, len| x.reshape((batch, len, heads, width / heads))?.transpose(1, 2)?.contiguous();
    let (q, k, v) = (split(q, queries)?, split(k, keys)?, split(v, keys)?);
    let scale = 1.0 / ((width / heads) as f64).sqrt();
    let mut scores = (q.matmul(&k.t()?)? * scale)?;
    if causal {
        let hidden = (0..queries).flat_map(|q| (0..keys).map(move |k| if k > q { f32::NEG_INFINITY } else { 0.0 }));
        scores = scores.broadcast_add(&Tensor::from_iter(hidden, q.device())?.reshape((queries, keys))?)?;
    }
    let scores = candle_nn::ops::softmax(&scores, D::Minus1)?;
    scores.matmul(&v)?.transpose(1, 2)?.contiguous()?.reshape((batch, queries, width))
}
