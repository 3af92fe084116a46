//! GIF: the first frame, on a white canvas.

use std::num::NonZeroU64;

use gif::{DecodeOptions, DecodingError, MemoryLimit};
use image::metadata::Orientation;

use super::Unpacked;
use crate::limits::{MAX_PIXELS, check_size};
use crate::photo::Format;
use crate::refusal::Refusal;
use crate::shrink::RowShrinker;

pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked, Refusal> {
    let mut options = DecodeOptions::new();
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::MIN.saturating_add(MAX_PIXELS)));
    let screen = screen(bytes).ok_or(Refusal::Truncated(Format::Gif))?;
    if screen != (0, 0) {
        check_size(screen.0, screen.1)?;
    }
    let mut decoder = options.read_info(bytes).map_err(refusal)?;
    let frame = decoder.next_frame_info().map_err(refusal)?.ok_or(Refusal::Truncated(Format::Gif))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    let transparent = frame.transparent;
    // A file without a screen is as large as its picture.
    let size = if screen == (0, 0) { (frame_width as u32, frame_height as u32) } else { screen };
    check_size(size.0, size.1)?;
    if (frame_width * frame_height) as u64 > MAX_PIXELS {
        return Err(Refusal::TooManyPixels { width: frame_width as u32, height: frame_height as u32 });
    }
    if frame_width == 0 || frame_height == 0 {
        return Err(Refusal::Damaged(Format::Gif));
    }
    let mut indices = vec![0; frame_width * frame_height];
    decoder.read_into_buffer(&mut indices).map_err(refusal)?;
    let palette = decoder.palette().map_err(refusal)?;
    let colours: Vec<[u8; 3]> = (0..=u8::MAX)
        .map(|index| {
            let colour = palette.chunks_exact(3).nth(index.into()).and_then(|colour| colour.first_chunk());
            // What has no colour is as good as transparent.
            colour.filter(|_| transparent != Some(index)).copied().unwrap_or([255; 3])
        })
        .collect();

    let (width, height) = size;
    let mut shrinker = RowShrinker::new(width, height);
    let white = vec![255; width as usize * 3];
    let mut row = white.clone();
    for y in 0..height as usize {
        let frame_row = y.checked_sub(top).and_then(|y| indices.chunks_exact(frame_width).nth(y));
        row.copy_from_slice(&white);
        let shown = row.get_mut(left * 3..).unwrap_or_default();
        for (pixel, index) in shown.chunks_exact_mut(3).zip(frame_row.unwrap_or_default()) {
            pixel.copy_from_slice(&colours[usize::from(*index)]);
        }
        shrinker.push(&row);
    }
    drop(indices);
    let pixels = shrinker.finish().ok_or(Refusal::Damaged(Format::Gif))?;
    Ok(Unpacked { pixels, size, orientation: Orientation::NoTransforms })
}

/// Width and height of the screen in pixels, by the header.
fn screen(bytes: &[u8]) -> Option<(u32, u32)> {
    let [w0, w1, h0, h1] = *bytes.get(6..)?.first_chunk()?;
    Some((u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into()))
}

fn refusal(error: DecodingError) -> Refusal {
    match error {
        DecodingError::UnexpectedEof => Refusal::Truncated(Format::Gif),
        DecodingError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refusal::Truncated(Format::Gif)
        }
        _ => Refusal::Damaged(Format::Gif),
    }
}
