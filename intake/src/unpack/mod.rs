//! From the bytes of a file to pixels: one module per format.
//!
//! Each reads the size from the header first and has it judged, estimates what unpacking will cost, and
//! only then starts a decoder.

mod gif;
mod jpeg;
mod jpeg_outline;
mod png;
mod webp;
mod webp_container;
mod webp_lossless;

use image::RgbImage;
use image::metadata::Orientation;

use crate::photo::Format;
use crate::refusal::Refusal;

/// A picture as the file has it, not yet upright, perhaps already shrunk a little.
pub(crate) struct Unpacked {
    pub(crate) pixels: RgbImage,
    /// Width and height in pixels that the file states.
    pub(crate) size: (u32, u32),
    pub(crate) orientation: Orientation,
}

/// Unpacks a file that begins like this format.
///
/// # Errors
/// Every [`Refusal`] but those about files that aren't pictures.
pub(crate) fn unpack(bytes: &[u8], format: Format) -> Result<Unpacked, Refusal> {
    match format {
        Format::Jpeg => jpeg::unpack(bytes),
        Format::Png => png::unpack(bytes),
        Format::WebP => webp::unpack(bytes),
        Format::Gif => gif::unpack(bytes),
    }
}

/// Whether width and height change places when a picture is set upright.
pub(crate) fn lies_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

/// The orientation that EXIF data state, with or without the mark that JPEG puts before them. Data that
/// make no sense state none.
fn orientation(exif: Option<&[u8]>) -> Orientation {
    exif.and_then(|exif| Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif)))
        .unwrap_or(Orientation::NoTransforms)
}

/// One colour channel of a pixel, laid over white.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparency_is_laid_over_white() {
        assert_eq!(over_white(17, 255), 17);
        assert_eq!(over_white(17, 0), 255);
        assert_eq!(over_white(0, 128), 127);
        assert_eq!(over_white(255, 128), 255);
    }

    #[test]
    fn nonsense_in_exif_is_no_orientation() {
        for exif in [&b""[..], b"Exif\0\0", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"] {
            assert_eq!(orientation(Some(exif)), Orientation::NoTransforms);
        }
    }
}
