//! A look at what a worker delivers, before it is stored.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

/// Whether `bytes` are a whole PNG of the given size; the reason if not. Takes as long as decoding does.
pub(super) fn check(bytes: &[u8], width: u32, height: u32) -> Result<(), String> {
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
