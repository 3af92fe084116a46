//! A look at a picture that somebody hands in as finished, before it is stored.

use std::io::Cursor;
use std::panic;

use image::{ImageFormat, ImageReader, Limits};

/// Bytes that a picture may have beyond four a pixel: its recipe, and what the format needs.
const SLACK: u64 = 256 * 1024;

/// Most bytes that a picture of this size may have.
pub(crate) fn most_bytes(width: u32, height: u32) -> u64 {
    (u64::from(width) * u64::from(height)).saturating_mul(4).saturating_add(SLACK)
}

/// Whether `bytes` are a whole PNG of the given size; the reason if not. Takes as long as decoding does.
pub(crate) fn check(bytes: &[u8], width: u32, height: u32) -> Result<(), String> {
    // The decoder panics at some palettes: bytes that anybody may have made are not to end more than this look.
    panic::catch_unwind(|| decode(bytes, width, height)).unwrap_or_else(|_| Err("it is damaged".into()))
}

fn decode(bytes: &[u8], width: u32, height: u32) -> Result<(), String> {
    let reader = || ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    match reader().into_dimensions() {
        Ok(size) if size == (width, height) => {}
        Ok((w, h)) => return Err(format!("{w}x{h} instead of {width}x{height}")),
        Err(error) => return Err(error.to_string()),
    }
    let mut reader = reader();
    let mut limits = Limits::default();
    limits.max_image_width = Some(width);
    limits.max_image_height = Some(height);
    // Four channels of two bytes, and as much again to work with.
    limits.max_alloc = Some(u64::from(width) * u64::from(height) * 16 + (1 << 20));
    reader.limits(limits);
    reader.decode().map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk of a PNG.
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut crc = !0_u32;
        for byte in kind.iter().chain(data) {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
            }
        }
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &(!crc).to_be_bytes()].concat()
    }

    #[test]
    fn a_picture_is_whole_and_of_its_size() {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbImage::new(6, 4).write_to(&mut bytes, ImageFormat::Png).expect("a picture");
        let bytes = bytes.into_inner();
        assert_eq!(check(&bytes, 6, 4), Ok(()));
        assert_eq!(check(&bytes, 4, 6), Err("6x4 instead of 4x6".into()));
        assert!(check(&bytes[..bytes.len() / 2], 6, 4).is_err());
        assert!(check(b"%PDF", 6, 4).is_err());
    }

    #[test]
    fn a_palette_that_ends_within_a_colour_ends_nothing_else() {
        let header = [&1_u32.to_be_bytes()[..], &1_u32.to_be_bytes(), &[8, 3, 0, 0, 0]].concat();
        let pixels = [0x78, 0x01, 0x01, 0x02, 0x00, 0xfd, 0xff, 0x00, 0x01, 0x00, 0x03, 0x00, 0x02];
        let bytes = [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &header),
            chunk(b"PLTE", &[1, 2, 3, 4]),
            chunk(b"IDAT", &pixels),
            chunk(b"IEND", b""),
        ]
        .concat();
        assert!(check(&bytes, 1, 1).is_err());
    }
}
