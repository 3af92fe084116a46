//! The composer's fields: what is on offer, and what a link fills in.

use domain::OutputId;
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

/// Aspect ratios on offer: width, height, name.
pub const ASPECTS: [(u32, u32, &str); 5] =
    [(1, 1, "Square"), (3, 2, "Landscape"), (2, 3, "Portrait"), (16, 9, "Wide"), (9, 16, "Tall")];

/// Fields of the composer, flat and as text, as a form without scripts sends them and a link fills
/// them in. Empty means default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComposerForm {
    pub prompt: String,
    pub negative: String,
    pub model: String,
    pub size: String,
    pub count: String,
    pub seed: String,
    pub steps: String,
    pub guidance: String,
    /// A style preset by its slug.
    pub style: String,
    /// A picture to go on from, and how: `little`, `lot`, `part`, `room`, `but`, `2x`, `4x`; or `surprise`, which
    /// needs no picture and no words.
    pub from: String,
    pub how: String,
    /// How much changes, where `how` does not say.
    pub strength: String,
    /// The part that may change: a place, or `drawn` with what is painted in `cells`.
    pub part: String,
    pub cells: String,
    /// Where there is to be more room, and how much of the picture's side.
    pub room: String,
    pub by: String,
    /// What should be different, in a few words.
    pub but: String,
    /// The job that this one follows.
    pub parent: String,
}

impl ComposerForm {
    /// Reads a link's query.
    pub fn from_query(query: &ParamsMap) -> Self {
        let field = |name: &str| query.get(name).unwrap_or_default();
        Self {
            prompt: field("prompt"),
            negative: field("negative"),
            model: field("model"),
            size: field("size"),
            count: field("count"),
            seed: field("seed"),
            steps: field("steps"),
            guidance: field("guidance"),
            style: field("style"),
            from: field("from"),
            how: field("how"),
            strength: field("strength"),
            part: field("part"),
            cells: field("cells"),
            room: field("room"),
            by: field("by"),
            but: field("but"),
            parent: field("parent"),
        }
    }

    /// A link that fills the composer in like this, or the page of the picture it goes on from.
    pub fn link(&self) -> String {
        let from: Option<OutputId> = self.from.trim().parse().ok();
        let page = from.map_or_else(|| "/".to_owned(), picture_link);
        let mut query = ParamsMap::new();
        let fields = [
            ("prompt", &self.prompt),
            ("negative", &self.negative),
            ("model", &self.model),
            ("size", &self.size),
            ("count", &self.count),
            ("seed", &self.seed),
            ("steps", &self.steps),
            ("guidance", &self.guidance),
            ("style", &self.style),
            ("from", &self.from),
            ("how", &self.how),
            ("strength", &self.strength),
            ("part", &self.part),
            ("cells", &self.cells),
            ("room", &self.room),
            ("by", &self.by),
            ("but", &self.but),
            ("parent", &self.parent),
        ];
        for (name, value) in fields {
            if name == "prompt" || !value.is_empty() {
                query.insert(name, value.clone());
            }
        }
        format!("{page}{}", query.to_query_string())
    }

    /// Whether anything behind "Settings" differs from its default.
    pub fn has_settings(&self) -> bool {
        [&self.negative, &self.seed, &self.steps, &self.guidance].iter().any(|field| !field.is_empty())
    }
}

/// The page of one picture.
pub fn picture_link(media: OutputId) -> String {
    format!("/p/{media}")
}
