//! Pictures that are made from a picture: what may be asked for, and what it means.

mod cells;
mod extend;

use serde::{Deserialize, Serialize};

pub use self::cells::{Cells, GRID};
pub(crate) use self::extend::Canvas;
pub use self::extend::{Extend, MOST_ROOM, Placed, ROOM_UNIT};
use crate::error::AppError;
use crate::ids::{JobId, OutputId};
use crate::request::ValidRequest;

/// How much changes when nobody says.
pub const DEFAULT_STRENGTH: f64 = 0.6;
/// Least and most that may change.
pub const STRENGTHS: [f64; 2] = [0.05, 1.0];
/// What "vary a little" and "vary a lot" change.
pub const A_LITTLE: f64 = 0.35;
pub const A_LOT: f64 = 0.7;
/// What changes where a few words are added: enough for them to show, and not the whole composition.
pub const A_WORD: f64 = 0.65;
/// What changes within a part of a picture that is described anew.
pub const A_PART: f64 = 0.9;
/// Most areas of a region.
pub const MAX_AREAS: usize = 16;
/// Factors by which a picture may be made larger.
pub const FACTORS: [u32; 2] = [2, 4];
/// Longest side of a picture that was made larger, in pixels.
pub const MAX_UPSCALED_SIDE: u32 = 2_048;

/// Shortest side of an area, as a fraction of the picture's: on the smallest picture, still a pixel.
const LEAST_SIDE: f64 = 0.02;

/// A wish to go on from a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceRequest {
    /// A picture of one's own.
    pub media: OutputId,
    /// How much changes: nearly nothing at 0.05, everything at 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// What may change; everything else stays as it is. All of it when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Vec<Area>>,
    /// More room around it: what is there already stays, and nothing else may be said about how it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extend: Option<Extend>,
}

/// A wish for a picture of one's own, larger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpscaleRequest {
    pub media: OutputId,
    /// 2 or 4.
    pub factor: u32,
}

/// A part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a part of a picture is [left, top, right, bottom] in fractions, a name like \"sky\", or {\"cells\": \"…\"} with 128 bytes in unpadded URL-safe base64"
)]
pub enum Area {
    Place(Place),
    /// Left, top, right, bottom, in fractions of the picture.
    Rectangle([f64; 4]),
    /// Painted.
    Cells {
        cells: Cells,
    },
}

/// A part of a picture that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Sky,
    Ground,
    Left,
    Right,
    Top,
    Bottom,
    Middle,
}

/// The picture to go on from, as its owner has it: what a request that names it is checked against.
#[derive(Clone, Debug, PartialEq)]
pub struct Original {
    pub media: OutputId,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// What made it; nothing where it is a photo that was sent in.
    pub making: Option<Making>,
}

/// What made a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Making {
    pub job: JobId,
    pub seed: u64,
    pub request: ValidRequest,
}

/// What stands for the words of a photo, which has none.
pub const PHOTO_WORDS: &str = "a photo";

/// What a picture is made from, once that has been checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub media: OutputId,
    /// Its size in pixels.
    pub width: u32,
    pub height: u32,
    #[serde(flatten)]
    pub way: Way,
}

/// How one picture becomes another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Way {
    Vary {
        strength: f64,
        /// What may change; empty is all of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        region: Vec<Area>,
    },
    /// Drawn further beyond its edges.
    Extend {
        extend: Extend,
        /// Where it lies in the larger picture.
        placed: Placed,
    },
    Upscale {
        factor: u32,
    },
}

/// How a picture is to change, before it is known which model does it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Vary { strength: f64, region: Vec<Area> },
    Extend(Extend),
}

impl SourceRequest {
    /// How much changes, and where.
    pub(crate) fn check(&self) -> Result<Change, AppError> {
        if let Some(extend) = &self.extend {
            if self.region.is_some() || self.strength.is_some() {
                return Err(AppError::BadRequest {
                    reason: "“extend” stands alone: neither “region” nor “strength” can be said beside it".into(),
                });
            }
            extend.check()?;
            return Ok(Change::Extend(*extend));
        }
        let strength = self.strength.unwrap_or(DEFAULT_STRENGTH);
        let [min, max] = STRENGTHS;
        if !(min..=max).contains(&strength) {
            return Err(AppError::OutOfRange { field: "strength".into(), min, max });
        }
        let region = self.region.clone().unwrap_or_default();
        // A list that is there and empty would let nothing change.
        if self.region.is_some() && !(1..=MAX_AREAS).contains(&region.len()) {
            return Err(AppError::OutOfRange { field: "region".into(), min: 1.0, max: MAX_AREAS as f64 });
        }
        region.iter().try_for_each(Area::check)?;
        Ok(Change::Vary { strength, region })
    }
}

impl UpscaleRequest {
    /// The size that the picture becomes.
    pub(crate) fn check(&self, original: &Original) -> Result<(u32, u32), AppError> {
        if !FACTORS.contains(&self.factor) {
            return Err(AppError::BadRequest { reason: "“factor” is 2 or 4".into() });
        }
        let side = |side: u32| side.saturating_mul(self.factor);
        let (width, height) = (side(original.width), side(original.height));
        if !may_upscale(original.width, original.height, self.factor) {
            return Err(AppError::InvalidSize { width, height, min: 1, max: MAX_UPSCALED_SIDE, multiple: 1 });
        }
        Ok((width, height))
    }
}

/// Whether a picture of this size may become so many times larger.
pub fn may_upscale(width: u32, height: u32, factor: u32) -> bool {
    width.max(height).saturating_mul(factor) <= MAX_UPSCALED_SIDE
}

impl Source {
    /// The picture's part that may change, if that is not all of it.
    pub fn region(&self) -> &[Area] {
        match &self.way {
            Way::Vary { region, .. } => region,
            Way::Extend { .. } | Way::Upscale { .. } => &[],
        }
    }

    /// Most bytes that this picture may have: four a pixel, its recipe, and what the format needs.
    pub fn most_bytes(&self) -> usize {
        let pixels = u64::from(self.width) * u64::from(self.height);
        usize::try_from(pixels.saturating_mul(4)).unwrap_or(usize::MAX).saturating_add(256 * 1024)
    }

    /// Of so many steps, those that are taken: only the last ones, as many as the picture may change.
    pub fn passes(&self, steps: u32) -> u32 {
        match &self.way {
            // A hair more, so that 0.35 of 20 steps is 7 of them.
            Way::Vary { strength, .. } => ((f64::from(steps) * strength + 1e-6) as u32).clamp(1, steps.max(1)),
            // Where there was nothing, everything is new.
            Way::Extend { .. } => steps.max(1),
            Way::Upscale { .. } => 1,
        }
    }

    /// Whether it is said in words that workers of earlier versions do not know.
    pub fn is_newer(&self) -> bool {
        matches!(self.way, Way::Extend { .. }) || self.region().iter().any(|area| matches!(area, Area::Cells { .. }))
    }
}

impl Place {
    pub const ALL: [Self; 7] =
        [Self::Sky, Self::Ground, Self::Left, Self::Right, Self::Top, Self::Bottom, Self::Middle];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sky => "sky",
            Self::Ground => "ground",
            Self::Left => "left",
            Self::Right => "right",
            Self::Top => "top",
            Self::Bottom => "bottom",
            Self::Middle => "middle",
        }
    }

    /// Reads what [`Place::name`] wrote.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.name() == name)
    }

    /// Where that is, whatever the picture shows: halves, and thirds.
    pub fn rectangle(self) -> [f64; 4] {
        const THIRD: f64 = 1.0 / 3.0;
        match self {
            Self::Sky => [0.0, 0.0, 1.0, 0.5],
            Self::Ground => [0.0, 0.5, 1.0, 1.0],
            Self::Left => [0.0, 0.0, 0.5, 1.0],
            Self::Right => [0.5, 0.0, 1.0, 1.0],
            Self::Top => [0.0, 0.0, 1.0, THIRD],
            Self::Bottom => [0.0, 1.0 - THIRD, 1.0, 1.0],
            Self::Middle => [THIRD, THIRD, 1.0 - THIRD, 1.0 - THIRD],
        }
    }
}

impl Area {
    /// Whether a point of the picture, in fractions of its sides, lies in it.
    fn has(&self, x: f64, y: f64) -> bool {
        let within = |[left, top, right, bottom]: [f64; 4]| (left..right).contains(&x) && (top..bottom).contains(&y);
        match self {
            Self::Place(place) => within(place.rectangle()),
            Self::Rectangle(rectangle) => within(*rectangle),
            Self::Cells { cells } => cells.is_within(x, y),
        }
    }

    fn check(&self) -> Result<(), AppError> {
        let [left, top, right, bottom] = match self {
            Self::Place(place) => place.rectangle(),
            Self::Rectangle(rectangle) => *rectangle,
            Self::Cells { cells } if cells.is_empty() => {
                return Err(AppError::BadRequest { reason: "no part of the picture was painted".into() });
            }
            Self::Cells { .. } => return Ok(()),
        };
        let inside = [left, top, right, bottom].iter().all(|edge| (0.0..=1.0).contains(edge));
        if inside && right - left >= LEAST_SIDE && bottom - top >= LEAST_SIDE {
            return Ok(());
        }
        Err(AppError::BadRequest {
            reason: "a part of a picture is [left, top, right, bottom], from 0 to 1, and not too small".into(),
        })
    }
}

/// Whether a point of the picture, in fractions of its sides, may change.
pub fn is_within(region: &[Area], x: f64, y: f64) -> bool {
    region.is_empty() || region.iter().any(|area| area.has(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(json: &str) -> SourceRequest {
        serde_json::from_str(json).expect("a wish")
    }

    const MEDIA: &str = r#""media": "00000000-0000-4000-8000-000000000001""#;

    #[test]
    fn what_is_left_out_is_all_of_the_picture() {
        let way = wish(&format!("{{{MEDIA}}}")).check();
        assert_eq!(way, Ok(Change::Vary { strength: DEFAULT_STRENGTH, region: Vec::new() }));
    }

    #[test]
    fn places_and_rectangles_mix() {
        let wish = wish(&format!(r#"{{{MEDIA}, "strength": 0.9, "region": ["sky", [0, 0.5, 0.25, 1]]}}"#));
        let Ok(Change::Vary { region, .. }) = wish.check() else { panic!("refused") };
        assert_eq!(region, [Area::Place(Place::Sky), Area::Rectangle([0.0, 0.5, 0.25, 1.0])]);
        assert!(is_within(&region, 0.9, 0.1) && is_within(&region, 0.1, 0.9) && !is_within(&region, 0.9, 0.9));
        assert!(is_within(&[], 0.5, 0.5));
    }

    #[test]
    fn a_painted_part_is_an_area_like_others() {
        let mut cells = Cells::NONE;
        cells.set(31, 31, true);
        let json = format!(r#"{{{MEDIA}, "region": ["top", {{"cells": "{}"}}]}}"#, cells.encode());
        let Ok(Change::Vary { region, .. }) = wish(&json).check() else { panic!("refused") };
        assert_eq!(region, [Area::Place(Place::Top), Area::Cells { cells }]);
        assert!(is_within(&region, 0.5, 0.1) && is_within(&region, 0.99, 0.99) && !is_within(&region, 0.5, 0.99));
        let nothing = format!(r#"{{{MEDIA}, "region": [{{"cells": "{}"}}]}}"#, Cells::NONE.encode());
        let refused = wish(&nothing).check().expect_err("nothing is painted");
        assert!(refused.to_string().contains("painted"), "{refused}");
        for bad in [r#"{"cells": "AAAA"}"#, r#"{"cells": 7}"#, "{}"] {
            let read = serde_json::from_str::<SourceRequest>(&format!(r#"{{{MEDIA}, "region": [{bad}]}}"#));
            assert!(read.expect_err("no cells").to_string().contains("base64"), "{bad}");
        }
    }

    #[test]
    fn more_room_stands_alone() {
        let extend = Extend { right: 0.5, ..Extend::default() };
        assert_eq!(wish(&format!(r#"{{{MEDIA}, "extend": {{"right": 0.5}}}}"#)).check(), Ok(Change::Extend(extend)));
        for beside in [r#""region": ["sky"]"#, r#""strength": 1"#] {
            let json = format!(r#"{{{MEDIA}, "extend": {{"right": 0.5}}, {beside}}}"#);
            let refused = wish(&json).check().expect_err("must be refused");
            assert!(refused.to_string().contains("extend"), "{refused}");
        }
        assert!(wish(&format!(r#"{{{MEDIA}, "extend": {{}}}}"#)).check().is_err(), "no room at all");
        let up = serde_json::from_str::<SourceRequest>(&format!(r#"{{{MEDIA}, "extend": {{"up": 0.5}}}}"#));
        assert!(up.expect_err("no such side").to_string().contains("up"));
    }

    #[test]
    fn bad_wishes_name_what_is_wrong() {
        let code = |rest: &str| wish(&format!("{{{MEDIA}, {rest}}}")).check().expect_err("must be refused").code();
        assert_eq!(code(r#""strength": 0.04"#), "out_of_range");
        assert_eq!(code(r#""strength": 1.01"#), "out_of_range");
        assert_eq!(code(r#""region": []"#), "out_of_range");
        let many = vec!["\"sky\""; MAX_AREAS + 1].join(",");
        assert_eq!(code(&format!(r#""region": [{many}]"#)), "out_of_range");
        for bad in ["[0, 0, 1.5, 1]", "[0.5, 0, 0.5, 1]", "[0.5, 0, 0.2, 1]", "[-0.1, 0, 1, 1]", "[0, 0, 0.01, 1]"] {
            assert_eq!(code(&format!(r#""region": [{bad}]"#)), "bad_request", "{bad}");
        }
        let nameless = serde_json::from_str::<SourceRequest>(&format!(r#"{{{MEDIA}, "region": ["moon"]}}"#));
        assert!(nameless.expect_err("no such place").to_string().contains("a name like"));
    }

    #[test]
    fn only_the_share_that_changes_is_gone_anew() {
        let source = |strength| Source {
            media: OutputId::from_random(1),
            width: 64,
            height: 64,
            way: Way::Vary { strength, region: Vec::new() },
        };
        assert_eq!([0.35, 0.7, 1.0].map(|strength| source(strength).passes(20)), [7, 14, 20]);
        assert_eq!(source(0.05).passes(12), 1, "one is always taken");
        assert_eq!(source(1.0).passes(1), 1);
    }

    #[test]
    fn places_are_halves_and_thirds_of_the_picture() {
        for place in Place::ALL {
            assert_eq!(Place::parse(place.name()), Some(place));
            assert_eq!(serde_json::to_value(place).expect("json"), place.name());
            assert_eq!(Area::Place(place).check(), Ok(()), "{place:?}");
        }
        let whole = [Place::Sky, Place::Ground].map(Area::Place);
        for at in [(0.0, 0.0), (0.5, 0.5), (0.999, 0.999)] {
            assert!(is_within(&whole, at.0, at.1));
        }
        assert!(is_within(&[Area::Place(Place::Middle)], 0.5, 0.5));
    }

    #[test]
    fn a_source_survives_the_wire() {
        for way in [
            Way::Vary { strength: 0.35, region: vec![Area::Place(Place::Sky), Area::Rectangle([0.0, 0.0, 0.5, 0.5])] },
            Way::Vary { strength: 1.0, region: Vec::new() },
            Way::Vary { strength: 1.0, region: vec![Area::Cells { cells: Cells::ALL }] },
            Way::Extend {
                extend: Extend { left: 0.25, ..Extend::default() },
                placed: Placed { left: 64, top: 0, width: 256, height: 128 },
            },
            Way::Upscale { factor: 4 },
        ] {
            let source = Source { media: OutputId::from_random(9), width: 256, height: 128, way };
            let json = serde_json::to_string(&source).expect("json");
            assert_eq!(serde_json::from_str::<Source>(&json).expect("back"), source, "{json}");
        }
    }
}
