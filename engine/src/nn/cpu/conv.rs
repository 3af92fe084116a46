//! Convolution: each task gathers the inputs of some output pixels into a packed block that stays
//! in its cache, and multiplies it with all the weights; bias, time embedding, residual and
//! activation are applied to the sums before they are written, once.

use pulp::Simd;

use super::grid::{Cell, cut};
use super::tile::{self, COLS, Extra, ROWS};
use super::{Task, run_all, wanted_tasks};
use crate::nn::activation::Activation;

/// The gathered inputs of one task should leave most of a 2 MiB cache free.
const BLOCK_FLOATS: usize = 192 * 1024;

/// Weights and shape of one convolution.
#[derive(Debug)]
pub(crate) struct PackedConv {
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    /// `[outputs / ROWS][inputs * kernel * kernel][ROWS]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// What else goes into the outputs of a convolution.
#[derive(Clone, Copy, Default)]
pub(crate) struct ConvExtra<'a> {
    /// `[batch, outputs]`, added to every pixel.
    pub(crate) per_channel: Option<&'a [f32]>,
    /// `[batch, outputs, height, width]`.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
}

/// How the inputs lie in memory.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Order {
    /// `[channels][height][width]`.
    Planes,
    /// `[height][width][channels]`, for kernels of one pixel only.
    Tokens,
}

impl PackedConv {
    /// `weights` is `[outputs, inputs, kernel, kernel]`.
    pub(crate) fn new(
        weights: &[f32],
        bias: Option<Vec<f32>>,
        [outputs, inputs, kernel]: [usize; 3],
        stride: usize,
        padding: usize,
    ) -> PackedConv {
        let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
        let weights = tile::pack_left(weights, inputs * kernel * kernel);
        PackedConv { outputs, inputs, kernel, stride, padding, weights, bias }
    }

    /// Size of the output of an input `[_, inputs, height, width]`; the input is at least as large as the kernel.
    pub(crate) fn output_size(&self, height: usize, width: usize) -> (usize, usize) {
        let along = |size: usize| (size + 2 * self.padding - self.kernel) / self.stride + 1;
        (along(height), along(width))
    }

    fn depth(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Convolves `[batch, inputs, height, width]` into `[batch, outputs, height', width']`.
    pub(crate) fn run(&self, x: &[f32], [height, width]: [usize; 2], order: Order, extra: ConvExtra<'_>) -> Vec<f32> {
        let (out_height, out_width) = self.output_size(height, width);
        let pixels = out_height * out_width;
        let sample = self.inputs * height * width;
        let batch = x.len() / sample;
        let depth = self.depth();

        let panels = pixels.div_ceil(COLS);
        let most = (BLOCK_FLOATS / (depth * COLS)).clamp(1, 4);
        let group = (batch * panels / wanted_tasks()).clamp(1, most);
        let tasks = batch * panels.div_ceil(group);
        let splits = wanted_tasks().div_ceil(2 * tasks);
        let row_block = self.outputs.div_ceil(splits).next_multiple_of(ROWS);

        let mut out = vec![0.0; batch * self.outputs * pixels];
        let mut work = Vec::new();
        for (index, plane) in out.chunks_mut(self.outputs * pixels).enumerate() {
            let x = &x[index * sample..][..sample];
            for cell in cut(plane, pixels, row_block, group * COLS) {
                work.push(Block { conv: self, x, index, cell, size: [height, width, out_width], pixels, order, extra });
            }
        }
        run_all(work, batch * self.outputs * pixels * depth);
        out
    }
}

struct Block<'a> {
    conv: &'a PackedConv,
    /// This sample's input.
    x: &'a [f32],
    index: usize,
    cell: Cell<'a>,
    size: [usize; 3],
    pixels: usize,
    order: Order,
    extra: ConvExtra<'a>,
}

impl Task for Block<'_> {
    fn scratch(&self) -> usize {
        self.columns().div_ceil(COLS) * self.conv.depth() * COLS
    }

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S, block: &mut [f32]) {
        let columns = self.columns();
        for (p, panel) in block.chunks_mut(self.conv.depth() * COLS).enumerate() {
            let first = self.cell.col + p * COLS;
            let count = COLS.min(columns - p * COLS);
            match self.order {
                Order::Planes => self.gather(panel, first, count),
                Order::Tokens => self.gather_tokens(panel, first, count),
            }
        }
        self.multiply(simd, block);
    }
}

impl Block<'_> {
    fn columns(&self) -> usize {
        self.cell.rows.first().map_or(0, |row| row.len())
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, block: &[f32]) {
        let conv = self.conv;
        let depth = conv.depth();
        let mut sums = [[0.0; COLS]; ROWS];
        let row = self.cell.row;
        let mut rows = std::mem::take(&mut self.cell.rows);
        let weights = conv.weights[row * depth..].chunks(ROWS * depth);
        for ((step, rows), weights) in rows.chunks_mut(ROWS).enumerate().zip(weights) {
            for (p, panel) in block.chunks(depth * COLS).enumerate() {
                tile::multiply(simd, weights, panel, &mut sums);
                for (r, (out, sums)) in rows.iter_mut().zip(&sums).enumerate() {
                    let channel = row + step * ROWS + r;
                    let end = out.len().min((p + 1) * COLS);
                    let start = (self.index * conv.outputs + channel) * self.pixels + self.cell.col + p * COLS;
                    let mut extra = Extra { constant: conv.bias[channel], columns: None, residual: None };
                    if let Some(added) = self.extra.per_channel {
                        extra.constant += added[self.index * conv.outputs + channel];
                    }
                    if let Some(added) = self.extra.residual {
                        extra.residual = Some(&added[start..start + end - p * COLS]);
                    }
                    tile::write_row(&mut out[p * COLS..end], sums, extra, self.extra.activation);
                }
            }
        }
    }

    /// Packs the inputs of `count` output pixels from `first` on.
    #[inline(always)]
    fn gather(&self, panel: &mut [f32], first: usize, count: usize) {
        let [height, width, out_width] = self.size;
        let PackedConv { kernel, stride, padding, .. } = *self.conv;
        if count < COLS {
            panel.fill(0.0);
        }
        // The pixels lie in one or several rows of the output.
        let mut lane = 0;
        while lane < count {
            let (oy, ox) = ((first + lane) / out_width, (first + lane) % out_width);
            let len = (out_width - ox).min(count - lane);
            let mut lines = panel.chunks_exact_mut(COLS);
            for plane in self.x.chunks_exact(height * width) {
                for ky in 0..kernel {
                    let y = (oy * stride + ky).wrapping_sub(padding);
                    let source = (y < height).then(|| &plane[y * width..][..width]);
                    for kx in 0..kernel {
                        let Some(line) = lines.next() else { return };
                        let line = &mut line[lane..lane + len];
                        match source {
                            None => line.fill(0.0),
                            Some(source) if stride == 1 => shifted(line, source, ox + kx, padding),
                            Some(source) => {
                                for (step, value) in line.iter_mut().enumerate() {
                                    let x = ((ox + step) * stride + kx).wrapping_sub(padding);
                                    *value = source.get(x).copied().unwrap_or(0.0);
                                }
                            }
                        }
                    }
                }
            }
            lane += len;
        }
    }

    /// Packs `count` pixels of a `[pixels][channels]` input.
    #[inline(always)]
    fn gather_tokens(&self, panel: &mut [f32], first: usize, count: usize) {
        let channels = self.conv.inputs;
        if count < COLS {
            panel.fill(0.0);
        }
        for (lane, token) in self.x[first * channels..].chunks_exact(channels).take(count).enumerate() {
            for (line, value) in panel.chunks_exact_mut(COLS).zip(token) {
                line[lane] = *value;
            }
        }
    }
}

/// Copies `source[start - padding ..]` into `line`, with zeros where the source ends.
#[inline(always)]
fn shifted(line: &mut [f32], source: &[f32], start: usize, padding: usize) {
    let before = padding.saturating_sub(start).min(line.len());
    let from = start.saturating_sub(padding);
    let inside = (line.len() - before).min(source.len().saturating_sub(from));
    if before == 0 && inside == line.len() {
        copy(line, &source[from..from + inside]);
    } else {
        line.fill(0.0);
        line[before..before + inside].copy_from_slice(&source[from..from + inside]);
    }
}

/// A copy whose usual lengths are known to the compiler.
#[inline(always)]
fn copy(to: &mut [f32], from: &[f32]) {
    #[inline(always)]
    fn fixed<const N: usize>(to: &mut [f32], from: &[f32]) {
        if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
            *to = *from;
        }
    }
    match to.len() {
        32 => fixed::<32>(to, from),
        16 => fixed::<16>(to, from),
        8 => fixed::<8>(to, from),
        _ => to.copy_from_slice(from),
    }
}
