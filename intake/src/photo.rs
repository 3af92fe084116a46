//! The clean picture that an upload becomes.

use std::fmt;

use image::RgbImage;

/// A picture that someone uploaded, unpacked and cleaned: nothing of the file is in it but what the
/// picture looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// 8 bits per channel, upright, both sides at most [`MAX_KEPT_SIDE`](crate::MAX_KEPT_SIDE).
    pub pixels: RgbImage,
    /// Width and height in pixels as the uploaded picture is shown: upright, before shrinking.
    pub original: (u32, u32),
    /// What the upload was.
    pub format: Format,
}

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
}

/// A picture could not be written as PNG. No bytes from outside lead here: only lack of memory could.
#[derive(Debug, thiserror::Error)]
#[error("the picture could not be written as PNG ({0}); nothing was kept; send it again")]
pub struct EncodeError(#[from] png::EncodingError);

impl Photo {
    /// The picture as a fresh PNG without metadata. No byte of the upload is copied into it, which is
    /// what makes files harmless that are a picture and something else at once.
    ///
    /// # Errors
    /// [`EncodeError`], which no photo from [`take_in`](crate::take_in) causes.
    pub fn to_png(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.pixels.width(), self.pixels.height());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels.as_raw())?;
        writer.finish()?;
        Ok(bytes)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_shows_the_same_pixels() {
        let pixels = RgbImage::from_fn(37, 33, |x, y| image::Rgb([x as u8 * 5, y as u8 * 7, (x * y) as u8]));
        let photo = Photo { pixels, original: (37, 33), format: Format::Gif };
        let png = photo.to_png().expect("it encodes");
        assert_eq!(image::load_from_memory(&png).expect("it decodes").to_rgb8(), photo.pixels);
    }
}
