//! How much one upload may be, and may cost.

use crate::photo::Format;
use crate::refusal::Refusal;

/// The most bytes an upload may have: 25 MB.
pub const MAX_BYTES: usize = 25_000_000;

/// The most pixels a picture may have: 50 megapixels.
pub const MAX_PIXELS: u64 = 50_000_000;

/// The longest a side may be, in pixels.
pub const MAX_SIDE: u32 = 20_000;

/// The least a side may be, in pixels.
pub const MIN_SIDE: u32 = 32;

/// How many times as long as the shorter side the longer one may be.
pub const MAX_ASPECT: u32 = 8;

/// The longer side of what is kept, in pixels at most. Larger pictures are shrunk to it.
pub const MAX_KEPT_SIDE: u32 = 2_048;

/// What unpacking one picture may allocate, in bytes, the upload itself not counted. The decoders are
/// asked for an estimate before they start; what they don't estimate fits between this and 256 MB.
pub(crate) const MAX_UNPACKING_BYTES: u64 = 240_000_000;

/// Judges a size that a header claims, before anything is allocated for it.
///
/// # Errors
/// [`Refusal::TooManyPixels`], [`Refusal::TooSmall`] or [`Refusal::TooNarrow`].
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), Refusal> {
    let (shorter, longer) = (width.min(height), width.max(height));
    if u64::from(width) * u64::from(height) > MAX_PIXELS || longer > MAX_SIDE {
        return Err(Refusal::TooManyPixels { width, height });
    }
    if shorter < MIN_SIDE {
        return Err(Refusal::TooSmall { width, height });
    }
    if longer > MAX_ASPECT * shorter {
        return Err(Refusal::TooNarrow { width, height });
    }
    Ok(())
}

/// Judges the estimate of a decoder, in bytes, before it starts.
///
/// # Errors
/// [`Refusal::TooHeavy`].
pub(crate) fn check_unpacking(format: Format, (width, height): (u32, u32), bytes: u64) -> Result<(), Refusal> {
    if bytes > MAX_UNPACKING_BYTES { Err(Refusal::TooHeavy { format, width, height }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_at_the_limits_pass() {
        for (width, height) in [(32, 32), (32, 256), (256, 32), (20_000, 2_500), (10_000, 5_000)] {
            assert_eq!(check_size(width, height), Ok(()), "{width} x {height}");
        }
    }

    #[test]
    fn sizes_beyond_the_limits_are_refused_by_name() {
        let too_many = [(10_000, 5_001), (20_001, 2_500), (2_500, 20_001), (65_535, 65_535), (u32::MAX, u32::MAX)];
        for (width, height) in too_many {
            assert_eq!(check_size(width, height), Err(Refusal::TooManyPixels { width, height }));
        }
        for (width, height) in [(1, 1), (31, 31), (31, 400), (20_000, 10), (0, 0), (0, 50)] {
            assert_eq!(check_size(width, height), Err(Refusal::TooSmall { width, height }));
        }
        for (width, height) in [(32, 257), (257, 32), (1_000, 8_001)] {
            assert_eq!(check_size(width, height), Err(Refusal::TooNarrow { width, height }));
        }
    }
}
