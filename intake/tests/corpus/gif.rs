//! GIF files.

use gif::{Encoder, Frame};
use image::RgbImage;

const PALETTE: &[u8] = &[255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0];

/// A picture of the four colours of the quarters.
pub fn small(picture: &RgbImage) -> Vec<u8> {
    let colours: Vec<[u8; 3]> = PALETTE.chunks_exact(3).map(|colour| [colour[0], colour[1], colour[2]]).collect();
    let index = |pixel: &image::Rgb<u8>| colours.iter().position(|colour| *colour == pixel.0).unwrap_or(0) as u8;
    let indices: Vec<u8> = picture.pixels().map(index).collect();
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    framed((width, height), &Frame::from_indexed_pixels(width, height, indices, None))
}

/// A frame on a screen.
pub fn framed((width, height): (u16, u16), frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, PALETTE).expect("it begins");
    encoder.write_frame(frame).expect("it encodes");
    drop(encoder);
    bytes
}
