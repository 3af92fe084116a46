//! The one matrix kernel: a tile of 8 rows by 32 columns, kept in registers while it sums.

use pulp::Simd;

use super::math;
use crate::nn::activation::Activation;

/// Rows of a tile. The left operand is packed as `[depth][ROWS]`.
pub(crate) const ROWS: usize = 8;
/// Columns of a tile. The right operand is packed as `[depth][COLS]`.
pub(crate) const COLS: usize = 32;

pub(crate) type Tile = [[f32; COLS]; ROWS];

/// `tile[r][c] = sum over depth of a[depth][r] * b[depth][c]`.
#[inline(always)]
pub(crate) fn multiply<S: Simd>(simd: S, a: &[f32], b: &[f32], tile: &mut Tile) {
    // As many rows at once as the registers hold.
    match S::F32_LANES {
        16 => rows::<S, 8, 2>(simd, a, b, 0, tile),
        8 => {
            for part in 0..4 {
                rows::<S, 2, 4>(simd, a, b, 2 * part, tile);
            }
        }
        4 => {
            for part in 0..4 {
                rows::<S, 2, 8>(simd, a, b, 2 * part, tile);
            }
        }
        _ => {
            for part in 0..8 {
                rows::<S, 1, 32>(simd, a, b, part, tile);
            }
        }
    }
}

#[inline(always)]
fn rows<S: Simd, const R: usize, const V: usize>(simd: S, a: &[f32], b: &[f32], first: usize, tile: &mut Tile) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (a, b) in a.as_chunks::<ROWS>().0.iter().zip(b.as_chunks::<COLS>().0) {
        let (b, _) = S::as_simd_f32s(b);
        let Some(b) = b.first_chunk::<V>() else { return };
        for r in 0..R {
            let x = simd.splat_f32s(a[first + r]);
            for v in 0..V {
                sums[r][v] = simd.mul_add_e_f32s(x, b[v], sums[r][v]);
            }
        }
    }
    for r in 0..R {
        let (out, _) = S::as_mut_simd_f32s(&mut tile[first + r]);
        for (out, sum) in out.iter_mut().zip(sums[r]) {
            *out = sum;
        }
    }
}

/// What is added to a finished row before its activation.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extra<'a> {
    /// Added to every value of the row.
    pub(crate) constant: f32,
    /// Added column by column: a bias.
    pub(crate) columns: Option<&'a [f32]>,
    /// Added value by value: what a residual connection carries past the layer.
    pub(crate) residual: Option<&'a [f32]>,
}

/// Writes one row of a tile, of which the first `out.len()` values count.
#[inline(always)]
pub(crate) fn write_row(out: &mut [f32], sums: &[f32; COLS], extra: Extra<'_>, activation: Activation) {
    let mut row = *sums;
    for value in &mut row {
        *value += extra.constant;
    }
    for added in [extra.columns, extra.residual].into_iter().flatten() {
        for (value, added) in row.iter_mut().zip(added) {
            *value += added;
        }
    }
    activate(&mut row, activation);
    let len = out.len();
    match out.first_chunk_mut::<COLS>() {
        Some(whole) => *whole = row,
        None => out.copy_from_slice(&row[..len]),
    }
}

/// Applies an activation in place.
#[inline(always)]
pub(crate) fn activate(values: &mut [f32], activation: Activation) {
    match activation {
        Activation::None => {}
        Activation::Relu => {
            for x in values {
                *x = x.max(0.0);
            }
        }
        Activation::Silu => {
            for x in values {
                *x = math::silu(*x);
            }
        }
        Activation::Gelu => {
            for x in values {
                *x = math::gelu(*x);
            }
        }
        Activation::QuickGelu => {
            for x in values {
                *x = math::quick_gelu(*x);
            }
        }
    }
}

/// Packs a row-major matrix `[rows, depth]` into left operands: blocks of `[depth][ROWS]`, the last
/// one filled up with zeros.
pub(crate) fn pack_left(values: &[f32], depth: usize) -> Vec<f32> {
    let mut packed = vec![0.0; (values.len() / depth).div_ceil(ROWS) * ROWS * depth];
    for (block, rows) in packed.chunks_mut(ROWS * depth).zip(values.chunks(ROWS * depth)) {
        for (r, row) in rows.chunks(depth).enumerate() {
            for (k, value) in row.iter().enumerate() {
                block[k * ROWS + r] = *value;
            }
        }
    }
    packed
}

/// Packs a row-major matrix `[rows, depth]`, transposed, into right operands: blocks of
/// `[depth][COLS]` whose columns are the matrix's rows, the last one filled up with zeros.
pub(crate) fn pack_right(values: &[f32], depth: usize) -> Vec<f32> {
    let mut packed = vec![0.0; (values.len() / depth).div_ceil(COLS) * COLS * depth];
    for (block, rows) in packed.chunks_mut(COLS * depth).zip(values.chunks(COLS * depth)) {
        for (c, row) in rows.chunks(depth).enumerate() {
            for (k, value) in row.iter().enumerate() {
                block[k * COLS + c] = *value;
            }
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use pulp::{Simd, WithSimd};

    use super::{COLS, ROWS, Tile, multiply};

    struct Multiply<'a>(&'a [f32], &'a [f32]);

    impl WithSimd for Multiply<'_> {
        type Output = Tile;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Tile {
            let mut tile = [[0.0; COLS]; ROWS];
            multiply(simd, self.0, self.1, &mut tile);
            tile
        }
    }

    /// Whatever instructions a processor has, the tile is the same product.
    #[test]
    fn every_instruction_set_agrees() {
        let depth = 57;
        let a: Vec<f32> = (0..depth * ROWS).map(|i| (i as f32 * 0.37).sin()).collect();
        let b: Vec<f32> = (0..depth * COLS).map(|i| (i as f32 * 0.11).cos()).collect();
        let mut tiles = vec![pulp::Scalar.vectorize(Multiply(&a, &b)), super::super::dispatch(Multiply(&a, &b))];
        #[cfg(target_arch = "x86_64")]
        if let Some(older) = pulp::x86::V3::try_new() {
            tiles.push(Simd::vectorize(older, Multiply(&a, &b)));
        }
        for tile in tiles {
            for (r, row) in tile.iter().enumerate() {
                for (c, found) in row.iter().enumerate() {
                    let wanted: f32 = (0..depth).map(|k| a[k * ROWS + r] * b[k * COLS + c]).sum();
                    assert!((found - wanted).abs() < 1e-4, "{found} is not {wanted}");
                }
            }
        }
    }
}
