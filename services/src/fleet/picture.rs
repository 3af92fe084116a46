//! A first look at what a worker delivers, before it is stored.

use std::io::Cursor;

use image::{ImageFormat, ImageReader};

/// Whether `bytes` are a PNG of the given size, by its header; the reason if not.
pub(super) fn check(bytes: &[u8], width: u32, height: u32) -> Result<(), String> {
    let reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    match reader.into_dimensions() {
        Ok(size) if size == (width, height) => Ok(()),
        Ok((w, h)) => Err(format!("{w}x{h} instead of {width}x{height}")),
        Err(error) => Err(error.to_string()),
    }
}
