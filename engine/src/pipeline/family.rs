//! Which pipelines this engine runs, and what they are made of.

use std::path::Path;

use serde_json::Value;

use crate::config::read_json;
use crate::error::LoadError;
use crate::text::encoders::States;

/// What the weight files of a text encoder, and of every other part, are called.
const TEXT_STEM: &str = "model";
const STEM: &str = "diffusion_pytorch_model";

/// The folder of what enlarges pictures.
pub(super) const UPSCALER: &str = "upscaler";

/// The scores that diffusers' pipelines ask a refiner for, out of 10, unless told otherwise.
const AESTHETICS: f32 = 6.0;
const NEGATIVE_AESTHETICS: f32 = 2.5;

/// The pipeline classes this engine runs.
const KNOWN: [&str; 5] = [
    "StarterPipeline",
    "StableDiffusionPipeline",
    "LatentConsistencyModelPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusionXLImg2ImgPipeline",
];

/// Models that differ in how they take their conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    StableDiffusion,
    /// With pooled text and the sizes of the picture.
    StableDiffusionXl,
}

/// What `model_index.json` says.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) class_name: String,
    pub(crate) kind: Kind,
    /// The folders of the text encoders, in the order in which their states follow each other.
    pub(crate) text_folders: Vec<&'static str>,
    /// Without a negative prompt the network sees zeros, not the words of an empty prompt.
    pub(crate) zeros_for_empty: bool,
    /// Only goes on from pictures, and is told how good they are to look instead of their size.
    pub(crate) refines: bool,
    /// Comes with something that enlarges pictures.
    pub(crate) upscales: bool,
    aesthetics: bool,
}

impl Family {
    pub(crate) fn read(dir: &Path) -> Result<Family, LoadError> {
        let path = dir.join("model_index.json");
        let index: Value = read_json(&path)?;
        let Some(found) = index.get("_class_name").and_then(Value::as_str) else {
            return Err(LoadError::config(&path, "`_class_name` is missing"));
        };
        let kind = match found {
            "StarterPipeline" | "StableDiffusionPipeline" | "LatentConsistencyModelPipeline" => Kind::StableDiffusion,
            "StableDiffusionXLPipeline" | "StableDiffusionXLImg2ImgPipeline" => Kind::StableDiffusionXl,
            _ => {
                let known = KNOWN.map(str::to_owned).to_vec();
                return Err(LoadError::UnknownClass { found: found.to_owned(), known });
            }
        };
        // A part that a pipeline does without is written as a pair of nulls.
        let has = |name: &str| index.get(name).and_then(|part| part.get(0)).is_some_and(Value::is_string);
        let text_folders = match kind {
            Kind::StableDiffusion => vec!["text_encoder"],
            Kind::StableDiffusionXl => {
                ["text_encoder", "text_encoder_2"].into_iter().filter(|name| has(name)).collect()
            }
        };
        if text_folders.is_empty() {
            return Err(LoadError::config(&path, "it names no text encoder"));
        }
        let switch = |name: &str, default: bool| match index.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => {
                value.as_bool().ok_or_else(|| LoadError::config(&path, format!("`{name}` is neither true nor false")))
            }
        };
        let refines = found == "StableDiffusionXLImg2ImgPipeline";
        let zeros = switch("force_zeros_for_empty_prompt", true)?;
        let aesthetics = switch("requires_aesthetics_score", false)?;
        Ok(Family {
            class_name: found.to_owned(),
            kind,
            text_folders,
            zeros_for_empty: zeros && kind == Kind::StableDiffusionXl,
            refines,
            // Whoever adds the part later need not touch the index.
            upscales: has(UPSCALER) || dir.join(UPSCALER).is_dir(),
            aesthetics: refines && aesthetics,
        })
    }

    /// Every part with weights: its folder, and what its files are called.
    pub(crate) fn parts(&self) -> Vec<(&'static str, &'static str)> {
        let text = self.text_folders.iter().map(|folder| (*folder, TEXT_STEM));
        let upscaler = self.upscales.then_some((UPSCALER, STEM));
        text.chain([("unet", STEM), ("vae", STEM)]).chain(upscaler).collect()
    }

    /// What the network is told of a picture with these sides in pixels, uncropped and as large as
    /// its original, and for a refiner how good it is to look: numbers that do not touch the words.
    pub(crate) fn time_ids(&self, height: usize, width: usize, negative: bool) -> Vec<f32> {
        let (height, width) = (height as f32, width as f32);
        match self.kind {
            Kind::StableDiffusion => Vec::new(),
            Kind::StableDiffusionXl if self.aesthetics => {
                vec![height, width, 0.0, 0.0, if negative { NEGATIVE_AESTHETICS } else { AESTHETICS }]
            }
            Kind::StableDiffusionXl => vec![height, width, 0.0, 0.0, height, width],
        }
    }
}

impl Kind {
    /// Which states of its text encoders the network attends to.
    pub(crate) fn states(self) -> States {
        match self {
            Kind::StableDiffusion => States::Last,
            Kind::StableDiffusionXl => States::Penultimate,
        }
    }

    /// The pixels a picture has on each side unless the model says otherwise.
    pub(crate) fn native_size(self) -> u32 {
        match self {
            Kind::StableDiffusion => 512,
            Kind::StableDiffusionXl => 1024,
        }
    }

    pub(crate) fn capability(self) -> &'static str {
        match self {
            Kind::StableDiffusion => "image.fast",
            Kind::StableDiffusionXl => "image.hq",
        }
    }
}
