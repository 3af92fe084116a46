//! WebP files: lossless ones by the WebP library, containers, and a bomb.

use image::RgbImage;
use image_webp::{ColorType, WebPEncoder};

use super::LowBits;

pub fn small(picture: &RgbImage) -> Vec<u8> {
    lossless(picture.as_raw(), picture.dimensions(), ColorType::Rgb8)
}

pub fn lossless(samples: &[u8], (width, height): (u32, u32), colours: ColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    WebPEncoder::new(&mut bytes).encode(samples, width, height, colours).expect("it encodes");
    bytes
}

/// A file of chunks.
pub fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
    for (kind, data) in chunks {
        bytes.extend_from_slice(*kind);
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
    }
    let length = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// An extended header. Flags: 2 animated, 8 with EXIF data, 16 with alpha.
pub fn extended_header(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let mut bytes = vec![flags, 0, 0, 0];
    bytes.extend_from_slice(&(width - 1).to_le_bytes()[..3]);
    bytes.extend_from_slice(&(height - 1).to_le_bytes()[..3]);
    bytes
}

/// The data of the only chunk of a simple file.
pub fn bitstream(file: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(file[16..20].try_into().expect("four bytes")) as usize;
    &file[20..20 + length]
}

pub fn with_exif(simple: &[u8], (width, height): (u32, u32), orientation: u8) -> Vec<u8> {
    let header = extended_header(8, width, height);
    let kind = simple[12..16].try_into().expect("four bytes");
    file(&[(b"VP8X", &header), (kind, bitstream(simple)), (b"EXIF", &super::exif(orientation))])
}

/// An animation with one frame at an even place on a canvas.
pub fn animation(simple: &[u8], (x, y): (u32, u32), size: (u32, u32), canvas: (u32, u32)) -> Vec<u8> {
    let mut frame = Vec::new();
    for field in [x / 2, y / 2, size.0 - 1, size.1 - 1, 100] {
        frame.extend_from_slice(&field.to_le_bytes()[..3]);
    }
    frame.push(2);
    let chunk = file(&[(simple[12..16].try_into().expect("four bytes"), bitstream(simple))]);
    frame.extend_from_slice(&chunk[12..]);
    let header = extended_header(2, canvas.0, canvas.1);
    file(&[(b"VP8X", &header), (b"ANIM", &[0; 6]), (b"ANMF", &frame)])
}

/// The beginning of a lossy stream that claims a size.
pub fn lossy_header(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a];
    bytes.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    bytes.resize(64, 0);
    bytes
}

/// A lossless picture of 64 x 64 pixels that names this many groups of codes, each as small in the file
/// and as large in memory as they can be had cheaply.
pub fn groups(count: u32) -> Vec<u8> {
    let mut bits = LowBits::default();
    bits.push(0x2f, 8);
    bits.push(63, 14);
    bits.push(63, 14);
    bits.push(0, 4);
    // No transform, no cache; groups by blocks of 4 x 4, all of them the last group.
    bits.push(0b100, 3);
    bits.push(0, 3);
    bits.push(0, 1);
    let last = count - 1;
    for symbol in [last & 0xff, last >> 8, 0, 0, 0] {
        push_single(&mut bits, symbol);
    }
    for group in 0..count {
        for _ in 0..5 {
            // The last group is all zeros and needs no further bits for its pixels.
            if group == last { push_single(&mut bits, 0) } else { push_wide_code(&mut bits) }
        }
    }
    file(&[(b"VP8L", &bits.bytes())])
}

/// A code with one symbol.
fn push_single(bits: &mut LowBits, symbol: u32) {
    bits.push(0b101, 3);
    bits.push(symbol, 8);
}

/// A code with lengths from 1 to 10 bits, which takes a table of a thousand entries.
fn push_wide_code(bits: &mut LowBits) {
    bits.push(0, 1);
    // Lengths of the codes for lengths, in their order: 3 bits for 1 to 6, 4 bits for 7 to 10.
    bits.push(14 - 4, 4);
    for length in [0, 0, 0, 3, 3, 3, 3, 3, 0, 3, 4, 4, 4, 4] {
        bits.push(length, 3);
    }
    // Eleven lengths follow: a number of four bits, two less.
    bits.push(1, 1);
    bits.push(1, 3);
    bits.push(11 - 2, 4);
    for length in (1..=10).chain([10]) {
        let (code, size) = if length <= 6 { (length - 1, 3) } else { (12 + length - 7, 4) };
        let reversed = u32::reverse_bits(code) >> (32 - size);
        bits.push(reversed, size);
    }
}
