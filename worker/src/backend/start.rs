//! The picture that a job goes on from, ready to begin with.

use std::io::Cursor;

use domain::source::{Placed, is_within};
use domain::{ValidRequest, Way};
use image::imageops::{FilterType, crop_imm, resize};
use image::{GrayImage, ImageFormat, ImageReader, Limits, Luma, RgbImage};

/// How far into a picture its seam with what is drawn around it reaches, in pixels: the border along which the engine
/// mixes the two is as wide.
const SEAM: u32 = 8;

/// A picture to go on from.
#[derive(Clone, Debug, PartialEq)]
pub struct StartPicture {
    /// Of the size that is asked for; of its own where it is to be made larger.
    pub picture: RgbImage,
    /// White where it is made anew, black where it stays; where there is none, all of it is.
    pub mask: Option<GrayImage>,
}

impl StartPicture {
    /// Reads it from PNG bytes. Takes as long as decoding does.
    ///
    /// # Errors
    /// With a sentence, when it is not the picture that the request names, or none is named.
    pub fn read(png: &[u8], request: &ValidRequest) -> Result<Self, String> {
        let source = request.source.as_ref().ok_or("no picture to go on from was named")?;
        let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
        let mut limits = Limits::default();
        limits.max_image_width = Some(source.width);
        limits.max_image_height = Some(source.height);
        // Four channels of two bytes, and as much again to work with.
        limits.max_alloc = Some(u64::from(source.width) * u64::from(source.height) * 16 + (1 << 20));
        reader.limits(limits);
        let decoded = reader.decode().map_err(|error| format!("the picture to go on from can't be read: {error}"))?;
        let picture = decoded.into_rgb8();
        if picture.dimensions() != (source.width, source.height) {
            let (width, height) = picture.dimensions();
            return Err(format!(
                "the picture to go on from is {width}x{height}, not {}x{}",
                source.width, source.height
            ));
        }
        Ok(match &source.way {
            Way::Upscale { .. } => Self { picture, mask: None },
            Way::Vary { .. } => Self { picture: covering(picture, request.width, request.height), mask: mask(request) },
            Way::Extend { placed, .. } => {
                if !placed.is_within(request.width, request.height) {
                    return Err("the picture to go on from lies outside of the one to be made".into());
                }
                let picture = covering(picture, placed.width, placed.height);
                Self {
                    picture: mirrored(&picture, *placed, request.width, request.height),
                    mask: Some(around(*placed, request.width, request.height)),
                }
            }
        })
    }

    /// A grey one: for trying what makes pictures larger.
    pub fn blank(width: u32, height: u32) -> Self {
        Self { picture: RgbImage::from_pixel(width, height, image::Rgb([128; 3])), mask: None }
    }
}

/// The middle of a picture at this size: nothing is stretched.
fn covering(picture: RgbImage, width: u32, height: u32) -> RgbImage {
    let (w, h) = picture.dimensions();
    if (w, h) == (width, height) {
        return picture;
    }
    let scale = (f64::from(width) / f64::from(w)).max(f64::from(height) / f64::from(h));
    let side = |side: u32, least: u32| ((f64::from(side) * scale).round() as u32).max(least);
    let (w, h) = (side(w, width), side(h, height));
    let scaled = resize(&picture, w, h, FilterType::CatmullRom);
    crop_imm(&scaled, (w - width) / 2, (h - height) / 2, width, height).to_image()
}

/// A picture with room around it, which it fills with its own reflection.
///
/// What is drawn there begins with noise alone, so this is seen only along the edge: there the encoder, which looks at
/// pixels together with their neighbours, meets a picture that goes on.
fn mirrored(picture: &RgbImage, placed: Placed, width: u32, height: u32) -> RgbImage {
    let reflected = |at: u32, start: u32, side: u32| {
        let along = (i64::from(at) - i64::from(start)).rem_euclid(2 * i64::from(side)) as u32;
        along.min(2 * side - 1 - along)
    };
    RgbImage::from_fn(width, height, |x, y| {
        *picture.get_pixel(reflected(x, placed.left, placed.width), reflected(y, placed.top, placed.height))
    })
}

/// White around a picture, and over a strip of it where it goes on: along that strip the old goes over into the new.
fn around(placed: Placed, width: u32, height: u32) -> GrayImage {
    let stays = |start: u32, side: u32, whole: u32| {
        let seam = SEAM.min(side / 4);
        let end = start + side;
        (if start > 0 { start + seam } else { start })..(if end < whole { end - seam } else { end })
    };
    let (columns, rows) = (stays(placed.left, placed.width, width), stays(placed.top, placed.height, height));
    GrayImage::from_fn(width, height, |x, y| Luma([if columns.contains(&x) && rows.contains(&y) { 0 } else { 255 }]))
}

/// White where the picture may change, black where it stays as it is.
fn mask(request: &ValidRequest) -> Option<GrayImage> {
    let region = request.source.as_ref().map(domain::Source::region).filter(|region| !region.is_empty())?;
    let (width, height) = (request.width, request.height);
    // A pixel is where its middle is.
    let middle = |at: u32, side: u32| (f64::from(at) + 0.5) / f64::from(side);
    Some(GrayImage::from_fn(width, height, |x, y| {
        Luma([if is_within(region, middle(x, width), middle(y, height)) { 255 } else { 0 }])
    }))
}

#[cfg(test)]
mod tests {
    use domain::source::{Area, Cells, Extend, Place};
    use domain::{OutputId, Source};

    use super::*;
    use crate::ticker::tests::request;

    fn wanted(width: u32, height: u32, way: Way) -> ValidRequest {
        let source = Source { media: OutputId::from_random(1), width: 96, height: 64, way };
        ValidRequest { width, height, source: Some(source), ..request("a") }
    }

    fn vary(region: &[Area]) -> Way {
        Way::Vary { strength: 0.5, region: region.to_vec() }
    }

    fn extend(placed: Placed) -> Way {
        Way::Extend { extend: Extend { left: 0.25, right: 0.5, ..Extend::default() }, placed }
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 9]));
        engine::encode_png(&picture, None).expect("a PNG")
    }

    #[test]
    fn it_has_the_size_that_is_asked_for_and_its_own_where_it_becomes_larger() {
        let size = |request: &ValidRequest| StartPicture::read(&png(96, 64), request).map(|s| s.picture.dimensions());
        assert_eq!(size(&wanted(96, 64, vary(&[]))), Ok((96, 64)));
        assert_eq!(size(&wanted(64, 128, vary(&[]))), Ok((64, 128)));
        assert_eq!(size(&wanted(192, 128, Way::Upscale { factor: 2 })), Ok((96, 64)));
    }

    #[test]
    fn what_is_not_that_picture_is_refused() {
        let wanted = wanted(96, 64, vary(&[]));
        for bytes in [png(64, 64), png(960, 640), b"no picture".to_vec(), png(96, 64)[..200].to_vec()] {
            assert!(StartPicture::read(&bytes, &wanted).is_err_and(|why| why.contains("to go on from")));
        }
        assert!(StartPicture::read(&png(96, 64), &request("a")).is_err());
    }

    #[test]
    fn a_painted_part_is_white_cell_by_cell() {
        let mut cells = Cells::NONE;
        cells.set(2, 3, true);
        let request = wanted(96, 64, vary(&[Area::Cells { cells }]));
        let mask = StartPicture::read(&png(96, 64), &request).expect("a start").mask.expect("a mask");
        let white = |(x, y)| (6..9).contains(&x) && (6..8).contains(&y);
        assert!(mask.enumerate_pixels().all(|(x, y, pixel)| pixel.0 == [if white((x, y)) { 255 } else { 0 }]));
    }

    #[test]
    fn with_more_room_the_picture_stays_and_the_rest_is_its_reflection() {
        let placed = Placed { left: 32, top: 0, width: 96, height: 64 };
        let request = wanted(192, 64, extend(placed));
        let StartPicture { picture, mask } = StartPicture::read(&png(96, 64), &request).expect("a start");
        let mask = mask.expect("a mask");
        assert_eq!((picture.dimensions(), mask.dimensions()), ((192, 64), (192, 64)));
        // Across: reflected, itself, reflected.
        let across = [0, 31, 32, 127, 128, 191].map(|x| picture.get_pixel(x, 5).0[0]);
        assert_eq!(across, [31, 0, 0, 95, 95, 32]);
        assert!(picture.rows().all(|mut row| row.next().is_some_and(|pixel| pixel.0[0] == 31)));
        // Anew around it and over a strip of it, from top to bottom: above and below there is no room.
        let anew = |x: u32| !(32 + SEAM..128 - SEAM).contains(&x);
        assert!(mask.enumerate_pixels().all(|(x, _, pixel)| pixel.0 == [if anew(x) { 255 } else { 0 }]));
    }

    #[test]
    fn with_more_room_it_is_scaled_where_it_has_to_be_and_refused_where_it_has_no_place() {
        let size = |width, height, placed| {
            let start = StartPicture::read(&png(96, 64), &wanted(width, height, extend(placed)));
            start.map(|start| (start.picture.dimensions(), start.mask.is_some()))
        };
        let placed = Placed { left: 0, top: 16, width: 48, height: 32 };
        assert_eq!(size(64, 64, placed), Ok(((64, 64), true)));
        for bad in [
            Placed { left: 32, ..placed },
            Placed { width: 0, ..placed },
            Placed { top: 40, ..placed },
            Placed { left: u32::MAX, ..placed },
        ] {
            assert!(size(64, 64, bad).is_err_and(|why| why.contains("outside")), "{bad:?}");
        }
        assert_eq!(size(64, 64, Placed { left: 31, top: 0, width: 1, height: 1 }), Ok(((64, 64), true)));
    }

    #[test]
    fn the_mask_is_white_where_the_region_is() {
        let mask = |region: &[Place]| {
            let region: Vec<Area> = region.iter().copied().map(Area::Place).collect();
            StartPicture::read(&png(96, 64), &wanted(96, 64, vary(&region))).expect("a start").mask
        };
        let sky = mask(&[Place::Sky]).expect("a mask");
        assert!(sky.enumerate_pixels().all(|(_, y, pixel)| pixel.0[0] == if y < 32 { 255 } else { 0 }));
        let whole = mask(&[Place::Sky, Place::Ground]).expect("a mask");
        assert!(whole.pixels().all(|pixel| pixel.0 == [255]));
        assert_eq!(mask(&[]), None);
    }
}
