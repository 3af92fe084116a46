//! More room around a picture: how much, and where the picture then lies.

use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::model::ModelCard;

/// Room is given in multiples of this fraction of the picture's side.
pub const ROOM_UNIT: f32 = 0.25;
/// Most room on one side, as a fraction of the picture's.
pub const MOST_ROOM: f32 = 1.0;

/// Where the picture begins within the larger one is a multiple of this, in pixels: models draw in blocks.
const BLOCK: f64 = 8.0;

/// Room on each side of a picture, in fractions of its width and its height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extend {
    #[serde(skip_serializing_if = "is_none")]
    pub left: f32,
    #[serde(skip_serializing_if = "is_none")]
    pub top: f32,
    #[serde(skip_serializing_if = "is_none")]
    pub right: f32,
    #[serde(skip_serializing_if = "is_none")]
    pub bottom: f32,
}

/// Where a picture lies within a larger one, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// What more room makes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Canvas {
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub placed: Placed,
}

impl Extend {
    pub(super) fn check(&self) -> Result<(), AppError> {
        let sides = [self.left, self.top, self.right, self.bottom];
        let fits = |side: &f32| (0.0..=MOST_ROOM).contains(side) && (side / ROOM_UNIT).fract() == 0.0;
        if sides.iter().all(fits) && sides.iter().any(|side| *side > 0.0) {
            return Ok(());
        }
        Err(AppError::BadRequest {
            reason: "“extend” is the room on the left, top, right and bottom: 0, 0.25, 0.5, 0.75 or 1, and some of it"
                .into(),
        })
    }

    /// The larger picture of this model, and where the original lies in it.
    ///
    /// It stays as it is, to the pixel, where the model can make all of the result; where not, it is made smaller. The
    /// model's multiple gives a little more room rather than less.
    pub(crate) fn canvas(&self, (width, height): (u32, u32), card: &ModelCard) -> Canvas {
        let (width, height) = if card.fits(width, height) { (width, height) } else { card.size_for(width, height) };
        let most = f64::from(largest(card));
        let scale = [(width, self.left + self.right), (height, self.top + self.bottom)]
            .map(|(side, room)| most / (f64::from(side) * (1.0 + f64::from(room))))
            .into_iter()
            .fold(1.0, f64::min);
        let (width, left, inner_width) = axis(width, scale, self.left, self.right, card);
        let (height, top, inner_height) = axis(height, scale, self.top, self.bottom, card);
        Canvas { width, height, placed: Placed { left, top, width: inner_width, height: inner_height } }
    }
}

impl Placed {
    /// Whether it is somewhere in a picture of this size.
    pub fn is_within(&self, width: u32, height: u32) -> bool {
        let ends =
            |start: u32, side: u32, whole: u32| side > 0 && start.checked_add(side).is_some_and(|end| end <= whole);
        ends(self.left, self.width, width) && ends(self.top, self.height, height)
    }
}

/// The largest side that the model makes.
fn largest(card: &ModelCard) -> u32 {
    let multiple = card.size_multiple.max(1);
    card.max_side() / multiple * multiple
}

/// One side of the larger picture, where the original begins on it, and how much of it the original has.
fn axis(side: u32, scale: f64, before: f32, after: f32, card: &ModelCard) -> (u32, u32, u32) {
    let (before, after) = (f64::from(before), f64::from(after));
    let room = before + after;
    let multiple = card.size_multiple.max(1);
    let exact = f64::from(side) * scale;
    let multiples = exact * (1.0 + room) / f64::from(multiple);
    // A hair less, so that what is a multiple stays one. Without room the picture's proportions decide.
    let multiples = if room > 0.0 { (multiples - 1e-6).ceil() } else { multiples.round() };
    let whole = (multiples as u32).saturating_mul(multiple).max(card.min_side()).min(largest(card));
    let inner = if scale < 1.0 { (f64::from(whole) / (1.0 + room)).round() as u32 } else { side };
    let inner = inner.clamp(1, whole);
    let extra = whole - inner;
    let start = if after == 0.0 { extra } else { ((f64::from(extra) * before / room / BLOCK).round() * BLOCK) as u32 };
    (whole, start.min(extra), inner)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde passes")]
fn is_none(room: &f32) -> bool {
    *room == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::starter_card;

    fn room(left: f32, top: f32, right: f32, bottom: f32) -> Extend {
        Extend { left, top, right, bottom }
    }

    fn canvas(size: (u32, u32), extend: Extend) -> (u32, u32, [u32; 4]) {
        let Canvas { width, height, placed: Placed { left, top, width: w, height: h } } =
            extend.canvas(size, &starter_card());
        (width, height, [left, top, w, h])
    }

    #[test]
    fn what_fits_stays_as_it_is_to_the_pixel() {
        assert_eq!(canvas((256, 256), room(0.0, 0.0, 0.5, 0.0)), (384, 256, [0, 0, 256, 256]));
        assert_eq!(canvas((256, 256), room(0.5, 0.0, 0.0, 0.0)), (384, 256, [128, 0, 256, 256]));
        assert_eq!(canvas((256, 256), room(0.5, 0.5, 0.5, 0.5)), (512, 512, [128, 128, 256, 256]));
        assert_eq!(canvas((256, 192), room(0.0, 1.0, 0.0, 0.25)), (256, 448, [0, 208, 256, 192]));
        // 80 more would be no multiple of 32.
        assert_eq!(canvas((320, 224), room(0.25, 0.0, 0.0, 0.0)), (416, 224, [96, 0, 320, 224]));
        assert_eq!(canvas((64, 64), room(0.0, 0.25, 0.0, 0.0)), (64, 96, [0, 32, 64, 64]));
    }

    #[test]
    fn what_would_be_too_large_is_made_smaller() {
        assert_eq!(canvas((512, 512), room(0.5, 0.0, 0.5, 0.0)), (512, 256, [128, 0, 256, 256]));
        assert_eq!(canvas((352, 192), room(0.0, 0.0, 0.5, 0.0)), (512, 192, [0, 0, 341, 192]));
        // A photo first becomes as like itself as the model can make it.
        assert_eq!(canvas((1_000, 1_000), room(0.0, 0.0, 0.0, 0.5)), (256, 384, [0, 0, 256, 256]));
    }

    #[test]
    fn every_result_is_one_that_the_model_makes() {
        let card = starter_card();
        let rooms = [0.0, 0.25, 0.5, 0.75, 1.0];
        for size in [(256, 256), (64, 512), (512, 64), (352, 192), (96, 480), (1_999, 17), (3, 2_048)] {
            for (left, right) in rooms.into_iter().flat_map(|left| rooms.map(|right| (left, right))) {
                for (top, bottom) in rooms.into_iter().flat_map(|top| rooms.map(|bottom| (top, bottom))) {
                    let extend = room(left, top, right, bottom);
                    let Canvas { width, height, placed } = extend.canvas(size, &card);
                    assert!(card.fits(width, height), "{size:?} {extend:?}: {width}x{height}");
                    assert!(placed.is_within(width, height), "{size:?} {extend:?}: {placed:?}");
                    let gaps = [
                        placed.left,
                        placed.top,
                        width - placed.left - placed.width,
                        height - placed.top - placed.height,
                    ];
                    for (gap, room) in gaps.into_iter().zip([left, top, right, bottom]) {
                        assert_eq!(gap > 0, room > 0.0, "{size:?} {extend:?}: {gaps:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn room_is_quarters_and_some_of_it() {
        assert_eq!(room(0.0, 0.25, 1.0, 0.75).check(), Ok(()));
        for bad in [
            Extend::default(),
            room(0.3, 0.0, 0.0, 0.0),
            room(-0.25, 0.0, 0.5, 0.0),
            room(0.0, 1.25, 0.0, 0.0),
            room(0.0, 0.0, f32::NAN, 0.0),
            room(0.0, 0.0, 0.0, f32::INFINITY),
        ] {
            assert_eq!(bad.check().expect_err("must be refused").code(), "bad_request", "{bad:?}");
        }
    }
}
