//! Why an upload is not taken, in sentences for the person who sent it.

use crate::limits::{MAX_ASPECT, MAX_BYTES, MAX_PIXELS, MAX_SIDE, MIN_SIDE};
use crate::photo::Format;
use crate::recognise::Foreign;

/// Why an upload is not taken. Each sentence says what happened, that nothing was kept, and what to do.
/// Widths and heights are in pixels, as the file states them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("the file is empty; nothing was kept; choose the picture again and send it once more")]
    Empty,

    #[error(
        "the file has {} MB, and {} MB is the most that can be taken; nothing was kept; send a smaller copy of the picture, or a screenshot of it",
        .bytes.div_ceil(1_000_000),
        MAX_BYTES / 1_000_000
    )]
    TooManyBytes { bytes: usize },

    #[error(
        "the picture has {width} × {height} pixels, and {} megapixels with at most {MAX_SIDE} pixels along a side is the most that can be taken; nothing was kept; make it smaller and send it again",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels { width: u32, height: u32 },

    /// The size is within bounds, but this way of packing it would need too much memory to unpack.
    #[error(
        "the picture has {width} × {height} pixels, packed in a way of {format} that takes too much memory to unpack; nothing was kept; save it as an ordinary JPEG (not a progressive one), or make it smaller, and send it again"
    )]
    TooHeavy { format: Format, width: u32, height: u32 },

    #[error(
        "the picture has {width} × {height} pixels, and each side needs at least {MIN_SIDE}; nothing was kept; send a larger picture"
    )]
    TooSmall { width: u32, height: u32 },

    #[error(
        "the picture has {width} × {height} pixels, and no side may be more than {MAX_ASPECT} times as long as the other; nothing was kept; crop it and send it again"
    )]
    TooNarrow { width: u32, height: u32 },

    #[error(
        "this {0} file ends too early, so a part of the picture is missing; nothing was kept; send it again, or send a screenshot of it"
    )]
    Truncated(Format),

    #[error(
        "this {0} file is damaged and can't be opened; nothing was kept; save a fresh copy of the picture, or send a screenshot of it"
    )]
    Damaged(Format),

    /// A valid file in a variant that browsers don't open either.
    #[error(
        "this {0} file is of a rare variant that can't be opened here; nothing was kept; save it as an ordinary JPEG or PNG, or send a screenshot of it"
    )]
    Rare(Format),

    #[error("this is {}; nothing was kept; {}", .0.name(), .0.advice())]
    Foreign(Foreign),
}
