//! Runs one pipeline on given tensors, so that it can be held against another implementation:
//!
//! `cargo run --release -p engine --example pipeline -- --model DIR --inputs in.safetensors --out out.safetensors`
//!
//! Inputs, under the names of diffusers' arguments: `latents` (initial noise, before any scaling by
//! the scheduler), `prompt_embeds` and `negative_prompt_embeds`, for SDXL with `pooled_prompt_embeds`
//! and `negative_pooled_prompt_embeds`, or `input_ids` and `negative_input_ids`, with `input_ids_2`
//! and `negative_input_ids_2` where the second text encoder gets others. Image to image: `image`
//! (pictures between 0 and 1, or latents) and `image_noise` to sample the autoencoder with; without
//! it the mean is taken. `mask` `[n, 1, height, width]` is 1 where the picture is drawn anew and 0 where it stays. `step_noise` `[steps, n, channels, height, width]` is for schedulers whose
//! steps put fresh noise in. `steps`, `guidance`, `strength`, `width` and `height` are strings in the
//! file's metadata. Writes `latents` and `image` (`[n, 3, height, width]`, 0 to 1).

use std::collections::HashMap;

use candle_core::{DType, Device as Place, Tensor, safetensors as files};
use engine::{Conditioning, Device, Given, GivenImage, Pipeline, Session};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut options = HashMap::new();
    let mut words = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        options.insert(name, value);
    }
    let option = |name: &str| options.get(name).ok_or_else(|| format!("{name} is missing"));

    let bytes = std::fs::read(option("--inputs")?)?;
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes)?;
    let settings = header.metadata().clone().unwrap_or_default();
    let inputs = files::load_buffer(&bytes, &Place::Cpu)?;
    let device = match options.get("--device").map(String::as_str) {
        None | Some("cpu") => Device::cpu(),
        Some(name) => Device::cuda(name.trim_start_matches("cuda:").parse()?)?,
    };
    let pipeline = Pipeline::load(option("--model")?.as_ref(), &device)?;

    let info = pipeline.info();
    let latents = inputs.get("latents").ok_or("`latents` is missing")?.to_dtype(DType::F32)?;
    let given = Given {
        prompt: condition(&inputs, "")?.ok_or("`prompt_embeds` or `input_ids` is missing")?,
        negative: condition(&inputs, "negative_")?,
        steps: setting(&settings, "steps")?.unwrap_or(info.default_steps) as usize,
        guidance: setting(&settings, "guidance")?.unwrap_or(info.default_guidance),
        step_noise: inputs.get("step_noise").map(|noise| noise.to_dtype(DType::F32)).transpose()?,
        image: match inputs.get("image") {
            Some(image) => Some(GivenImage {
                image: image.to_dtype(DType::F32)?,
                strength: setting(&settings, "strength")?.unwrap_or(0.8),
                sample_noise: inputs.get("image_noise").map(|noise| noise.to_dtype(DType::F32)).transpose()?,
                mask: inputs.get("mask").map(|mask| mask.to_dtype(DType::F32)).transpose()?,
            }),
            None if inputs.contains_key("mask") => return Err("`mask` needs an `image`".into()),
            None => None,
        },
        latents,
    };
    let mut sessions = pipeline.open_given(&given)?;
    while sessions.iter().any(|session| !session.is_done()) {
        pipeline.step(&mut sessions.iter_mut().collect::<Vec<_>>())?;
    }
    let latents = Tensor::cat(&sessions.iter().map(Session::latents).collect::<Vec<_>>(), 0)?;
    let image = pipeline.decode(&latents)?;
    let sides = [("height", image.dim(2)?), ("width", image.dim(3)?)];
    for (name, side) in sides {
        if setting::<usize>(&settings, name)?.is_some_and(|wanted| wanted != side) {
            return Err(format!("`{name}` does not fit the latents, which make {side} pixels").into());
        }
    }
    files::save(&HashMap::from([("latents", latents), ("image", image)]), option("--out")?)?;
    Ok(())
}

/// Encoded words, or ids to encode, under names that begin like this.
fn condition(inputs: &HashMap<String, Tensor>, prefix: &str) -> Result<Option<Conditioning>, Failure> {
    let floats =
        |name: &str| inputs.get(&format!("{prefix}{name}")).map(|tensor| tensor.to_dtype(DType::F32)).transpose();
    let ids = |name: &str| -> Result<Option<Vec<Vec<u32>>>, Failure> {
        let ids = inputs.get(&format!("{prefix}{name}"));
        Ok(ids.map(|ids| ids.to_dtype(DType::U32)?.to_vec2()).transpose()?)
    };
    if let Some(states) = floats("prompt_embeds")? {
        return Ok(Some(Conditioning::Embeddings { states, pooled: floats("pooled_prompt_embeds")? }));
    }
    Ok(match (ids("input_ids")?, ids("input_ids_2")?) {
        (Some(first), Some(second)) => {
            let rows = first.into_iter().zip(second).map(|(first, second)| vec![first, second]);
            Some(Conditioning::IdsPerEncoder(rows.collect()))
        }
        (Some(ids), None) => Some(Conditioning::Ids(ids)),
        (None, _) => None,
    })
}

fn setting<T: std::str::FromStr>(settings: &HashMap<String, String>, name: &str) -> Result<Option<T>, Failure> {
    let parse = |text: &String| text.parse().map_err(|_| format!("`{name}` is {text:?}, which is not a number"));
    Ok(settings.get(name).map(parse).transpose()?)
}
