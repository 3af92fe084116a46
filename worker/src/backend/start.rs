//! The picture that a job goes on from, ready to begin with.

use std::io::Cursor;

use domain::source::is_within;
use domain::{ValidRequest, Way};
use image::imageops::{FilterType, crop_imm, resize};
use image::{GrayImage, ImageFormat, ImageReader, Limits, Luma, RgbImage};

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
    use domain::source::{Area, Place};
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
