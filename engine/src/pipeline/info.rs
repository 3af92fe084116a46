//! What can be known about a model without reading its weights.

use std::path::Path;

use serde::Deserialize;

use super::family::{Family, UPSCALER};
use crate::config::read_json;
use crate::error::LoadError;
use crate::text::clip::ClipConfig;
use crate::unet::addition::AdditionConfig;
use crate::unet::config::UnetConfig;
use crate::upscaler::UpscalerConfig;
use crate::vae::{Vae, VaeShape};
use crate::weights;

/// A model as lists and forms show it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The folder's name, unless `mindseye.json` says otherwise.
    pub name: String,
    pub title: String,
    /// What the model offers, for example `image.fast`.
    pub capability: String,
    /// The side in pixels of the pictures it was trained on.
    pub native_size: u32,
    pub default_steps: u32,
    pub max_steps: u32,
    pub default_guidance: f32,
    /// Width and height must be multiples of this.
    pub size_multiple: u32,
    pub class_name: String,
    /// Whether it enlarges pictures too.
    pub upscales: bool,
    /// Size of all weight files.
    pub weight_bytes: u64,
}

/// `mindseye.json`: what the diffusers layout has no place for. All of it is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Card {
    name: Option<String>,
    title: Option<String>,
    capability: Option<String>,
    native_size: Option<u32>,
    default_steps: Option<u32>,
    max_steps: Option<u32>,
    default_guidance: Option<f32>,
    pub(crate) latent_rgb: Option<LatentRgb>,
}

/// A linear map from latents to colours between 0 and 1.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LatentRgb {
    /// Red, green and blue of each latent channel.
    pub(crate) weights: Vec<[f32; 3]>,
    pub(crate) bias: [f32; 3],
}

impl ModelInfo {
    /// The longest side in pixels of the pictures it makes: four times the native one, within reason.
    pub fn largest_side(&self) -> u32 {
        let most = self.native_size.saturating_mul(4).min(2048).max(self.native_size);
        most - most % self.size_multiple
    }

    /// Reads what a model says about itself: its JSON files, and the sizes of its weight files.
    ///
    /// # Errors
    /// [`LoadError`] when a file is missing, malformed, or describes a model this engine does not know.
    pub fn read(dir: &Path) -> Result<ModelInfo, LoadError> {
        Plan::read(dir).map(|plan| plan.info)
    }
}

/// Everything the configuration files say, checked against each other.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) info: ModelInfo,
    pub(crate) family: Family,
    /// One for each text encoder.
    pub(crate) clips: Vec<ClipConfig>,
    pub(crate) vae: VaeShape,
    pub(crate) latent_rgb: Option<LatentRgb>,
}

impl Plan {
    pub(crate) fn read(dir: &Path) -> Result<Plan, LoadError> {
        let family = Family::read(dir)?;
        let unet_path = dir.join("unet").join("config.json");
        let unet = UnetConfig::read(&unet_path)?;
        let clips = family.text_folders.iter().map(|folder| ClipConfig::read(&dir.join(folder).join("config.json")));
        let clips = clips.collect::<Result<Vec<_>, _>>()?;
        let vae = Vae::shape(&dir.join("vae"))?;
        let channels = vae.latent_channels;
        if unet.in_channels != channels || unet.out_channels != channels {
            let reason = format!(
                "the network maps {} channels to {}, but latents have {channels}",
                unet.in_channels, unet.out_channels
            );
            return Err(LoadError::config(&unet_path, reason));
        }
        let width: usize = clips.iter().map(|clip| clip.hidden_size).sum();
        if unet.context() != width {
            let reason = format!("`cross_attention_dim` is {}, but the text encoders give {width}", unet.context());
            return Err(LoadError::config(&unet_path, reason));
        }
        check_addition(&unet_path, &family, &unet, &clips)?;
        if family.upscales {
            UpscalerConfig::read(&dir.join(UPSCALER).join("config.json"))?;
        }
        let mut weight_bytes = 0;
        for (part, stem) in family.parts() {
            for path in weights::find(&dir.join(part), stem)? {
                weight_bytes += std::fs::metadata(&path).map_err(|error| LoadError::io(&path, &error))?.len();
            }
        }
        let card_path = dir.join("mindseye.json");
        let card: Card = if card_path.is_file() { read_json(&card_path)? } else { Card::default() };
        let size_multiple = (vae.factor * unet.divisor()) as u32;
        let info = info(&card_path, dir, &card, &family, size_multiple, weight_bytes)?;
        if card.latent_rgb.as_ref().is_some_and(|map| map.weights.len() != channels) {
            return Err(LoadError::config(&card_path, format!("`latent_rgb` must have {channels} rows of weights")));
        }
        Ok(Plan { info, family, clips, vae, latent_rgb: card.latent_rgb })
    }
}

/// The pooled text and the sizes must be what the network adds to its time embedding.
fn check_addition(path: &Path, family: &Family, unet: &UnetConfig, clips: &[ClipConfig]) -> Result<(), LoadError> {
    let pooled = clips.iter().find_map(ClipConfig::pooled).unwrap_or(0);
    match (family.time_ids(0, 0, false).len(), unet.addition) {
        (0, None | Some(AdditionConfig::Text { .. })) => Ok(()),
        (0, Some(AdditionConfig::TextTime { .. })) => {
            let reason = format!("`addition_embed_type` is set, but a {} adds nothing", family.class_name);
            Err(LoadError::config(path, reason))
        }
        (_, None | Some(AdditionConfig::Text { .. })) => {
            let reason = format!("`addition_embed_type` is not \"text_time\", but a {} needs it", family.class_name);
            Err(LoadError::config(path, reason))
        }
        (sizes, Some(AdditionConfig::TextTime { width, inputs }))
            if pooled == 0 || inputs != pooled + sizes * width =>
        {
            let reason = format!(
                "`projection_class_embeddings_input_dim` is {inputs}, but the pooled text has {pooled} values and {sizes} sizes have {width} each"
            );
            Err(LoadError::config(path, reason))
        }
        _ => Ok(()),
    }
}

fn info(
    path: &Path,
    dir: &Path,
    card: &Card,
    family: &Family,
    size_multiple: u32,
    weight_bytes: u64,
) -> Result<ModelInfo, LoadError> {
    let folder = dir.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned());
    let name = card.name.clone().unwrap_or(folder);
    let max_steps = card.max_steps.unwrap_or(100);
    let info = ModelInfo {
        title: card.title.clone().unwrap_or_else(|| name.clone()),
        name,
        capability: card.capability.clone().unwrap_or_else(|| family.kind.capability().to_owned()),
        native_size: card.native_size.unwrap_or_else(|| family.kind.native_size()),
        default_steps: card.default_steps.unwrap_or_else(|| max_steps.min(20)),
        max_steps,
        default_guidance: card.default_guidance.unwrap_or(7.5),
        size_multiple,
        class_name: family.class_name.clone(),
        upscales: family.upscales,
        weight_bytes,
    };
    if info.name.is_empty()
        || !(1..=1000).contains(&info.max_steps)
        || !(1..=info.max_steps).contains(&info.default_steps)
    {
        return Err(LoadError::config(path, "`name` must not be empty, and 1 ≤ `default_steps` ≤ `max_steps` ≤ 1000"));
    }
    if info.native_size == 0 || !info.native_size.is_multiple_of(size_multiple) {
        return Err(LoadError::config(path, format!("`native_size` must be a multiple of {size_multiple}")));
    }
    if !(0.0..=50.0).contains(&info.default_guidance) {
        return Err(LoadError::config(path, "`default_guidance` must lie between 0 and 50"));
    }
    Ok(info)
}
