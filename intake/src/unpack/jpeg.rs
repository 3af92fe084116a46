//! JPEG: the inverse transform itself makes large pictures smaller, by 2, 4 or 8.

use image::RgbImage;
use jpeg_decoder::{Decoder, Error, PixelFormat};

use super::jpeg_outline::Outline;
use super::{Unpacked, orientation};
use crate::limits::{MAX_KEPT_SIDE, check_unpacking};
use crate::photo::Format;
use crate::refusal::Refusal;

pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked, Refusal> {
    let Outline { frame, exif } = Outline::read(bytes)?;
    let size = (frame.width, frame.height);
    check_unpacking(Format::Jpeg, size, frame.unpacking_bytes(frame.scale_for(MAX_KEPT_SIDE)))?;

    let mut decoder = Decoder::new(bytes);
    let side = MAX_KEPT_SIDE as u16;
    // “Larger than or equal to the requested size in at least one axis.”
    let (width, height) = decoder.scale(side, side).map_err(refusal)?;
    let samples = decoder.decode().map_err(refusal)?;
    let layout = decoder.info().map(|info| info.pixel_format);
    drop(decoder);
    let pixels = match layout {
        Some(PixelFormat::RGB24) => samples,
        Some(PixelFormat::L8) => samples.iter().flat_map(|sample| [*sample; 3]).collect(),
        Some(PixelFormat::CMYK32) => without_black(samples),
        Some(PixelFormat::L16) | None => return Err(Refusal::Rare(Format::Jpeg)),
    };
    let pixels = RgbImage::from_raw(width.into(), height.into(), pixels).ok_or(Refusal::Damaged(Format::Jpeg))?;
    Ok(Unpacked { pixels, size, orientation: orientation(exif) })
}

/// From cyan, magenta, yellow and black, 255 being full ink, to three bytes per pixel, in place. Inks are
/// multiplied as browsers do it; how they look on paper would need the profile.
fn without_black(mut samples: Vec<u8>) -> Vec<u8> {
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let paper = 255 - u16::from(samples[pixel * 4 + 3]);
        for channel in 0..3 {
            let light = 255 - u16::from(samples[pixel * 4 + channel]);
            samples[pixel * 3 + channel] = ((light * paper + 127) / 255) as u8;
        }
    }
    samples.truncate(pixels * 3);
    samples
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Refusal::Truncated(Format::Jpeg),
        Error::Unsupported(_) => Refusal::Rare(Format::Jpeg),
        _ => Refusal::Damaged(Format::Jpeg),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_become_light() {
        let inks = vec![0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 255, 128, 0, 255, 128];
        assert_eq!(without_black(inks), [255, 255, 255, 255, 0, 0, 0, 0, 0, 63, 127, 0]);
    }
}
