//! The end of the network: its output, four values a pixel and colour, laid out and added to an enlarged picture.

use rayon::prelude::*;

use super::SCALE;

/// `picture` `[planes, height, width]` enlarged bilinearly, with `details` `[planes * 4, height, width]` added: the
/// four planes of each hold the pixels above left, above right, below left and below right. The result is
/// `[planes, 2 * height, 2 * width]`.
///
/// As PyTorch does it: the centres of the corner pixels stay within the corners, and what is outside of the picture is
/// like its border.
pub(super) fn onto_bilinear(details: &[f32], picture: &[f32], [height, width]: [usize; 2]) -> Vec<f32> {
    let pixels = height * width;
    let mut out = vec![0.0; picture.len() * SCALE * SCALE];
    if pixels == 0 {
        return out;
    }
    // Two rows of the result belong to one of the picture.
    out.par_chunks_mut(2 * SCALE * width).enumerate().for_each(|(index, rows)| {
        let (plane, y) = (index / height, index % height);
        let row = |y: usize| &picture[plane * pixels + y * width..][..width];
        let detail = |place: usize| &details[(plane * SCALE * SCALE + place) * pixels + y * width..][..width];
        let (above, middle, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
        let (first, second) = rows.split_at_mut(SCALE * width);
        add_row(first, [above, middle], [detail(0), detail(1)]);
        add_row(second, [below, middle], [detail(2), detail(3)]);
    });
    out
}

/// One row of the result: a quarter of the farther row, three quarters of the nearer one, and the same along the row.
fn add_row(out: &mut [f32], [far, near]: [&[f32]; 2], [left, right]: [&[f32]; 2]) {
    let column = |x: usize| 0.25 * far[x] + 0.75 * near[x];
    let last = near.len() - 1;
    for (x, out) in out.chunks_exact_mut(SCALE).enumerate() {
        let here = 0.75 * column(x);
        out[0] = left[x] + (here + 0.25 * column(x.saturating_sub(1)));
        out[1] = right[x] + (here + 0.25 * column((x + 1).min(last)));
    }
}

#[cfg(test)]
mod tests {
    use super::onto_bilinear;

    #[test]
    fn a_picture_is_enlarged_between_its_pixels() {
        let found = onto_bilinear(&[0.0; 8], &[0.0, 4.0], [1, 2]);
        assert_eq!(found, [0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0]);
        let found = onto_bilinear(&[0.0; 8], &[0.0, 4.0], [2, 1]);
        assert_eq!(found, [0.0, 0.0, 1.0, 1.0, 3.0, 3.0, 4.0, 4.0]);
    }

    #[test]
    fn details_lie_where_they_belong() {
        let details: Vec<f32> = (0..8).map(|value| value as f32).collect();
        let found = onto_bilinear(&details, &[0.0, 0.0], [1, 2]);
        assert_eq!(found, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
    }
}
