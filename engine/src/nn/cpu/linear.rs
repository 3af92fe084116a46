//! Linear layers over tokens, with bias, residual and activation written in the same pass.

use pulp::Simd;

use super::grid::{Cell, cut};
use super::tile::{self, COLS, Extra, ROWS};
use super::{Task, run_all, wanted_tasks};
use crate::nn::activation::Activation;

/// Weights of one linear layer.
#[derive(Debug)]
pub(crate) struct PackedLinear {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// `[outputs / COLS][inputs][COLS]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// How the inputs lie in memory.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// `[tokens][inputs]`.
    Tokens,
    /// `[batch][inputs][this many tokens]`: an image's channel planes.
    Planes(usize),
}

impl PackedLinear {
    /// `weights` is `[outputs, inputs]`.
    pub(crate) fn new(weights: &[f32], bias: Option<Vec<f32>>, outputs: usize, inputs: usize) -> PackedLinear {
        let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
        PackedLinear { inputs, outputs, weights: tile::pack_right(weights, inputs), bias }
    }

    /// Maps every token to `[tokens][outputs]`. `residual` has the shape of the output.
    pub(crate) fn run(&self, x: &[f32], source: Source, residual: Option<&[f32]>, activation: Activation) -> Vec<f32> {
        let tokens = x.len() / self.inputs;
        let mut out = vec![0.0; tokens * self.outputs];
        let row_block = (tokens / wanted_tasks()).clamp(1, 8 * ROWS).next_multiple_of(ROWS);
        let splits = wanted_tasks().div_ceil(tokens.div_ceil(row_block));
        let col_block = self.outputs.div_ceil(splits).next_multiple_of(COLS);
        let work = cut(&mut out, self.outputs, row_block, col_block)
            .into_iter()
            .map(|cell| Block { linear: self, x, source, cell, residual, activation })
            .collect();
        run_all(work, tokens * self.inputs * self.outputs);
        out
    }
}

struct Block<'a> {
    linear: &'a PackedLinear,
    x: &'a [f32],
    source: Source,
    cell: Cell<'a>,
    residual: Option<&'a [f32]>,
    activation: Activation,
}

impl Task for Block<'_> {
    fn scratch(&self) -> usize {
        self.cell.rows.len().div_ceil(ROWS) * ROWS * self.linear.inputs
    }

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S, packed: &mut [f32]) {
        let PackedLinear { inputs, outputs, .. } = *self.linear;
        let mut rows = std::mem::take(&mut self.cell.rows);
        for (step, block) in packed.chunks_mut(ROWS * inputs).enumerate() {
            self.pack(block, self.cell.row + step * ROWS, ROWS.min(rows.len() - step * ROWS));
        }
        let mut sums = [[0.0; COLS]; ROWS];
        let columns = rows.first().map_or(0, |row| row.len());
        let panels = self.linear.weights[self.cell.col * inputs..].chunks(COLS * inputs);
        for (p, panel) in panels.enumerate().take(columns.div_ceil(COLS)) {
            let (start, end) = (p * COLS, columns.min((p + 1) * COLS));
            let bias = &self.linear.bias[self.cell.col + start..self.cell.col + end];
            for (step, (rows, block)) in rows.chunks_mut(ROWS).zip(packed.chunks(ROWS * inputs)).enumerate() {
                tile::multiply(simd, block, panel, &mut sums);
                for (r, (out, sums)) in rows.iter_mut().zip(&sums).enumerate() {
                    let mut extra = Extra { constant: 0.0, columns: Some(bias), residual: None };
                    if let Some(added) = self.residual {
                        let at = (self.cell.row + step * ROWS + r) * outputs + self.cell.col + start;
                        extra.residual = Some(&added[at..at + end - start]);
                    }
                    tile::write_row(&mut out[start..end], sums, extra, self.activation);
                }
            }
        }
    }
}

impl Block<'_> {
    /// Packs `count` tokens from `first` on as a left operand.
    #[inline(always)]
    fn pack(&self, block: &mut [f32], first: usize, count: usize) {
        let inputs = self.linear.inputs;
        if count < ROWS {
            block.fill(0.0);
        }
        match self.source {
            Source::Tokens => {
                for (r, token) in self.x[first * inputs..].chunks_exact(inputs).take(count).enumerate() {
                    for (line, value) in block.chunks_exact_mut(ROWS).zip(token) {
                        line[r] = *value;
                    }
                }
            }
            Source::Planes(pixels) => {
                for r in 0..count {
                    let (sample, pixel) = ((first + r) / pixels, (first + r) % pixels);
                    let planes = self.x[sample * inputs * pixels..].chunks_exact(pixels);
                    for (line, plane) in block.chunks_exact_mut(ROWS).zip(planes) {
                        line[r] = plane[pixel];
                    }
                }
            }
        }
    }
}
