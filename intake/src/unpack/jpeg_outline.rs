//! What a JPEG is made of: a walk over its segments that decodes nothing.
//!
//! It finds the size, what unpacking will cost in memory and time, and whether anything is missing,
//! before a decoder sees the file.

use crate::limits::check_size;
use crate::photo::Format;
use crate::refusal::Refusal;

/// How often the scans of a file may run over its pixels. A progressive file of a few kilobytes can
/// ask for thousands of runs. Common encoders make about 10; this allows 20 for 50 megapixels.
const MAX_SCANNED_PIXELS: u64 = 1_000_000_000;

/// How many scans a file may have, however small its picture.
const MAX_SCANS: u64 = 100;

const TRUNCATED: Refusal = Refusal::Truncated(Format::Jpeg);
const DAMAGED: Refusal = Refusal::Damaged(Format::Jpeg);
const RARE: Refusal = Refusal::Rare(Format::Jpeg);

#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub(super) frame: Frame,
    pub(super) exif: Option<&'a [u8]>,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: u32,
    pub(super) height: u32,
    progressive: bool,
    components: Vec<Component>,
}

#[derive(Debug)]
struct Component {
    identifier: u8,
    /// Samples in a block of the frame, across and down: 1 to 4 each.
    horizontal: u32,
    vertical: u32,
    /// A bit for each of the 64 coefficients that arrived in full.
    arrived: u64,
}

impl Outline<'_> {
    /// Walks over a file, up to the mark of its end.
    ///
    /// # Errors
    /// What [`check_size`] says of its size; that it is truncated, damaged or rare.
    pub(super) fn read(bytes: &[u8]) -> Result<Outline<'_>, Refusal> {
        let mut walk = Walk { bytes, at: 2 };
        let mut frame: Option<Frame> = None;
        let mut exif = None;
        let mut scans = 0;
        loop {
            match walk.next_marker().ok_or(TRUNCATED)? {
                // The end.
                0xd9 => break,
                // Restart marks between coded data, and one mark that means nothing.
                0xd0..=0xd7 | 0x01 => {}
                0xd8 => return Err(DAMAGED),
                0xc0..=0xc2 if frame.is_some() => return Err(RARE),
                marker @ 0xc0..=0xc2 => frame = Some(Frame::parse(walk.segment()?, marker == 0xc2)?),
                // Lossless, hierarchical or arithmetic coding, or a height that comes later.
                0xc3 | 0xc5..=0xc7 | 0xc9..=0xcf | 0xdc | 0xde | 0xdf => return Err(RARE),
                0xda => {
                    let frame = frame.as_mut().ok_or(DAMAGED)?;
                    frame.note_scan(walk.segment()?)?;
                    scans += 1;
                    let scanned = scans * u64::from(frame.width) * u64::from(frame.height);
                    if scans > MAX_SCANS || scanned > MAX_SCANNED_PIXELS {
                        return Err(RARE);
                    }
                }
                0xe1 => exif = exif.or(Some(walk.segment()?).filter(|segment| segment.starts_with(b"Exif\0\0"))),
                _ => {
                    walk.segment()?;
                }
            }
        }
        let frame = frame.ok_or(DAMAGED)?;
        // The decoder would show what is there. A person would wonder where the rest went.
        if frame.components.iter().any(|component| component.arrived != u64::MAX) {
            return Err(TRUNCATED);
        }
        Ok(Outline { frame, exif })
    }
}

impl Frame {
    /// What the decoder will allocate, in bytes, if it makes `scale` pixels of every 8.
    pub(super) fn unpacking_bytes(&self, scale: u32) -> u64 {
        let across = self.components.iter().map(|component| component.horizontal).max().unwrap_or(1);
        let down = self.components.iter().map(|component| component.vertical).max().unwrap_or(1);
        let columns = u64::from(self.width.div_ceil(8 * across));
        let rows = u64::from(self.height.div_ceil(8 * down));
        let blocks_in_unit: u64 = self.components.iter().map(|part| u64::from(part.horizontal * part.vertical)).sum();
        let blocks = columns * rows * blocks_in_unit;
        // All coefficients of a progressive picture, two bytes each, stay in memory to the end.
        let coefficients = if self.progressive { blocks * 64 * 2 } else { columns * blocks_in_unit * 64 * 2 };
        let planes = blocks * u64::from(scale * scale);
        let (width, height) = self.scaled(scale);
        // Pixels of one, three or four bytes; one and four become three afterwards.
        let pixels = u64::from(width) * u64::from(height) * self.components.len() as u64;
        coefficients + planes + pixels
    }

    /// Width and height in pixels if `scale` pixels are made of every 8.
    fn scaled(&self, scale: u32) -> (u32, u32) {
        ((self.width * scale).div_ceil(8), (self.height * scale).div_ceil(8))
    }

    /// How many pixels of every 8, of 1, 2, 4 and 8, leave one side at this many or more.
    pub(super) fn scale_for(&self, side: u32) -> u32 {
        let suffices = |scale: &u32| {
            let (width, height) = self.scaled(*scale);
            width >= side || height >= side
        };
        [1, 2, 4].into_iter().find(suffices).unwrap_or(8)
    }

    fn parse(segment: &[u8], progressive: bool) -> Result<Frame, Refusal> {
        let [precision, h1, h0, w1, w0, count, components @ ..] = segment else { return Err(DAMAGED) };
        let (width, height) = (u16::from_be_bytes([*w1, *w0]).into(), u16::from_be_bytes([*h1, *h0]).into());
        // A height of zero means that it comes after the pixels.
        if *precision != 8 || height == 0 || !matches!(count, 1 | 3 | 4) {
            return Err(RARE);
        }
        check_size(width, height)?;
        if components.len() != 3 * usize::from(*count) {
            return Err(DAMAGED);
        }
        let components: Vec<_> = components
            .chunks_exact(3)
            .map(|part| Component {
                identifier: part[0],
                horizontal: u32::from(part[1] >> 4),
                vertical: u32::from(part[1] & 15),
                arrived: 0,
            })
            .collect();
        let fits = |samples: u32| (1..=4).contains(&samples);
        if components.iter().any(|part| !fits(part.horizontal) || !fits(part.vertical)) {
            return Err(DAMAGED);
        }
        Ok(Frame { width, height, progressive, components })
    }

    /// Notes which coefficients a scan brings.
    fn note_scan(&mut self, segment: &[u8]) -> Result<(), Refusal> {
        let (count, rest) = segment.split_first().ok_or(DAMAGED)?;
        let (components, [first, last, approximation]) = rest.split_last_chunk().ok_or(DAMAGED)?;
        if components.len() != 2 * usize::from(*count) || *last > 63 || first > last {
            return Err(DAMAGED);
        }
        let arrived = match (self.progressive, approximation & 15) {
            (false, _) => u64::MAX,
            (true, 0) => (*first..=*last).fold(0, |bits, coefficient| bits | (1 << coefficient)),
            // The lowest bits of these coefficients are still to come.
            (true, _) => 0,
        };
        for scanned in components.chunks_exact(2) {
            let found = self.components.iter_mut().find(|component| component.identifier == scanned[0]);
            found.ok_or(DAMAGED)?.arrived |= arrived;
        }
        Ok(())
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// Moves behind the next marker, over coded data and fill bytes, and says which it is.
    fn next_marker(&mut self) -> Option<u8> {
        loop {
            self.at += self.bytes.get(self.at..)?.iter().position(|byte| *byte == 0xff)?;
            self.at += self.bytes[self.at..].iter().position(|byte| *byte != 0xff)?;
            let marker = self.bytes[self.at];
            self.at += 1;
            // After 0xff a zero says that the 0xff is data.
            if marker != 0 {
                return Some(marker);
            }
        }
    }

    /// Moves behind a segment that begins here, and hands it out without its length.
    fn segment(&mut self) -> Result<&'a [u8], Refusal> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk().ok_or(TRUNCATED)?));
        if length < 2 {
            return Err(DAMAGED);
        }
        self.at += length;
        rest.get(2..length).ok_or(TRUNCATED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, height: u32, progressive: bool, sampling: &[(u32, u32)]) -> Frame {
        let parts = sampling.iter().zip(1..);
        let components = parts
            .map(|((horizontal, vertical), identifier)| Component {
                identifier,
                horizontal: *horizontal,
                vertical: *vertical,
                arrived: 0,
            })
            .collect();
        Frame { width, height, progressive, components }
    }

    #[test]
    fn the_smallest_scale_that_leaves_enough_is_chosen() {
        for (width, height, scale) in
            [(2_047, 100, 8), (4_096, 100, 4), (4_094, 100, 8), (100, 8_192, 2), (8_184, 10, 4), (16_384, 2_048, 1)]
        {
            assert_eq!(frame(width, height, false, &[(1, 1)]).scale_for(2_048), scale, "{width} x {height}");
        }
    }

    #[test]
    fn the_estimate_counts_coefficients_planes_and_pixels() {
        let (width, height) = (8_000, 6_000);
        let millions = |frame: &Frame, scale| frame.unpacking_bytes(scale) / 1_000_000;
        let whole = &[(1, 1), (1, 1), (1, 1)];
        let halved = &[(2, 2), (1, 1), (1, 1)];
        assert_eq!(millions(&frame(width, height, true, whole), 4), 48 * 6 + 36 + 36);
        assert_eq!(millions(&frame(width, height, true, halved), 4), 48 * 3 + 18 + 36);
        assert_eq!(millions(&frame(width, height, false, halved), 8), 72 + 144);
        assert_eq!(millions(&frame(width, height, false, &[(1, 1)]), 1), 1);
    }

    #[test]
    fn scans_are_noted_by_coefficient() {
        let mut frame = frame(100, 100, true, &[(1, 1)]);
        frame.note_scan(&[1, 1, 0, 0, 0, 0x01]).expect("it is well-formed");
        assert_eq!(frame.components[0].arrived, 0);
        frame.note_scan(&[1, 1, 0, 0, 0, 0x10]).expect("it is well-formed");
        assert_eq!(frame.components[0].arrived, 1);
        frame.note_scan(&[1, 1, 0, 1, 63, 0]).expect("it is well-formed");
        assert_eq!(frame.components[0].arrived, u64::MAX);
        for bad in [&[][..], &[1], &[1, 1, 0, 0, 64, 0], &[1, 9, 0, 0, 0, 0], &[2, 1, 0, 0, 0, 0], &[1, 1, 0, 5, 4, 0]]
        {
            assert_eq!(frame.note_scan(bad), Err(DAMAGED));
        }
    }
}
