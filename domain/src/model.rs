//! What a model says about itself, as the head and the browser see it.

use serde::{Deserialize, Serialize};

/// The facts about one model that validation, prices and the interface need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Stable name used in requests, for example `starter`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Capability tag, for example `image.fast`.
    pub capability: String,
    /// Side in pixels of the square the model was trained on.
    pub native_size: u32,
    pub default_steps: u32,
    pub max_steps: u32,
    pub default_guidance: f32,
    /// Width and height must be multiples of this many pixels.
    pub size_multiple: u32,
}

/// What models that make pictures larger offer. Their native size is that of a picture they give, and its price is one
/// credit.
pub const UPSCALE: &str = "upscale";
/// Largest native side of a model, in pixels.
const LARGEST_SIDE: u32 = 8_192;
/// Most steps a model may take.
const MOST_STEPS: u32 = 1_000;
/// Strongest guidance a model may start from.
const STRONGEST_GUIDANCE: f32 = 100.0;

impl ModelCard {
    /// Whether the numbers make sense, so that sizes and prices can be made of them; the reason if not.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=LARGEST_SIDE).contains(&self.native_size) {
            return Err(format!("a native size of {} pixels", self.native_size));
        }
        if !(1..=self.native_size).contains(&self.size_multiple) {
            return Err(format!("sizes in multiples of {} pixels", self.size_multiple));
        }
        if !(1..=MOST_STEPS).contains(&self.max_steps) || !(1..=self.max_steps).contains(&self.default_steps) {
            return Err(format!("{} steps, at most {}", self.default_steps, self.max_steps));
        }
        if !(self.default_guidance >= 0.0 && self.default_guidance <= STRONGEST_GUIDANCE) {
            return Err(format!("a guidance of {}", self.default_guidance));
        }
        Ok(())
    }

    /// It makes pictures larger, and nothing else.
    pub fn upscales(&self) -> bool {
        self.capability == UPSCALE
    }

    /// It makes pictures, also from others.
    pub fn goes_on(&self) -> bool {
        self.capability.split('.').next() == Some("image")
    }

    /// Whether it makes pictures of this size.
    pub fn fits(&self, width: u32, height: u32) -> bool {
        let fits = |side: u32| {
            (self.min_side()..=self.max_side()).contains(&side) && side.is_multiple_of(self.size_multiple.max(1))
        };
        fits(width) && fits(height)
    }

    /// Largest side, in pixels, that is accepted for this model.
    pub fn max_side(&self) -> u32 {
        self.native_size * 2
    }

    /// Smallest side, in pixels, that is accepted for this model.
    pub fn min_side(&self) -> u32 {
        (self.native_size / 4).max(self.size_multiple)
    }

    /// Picture size for an aspect ratio, at about the model's native area.
    ///
    /// Each side is rounded to the model's multiple, in pixels.
    pub fn size_for(&self, ratio_width: u32, ratio_height: u32) -> (u32, u32) {
        let (w, h) = (f64::from(ratio_width.max(1)), f64::from(ratio_height.max(1)));
        let side = f64::from(self.native_size);
        let fit = |exact: f64| {
            let multiple = f64::from(self.size_multiple.max(1));
            let rounded = (exact / multiple).round() * multiple;
            rounded.clamp(f64::from(self.min_side()), f64::from(self.max_side())) as u32
        };
        (fit(side * (w / h).sqrt()), fit(side * (h / w).sqrt()))
    }
}

#[cfg(test)]
pub(crate) fn starter_card() -> ModelCard {
    ModelCard {
        name: "starter".into(),
        title: "Starter".into(),
        capability: "image.fast".into(),
        native_size: 256,
        default_steps: 12,
        max_steps: 50,
        default_guidance: 3.0,
        size_multiple: 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aspect_ratios_keep_the_area_and_the_multiple() {
        let card = starter_card();
        assert_eq!(card.size_for(1, 1), (256, 256));
        for (w, h) in [(3, 2), (2, 3), (16, 9), (9, 16), (4, 5)] {
            let (width, height) = card.size_for(w, h);
            assert_eq!(width % 32, 0);
            assert_eq!(height % 32, 0);
            let area = f64::from(width * height) / f64::from(256 * 256);
            assert!((0.8..=1.25).contains(&area), "{w}:{h} gave {width}x{height}");
        }
    }
}
