//! PNG files: small ones by the PNG library, and a writer for those that it can't make.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use image::RgbImage;
use png::{BitDepth, ColorType};

use super::{LowBits, Noise};

pub fn small(picture: &RgbImage) -> Vec<u8> {
    encoded(picture.dimensions(), ColorType::Rgb, BitDepth::Eight, picture.as_raw(), |_| {})
}

/// Any samples, with whatever else the encoder is to be told.
pub fn encoded(
    (width, height): (u32, u32),
    colours: ColorType,
    depth: BitDepth,
    samples: &[u8],
    more: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colours);
    encoder.set_depth(depth);
    more(&mut encoder);
    let mut writer = encoder.write_header().expect("it begins");
    writer.write_image_data(samples).expect("it encodes");
    writer.finish().expect("it ends");
    bytes
}

/// The header of a file: its size, bits per sample, type of colours (2: RGB, 6: RGBA) and whether it is
/// interlaced.
pub struct Header {
    pub width: u32,
    pub height: u32,
    pub depth: u8,
    pub colours: u8,
    pub interlaced: bool,
}

impl Header {
    pub fn rgb(width: u32, height: u32) -> Header {
        Header { width, height, depth: 8, colours: 2, interlaced: false }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.width.to_be_bytes(), self.height.to_be_bytes()].concat();
        bytes.extend([self.depth, self.colours, 0, 0, self.interlaced.into()]);
        bytes
    }

    fn pixel_bytes(&self) -> usize {
        usize::from(self.depth / 8) * if self.colours == 6 { 4 } else { 3 }
    }

    /// Columns and rows of the passes in which the pixels come: first and step across, first and step down.
    fn passes(&self) -> &'static [(u32, u32, u32, u32)] {
        if self.interlaced {
            &[(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
        } else {
            &[(0, 1, 0, 1)]
        }
    }
}

/// A file of chunks, and its end.
pub fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks.iter().chain([&(b"IEND", &b""[..])]) {
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend_from_slice(*kind);
        bytes.extend_from_slice(data);
        let mut crc = Crc::new();
        crc.update(*kind);
        crc.update(data);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

/// Makes the checksums right again, as far as the lengths of the chunks are. Otherwise every change within a
/// file would be refused for them and for nothing else.
pub fn correct_checksums(file: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = file.get(at..).and_then(|rest| rest.first_chunk()) {
        let end = at + 8 + u32::from_be_bytes(*length) as usize;
        let Some(chunk) = file.get(at + 4..end) else { return };
        let mut crc = Crc::new();
        crc.update(chunk);
        if let Some(place) = file.get_mut(end..end + 4) {
            place.copy_from_slice(&crc.sum().to_be_bytes());
        }
        at = end + 4;
    }
}

/// Puts a chunk right behind the header.
pub fn with_chunk(file: &[u8], kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let end_of_header = 8 + 12 + 13;
    let chunk = self::file(&[(kind, data)]);
    [&file[..end_of_header], &chunk[8..chunk.len() - 12], &file[end_of_header..]].concat()
}

pub fn deflated(write: impl FnOnce(&mut dyn Write)) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    write(&mut encoder);
    encoder.finish().expect("it ends")
}

/// This many zeros, deflated about a thousandfold.
pub fn deflated_zeros(megabytes: usize) -> Vec<u8> {
    deflated(|out| (0..megabytes).for_each(|_| out.write_all(&[0; 1 << 20]).expect("it writes")))
}

/// Data behind this many blocks that hold nothing but codes to decode nothing with. `data` is less than
/// 64 kB.
pub fn behind_empty_blocks(blocks: usize, data: &[u8]) -> Vec<u8> {
    let mut bits = LowBits::default();
    for _ in 0..blocks {
        // Not the last block; codes of its own: 257 for literals, 1 for distances, 18 for their lengths.
        bits.push(0b100, 3);
        bits.push(0, 10);
        bits.push(18 - 4, 4);
        // Of the codes for lengths, one bit each for a run of zeros and for a length of one.
        for place in 0..18 {
            bits.push(u32::from(place == 2 || place == 17), 3);
        }
        // 138 and 117 zeros; one bit for a byte, for the end of the block, and for a distance; the end.
        for (value, count) in [(1, 1), (127, 7), (1, 1), (106, 7), (0, 1), (0, 1), (0, 1), (1, 1)] {
            bits.push(value, count);
        }
    }
    // The last block, as it is.
    bits.push(0b001, 3);
    let length = data.len() as u16;
    [&[0x78, 0x01][..], &bits.bytes(), &length.to_le_bytes(), &(!length).to_le_bytes(), data].concat()
}

/// A picture of 8-bit RGB in seven passes.
pub fn interlaced(picture: &RgbImage) -> Vec<u8> {
    let header = Header { interlaced: true, ..Header::rgb(picture.width(), picture.height()) };
    let data = deflated(|out| {
        for (x0, dx, y0, dy) in header.passes() {
            for y in (*y0..header.height).step_by(*dy as usize) {
                let row = (*x0..header.width).step_by(*dx as usize).flat_map(|x| picture.get_pixel(x, y).0);
                out.write_all(&std::iter::once(0).chain(row).collect::<Vec<_>>()).expect("it writes");
            }
        }
    });
    file(&[(b"IHDR", &header.bytes()), (b"IDAT", &data)])
}

/// A large picture of any kind, with the costliest filter and one random byte among `sparse`.
pub fn noisy(header: &Header, sparse: u64) -> Vec<u8> {
    let mut noise = Noise(0x1234_5678_9abc_def1);
    let data = deflated(|out| {
        let mut row = Vec::new();
        for (x0, dx, y0, dy) in header.passes() {
            let columns = (header.width - x0).div_ceil(*dx) as usize;
            for _ in (*y0..header.height).step_by(*dy as usize) {
                row.clear();
                row.push(4);
                row.resize(1 + columns * header.pixel_bytes(), 0);
                for at in (0..row.len() as u64 / sparse).map(|block| block * sparse) {
                    let random = noise.number();
                    row[(at + (random >> 8) % sparse).max(1) as usize] = random as u8;
                }
                out.write_all(&row).expect("it writes");
            }
        }
    });
    file(&[(b"IHDR", &header.bytes()), (b"IDAT", &data)])
}
