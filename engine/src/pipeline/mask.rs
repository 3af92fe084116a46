//! Masks: which part of a picture is drawn anew, and how the rest is put back around it.

use image::{GrayImage, Luma, RgbImage};

/// From here on a pixel's latent is drawn anew.
const REDRAWN: u8 = 128;

/// A picture of which a part stays.
#[derive(Debug)]
pub(crate) struct Original {
    picture: RgbImage,
    /// How much of each pixel is drawn anew, between 0 and 1; row after row.
    shares: Vec<f32>,
}

impl Original {
    /// `mask` is as large as the picture: black stays, white is drawn anew. Within the white the two go over into
    /// each other along `edge` pixels.
    pub(super) fn new(picture: &RgbImage, mask: &GrayImage, edge: u32) -> Original {
        let ramp = edge as f32 + 1.0;
        let share = |(pixel, inside): (&Luma<u8>, u32)| f32::from(pixel.0[0]) / 255.0 * (inside as f32 / ramp).min(1.0);
        Original { picture: picture.clone(), shares: mask.pixels().zip(depths(mask)).map(share).collect() }
    }

    /// Puts the pixels that stay around what was drawn; both pictures are of one size.
    pub(super) fn put_back(&self, drawn: &mut RgbImage) {
        for ((drawn, original), share) in drawn.pixels_mut().zip(self.picture.pixels()).zip(&self.shares) {
            for (drawn, original) in drawn.0.iter_mut().zip(original.0) {
                let (new, old) = (f32::from(*drawn), f32::from(original));
                *drawn = (old + share * (new - old)).round() as u8;
            }
        }
    }
}

/// For each latent, row after row, 1 if any of its `factor` x `factor` pixels is drawn anew, else 0.
pub(super) fn redrawn(mask: &GrayImage, factor: usize) -> Vec<u8> {
    let (height, width) = (mask.height() as usize / factor, mask.width() as usize / factor);
    let mut latents = vec![0; height * width];
    for (x, y, pixel) in mask.enumerate_pixels() {
        let (x, y) = (x as usize / factor, y as usize / factor);
        if pixel.0[0] >= REDRAWN && x < width && y < height {
            latents[y * width + x] = 1;
        }
    }
    latents
}

/// How many steps, up, down, left or right, each pixel is from the nearest black one; what lies outside of the picture
/// is not black.
fn depths(mask: &GrayImage) -> Vec<u32> {
    let (width, height) = (mask.width() as usize, mask.height() as usize);
    let mut depths: Vec<u32> = mask.pixels().map(|pixel| if pixel.0[0] == 0 { 0 } else { u32::MAX }).collect();
    let meet = |depths: &mut Vec<u32>, at: usize, neighbour: usize| {
        depths[at] = depths[at].min(depths[neighbour].saturating_add(1));
    };
    for at in 0..width * height {
        if at % width > 0 {
            meet(&mut depths, at, at - 1);
        }
        if at >= width {
            meet(&mut depths, at, at - width);
        }
    }
    for at in (0..width * height).rev() {
        if at % width + 1 < width {
            meet(&mut depths, at, at + 1);
        }
        if at + width < width * height {
            meet(&mut depths, at, at + width);
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, Rgb, RgbImage};

    use super::{Original, depths, redrawn};

    fn mask(rows: &[&[u8]]) -> GrayImage {
        GrayImage::from_fn(rows[0].len() as u32, rows.len() as u32, |x, y| Luma([rows[y as usize][x as usize]]))
    }

    #[test]
    fn depths_count_from_the_nearest_black_pixel() {
        let rows: [&[u8]; 4] = [&[9, 9, 9, 9, 9], &[9, 9, 0, 9, 9], &[9, 9, 9, 9, 9], &[9, 9, 9, 9, 9]];
        let wanted = [3, 2, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 2, 3, 4, 3, 2, 3, 4];
        assert_eq!(depths(&mask(&rows)), wanted);
        assert_eq!(depths(&mask(&[&[9, 9]])), [u32::MAX; 2]);
    }

    #[test]
    fn a_latent_is_drawn_anew_if_any_of_its_pixels_is() {
        let rows: [&[u8]; 4] = [&[0, 0, 0, 127], &[0, 128, 127, 127], &[255, 0, 0, 0], &[0, 0, 0, 255]];
        assert_eq!(redrawn(&mask(&rows), 2), [1, 0, 1, 1]);
    }

    #[test]
    fn pixels_come_back_over_a_soft_edge() {
        let original = RgbImage::from_pixel(6, 1, Rgb([100, 200, 0]));
        let kept = Original::new(&original, &mask(&[&[0, 255, 255, 255, 51, 0]]), 1);
        let mut drawn = RgbImage::from_pixel(6, 1, Rgb([200, 200, 10]));
        kept.put_back(&mut drawn);
        let pixels: Vec<[u8; 3]> = drawn.pixels().map(|pixel| pixel.0).collect();
        let (black, edge, white, grey) = ([100, 200, 0], [150, 200, 5], [200, 200, 10], [110, 200, 1]);
        assert_eq!(pixels, [black, edge, white, white, grey, black]);
    }
}
