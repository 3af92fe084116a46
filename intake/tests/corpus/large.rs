//! The pictures that cost most to take in, or to refuse.

use gif::Frame;
use image_webp::ColorType;

use super::jpeg::{self, Jpeg};
use super::png::{self, Header};
use super::{Noise, webp};

/// A file to be taken in or refused within the limits of memory and time.
pub struct Member {
    pub name: &'static str,
    pub taken: bool,
    /// Made when it is needed: all of them at once would be gigabytes.
    pub make: fn() -> Vec<u8>,
}

/// 40 megapixels, a shape of the largest phone cameras.
const WIDTH: u32 = 7_744;
const HEIGHT: u32 = 5_184;
const SIZE: (u16, u16) = (WIDTH as u16, HEIGHT as u16);

const fn taken(name: &'static str, make: fn() -> Vec<u8>) -> Member {
    Member { name, taken: true, make }
}

const fn refused(name: &'static str, make: fn() -> Vec<u8>) -> Member {
    Member { name, taken: false, make }
}

/// All of them, with the megapixels in the name.
pub const MEMBERS: &[Member] = &[
    taken("JPEG 12 MP, baseline", || Jpeg { size: (4_032, 3_024), ..Jpeg::default() }.write()),
    taken("JPEG 40 MP, baseline, halved colours", || Jpeg { size: SIZE, ..Jpeg::default() }.write()),
    taken("JPEG 40 MP, baseline, whole colours", || whole(SIZE, false)),
    taken("JPEG 16.7 MP, baseline, whole colours, just not shrunk early", || whole((4_094, 4_094), false)),
    taken("JPEG 40 MP, progressive, halved colours", || progressive(SIZE)),
    taken("JPEG 50 MP, progressive, halved colours", || progressive((8_165, 6_123))),
    taken("JPEG 30 MP, progressive, whole colours", || whole((6_324, 4_743), true)),
    refused("JPEG 40 MP, progressive, whole colours", || whole(SIZE, true)),
    taken("JPEG 50 MP, grey", || Jpeg { size: (8_165, 6_123), sampling: jpeg::GREY, ..Jpeg::default() }.write()),
    taken("JPEG 40 MP, four inks", || four_inks(SIZE)),
    taken("JPEG 16.7 MP, four inks, just not shrunk early", || four_inks((4_094, 4_094))),
    refused("JPEG 1 MP, progressive, 2,000 scans", || scans((1_024, 1_024), 2_000)),
    refused("JPEG 50 MP, progressive, 40 scans", || scans((8_165, 6_123), 40)),
    refused("JPEG of 65,535 by 65,535 by its header", || jpeg::header_only(65_535, 65_535)),
    taken("PNG 40 MP, 8 bits", || png::noisy(&Header::rgb(WIDTH, HEIGHT), 16)),
    taken("PNG 40 MP, 16 bits and alpha", || png::noisy(&deep(false), 64)),
    taken("PNG 40 MP, 16 bits and alpha, interlaced", || png::noisy(&deep(true), 64)),
    taken("PNG 50 MP, interlaced", || png::noisy(&Header { interlaced: true, ..Header::rgb(8_165, 6_123) }, 64)),
    taken("PNG of 20,000 by 2,500", || png::noisy(&Header::rgb(20_000, 2_500), 32)),
    refused("PNG of 65,535 by 65,535 in a few kB", || bomb(65_535, 65_535, 16)),
    refused("PNG of 4 GP whose pixels run out", || bomb(60_000, 60_000, 1)),
    taken("PNG 10 kP, with a zTXt bomb", || chunk_bomb(b"zTXt", b"Comment\0\0")),
    taken("PNG 10 kP, with an iCCP bomb", || chunk_bomb(b"iCCP", b"profile\0\0")),
    taken("PNG 10 kP, with 200 MB too much of pixels", || bomb(100, 100, 200)),
    taken("PNG 10 kP, behind 200,000 empty blocks", || {
        let data = png::behind_empty_blocks(200_000, &[0; 301 * 100]);
        png::file(&[(b"IHDR", &Header::rgb(100, 100).bytes()), (b"IDAT", &data)])
    }),
    taken("WebP 40 MP, lossy", || include_bytes!("../fixtures/40-megapixels.webp").to_vec()),
    taken("WebP 16 MP, lossy with alpha", || include_bytes!("../fixtures/16-megapixels-alpha.webp").to_vec()),
    taken("WebP 40 MP, lossless", || lossless(ColorType::Rgb8)),
    taken("WebP 40 MP, lossless with alpha", || lossless(ColorType::Rgba8)),
    refused("WebP of 16,384 by 16,384 by its header", || {
        webp::file(&[(b"VP8X", &webp::extended_header(0, 16_384, 16_384)), (b"VP8 ", &webp::lossy_header(64, 64))])
    }),
    refused("WebP of 64 by 64 with a frame of 268 MP", || {
        webp::file(&[(b"VP8X", &webp::extended_header(0, 64, 64)), (b"VP8 ", &webp::lossy_header(16_383, 16_383))])
    }),
    refused("WebP of 64 by 64 with 65,536 groups of codes", || webp::groups(65_536)),
    taken("WebP of 64 by 64 with 9,000 groups of codes", || webp::groups(9_000)),
    taken("GIF 40 MP", || still(SIZE, SIZE)),
    refused("GIF with a screen of 65,535 by 65,535", || still((65_535, 65_535), (64, 64))),
    refused("GIF with a frame of 81 MP on a screen of 10 kP", || still((100, 100), (9_000, 9_000))),
];

fn whole(size: (u16, u16), progressive: bool) -> Vec<u8> {
    Jpeg { size, sampling: jpeg::WHOLE, progressive, detail: 3, ..Jpeg::default() }.write()
}

fn progressive(size: (u16, u16)) -> Vec<u8> {
    Jpeg { size, progressive: true, ..Jpeg::default() }.write()
}

fn four_inks(size: (u16, u16)) -> Vec<u8> {
    Jpeg { size, sampling: jpeg::FOUR, adobe: Some(0), detail: 2, ..Jpeg::default() }.write()
}

fn scans(size: (u16, u16), empty_scans: usize) -> Vec<u8> {
    Jpeg { size, sampling: jpeg::GREY, progressive: true, detail: 0, empty_scans, ..Jpeg::default() }.write()
}

fn deep(interlaced: bool) -> Header {
    Header { depth: 16, colours: 6, interlaced, ..Header::rgb(WIDTH, HEIGHT) }
}

fn bomb(width: u32, height: u32, megabytes: usize) -> Vec<u8> {
    png::file(&[(b"IHDR", &Header::rgb(width, height).bytes()), (b"IDAT", &png::deflated_zeros(megabytes))])
}

fn chunk_bomb(kind: &[u8; 4], start: &[u8]) -> Vec<u8> {
    let picture = png::small(&super::quarters(100, 100));
    png::with_chunk(&picture, kind, &[start, &png::deflated_zeros(300)].concat())
}

/// Squares in many colours, and a random pixel here and there.
fn lossless(colours: ColorType) -> Vec<u8> {
    let mut noise = Noise(0x1234_5678_9abc_def1);
    let pixel_bytes = if colours == ColorType::Rgba8 { 4 } else { 3 };
    let mut samples = Vec::with_capacity((WIDTH * HEIGHT) as usize * pixel_bytes);
    for (y, x) in (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (y, x))) {
        let random = noise.number();
        let pixel = if random.is_multiple_of(32) { random as u32 >> 8 } else { ((x / 32) << 16) | (y / 32) };
        samples.extend_from_slice(&pixel.to_be_bytes()[4 - pixel_bytes..]);
    }
    webp::lossless(&samples, (WIDTH, HEIGHT), colours)
}

/// A frame on a screen of another size, or of its own.
fn still(screen: (u16, u16), (width, height): (u16, u16)) -> Vec<u8> {
    let mut noise = Noise(0x1234_5678_9abc_def1);
    let mut pixel = |at: usize| if noise.number().is_multiple_of(32) { 3 } else { (at / 64 % 3) as u8 };
    let indices: Vec<u8> = (0..usize::from(width) * usize::from(height)).map(&mut pixel).collect();
    super::gif::framed(screen, &Frame::from_indexed_pixels(width, height, indices, None))
}
