//! Bringing a picture to a wanted size.

use image::{Rgb, RgbImage, imageops};

use crate::shrink::resize_part;

/// The longest side of a picture that [`fit`] makes, in pixels.
const MAX_WANTED_SIDE: u32 = 4_096;

/// What happens where the shapes of the picture and of the wanted size differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The size is filled, and what sticks out is cut off on both sides alike.
    Crop,
    /// The whole picture is in it, with bars of this colour on both sides.
    Contain(Rgb<u8>),
}

/// A rectangle within a picture, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// A picture can't be brought to the wanted size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a picture of {width} × {height} pixels can't be made; nothing was kept; choose 1 to {MAX_WANTED_SIDE} pixels for each side"
)]
pub struct FitError {
    width: u32,
    height: u32,
}

/// Brings a picture to exactly this width and height in pixels, enlarging it if need be.
///
/// # Errors
/// [`FitError`], if a wanted side is zero or longer than 4,096 pixels, or the picture has no pixels.
pub fn fit(picture: &RgbImage, width: u32, height: u32, how: Fit) -> Result<RgbImage, FitError> {
    let failed = FitError { width, height };
    let (own_width, own_height) = picture.dimensions();
    let fits = |side: u32| (1..=MAX_WANTED_SIDE).contains(&side);
    if !fits(width) || !fits(height) || own_width == 0 || own_height == 0 {
        return Err(failed);
    }
    match how {
        Fit::Crop => {
            let part = centred((own_width, own_height), (width, height));
            resize_part(picture, (part.x, part.y, part.width, part.height), (width, height)).ok_or(failed)
        }
        Fit::Contain(bars) => {
            let place = centred((width, height), (own_width, own_height));
            let whole = (0, 0, own_width, own_height);
            let inner = resize_part(picture, whole, (place.width, place.height)).ok_or(failed)?;
            let mut outer = RgbImage::from_pixel(width, height, bars);
            imageops::replace(&mut outer, &inner, place.x.into(), place.y.into());
            Ok(outer)
        }
    }
}

/// The largest rectangle of a shape that fits into a size, in its middle. Of an odd pixel, the lower right
/// side gets the more. All sides are in pixels; for sizes without pixels it has none either.
#[must_use]
pub fn centred((outer_width, outer_height): (u32, u32), (shape_width, shape_height): (u32, u32)) -> Rectangle {
    let [outer_w, outer_h, shape_w, shape_h] = [outer_width, outer_height, shape_width, shape_height].map(u64::from);
    if [outer_w, outer_h, shape_w, shape_h].contains(&0) {
        return Rectangle { x: 0, y: 0, width: 0, height: 0 };
    }
    let rounded = |product: u64, divisor: u64| ((product + divisor / 2) / divisor).max(1);
    let (width, height) = if outer_w * shape_h > shape_w * outer_h {
        (rounded(outer_h * shape_w, shape_h).min(outer_w) as u32, outer_height)
    } else {
        (outer_width, rounded(outer_w * shape_h, shape_w).min(outer_h) as u32)
    };
    Rectangle { x: (outer_width - width) / 2, y: (outer_height - height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rectangle(x: u32, y: u32, width: u32, height: u32) -> Rectangle {
        Rectangle { x, y, width, height }
    }

    #[test]
    fn a_shape_is_centred_in_a_size() {
        let cases = [
            ((1_000, 500), (512, 512), rectangle(250, 0, 500, 500)),
            ((500, 1_000), (512, 512), rectangle(0, 250, 500, 500)),
            ((512, 512), (512, 512), rectangle(0, 0, 512, 512)),
            ((1_920, 1_080), (1_080, 1_920), rectangle(656, 0, 608, 1_080)),
            ((101, 100), (1, 1), rectangle(0, 0, 100, 100)),
            ((3, 1_000), (1_000, 3), rectangle(0, 499, 3, 1)),
            ((2_048, 256), (1, 8), rectangle(1_008, 0, 32, 256)),
            ((u32::MAX, u32::MAX), (u32::MAX, u32::MAX), rectangle(0, 0, u32::MAX, u32::MAX)),
            ((0, 10), (5, 5), rectangle(0, 0, 0, 0)),
            ((10, 10), (5, 0), rectangle(0, 0, 0, 0)),
        ];
        for (size, shape, expected) in cases {
            assert_eq!(centred(size, shape), expected, "{shape:?} in {size:?}");
        }
    }

    #[test]
    fn a_centred_shape_is_within_the_size_and_touches_two_sides() {
        for outer in [(1, 1), (7, 3), (640, 479), (33, 2_048)] {
            for shape in [(1, 1), (2, 3), (999, 1), (1, 999), (640, 480)] {
                let found = centred(outer, shape);
                assert!(found.x + found.width <= outer.0 && found.y + found.height <= outer.1);
                assert!(found.width == outer.0 || found.height == outer.1);
                assert!(found.width > 0 && found.height > 0);
            }
        }
    }

    /// Red, green and blue, side by side.
    fn stripes() -> RgbImage {
        RgbImage::from_fn(90, 30, |x, _| Rgb([[255, 0, 0], [0, 255, 0], [0, 0, 255]][(x / 30) as usize]))
    }

    #[test]
    fn cropping_keeps_the_middle() {
        let square = fit(&stripes(), 30, 30, Fit::Crop).expect("it fits");
        assert!(square.pixels().all(|pixel| pixel.0 == [0, 255, 0]));
        assert_eq!(fit(&stripes(), 90, 30, Fit::Crop), Ok(stripes()));
    }

    #[test]
    fn containing_keeps_everything_between_bars() {
        let grey = Rgb([128, 128, 128]);
        let square = fit(&stripes(), 90, 90, Fit::Contain(grey)).expect("it fits");
        assert_eq!(imageops::crop_imm(&square, 0, 30, 90, 30).to_image(), stripes());
        assert!(square.enumerate_pixels().all(|(_, y, pixel)| (30..60).contains(&y) || *pixel == grey));
    }

    #[test]
    fn pictures_are_enlarged_too() {
        let large = fit(&stripes(), 180, 60, Fit::Crop).expect("it fits");
        assert_eq!(large.dimensions(), (180, 60));
        assert_eq!(large.get_pixel(5, 5).0, [255, 0, 0]);
        assert_eq!(large.get_pixel(175, 55).0, [0, 0, 255]);
    }

    #[test]
    fn sizes_that_can_not_be_made_are_errors() {
        for (width, height) in [(0, 10), (10, 0), (4_097, 10), (10, u32::MAX)] {
            assert_eq!(fit(&stripes(), width, height, Fit::Crop), Err(FitError { width, height }));
        }
        assert!(fit(&RgbImage::new(0, 0), 10, 10, Fit::Contain(Rgb([0; 3]))).is_err());
    }
}
