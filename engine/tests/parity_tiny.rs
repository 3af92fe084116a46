//! Every part against diffusers and transformers, on tiny models that between them use every setting
//! this engine knows. `fixtures/make_tiny.py` makes them.

mod common;

use common::{Reference, close, difference, draw, floats, tiny};
use engine::{Conditioning, Given, Tensor};

const MODELS: [&str; 3] = ["tiny_first", "tiny_second", "tiny_starter"];

fn each(check: impl Fn(&str, &engine::Pipeline, &Reference)) {
    for name in MODELS {
        check(name, &tiny(name), &Reference::read(&format!("{name}.safetensors")));
    }
}

#[test]
fn prompts_become_the_same_tokens() {
    each(|name, pipeline, reference| {
        let prompts: Vec<String> = serde_json::from_str(reference.fact("prompts")).expect("prompts are a list");
        for (prompt, ids) in prompts.iter().zip(reference.ids("input_ids")) {
            assert_eq!(pipeline.tokenize(prompt).expect("it has tokens"), [ids], "{name}: {prompt:?}");
        }
    });
}

#[test]
fn the_text_encoder_agrees() {
    each(|name, pipeline, reference| {
        let states: Vec<Tensor> = reference
            .ids("input_ids")
            .into_iter()
            .map(|ids| pipeline.encode_ids(&[ids]).expect("it encodes").0)
            .collect();
        let states = Tensor::cat(&states, 0).expect("rows of one width");
        close(&format!("{name} text"), &states, reference.get("last_hidden_state"), 1e-4);
    });
}

#[test]
fn the_unet_agrees() {
    each(|name, pipeline, reference| {
        let timesteps = reference.floats("unet_timesteps");
        let output = pipeline
            .predict(reference.get("unet_sample"), &timesteps, reference.get("unet_words"), None)
            .expect("it predicts");
        close(&format!("{name} unet"), &output, reference.get("unet_output"), 1e-4);
    });
}

#[test]
fn the_autoencoder_agrees() {
    each(|name, pipeline, reference| {
        let decoded = pipeline.decode(reference.get("vae_latents")).expect("it decodes");
        let wanted = reference.get("vae_decoded").affine(0.5, 0.5).and_then(|x| x.clamp(0f32, 1f32));
        close(&format!("{name} decoder"), &decoded, &wanted.expect("a picture"), 1e-4);
        let encoded = pipeline.encode(reference.get("vae_picture")).expect("it encodes");
        close(&format!("{name} encoder"), &encoded, reference.get("vae_encoded"), 1e-4);
    });
}

#[test]
fn a_guided_loop_ends_at_the_same_picture() {
    each(|name, pipeline, reference| {
        let ids = reference.ids("input_ids");
        let given = Given {
            latents: reference.get("loop_noise").clone(),
            prompt: Conditioning::Ids(ids[1..3].to_vec()),
            negative: Some(Conditioning::Ids(vec![ids[0].clone(), ids[0].clone()])),
            steps: 4,
            guidance: 3.0,
            step_noise: None,
            image: None,
        };
        let (latents, image) = draw(pipeline, &given);
        close(&format!("{name} loop"), &latents, reference.get("loop_latents"), 1e-3);
        close(&format!("{name} image"), &image, reference.get("loop_image"), 1e-3);
    });
}

#[test]
fn a_whole_pipeline_of_diffusers_draws_the_same_picture() {
    let (pipeline, reference) = (tiny("tiny_third"), Reference::read("tiny_third.safetensors"));
    let prompts: Vec<String> = serde_json::from_str(reference.fact("prompts")).expect("prompts are a list");
    let ids = |prompt: &str| pipeline.tokenize(prompt).expect("it has tokens").remove(0);
    let given = Given {
        latents: reference.get("latents").clone(),
        prompt: Conditioning::Ids(prompts.iter().map(|prompt| ids(prompt)).collect()),
        negative: Some(Conditioning::Ids(vec![ids(""); prompts.len()])),
        steps: 5,
        guidance: 4.0,
        step_noise: None,
        image: None,
    };
    let (latents, image) = draw(&pipeline, &given);
    close("tiny_third loop", &latents, reference.get("loop_latents"), 1e-3);
    close("tiny_third image", &image, reference.get("loop_image"), 1e-3);
}

#[test]
fn a_network_that_is_told_the_guidance_agrees() {
    let (pipeline, reference) = (tiny("tiny_lcm"), Reference::read("tiny_lcm.safetensors"));
    let prompts: Vec<String> = serde_json::from_str(reference.fact("prompts")).expect("prompts are a list");
    let ids = |prompt: &String| pipeline.tokenize(prompt).expect("it has tokens").remove(0);
    let given = Given {
        latents: reference.get("latents").clone(),
        prompt: Conditioning::Ids(prompts.iter().map(ids).collect()),
        negative: None,
        steps: 4,
        guidance: 6.5,
        step_noise: Some(reference.get("step_noise").clone()),
        image: None,
    };
    let (latents, _) = draw(&pipeline, &given);
    close("tiny_lcm loop", &latents, reference.get("loop_latents"), 1e-3);
    let (others, _) = draw(&pipeline, &Given { guidance: 1.5, ..given });
    assert!(difference(&floats(&latents), &floats(&others)) > 0.01, "the guidance does not matter");
}
