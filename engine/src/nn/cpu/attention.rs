//! Scaled dot-product attention, a few query rows at a time so that the scores stay in cache.

use pulp::Simd;

use super::grid::{Cell, cut};
use super::tile::{self, COLS, Extra, ROWS};
use super::{Task, math, run_all, wanted_tasks};
use crate::nn::activation::Activation;

/// Sizes of one attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    /// Values per head.
    pub(crate) dim: usize,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
    /// Whether a query sees only the keys up to its own place.
    pub(crate) causal: bool,
}

/// `q` is `[batch, queries, heads * dim]`, `k` and `v` are `[batch, keys, heads * dim]`; the result
/// has the shape of `q`.
pub(crate) fn attend(q: &[f32], k: &[f32], v: &[f32], sizes: Sizes) -> Vec<f32> {
    let Sizes { batch, heads, dim, queries, keys, .. } = sizes;
    let width = heads * dim;
    let mut out = vec![0.0; q.len()];
    let parts = wanted_tasks().div_ceil(batch * heads);
    let row_block = queries.div_ceil(parts).next_multiple_of(ROWS);
    let mut work = Vec::new();
    for (sample, out) in out.chunks_mut(queries * width).enumerate() {
        let q = &q[sample * queries * width..][..queries * width];
        let k = &k[sample * keys * width..][..keys * width];
        let v = &v[sample * keys * width..][..keys * width];
        work.extend(cut(out, width, row_block, dim).into_iter().map(|cell| Block { q, k, v, sizes, cell }));
    }
    run_all(work, 2 * q.len() * keys);
    out
}

struct Block<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    sizes: Sizes,
    cell: Cell<'a>,
}

impl Task for Block<'_> {
    fn scratch(&self) -> usize {
        self.lengths().iter().sum()
    }

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S, scratch: &mut [f32]) {
        let mut rows = std::mem::take(&mut self.cell.rows);
        let [k, v, q, scores, weights] = split(scratch, self.lengths());
        self.pack_keys(k);
        self.pack_values(v);
        for (step, rows) in rows.chunks_mut(ROWS).enumerate() {
            self.block(simd, self.cell.row + step * ROWS, rows, [&*k, &*v], [&mut *q, &mut *scores, &mut *weights]);
        }
    }
}

impl Block<'_> {
    /// Of packed keys, values and queries, of scores, and of scores packed.
    fn lengths(&self) -> [usize; 5] {
        let Sizes { dim, keys, .. } = self.sizes;
        let panels = |columns: usize| columns.div_ceil(COLS) * COLS;
        [panels(keys) * dim, panels(dim) * keys, ROWS * dim, ROWS * keys, ROWS * keys]
    }

    #[inline(always)]
    fn block<S: Simd>(
        &self,
        simd: S,
        first: usize,
        rows: &mut [&mut [f32]],
        kv: [&[f32]; 2],
        scratch: [&mut [f32]; 3],
    ) {
        let Sizes { dim, keys, causal, .. } = self.sizes;
        let [k, v] = kv;
        let [q, scores, weights] = scratch;
        self.pack_queries(q, first, rows.len());
        let mut sums = [[0.0; COLS]; ROWS];
        for (p, panel) in k.chunks(COLS * dim).enumerate() {
            tile::multiply(simd, q, panel, &mut sums);
            let (start, end) = (p * COLS, keys.min((p + 1) * COLS));
            for (scores, sums) in scores.chunks_mut(keys).zip(&sums) {
                scores[start..end].copy_from_slice(&sums[..end - start]);
            }
        }
        for (r, scores) in scores.chunks_mut(keys).enumerate() {
            if causal {
                let seen = (first + r + 1).min(keys);
                scores[seen..].fill(f32::NEG_INFINITY);
            }
            softmax(scores);
        }
        for (r, scores) in scores.chunks(keys).enumerate() {
            for (line, score) in weights.chunks_exact_mut(ROWS).zip(scores) {
                line[r] = *score;
            }
        }
        for (p, panel) in v.chunks(COLS * keys).enumerate() {
            tile::multiply(simd, weights, panel, &mut sums);
            let (start, end) = (p * COLS, dim.min((p + 1) * COLS));
            for (out, sums) in rows.iter_mut().zip(&sums) {
                tile::write_row(&mut out[start..end], sums, Extra::default(), Activation::None);
            }
        }
    }

    /// Length of a token, and where this head's part of it lies.
    #[inline(always)]
    fn head(&self) -> (usize, std::ops::Range<usize>) {
        let Sizes { heads, dim, .. } = self.sizes;
        (heads * dim, self.cell.col..self.cell.col + dim)
    }

    #[inline(always)]
    fn pack_queries(&self, packed: &mut [f32], first: usize, count: usize) {
        let scale = 1.0 / (self.sizes.dim as f32).sqrt();
        packed.fill(0.0);
        let (width, part) = self.head();
        for (r, token) in self.q[first * width..].chunks_exact(width).take(count).enumerate() {
            for (line, value) in packed.chunks_exact_mut(ROWS).zip(&token[part.clone()]) {
                line[r] = value * scale;
            }
        }
    }

    #[inline(always)]
    fn pack_keys(&self, packed: &mut [f32]) {
        packed.fill(0.0);
        let dim = self.sizes.dim;
        let (width, part) = self.head();
        for (index, token) in self.k.chunks_exact(width).enumerate() {
            let panel = &mut packed[index / COLS * COLS * dim..][..COLS * dim];
            for (line, value) in panel.chunks_exact_mut(COLS).zip(&token[part.clone()]) {
                line[index % COLS] = *value;
            }
        }
    }

    #[inline(always)]
    fn pack_values(&self, packed: &mut [f32]) {
        packed.fill(0.0);
        let (width, part) = self.head();
        for (p, panel) in packed.chunks_mut(COLS * self.sizes.keys).enumerate() {
            let (start, end) = (part.start + p * COLS, part.end.min(part.start + (p + 1) * COLS));
            for (line, token) in panel.chunks_exact_mut(COLS).zip(self.v.chunks_exact(width)) {
                line[..end - start].copy_from_slice(&token[start..end]);
            }
        }
    }
}

#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let (whole, rest) = scores.as_chunks::<16>();
    let mut most = [f32::NEG_INFINITY; 16];
    for chunk in whole {
        for (most, score) in most.iter_mut().zip(chunk) {
            *most = most.max(*score);
        }
    }
    let mut top = f32::NEG_INFINITY;
    for score in most.iter().chain(rest) {
        top = top.max(*score);
    }
    for score in scores.iter_mut() {
        *score = math::exp(*score - top);
    }
    let (whole, rest) = scores.as_chunks::<16>();
    let mut sums = [0.0; 16];
    for chunk in whole {
        for (sum, score) in sums.iter_mut().zip(chunk) {
            *sum += score;
        }
    }
    let total: f32 = sums.iter().chain(rest.iter()).sum();
    let scale = 1.0 / total;
    for score in scores.iter_mut() {
        *score *= scale;
    }
}

fn split<const N: usize>(mut buffer: &mut [f32], lengths: [usize; N]) -> [&mut [f32]; N] {
    lengths.map(|len| {
        let (part, rest) = std::mem::take(&mut buffer).split_at_mut(len);
        buffer = rest;
        part
    })
}
