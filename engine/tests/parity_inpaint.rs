//! Inpainting against diffusers, whatever the scheduler. `fixtures/make_inpaint.py` makes the references.

mod common;

use common::{Reference, close, draw, tiny_with_scheduler};
use engine::{Conditioning, Given, GivenImage, Pipeline};
use serde_json::{Value, json};

#[derive(serde::Deserialize)]
struct Case {
    config: Value,
    strength: f64,
}

#[derive(serde::Deserialize)]
struct Flow {
    shift: f64,
    strength: f64,
}

fn given(pipeline: &Pipeline, reference: &Reference, strength: f64) -> Given {
    let prompts: Vec<String> = serde_json::from_str(reference.fact("prompts")).expect("prompts are a list");
    let words = |prompts: &[&str]| {
        let ids = |prompt: &&str| pipeline.tokenize(prompt).expect("it has tokens");
        Conditioning::IdsPerEncoder(prompts.iter().map(ids).collect())
    };
    Given {
        latents: reference.get("latents").clone(),
        prompt: words(&prompts.iter().map(String::as_str).collect::<Vec<_>>()),
        negative: Some(words(&["", ""])),
        steps: reference.fact("steps").parse().expect("a number"),
        guidance: reference.fact("guidance").parse().expect("a number"),
        step_noise: Some(reference.get("step_noise").clone()),
        image: Some(GivenImage {
            image: reference.get("image").clone(),
            strength,
            sample_noise: Some(reference.get("image_noise").clone()),
            mask: Some(reference.get("mask").clone()),
        }),
    }
}

#[test]
fn every_scheduler_draws_behind_a_mask() {
    let reference = Reference::read("tiny_inpaint.safetensors");
    let cases: Vec<Case> = serde_json::from_str(reference.fact("cases")).expect("cases are a list");
    assert!(cases.len() >= 13);
    for (index, case) in cases.iter().enumerate() {
        let pipeline = tiny_with_scheduler("tiny_third", &case.config);
        let (latents, _) = draw(&pipeline, &given(&pipeline, &reference, case.strength));
        let what = format!("{} {}", case.config, case.strength);
        close(&what, &latents, reference.get(&format!("case_{index}")), 1e-3);
    }
}

#[test]
fn a_model_of_the_starters_kind_draws_behind_a_mask() {
    let reference = Reference::read("tiny_inpaint.safetensors");
    let cases: Vec<Flow> = serde_json::from_str(reference.fact("flow")).expect("cases are a list");
    for (index, Flow { shift, strength }) in cases.into_iter().enumerate() {
        let config = json!({ "_class_name": "FlowMatchEulerDiscreteScheduler", "shift": shift });
        let pipeline = tiny_with_scheduler("tiny_starter", &config);
        let (latents, _) = draw(&pipeline, &given(&pipeline, &reference, strength));
        close(&format!("flow {strength}"), &latents, reference.get(&format!("flow_{index}")), 1e-3);
    }
}
