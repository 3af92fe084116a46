//! JPEG files: small ones by the image library, and a writer for those that it can't make.
//!
//! The writer takes coefficients rather than pixels, so that it needs no transform: every block has a
//! level and, if wanted, a few random coefficients, about as many as a photo has. Its code tables are
//! flat: all symbols have the same length.

use image::RgbImage;

use super::Noise;

/// Samples of brightness and of two colours in a unit, across and down.
pub const WHOLE: &[(u8, u8)] = &[(1, 1), (1, 1), (1, 1)];
pub const HALVED: &[(u8, u8)] = &[(2, 2), (1, 1), (1, 1)];
pub const GREY: &[(u8, u8)] = &[(1, 1)];
pub const FOUR: &[(u8, u8)] = &[(1, 1), (1, 1), (1, 1), (1, 1)];

/// What the writer writes.
pub struct Jpeg<'a> {
    pub size: (u16, u16),
    pub sampling: &'a [(u8, u8)],
    pub progressive: bool,
    /// The colour transform in an Adobe segment.
    pub adobe: Option<u8>,
    /// The level of a component in a block, by component, column and row.
    pub level: fn(usize, u32, u32) -> u8,
    /// How many random coefficients a block has.
    pub detail: u32,
    /// Further progressive scans with nothing in them.
    pub empty_scans: usize,
}

impl Default for Jpeg<'_> {
    fn default() -> Self {
        let level = |component: usize, x: u32, y: u32| if component == 0 { (x + y) as u8 } else { (x / 8) as u8 };
        let (sampling, size) = (HALVED, (96, 64));
        Jpeg { size, sampling, progressive: false, adobe: None, level, detail: 5, empty_scans: 0 }
    }
}

pub fn small(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    picture.write_with_encoder(encoder).expect("it encodes");
    bytes
}

/// Puts a segment right behind the start of a file.
pub fn with_segment(file: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = file[..2].to_vec();
    push_segment(&mut bytes, marker, data);
    bytes.extend_from_slice(&file[2..]);
    bytes
}

pub fn with_exif(file: &[u8], orientation: u8) -> Vec<u8> {
    with_segment(file, 0xe1, &[&b"Exif\0\0"[..], &super::exif(orientation)].concat())
}

impl Jpeg<'_> {
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        if let Some(transform) = self.adobe {
            push_segment(&mut bytes, 0xee, &[&b"Adobe\0\x64\0\0\0\0"[..], &[transform]].concat());
        }
        push_segment(&mut bytes, 0xdb, &[&[0][..], &[8; 64]].concat());
        let (width, height) = (self.size.0.to_be_bytes(), self.size.1.to_be_bytes());
        let mut frame = vec![8, height[0], height[1], width[0], width[1], self.sampling.len() as u8];
        for (component, (across, down)) in (1..).zip(self.sampling) {
            frame.extend([component, across << 4 | down, 0]);
        }
        push_segment(&mut bytes, if self.progressive { 0xc2 } else { 0xc0 }, &frame);
        let codes = |class: u8, length: usize, symbols: &[u8]| {
            let mut counts = [0; 16];
            counts[length - 1] = symbols.len() as u8;
            [&[class << 4][..], &counts, symbols].concat()
        };
        push_segment(&mut bytes, 0xc4, &codes(0, 4, &(0..12).collect::<Vec<_>>()));
        let runs: Vec<u8> = (0..16).flat_map(|run| (0..11).map(move |size| run << 4 | size)).collect();
        push_segment(&mut bytes, 0xc4, &codes(1, 8, &runs));

        let all: Vec<usize> = (0..self.sampling.len()).collect();
        if self.progressive {
            self.push_scan(&mut bytes, &all, 0, 0);
            for component in &all {
                self.push_scan(&mut bytes, &[*component], 1, 63);
            }
            // The same again: nothing forbids it.
            let mut again = Vec::new();
            self.push_scan(&mut again, &[0], 1, 63);
            (0..self.empty_scans).for_each(|_| bytes.extend_from_slice(&again));
        } else {
            self.push_scan(&mut bytes, &all, 0, 63);
        }
        bytes.extend([0xff, 0xd9]);
        bytes
    }

    fn push_scan(&self, bytes: &mut Vec<u8>, components: &[usize], first: u8, last: u8) {
        let mut header = vec![components.len() as u8];
        components.iter().for_each(|component| header.extend([*component as u8 + 1, 0]));
        header.extend([first, last, 0]);
        push_segment(bytes, 0xda, &header);

        let (width, height) = (u32::from(self.size.0), u32::from(self.size.1));
        let across = self.sampling.iter().map(|(across, _)| u32::from(*across)).max().unwrap_or(1);
        let down = self.sampling.iter().map(|(_, down)| u32::from(*down)).max().unwrap_or(1);
        let mut writer = BitWriter { bytes, bits: 0, count: 0 };
        let mut levels = [0; 4];
        if first > 0 && self.detail == 0 {
            // Nothing but runs of empty blocks, as long as they can be. Made for grey pictures.
            let mut blocks = width.div_ceil(8) * height.div_ceil(8);
            while blocks > 0 {
                let run = blocks.min(32_767);
                writer.push(run.ilog2() * 11, 8);
                writer.push(run - (1 << run.ilog2()), run.ilog2());
                blocks -= run;
            }
        } else if let ([component], true) = (components, first > 0 || self.sampling.len() == 1) {
            // Alone in a scan, a component has the blocks that it needs and no unit.
            let (own_across, own_down) = self.sampling[*component];
            let columns = (width * u32::from(own_across)).div_ceil(across).div_ceil(8);
            let rows = (height * u32::from(own_down)).div_ceil(down).div_ceil(8);
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                self.push_block(&mut writer, *component, (x, y), (first, last), &mut levels);
            }
        } else {
            let (columns, rows) = (width.div_ceil(8 * across), height.div_ceil(8 * down));
            for (unit_y, unit_x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                for component in components {
                    let (own_across, own_down) = self.sampling[*component];
                    let (own_across, own_down) = (u32::from(own_across), u32::from(own_down));
                    for (y, x) in (0..own_down).flat_map(|y| (0..own_across).map(move |x| (y, x))) {
                        let at = (unit_x * own_across + x, unit_y * own_down + y);
                        self.push_block(&mut writer, *component, at, (first, last), &mut levels);
                    }
                }
            }
        }
        writer.finish();
    }

    fn push_block(
        &self,
        writer: &mut BitWriter<'_>,
        component: usize,
        (x, y): (u32, u32),
        (first, last): (u8, u8),
        levels: &mut [i32; 4],
    ) {
        if first == 0 {
            let level = i32::from((self.level)(component, x, y)) - 128;
            let difference = level - std::mem::replace(&mut levels[component], level);
            let size = 32 - difference.unsigned_abs().leading_zeros();
            writer.push(size, 4);
            writer.push_value(difference, size);
        }
        if last > 0 {
            let seed = u64::from(x) << 32 | u64::from(y) << 2 | component as u64;
            let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            noise.number();
            for _ in 0..self.detail {
                let random = noise.number();
                let (run, value) = ((random >> 8 & 3) as u32, (random >> 16 & 7) as i32 - 4);
                let size = 32 - value.unsigned_abs().leading_zeros();
                // A value of zero would have a meaning of its own.
                let (value, size) = if value == 0 { (1, 1) } else { (value, size) };
                writer.push(run * 11 + size, 8);
                writer.push_value(value, size);
            }
            writer.push(0, 8);
        }
    }
}

/// A header that claims a size, and nothing behind it.
pub fn header_only(width: u16, height: u16) -> Vec<u8> {
    let (width, height) = (width.to_be_bytes(), height.to_be_bytes());
    let mut bytes = vec![0xff, 0xd8];
    push_segment(
        &mut bytes,
        0xc0,
        &[8, height[0], height[1], width[0], width[1], 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0],
    );
    bytes
}

fn push_segment(bytes: &mut Vec<u8>, marker: u8, data: &[u8]) {
    bytes.extend([0xff, marker]);
    bytes.extend((data.len() as u16 + 2).to_be_bytes());
    bytes.extend_from_slice(data);
}

/// Writes bits from the highest of each byte, and a zero after every byte of ones.
struct BitWriter<'a> {
    bytes: &'a mut Vec<u8>,
    bits: u64,
    count: u32,
}

impl BitWriter<'_> {
    fn push(&mut self, value: u32, count: u32) {
        self.bits = self.bits << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.bits >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    /// A number of a known size in bits: negative ones count from the lowest.
    fn push_value(&mut self, value: i32, size: u32) {
        let coded = if value < 0 { value + (1 << size) - 1 } else { value };
        self.push(coded as u32, size);
    }

    fn finish(mut self) {
        self.push(0x7f, 7);
    }
}
