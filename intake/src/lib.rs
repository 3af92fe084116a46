//! What a stranger uploads as a picture becomes, safely, a clean picture to start from.
//!
//! [`take_in`] goes from bytes to a [`Photo`] or to a [`Refusal`] whose sentence can be shown to the
//! person who sent them. It computes and nothing else: no files, no network, no clock, no randomness.
//!
//! - Taken are JPEG, PNG, WebP and GIF, told by their content. Of what moves, the first frame is taken.
//! - The size is read from the header and judged before anything is allocated for it. One call allocates
//!   at most 256 MB, the bytes it was given not counted: large pictures are shrunk while they are
//!   unpacked, and what can't be unpacked within that is refused by its own name
//!   ([`Refusal::TooHeavy`]).
//! - What is kept is upright 8-bit RGB, shrunk to [`MAX_KEPT_SIDE`]. Transparency is laid over white.
//! - Every kind of metadata is dropped. Of colour profiles too: values are taken to be sRGB, so a
//!   picture in a wider colour space comes out a little paler.
//!
//! Call it off the async threads: a picture of 40 megapixels takes up to a second and a half of one core,
//! and a large file made to be slow two. JPEG uses the threads of rayon for its last step.

mod fit;
mod limits;
mod photo;
mod recognise;
mod refusal;
mod shrink;
mod unpack;

use std::panic;

use image::DynamicImage;

pub use fit::{Fit, FitError, Rectangle, centred, fit};
pub use limits::{MAX_ASPECT, MAX_BYTES, MAX_KEPT_SIDE, MAX_PIXELS, MAX_SIDE, MIN_SIDE};
pub use photo::{EncodeError, Format, Photo};
pub use recognise::Foreign;
pub use refusal::Refusal;

/// Unpacks and cleans an upload, whatever its bytes are.
///
/// # Errors
/// A [`Refusal`], if it is not a picture of a kind that is taken, is outside the limits, or is damaged.
pub fn take_in(bytes: &[u8]) -> Result<Photo, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(Refusal::TooManyBytes { bytes: bytes.len() });
    }
    let format = recognise::recognise(bytes).map_err(Refusal::Foreign)?;
    // Decoders that are fed by strangers have panicked before. One bad file is not to end a worker.
    panic::catch_unwind(|| open(bytes, format)).unwrap_or(Err(Refusal::Damaged(format)))
}

fn open(bytes: &[u8], format: Format) -> Result<Photo, Refusal> {
    let unpacked = unpack::unpack(bytes, format)?;
    let (width, height) = unpacked.size;
    let kept = shrink::resize(unpacked.pixels, shrink::kept_size(width, height)).ok_or(Refusal::Damaged(format))?;
    let mut picture = DynamicImage::ImageRgb8(kept);
    picture.apply_orientation(unpacked.orientation);
    let original = if unpack::lies_on_its_side(unpacked.orientation) { (height, width) } else { (width, height) };
    Ok(Photo { pixels: picture.into_rgb8(), original, format })
}
