//! Cutting a row-major matrix into blocks that threads can write at the same time.

/// One block: where it begins, and its rows.
pub(crate) struct Cell<'a> {
    pub(crate) row: usize,
    pub(crate) col: usize,
    pub(crate) rows: Vec<&'a mut [f32]>,
}

/// Cuts `out`, a matrix with rows of `cols` values, into blocks of at most `row_block` times `col_block`.
pub(crate) fn cut(out: &mut [f32], cols: usize, row_block: usize, col_block: usize) -> Vec<Cell<'_>> {
    let across = cols.div_ceil(col_block);
    let mut cells = Vec::new();
    for (band, chunk) in out.chunks_mut(row_block * cols).enumerate() {
        let first = cells.len();
        let height = chunk.len() / cols;
        cells.extend((0..across).map(|step| Cell {
            row: band * row_block,
            col: step * col_block,
            rows: Vec::with_capacity(height),
        }));
        for row in chunk.chunks_mut(cols) {
            for (cell, piece) in cells[first..].iter_mut().zip(row.chunks_mut(col_block)) {
                cell.rows.push(piece);
            }
        }
    }
    cells
}
