//! What the code tables of lossless WebP will cost, before a decoder builds them.
//!
//! A lossless picture names up to 65,536 groups of five prefix codes, and a few kilobits can describe a
//! group whose tables take a hundred kilobytes: three megabytes of file become gigabytes of tables. The
//! decoder has no limit for them. So this reads the stream up to those codes and adds up their tables.
//! It keeps no pixels: where they end is all that it needs to know of them.
//!
//! The format: RFC 9649, sections 3.4 to 3.8.

use crate::limits::MAX_UNPACKING_BYTES;

/// What a stream belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// A picture: a header comes first.
    Picture,
    /// An alpha channel: no header.
    Alpha,
}

/// The order in which the lengths of the codes for code lengths come.
const LENGTH_ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The alphabets of a group: green with lengths of copies, red, blue, alpha, distances of copies.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];

const LONGEST_CODE: usize = 15;

/// What the decoder has for one group beside its tables, in bytes, while their list grows.
const GROUP_BYTES: u64 = 840;

/// The memory that the decoder will need for the code tables of the main picture, in bytes; more than
/// [`MAX_UNPACKING_BYTES`] is not added up to the end. `None` if the stream is damaged before.
pub(super) fn code_table_bytes(stream: Stream, data: &[u8], (width, height): (u32, u32)) -> Option<u64> {
    let mut bits = Bits { data, at: 0 };
    if stream == Stream::Picture {
        bits.skip(8 + 14 + 14 + 1 + 3)?;
    }
    let width = skip_transforms(&mut bits, width, height)?;
    let cache = cache_size(&mut bits)?;
    let groups = if bits.read(1)? == 1 {
        let size_bits = bits.read(3)? + 2;
        let blocks = u64::from(width.div_ceil(1 << size_bits)) * u64::from(height.div_ceil(1 << size_bits));
        skip_pixels(&mut bits, blocks)? + 1
    } else {
        1
    };
    let mut bytes = 0;
    for _ in 0..groups {
        let group = read_group(&mut bits, cache)?;
        bytes += GROUP_BYTES + group.iter().map(PrefixCode::table_bytes).sum::<u64>();
        if bytes > MAX_UNPACKING_BYTES {
            break;
        }
    }
    Some(bytes)
}

/// Moves behind the transforms, and hands out the width in pixels that is left to code.
fn skip_transforms(bits: &mut Bits<'_>, mut width: u32, height: u32) -> Option<u32> {
    let mut seen = [false; 4];
    while bits.read(1)? == 1 {
        let kind = bits.read(2)?;
        if std::mem::replace(&mut seen[kind as usize], true) {
            return None;
        }
        match kind {
            // Predictors and colours: a small picture with a pixel per block.
            0 | 1 => {
                let size_bits = bits.read(3)? + 2;
                let blocks = u64::from(width.div_ceil(1 << size_bits)) * u64::from(height.div_ceil(1 << size_bits));
                skip_pixels(bits, blocks)?;
            }
            // A palette. Small ones have several pixels in one.
            3 => {
                let colours = bits.read(8)? + 1;
                skip_pixels(bits, colours.into())?;
                let packed = match colours {
                    0..=2 => 3,
                    3..=4 => 2,
                    5..=16 => 1,
                    _ => 0,
                };
                width = width.div_ceil(1 << packed);
            }
            // Green subtracted: nothing more to say.
            _ => {}
        }
    }
    Some(width)
}

/// Moves behind a picture within the stream, which has one group of codes. Hands out the largest number
/// that red and green together make in it: copies only repeat what was there.
fn skip_pixels(bits: &mut Bits<'_>, pixels: u64) -> Option<u32> {
    let cache = cache_size(bits)?;
    let [green, red, blue, alpha, distance] = read_group(bits, cache)?;
    let mut largest = 0;
    let mut passed = 0;
    while passed < pixels {
        let code = green.decode(bits)?;
        match code {
            0..256 => {
                largest = largest.max((red.decode(bits)? << 8) | code);
                blue.decode(bits)?;
                alpha.decode(bits)?;
                passed += 1;
                // Codes without bits make the rest all alike.
                if [&green, &red, &blue, &alpha].iter().all(|code| code.is_single()) {
                    return Some(largest);
                }
            }
            256..280 => {
                passed += copy_length(bits, code - 256)?;
                let symbol = distance.decode(bits)?;
                copy_length(bits, symbol)?;
            }
            _ => passed += 1,
        }
    }
    Some(largest)
}

fn cache_size(bits: &mut Bits<'_>) -> Option<usize> {
    if bits.read(1)? == 0 {
        return Some(0);
    }
    let size_bits = bits.read(4)?;
    (1..=11).contains(&size_bits).then(|| 1 << size_bits)
}

fn copy_length(bits: &mut Bits<'_>, symbol: u32) -> Option<u64> {
    if symbol < 4 {
        return Some(u64::from(symbol) + 1);
    }
    let extra = (symbol - 2) >> 1;
    let offset = u64::from(2 + (symbol & 1)) << extra;
    Some(offset + u64::from(bits.read(extra)?) + 1)
}

fn read_group(bits: &mut Bits<'_>, cache: usize) -> Option<[PrefixCode; 5]> {
    let [green, red, blue, alpha, distance] = ALPHABETS;
    Some([
        PrefixCode::read(bits, green + cache)?,
        PrefixCode::read(bits, red)?,
        PrefixCode::read(bits, blue)?,
        PrefixCode::read(bits, alpha)?,
        PrefixCode::read(bits, distance)?,
    ])
}

/// A canonical prefix code, decoded bit by bit.
struct PrefixCode {
    /// How many codes there are of each length in bits.
    counts: [u32; LONGEST_CODE + 1],
    /// Symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl PrefixCode {
    fn read(bits: &mut Bits<'_>, alphabet: usize) -> Option<PrefixCode> {
        if bits.read(1)? == 1 {
            let two = bits.read(1)? == 1;
            let long = bits.read(1)? == 1;
            let mut symbols = vec![bits.read(if long { 8 } else { 1 })? as u16];
            if two {
                symbols.push(bits.read(8)? as u16);
            }
            let known = symbols.iter().all(|symbol| usize::from(*symbol) < alphabet);
            let mut counts = [0; LONGEST_CODE + 1];
            counts[1] = symbols.len() as u32;
            return known.then_some(PrefixCode { counts, symbols });
        }
        let mut length_lengths = [0; LENGTH_ORDER.len()];
        for place in &LENGTH_ORDER[..4 + bits.read(4)? as usize] {
            length_lengths[*place] = bits.read(3)? as u8;
        }
        let length_code = PrefixCode::from_lengths(&length_lengths)?;
        PrefixCode::from_lengths(&read_lengths(bits, &length_code, alphabet)?)
    }

    /// `None` unless it is a single symbol or every sequence of bits is a code.
    fn from_lengths(lengths: &[u8]) -> Option<PrefixCode> {
        let mut counts = [0; LONGEST_CODE + 1];
        lengths.iter().filter(|length| **length > 0).for_each(|length| counts[usize::from(*length)] += 1);
        let mut symbols = Vec::new();
        for length in 1..=LONGEST_CODE as u8 {
            let codes = lengths.iter().zip(0..).filter(|(own, _)| **own == length);
            symbols.extend(codes.map(|(_, symbol): (_, u16)| symbol));
        }
        let used: u32 =
            counts.iter().zip(0..).skip(1).map(|(count, length)| count << (LONGEST_CODE as u32 - length)).sum();
        (symbols.len() == 1 || used == 1 << LONGEST_CODE).then_some(PrefixCode { counts, symbols })
    }

    fn is_single(&self) -> bool {
        self.symbols.len() == 1
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Option<u32> {
        if self.is_single() {
            return self.symbols.first().map(|symbol| u32::from(*symbol));
        }
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in &self.counts[1..] {
            code |= bits.read(1)?;
            if code < first + count {
                return self.symbols.get((index + code - first) as usize).map(|symbol| u32::from(*symbol));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }

    /// What the decoder builds of it: a table of four bytes by up to ten bits, and a tree of two nodes of
    /// 16 bytes for every longer code.
    fn table_bytes(&self) -> u64 {
        const TABLE_BITS: usize = 10;
        const SMALLEST_TREE: u64 = 64;
        if self.is_single() {
            return 0;
        }
        let longest = self.counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        let in_tree: u32 = self.counts[TABLE_BITS + 1..].iter().sum();
        SMALLEST_TREE + (4 << longest.min(TABLE_BITS)) + u64::from(in_tree) * 32
    }
}

/// The lengths of an alphabet's codes, themselves coded.
fn read_lengths(bits: &mut Bits<'_>, code: &PrefixCode, alphabet: usize) -> Option<Vec<u8>> {
    let mut left = if bits.read(1)? == 1 {
        let size_bits = 2 + 2 * bits.read(3)?;
        2 + bits.read(size_bits)? as usize
    } else {
        alphabet
    };
    if left > alphabet {
        return None;
    }
    let mut lengths = Vec::with_capacity(alphabet);
    let mut previous = 8;
    while lengths.len() < alphabet && left > 0 {
        left -= 1;
        let symbol = code.decode(bits)?;
        let (length, times) = match symbol {
            0..16 => (symbol as u8, 1),
            16 => (previous, 3 + bits.read(2)?),
            17 => (0, 3 + bits.read(3)?),
            _ => (0, 11 + bits.read(7)?),
        };
        if length > 0 {
            previous = length;
        }
        lengths.resize(lengths.len() + times as usize, length);
    }
    (lengths.len() <= alphabet).then_some(lengths)
}

/// Bits from the lowest of each byte.
struct Bits<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// Up to 24 bits, the first one lowest. `None` beyond the end.
    fn read(&mut self, count: u32) -> Option<u32> {
        let end = self.at + count as usize;
        if end > self.data.len() * 8 {
            return None;
        }
        let bytes = &self.data[self.at / 8..end.div_ceil(8)];
        let window = bytes.iter().rev().fold(0, |window, byte| (window << 8) | u32::from(*byte));
        let value = (window >> (self.at % 8)) & ((1 << count) - 1);
        self.at = end;
        Some(value)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.data.len() * 8).then_some(())
    }
}
