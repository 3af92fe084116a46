//! Group and layer normalisation in one pass over the output, with the activation that follows.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::dispatch;
use super::tile::activate;
use crate::nn::activation::Activation;

/// With fewer values than this, waking another thread takes longer than the work.
const WORTH_SHARING: usize = 16 * 1024;

/// What a group norm does to `[batch, channels, pixels]`.
#[derive(Clone, Copy)]
pub(crate) struct GroupNorm<'a> {
    pub(crate) pixels: usize,
    /// Their number; it divides the channels.
    pub(crate) groups: usize,
    /// `[channels]`.
    pub(crate) weight: &'a [f32],
    /// `[channels]`.
    pub(crate) bias: &'a [f32],
    /// `[batch, 2, channels]`: the result is scaled by one more than the first, and the second added to it.
    pub(crate) modulation: Option<&'a [f32]>,
    pub(crate) eps: f32,
    pub(crate) activation: Activation,
}

/// Normalises `[batch, channels, pixels]` within groups of channels.
pub(crate) fn group_norm(x: &[f32], norm: GroupNorm<'_>) -> Vec<f32> {
    let all = norm.weight.len();
    let channels = all / norm.groups;
    let chunk = channels * norm.pixels;
    let mut out = vec![0.0; x.len()];
    let group = |(index, (out, x)): (usize, (&mut [f32], &[f32]))| {
        let (sample, first) = (index / norm.groups, index % norm.groups * channels);
        let modulation = norm.modulation.map(|values| {
            let [scale, shift] = [2 * sample, 2 * sample + 1].map(|row| row * all + first);
            [&values[scale..scale + channels], &values[shift..shift + channels]]
        });
        dispatch(Group { out, x, norm, first, modulation });
    };
    if x.len() < WORTH_SHARING {
        out.chunks_mut(chunk).zip(x.chunks(chunk)).enumerate().for_each(group);
    } else {
        out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).enumerate().for_each(group);
    }
    out
}

struct Group<'a> {
    out: &'a mut [f32],
    x: &'a [f32],
    norm: GroupNorm<'a>,
    /// The first of the group's channels.
    first: usize,
    /// Scales and shifts of the group's channels.
    modulation: Option<[&'a [f32]; 2]>,
}

impl WithSimd for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let GroupNorm { pixels, weight, bias, eps, activation, .. } = self.norm;
        let (mean, scale) = moments(self.x, eps);
        let planes = self.out.chunks_mut(pixels).zip(self.x.chunks(pixels));
        for (channel, (out, x)) in planes.enumerate() {
            let (weight, bias) = (weight[self.first + channel], bias[self.first + channel]);
            let (mut a, mut b) = (scale * weight, bias - mean * scale * weight);
            if let Some([scale, shift]) = self.modulation {
                let factor = 1.0 + scale[channel];
                (a, b) = (a * factor, b * factor + shift[channel]);
            }
            for (out, x) in out.iter_mut().zip(x) {
                *out = x * a + b;
            }
            activate(out, activation);
        }
    }
}

/// Normalises every row of `weight.len()` values.
pub(crate) fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32) -> Vec<f32> {
    let width = weight.len();
    let mut out = vec![0.0; x.len()];
    let rows = |(out, x): (&mut [f32], &[f32])| dispatch(Rows { out, x, weight, bias, eps });
    let chunk = (WORTH_SHARING / width).max(1) * width;
    out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).for_each(rows);
    out
}

struct Rows<'a> {
    out: &'a mut [f32],
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    eps: f32,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.weight.len();
        for (out, x) in self.out.chunks_mut(width).zip(self.x.chunks(width)) {
            let (mean, scale) = moments(x, self.eps);
            for ((out, x), (weight, bias)) in out.iter_mut().zip(x).zip(self.weight.iter().zip(self.bias)) {
                *out = (x - mean) * scale * weight + bias;
            }
        }
    }
}

/// The mean, and one over the standard deviation.
#[inline(always)]
fn moments(x: &[f32], eps: f32) -> (f32, f32) {
    let count = x.len() as f64;
    let mean = (sum(x, |x| x) / count) as f32;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / count;
    (mean, (1.0 / (variance + f64::from(eps)).sqrt()) as f32)
}

/// Sums in lanes and in short runs, which keeps the rounding small.
#[inline(always)]
fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f64 {
    let mut total = 0.0;
    for run in x.chunks(2048) {
        let (whole, rest) = run.as_chunks::<32>();
        let mut lanes = [0.0f32; 32];
        for chunk in whole {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane += term(*x);
            }
        }
        total += lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>();
        total += rest.iter().map(|x| f64::from(term(*x))).sum::<f64>();
    }
    total
}
