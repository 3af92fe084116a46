//! The container of a WebP file: where its first frame is, and how large.

use crate::limits::check_size;
use crate::photo::Format;
use crate::refusal::Refusal;

const TRUNCATED: Refusal = Refusal::Truncated(Format::WebP);
const DAMAGED: Refusal = Refusal::Damaged(Format::WebP);

/// Bits in the first byte of the extended header.
const ANIMATED: u8 = 0x02;
const WITH_ALPHA: u8 = 0x10;

#[derive(Debug)]
pub(super) struct Container<'a> {
    /// Width and height in pixels.
    pub(super) canvas: (u32, u32),
    pub(super) frame: Frame<'a>,
    pub(super) exif: Option<&'a [u8]>,
}

/// The picture, or the first one of an animation. It lies within the canvas.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    /// The alpha channel of a lossy picture, with its header of one byte.
    pub(super) alpha: Option<&'a [u8]>,
    pub(super) bitstream: Bitstream<'a>,
}

#[derive(Debug)]
pub(super) enum Bitstream<'a> {
    Lossy(&'a [u8]),
    Lossless(&'a [u8]),
}

impl Container<'_> {
    /// Finds the first frame of a file. What follows the length that the file states is not looked at.
    ///
    /// # Errors
    /// What [`check_size`] says of its size; that it is truncated or damaged.
    pub(super) fn read(bytes: &[u8]) -> Result<Container<'_>, Refusal> {
        let length = bytes.get(4..).and_then(|rest| rest.first_chunk()).ok_or(TRUNCATED)?;
        let end = (u32::from_le_bytes(*length) as usize).checked_add(8).ok_or(DAMAGED)?;
        // A size that can't be is the clearer answer, whether or not the rest is there.
        let there = Chunks { rest: bytes.get(12..end.min(bytes.len())).ok_or(TRUNCATED)? };
        let (kind, first) = there.peek().ok_or(TRUNCATED)?;
        let size = match &kind {
            b"VP8X" => first.get(4..10).and_then(|size| Some((u24(size, 0)? + 1, u24(size, 3)? + 1))),
            _ => Bitstream::of(kind, first).and_then(|stream| stream.size()),
        };
        let (width, height) = size.ok_or(if end > bytes.len() { TRUNCATED } else { DAMAGED })?;
        check_size(width, height)?;
        if end > bytes.len() {
            return Err(TRUNCATED);
        }
        let canvas = (width, height);
        let mut chunks = Chunks { rest: &bytes[12..end] };
        if &kind != b"VP8X" {
            return Ok(Container { canvas, frame: Frame::still(&mut chunks, canvas)?, exif: None });
        }
        let (_, header) = chunks.next().ok_or(TRUNCATED)??;
        let body = chunks.rest;
        let exif = Chunks { rest: body }.flatten().find(|(kind, _)| kind == b"EXIF").map(|(_, exif)| exif);
        let frame = if header.first().is_some_and(|flags| flags & ANIMATED != 0) {
            let (_, frame) = Chunks { rest: body }.flatten().find(|(kind, _)| kind == b"ANMF").ok_or(DAMAGED)?;
            Frame::animated(frame, canvas)?
        } else {
            Frame::still(&mut chunks, canvas)?
        };
        Ok(Container { canvas, frame, exif })
    }
}

impl<'a> Frame<'a> {
    /// Whether it may be transparent somewhere. What a picture that says it is opaque has for alpha is noise.
    pub(super) fn has_alpha(&self) -> bool {
        match self.bitstream {
            Bitstream::Lossy(_) => self.alpha.is_some(),
            Bitstream::Lossless(data) => data.get(4).is_some_and(|byte| byte & 0x10 != 0),
        }
    }

    /// How many bytes it has in the file.
    pub(super) fn packed_bytes(&self) -> usize {
        self.alpha.map_or(0, <[u8]>::len) + self.bitstream.bytes().len()
    }

    /// A file with nothing but this frame. The decoder so never sees what it might read differently from
    /// [`Container::read`], which checked the sizes.
    pub(super) fn as_file(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.packed_bytes() + 64);
        file.extend_from_slice(b"RIFF\0\0\0\0WEBP");
        let lossless = matches!(self.bitstream, Bitstream::Lossless(_));
        // Without an extended header, the decoder would unpack opaque lossless pictures twice.
        if lossless || self.alpha.is_some() {
            let mut header = vec![WITH_ALPHA, 0, 0, 0];
            header.extend_from_slice(&(self.width - 1).to_le_bytes()[..3]);
            header.extend_from_slice(&(self.height - 1).to_le_bytes()[..3]);
            push_chunk(&mut file, b"VP8X", &header);
        }
        if let Some(alpha) = self.alpha {
            push_chunk(&mut file, b"ALPH", alpha);
        }
        push_chunk(&mut file, if lossless { b"VP8L" } else { b"VP8 " }, self.bitstream.bytes());
        let length = (file.len() - 8) as u32;
        file[4..8].copy_from_slice(&length.to_le_bytes());
        file
    }

    /// The frame of a picture that doesn't move: it is as large as the canvas.
    fn still(chunks: &mut Chunks<'a>, canvas: (u32, u32)) -> Result<Frame<'a>, Refusal> {
        let (alpha, bitstream) = picture(chunks)?;
        if bitstream.size() != Some(canvas) {
            return Err(DAMAGED);
        }
        Ok(Frame { x: 0, y: 0, width: canvas.0, height: canvas.1, alpha, bitstream })
    }

    /// The frame in a chunk of an animation: its place and size, and then chunks of its own.
    fn animated(chunk: &'a [u8], canvas: (u32, u32)) -> Result<Frame<'a>, Refusal> {
        let field = |at| u24(chunk, at).ok_or(DAMAGED);
        let (x, y, width, height) = (field(0)? * 2, field(3)? * 2, field(6)? + 1, field(9)? + 1);
        let (alpha, bitstream) = picture(&mut Chunks { rest: chunk.get(16..).ok_or(DAMAGED)? })?;
        if x + width > canvas.0 || y + height > canvas.1 || bitstream.size() != Some((width, height)) {
            return Err(DAMAGED);
        }
        Ok(Frame { x, y, width, height, alpha, bitstream })
    }
}

impl<'a> Bitstream<'a> {
    fn of(kind: [u8; 4], data: &'a [u8]) -> Option<Bitstream<'a>> {
        match &kind {
            b"VP8 " => Some(Bitstream::Lossy(data)),
            b"VP8L" => Some(Bitstream::Lossless(data)),
            _ => None,
        }
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Bitstream::Lossy(data) | Bitstream::Lossless(data) => data,
        }
    }

    /// Width and height in pixels by its own header.
    fn size(&self) -> Option<(u32, u32)> {
        match *self {
            Bitstream::Lossy(&[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..]) => {
                let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
                Some((side(w0, w1), side(h0, h1)))
            }
            Bitstream::Lossless(&[0x2f, a, b, c, d, ..]) => {
                let bits = u32::from_le_bytes([a, b, c, d]);
                Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
            }
            _ => None,
        }
    }
}

/// The first picture among chunks, and the alpha channel before it, if it is lossy.
fn picture<'a>(chunks: &mut Chunks<'a>) -> Result<(Option<&'a [u8]>, Bitstream<'a>), Refusal> {
    let mut alpha = None;
    for chunk in chunks {
        let (kind, data) = chunk?;
        match Bitstream::of(kind, data) {
            Some(Bitstream::Lossless(data)) => return Ok((None, Bitstream::Lossless(data))),
            Some(lossy) => return Ok((alpha, lossy)),
            None if &kind == b"ALPH" => alpha = alpha.or(Some(data)),
            None => {}
        }
    }
    Err(DAMAGED)
}

fn push_chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend_from_slice(kind);
    file.extend_from_slice(&(data.len() as u32).to_le_bytes());
    file.extend_from_slice(data);
    file.resize(file.len().next_multiple_of(2), 0);
}

fn u24(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|[a, b, c]| u32::from_le_bytes([*a, *b, *c, 0]))
}

/// Chunks, one after another: a kind of four letters, a length, the data, and a byte more if it is odd.
struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// The next chunk, as far as it is there.
    fn peek(&self) -> Option<([u8; 4], &'a [u8])> {
        let (kind, rest) = self.rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        Some((*kind, &rest[..rest.len().min(length)]))
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<([u8; 4], &'a [u8]), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, rest) = self.rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let Some((data, rest)) = rest.split_at_checked(length) else {
            self.rest = &[];
            return Some(Err(TRUNCATED));
        };
        self.rest = rest.get(length % 2..).unwrap_or_default();
        Some(Ok((*kind, data)))
    }
}
