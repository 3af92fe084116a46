//! WebP: unpacked whole, for its decoder knows no other way.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::webp_container::{Bitstream, Container, Frame};
use super::webp_lossless::{Stream, code_table_bytes};
use super::{Unpacked, orientation, over_white};
use crate::limits::check_unpacking;
use crate::photo::Format;
use crate::refusal::Refusal;
use crate::shrink::RowShrinker;

const DAMAGED: Refusal = Refusal::Damaged(Format::WebP);

pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked, Refusal> {
    let Container { canvas, frame, exif } = Container::read(bytes)?;
    check_unpacking(Format::WebP, canvas, unpacking_bytes(&frame)?)?;

    let file = frame.as_file();
    let mut decoder = WebPDecoder::new(Cursor::new(&file[..])).map_err(refusal)?;
    let pixel_bytes = if decoder.has_alpha() { 4 } else { 3 };
    let length = u64::from(frame.width) * u64::from(frame.height) * pixel_bytes;
    if decoder.dimensions() != (frame.width, frame.height) || decoder.output_buffer_size() != Some(length as usize) {
        return Err(DAMAGED);
    }
    let mut samples = vec![0; length as usize];
    decoder.read_image(&mut samples).map_err(refusal)?;
    drop(decoder);
    drop(file);

    let pixels = on_canvas(&frame, &samples, pixel_bytes as usize, canvas).ok_or(DAMAGED)?;
    Ok(Unpacked { pixels, size: canvas, orientation: orientation(exif) })
}

/// Shrinks the frame, on a white canvas.
fn on_canvas(frame: &Frame<'_>, samples: &[u8], pixel_bytes: usize, canvas: (u32, u32)) -> Option<image::RgbImage> {
    let opaque = !frame.has_alpha();
    let (width, height) = canvas;
    let (left, top) = (frame.x as usize, frame.y as usize);
    let stride = frame.width as usize * pixel_bytes;
    let mut shrinker = RowShrinker::new(width, height);
    let mut row = vec![255; width as usize * 3];
    for y in 0..height as usize {
        let frame_row = y.checked_sub(top).and_then(|y| samples.chunks_exact(stride).nth(y));
        match frame_row {
            Some(frame_row) => {
                let shown = row.get_mut(left * 3..)?.chunks_exact_mut(3);
                for (pixel, sample) in shown.zip(frame_row.chunks_exact(pixel_bytes)) {
                    match sample {
                        [red, green, blue, alpha] if !opaque => {
                            pixel.copy_from_slice(&[*red, *green, *blue].map(|value| over_white(value, *alpha)));
                        }
                        _ => pixel.copy_from_slice(&sample[..3]),
                    }
                }
            }
            None => row.fill(255),
        }
        shrinker.push(&row);
    }
    shrinker.finish()
}

/// What the decoder will allocate for a frame, in bytes.
fn unpacking_bytes(frame: &Frame<'_>) -> Result<u64, Refusal> {
    let size = (frame.width, frame.height);
    // Lossy pictures come in squares of 16 pixels.
    let pixels = u64::from(frame.width.next_multiple_of(16)) * u64::from(frame.height.next_multiple_of(16));
    // Four bytes per pixel, and what predicts them.
    let lossless = |stream: Stream, data: &[u8]| {
        code_table_bytes(stream, data, size).map(|tables| pixels * 5 + tables).ok_or(DAMAGED)
    };
    // A byte of brightness and half a byte of colour, what predicted them, and what they become.
    let lossy = |output: u64| pixels * 3 / 2 + pixels / 4 + pixels * output;
    let unpacked = match (&frame.bitstream, frame.alpha) {
        (Bitstream::Lossless(data), _) => lossless(Stream::Picture, data)?,
        (Bitstream::Lossy(_), None) => lossy(3),
        (Bitstream::Lossy(_), Some([header, data @ ..])) => {
            let alpha = if header & 3 == 1 { lossless(Stream::Alpha, data)? } else { 0 };
            lossy(4) + pixels + alpha
        }
        (Bitstream::Lossy(_), Some([])) => return Err(DAMAGED),
    };
    // The frame is copied, to stand in a file of its own. The decoder copies the parts of lossy pictures once
    // more, into buffers that grow.
    let copies = if matches!(frame.bitstream, Bitstream::Lossy(_)) { 4 } else { 1 };
    Ok(unpacked + frame.packed_bytes() as u64 * copies)
}

fn refusal(error: DecodingError) -> Refusal {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refusal::Truncated(Format::WebP)
        }
        _ => DAMAGED,
    }
}
