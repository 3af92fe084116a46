//! Making pictures smaller: roughly, row by row, while they are unpacked; then finely, as a whole.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::RgbImage;

use crate::limits::MAX_KEPT_SIDE;

/// The size that a picture of this size is kept in: the same, or with the longer side at
/// [`MAX_KEPT_SIDE`].
pub(crate) fn kept_size(width: u32, height: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= MAX_KEPT_SIDE {
        return (width, height);
    }
    let scaled = |side: u32| {
        let (side, longer, kept) = (u64::from(side), u64::from(longer), u64::from(MAX_KEPT_SIDE));
        ((side * kept + longer / 2) / longer).max(1) as u32
    };
    (scaled(width), scaled(height))
}

/// Resizes with a Lanczos filter, on sRGB values as they are. `None` if that is not possible, which is so
/// for no picture within the limits.
pub(crate) fn resize(picture: RgbImage, (width, height): (u32, u32)) -> Option<RgbImage> {
    if picture.dimensions() == (width, height) {
        return Some(picture);
    }
    resize_part(&picture, (0, 0, picture.width(), picture.height()), (width, height))
}

/// Resizes the part of a picture that begins at `x, y` and has this width and height. `None` if the part
/// is not within the picture.
pub(crate) fn resize_part(
    picture: &RgbImage,
    (x, y, part_width, part_height): (u32, u32, u32, u32),
    (width, height): (u32, u32),
) -> Option<RgbImage> {
    let source = ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3).ok()?;
    let mut target = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().crop(x.into(), y.into(), part_width.into(), part_height.into());
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    RgbImage::from_raw(width, height, target.into_vec())
}

/// Takes the rows of a picture from the top and keeps the average of every square of pixels, as large a
/// square as leaves the longer side at [`MAX_KEPT_SIDE`] or more. So a picture is never in memory in
/// full size.
pub(crate) struct RowShrinker {
    width: u32,
    height: u32,
    /// The side of a square in pixels, 1 to 9.
    factor: u32,
    /// The sums of the squares that the current rows run through, three per square.
    sums: Vec<u32>,
    rows_in_sums: u32,
    kept: Vec<u8>,
}

impl RowShrinker {
    /// For a picture of this width and height in pixels, within the limits.
    pub(crate) fn new(width: u32, height: u32) -> RowShrinker {
        let factor = (width.max(height) / MAX_KEPT_SIDE).max(1);
        let (columns, rows) = (width.div_ceil(factor) as usize, height.div_ceil(factor) as usize);
        let sums = if factor == 1 { Vec::new() } else { vec![0; columns * 3] };
        RowShrinker { width, height, factor, sums, rows_in_sums: 0, kept: Vec::with_capacity(columns * rows * 3) }
    }

    /// Takes the next row: three bytes per pixel. A shorter row leaves the picture incomplete.
    pub(crate) fn push(&mut self, row: &[u8]) {
        if self.factor == 1 {
            self.kept.extend_from_slice(row);
            return;
        }
        for (sum, square) in self.sums.chunks_exact_mut(3).zip(row.chunks(3 * self.factor as usize)) {
            for pixel in square.chunks_exact(3) {
                sum[0] += u32::from(pixel[0]);
                sum[1] += u32::from(pixel[1]);
                sum[2] += u32::from(pixel[2]);
            }
        }
        self.rows_in_sums += 1;
        if self.rows_in_sums == self.factor {
            self.keep_averages();
        }
    }

    /// The shrunk picture. `None` if rows are missing.
    pub(crate) fn finish(mut self) -> Option<RgbImage> {
        if self.rows_in_sums > 0 {
            self.keep_averages();
        }
        RgbImage::from_raw(self.width.div_ceil(self.factor), self.height.div_ceil(self.factor), self.kept)
    }

    fn keep_averages(&mut self) {
        let whole = self.factor * self.rows_in_sums;
        let last = match self.width % self.factor {
            0 => whole,
            narrow => narrow * self.rows_in_sums,
        };
        let (squares, last_square) = self.sums.split_at(self.sums.len() - 3);
        self.kept.extend(squares.iter().map(|sum| average(*sum, whole)));
        self.kept.extend(last_square.iter().map(|sum| average(*sum, last)));
        self.sums.fill(0);
        self.rows_in_sums = 0;
    }
}

fn average(sum: u32, count: u32) -> u8 {
    ((sum + count / 2) / count) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_decides_what_is_kept() {
        assert_eq!(kept_size(2_048, 2_048), (2_048, 2_048));
        assert_eq!(kept_size(100, 50), (100, 50));
        assert_eq!(kept_size(4_096, 2_048), (2_048, 1_024));
        assert_eq!(kept_size(3_000, 4_000), (1_536, 2_048));
        assert_eq!(kept_size(2_500, 20_000), (256, 2_048));
        assert_eq!(kept_size(2_049, 2_049), (2_048, 2_048));
    }

    #[test]
    fn averages_are_exact_at_the_edges_too() {
        // 4,097 pixels are 2,048 squares and one of a single pixel.
        let (width, height) = (4_097, 33);
        let mut shrinker = RowShrinker::new(width, height);
        for y in 0..height {
            let row: Vec<u8> =
                (0..width).flat_map(|x| [(x % 2 * 100) as u8, (y % 2 * 50) as u8, (x / 2) as u8]).collect();
            shrinker.push(&row);
        }
        let kept = shrinker.finish().expect("it is complete");
        assert_eq!(kept.dimensions(), (2_049, 17));
        assert_eq!(kept.get_pixel(7, 3).0, [50, 25, 7]);
        assert_eq!(kept.get_pixel(2_048, 3).0, [0, 25, 0]);
        assert_eq!(kept.get_pixel(2_047, 16).0, [50, 0, 255]);
        assert_eq!(kept.get_pixel(2_048, 16).0, [0, 0, 0]);
    }

    #[test]
    fn small_pictures_pass_unchanged() {
        let picture = RgbImage::from_fn(50, 40, |x, y| image::Rgb([x as u8, y as u8, 9]));
        let mut shrinker = RowShrinker::new(50, 40);
        picture.as_raw().chunks_exact(150).for_each(|row| shrinker.push(row));
        assert_eq!(shrinker.finish(), Some(picture.clone()));
        assert_eq!(resize(picture.clone(), (50, 40)), Some(picture));
    }

    #[test]
    fn a_picture_with_missing_rows_is_none() {
        let mut shrinker = RowShrinker::new(50, 40);
        shrinker.push(&[0; 150]);
        assert_eq!(shrinker.finish(), None);
    }

    #[test]
    fn one_colour_stays_one_colour() {
        let picture = RgbImage::from_pixel(300, 200, image::Rgb([10, 200, 90]));
        let small = resize(picture, (77, 51)).expect("it resizes");
        assert!(small.pixels().all(|pixel| pixel.0 == [10, 200, 90]));
    }
}
