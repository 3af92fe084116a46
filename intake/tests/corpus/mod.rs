//! Pictures to test with, good and bad, all made here or committed beside it.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod gif;
pub mod jpeg;
pub mod large;
pub mod png;
pub mod webp;

use std::sync::LazyLock;

use image::{Rgb, RgbImage};

pub const RED: [u8; 3] = [255, 0, 0];
pub const GREEN: [u8; 3] = [0, 255, 0];
pub const BLUE: [u8; 3] = [0, 0, 255];
pub const YELLOW: [u8; 3] = [255, 255, 0];
pub const WHITE: [u8; 3] = [255, 255, 255];

/// A committed picture, made by `fixtures/make.py` with encoders that have nothing to do with ours.
macro_rules! fixture {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../fixtures/", $name)))
    };
}

/// Red, green, blue and yellow quarters, 96 x 64, unless the name says otherwise.
pub const FIXTURES: [(&str, &[u8]); 13] = [
    fixture!("progressive.jpg"),
    fixture!("progressive-444.jpg"),
    fixture!("baseline-422.jpg"),
    fixture!("grey.jpg"),
    fixture!("cmyk.jpg"),
    fixture!("lossy.webp"),
    fixture!("lossy-alpha.webp"),
    fixture!("lossless.webp"),
    fixture!("lossless-alpha.webp"),
    fixture!("animated.webp"),
    fixture!("animated.gif"),
    fixture!("interlaced.gif"),
    fixture!("palette-alpha.png"),
];

/// 384 x 256, lossless, with several groups of codes.
pub const SWIRLS: &[u8] = include_bytes!("../fixtures/swirls.webp");

pub const AVIF: &[u8] = include_bytes!("../fixtures/picture.avif");

/// The bytes of one of [`FIXTURES`].
pub fn fixture(name: &str) -> &'static [u8] {
    FIXTURES.iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("there is no {name}")).1
}

/// Red, green, blue and yellow quarters, from the upper left.
pub fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => YELLOW,
        })
    })
}

/// The middles of the four quarters, from the upper left.
pub fn corners(picture: &RgbImage) -> [[u8; 3]; 4] {
    let (width, height) = picture.dimensions();
    let at = |x: u32, y: u32| picture.get_pixel(width * x / 4, height * y / 4).0;
    [at(1, 1), at(3, 1), at(1, 3), at(3, 3)]
}

/// Whether two lists of colours are alike, as far as lossy formats keep them.
pub fn alike<const N: usize>(found: [[u8; 3]; N], expected: [[u8; 3]; N]) -> bool {
    let pairs = found.into_iter().flatten().zip(expected.into_iter().flatten());
    pairs.into_iter().all(|(found, expected)| found.abs_diff(expected) <= 12)
}

/// One small file of every kind that is taken.
pub fn good() -> &'static [(String, Vec<u8>)] {
    static GOOD: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(make_good);
    &GOOD
}

fn make_good() -> Vec<(String, Vec<u8>)> {
    let picture = quarters(96, 64);
    let made = [
        ("baseline JPEG", jpeg::small(&picture)),
        ("PNG", png::small(&picture)),
        ("interlaced PNG", png::interlaced(&picture)),
        ("lossless WebP", webp::small(&picture)),
        ("GIF", gif::small(&picture)),
    ];
    let committed = FIXTURES.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    made.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).chain(committed).collect()
}

/// EXIF data that state an orientation and nothing else, as they follow `Exif\0\0`.
pub fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// Bits, from the lowest of each byte.
#[derive(Default)]
pub struct LowBits {
    done: Vec<u8>,
    bits: u64,
    count: u32,
}

impl LowBits {
    pub fn push(&mut self, value: u32, count: u32) {
        self.bits |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.done.push(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }

    /// All bytes, the last one filled with zeros.
    pub fn bytes(mut self) -> Vec<u8> {
        self.push(0, 7);
        self.done
    }
}

/// The same numbers in every run, as good as random (xorshift64).
pub struct Noise(pub u64);

impl Noise {
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
