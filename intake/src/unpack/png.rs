//! PNG: row by row, so that 16 bits and alpha cost no more memory than a plain picture.

use std::io::Cursor;

use image::metadata::Orientation;
use png::{ColorType, Decoder, DecodingError, InterlaceInfo, Limits, Reader, Transformations};

use super::{Unpacked, orientation, over_white};
use crate::limits::check_size;
use crate::photo::Format;
use crate::refusal::Refusal;
use crate::shrink::RowShrinker;

/// What the decoder may allocate for itself, in bytes: a row, and the chunks that it keeps.
const DECODER_BYTES: usize = 16_000_000;

type Input<'a> = Cursor<&'a [u8]>;

pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked, Refusal> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: DECODER_BYTES });
    // These may be compressed, and may so be bombs.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(refusal)?;
    let (width, height) = header.size();
    let interlaced = header.interlaced;
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(refusal)?;
    // The decoder panics at a palette that ends within a colour.
    if reader.info().palette.as_ref().is_some_and(|palette| palette.len() % 3 != 0) {
        return Err(Refusal::Damaged(Format::Png));
    }

    let mut shrinker = RowShrinker::new(width, height);
    if interlaced {
        for row in interlaced_rows(&mut reader, width, height)?.chunks_exact(width as usize * 3) {
            shrinker.push(row);
        }
    } else {
        let (colours, _) = reader.output_color_type();
        let mut rgb = Vec::with_capacity(width as usize * 3);
        while let Some(row) = reader.next_row().map_err(refusal)? {
            shrinker.push(to_rgb(colours, row.data(), &mut rgb));
        }
    }
    let orientation = read_to_the_end(&mut reader)?;
    let pixels = shrinker.finish().ok_or(Refusal::Damaged(Format::Png))?;
    Ok(Unpacked { pixels, size: (width, height), orientation })
}

/// All pixels of an interlaced picture, three bytes each. Its rows come in no order that could be shrunk
/// on the way, but pixels of 16 bits and alpha are made small before they are put in their places.
fn interlaced_rows(reader: &mut Reader<Input<'_>>, width: u32, height: u32) -> Result<Vec<u8>, Refusal> {
    let (colours, _) = reader.output_color_type();
    let stride = width as usize * 3;
    let mut pixels = vec![0; stride * height as usize];
    let mut rgb = Vec::with_capacity(stride);
    while let Some(row) = reader.next_interlaced_row().map_err(refusal)? {
        let pass = *row.interlace();
        let row = to_rgb(colours, row.data(), &mut rgb);
        let InterlaceInfo::Adam7(pass) = pass else { return Err(Refusal::Damaged(Format::Png)) };
        png::expand_interlaced_row(&mut pixels, stride, row, &pass, 24);
    }
    Ok(pixels)
}

/// A row of 8-bit samples as three bytes per pixel, over white.
fn to_rgb<'a>(colours: ColorType, row: &'a [u8], rgb: &'a mut Vec<u8>) -> &'a [u8] {
    rgb.clear();
    match colours {
        ColorType::Rgb => return row,
        ColorType::Rgba => {
            let pixels = row.chunks_exact(4);
            rgb.extend(pixels.flat_map(|p| [over_white(p[0], p[3]), over_white(p[1], p[3]), over_white(p[2], p[3])]));
        }
        ColorType::GrayscaleAlpha => {
            rgb.extend(row.chunks_exact(2).flat_map(|pixel| [over_white(pixel[0], pixel[1]); 3]));
        }
        // The decoder expands palettes: what is left has one sample per pixel.
        ColorType::Grayscale | ColorType::Indexed => rgb.extend(row.iter().flat_map(|sample| [*sample; 3])),
    }
    rgb
}

/// Reads what follows the pixels. EXIF data may be there, and without the mark of the end the file was
/// cut. Other flaws don't matter any more.
fn read_to_the_end(reader: &mut Reader<Input<'_>>) -> Result<Orientation, Refusal> {
    match reader.finish().map_err(refusal) {
        Err(Refusal::Truncated(format)) => Err(Refusal::Truncated(format)),
        _ => Ok(orientation(reader.info().exif_metadata.as_deref())),
    }
}

fn refusal(error: DecodingError) -> Refusal {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refusal::Truncated(Format::Png)
        }
        _ => Refusal::Damaged(Format::Png),
    }
}
