//! SDXL against diffusers, on a tiny model. `fixtures/make_tiny_xl.py` makes it.

mod common;

use common::{Reference, close, draw, tiny};
use engine::{Conditioning, Given, Pipeline, Tensor};

fn loaded() -> (Pipeline, Reference, Vec<String>) {
    let reference = Reference::read("tiny_xl.safetensors");
    let prompts = serde_json::from_str(reference.fact("prompts")).expect("prompts are a list");
    (tiny("tiny_xl"), reference, prompts)
}

/// States and pooled text of some prompts.
fn encode(pipeline: &Pipeline, prompts: &[&str]) -> [Tensor; 2] {
    let encoded = prompts.iter().map(|prompt| {
        let ids = pipeline.tokenize(prompt).expect("it has tokens");
        pipeline.encode_ids(&ids).expect("it encodes")
    });
    let (states, pooled): (Vec<_>, Vec<_>) = encoded.unzip();
    let pooled: Vec<Tensor> = pooled.into_iter().map(|pooled| pooled.expect("pooled text")).collect();
    [states, pooled].map(|rows| Tensor::cat(&rows, 0).expect("rows of one width"))
}

fn words(pipeline: &Pipeline, prompts: &[&str]) -> Conditioning {
    let ids = |prompt: &&str| pipeline.tokenize(prompt).expect("it has tokens");
    Conditioning::IdsPerEncoder(prompts.iter().map(ids).collect())
}

#[test]
fn both_text_encoders_agree() {
    let (pipeline, reference, prompts) = loaded();
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
    let [states, pooled] = encode(&pipeline, &prompts);
    close("states", &states, reference.get("states"), 1e-4);
    close("pooled text", &pooled, reference.get("pooled"), 1e-4);
    let [states, pooled] = encode(&pipeline, &[reference.fact("negative"); 2]);
    close("negative states", &states, reference.get("negative"), 1e-4);
    close("negative pooled text", &pooled, reference.get("negative_pooled"), 1e-4);
}

#[test]
fn the_unet_agrees() {
    let (pipeline, reference, _) = loaded();
    let added = (reference.get("pooled"), reference.get("time_ids"));
    let timesteps = reference.floats("unet_timesteps");
    let output = pipeline.predict(reference.get("latents"), &timesteps, reference.get("states"), Some(added));
    close("unet", &output.expect("it predicts"), reference.get("unet_output"), 1e-4);
}

#[test]
fn whole_pictures_agree() {
    let (pipeline, reference, prompts) = loaded();
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
    let embedded = |states: &str, pooled: &str| Conditioning::Embeddings {
        states: reference.get(states).clone(),
        pooled: Some(reference.get(pooled).clone()),
    };
    let negative = words(&pipeline, &[reference.fact("negative"); 2]);
    for (name, prompt, negative) in [
        ("empty", words(&pipeline, &prompts), None),
        ("negative", words(&pipeline, &prompts), Some(negative)),
        ("negative", embedded("states", "pooled"), Some(embedded("negative", "negative_pooled"))),
    ] {
        let latents = reference.get("latents").clone();
        let given = Given { latents, prompt, negative, steps: 5, guidance: 4.0, step_noise: None, image: None };
        let (latents, image) = draw(&pipeline, &given);
        close(&format!("{name} latents"), &latents, reference.get(&format!("{name}_latents")), 1e-3);
        close(&format!("{name} image"), &image, reference.get(&format!("{name}_image")), 1e-3);
    }
}

#[test]
fn pooled_text_that_is_missing_is_asked_for() {
    let (pipeline, reference, _) = loaded();
    let prompt = Conditioning::Embeddings { states: reference.get("states").clone(), pooled: None };
    let latents = reference.get("latents").clone();
    let given = Given { latents, prompt, negative: None, steps: 2, guidance: 1.0, step_noise: None, image: None };
    let refused = pipeline.open_given(&given).map(|_| ()).expect_err("it is refused");
    assert!(refused.to_string().contains("pooled"), "{refused}");
}
