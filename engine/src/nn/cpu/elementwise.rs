//! Small operations value by value.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::tile::activate;
use super::{dispatch, math};
use crate::nn::activation::Activation;

const CHUNK: usize = 16 * 1024;

/// The activation of every value.
pub(crate) fn activated(x: &[f32], activation: Activation) -> Vec<f32> {
    struct Task<'a>(&'a mut [f32], Activation);
    impl WithSimd for Task<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            activate(self.0, self.1);
        }
    }
    let mut out = x.to_vec();
    out.par_chunks_mut(CHUNK).for_each(|chunk| dispatch(Task(chunk, activation)));
    out
}

/// Rows of `[value, gate]`, each `width` wide, become rows of `value * gelu(gate)`.
pub(crate) fn geglu(x: &[f32], width: usize) -> Vec<f32> {
    struct Task<'a>(&'a mut [f32], &'a [f32], usize);
    impl WithSimd for Task<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Task(out, x, width) = self;
            for (out, x) in out.chunks_mut(width).zip(x.chunks(2 * width)) {
                let (value, gate) = x.split_at(width);
                for (out, (value, gate)) in out.iter_mut().zip(value.iter().zip(gate)) {
                    *out = value * math::gelu(*gate);
                }
            }
        }
    }
    let rows = (CHUNK / width).max(1);
    let mut out = vec![0.0; x.len() / 2];
    out.par_chunks_mut(rows * width)
        .zip(x.par_chunks(rows * 2 * width))
        .for_each(|(out, x)| dispatch(Task(out, x, width)));
    out
}

/// Every pixel of planes of `width` becomes a square of `factor` times `factor`.
pub(crate) fn upsample(x: &[f32], [height, width]: [usize; 2], factor: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len() * factor * factor];
    let plane = height * width;
    out.par_chunks_mut(plane * factor * factor).zip(x.par_chunks(plane)).for_each(|(out, x)| {
        for (lines, source) in out.chunks_mut(width * factor * factor).zip(x.chunks(width)) {
            let (first, others) = lines.split_at_mut(width * factor);
            for (pixels, value) in first.chunks_mut(factor).zip(source) {
                pixels.fill(*value);
            }
            for line in others.chunks_mut(width * factor) {
                line.copy_from_slice(first);
            }
        }
    });
    out
}
