//! Image to image and the refiner against diffusers. `fixtures/make_image.py` and
//! `fixtures/make_tiny_xl.py` make the references.

mod common;

use common::{Reference, close, draw, params, tiny, tiny_with_scheduler};
use engine::{Conditioning, EngineError, Given, GivenImage, Params, Pipeline, RgbImage, Start};
use serde_json::Value;

#[derive(serde::Deserialize)]
struct Case {
    config: Value,
    strength: f64,
}

fn words(pipeline: &Pipeline, prompts: &[String]) -> Conditioning {
    let ids = |prompt: &String| pipeline.tokenize(prompt).expect("it has tokens");
    Conditioning::IdsPerEncoder(prompts.iter().map(ids).collect())
}

#[test]
fn the_encoder_agrees() {
    let reference = Reference::read("tiny_image.safetensors");
    let mean = tiny("tiny_third").encode(reference.get("image")).expect("it encodes");
    close("encoder", &mean, reference.get("mean"), 1e-4);
}

#[test]
fn every_scheduler_goes_on_from_a_picture() {
    let reference = Reference::read("tiny_image.safetensors");
    let prompts: Vec<String> = serde_json::from_str(reference.fact("prompts")).expect("prompts are a list");
    let cases: Vec<Case> = serde_json::from_str(reference.fact("cases")).expect("cases are a list");
    assert!(cases.len() >= 12);
    for (index, case) in cases.iter().enumerate() {
        let pipeline = tiny_with_scheduler("tiny_third", &case.config);
        let given = Given {
            latents: reference.get("latents").clone(),
            prompt: words(&pipeline, &prompts),
            negative: Some(words(&pipeline, &["".into(), "".into()])),
            steps: reference.fact("steps").parse().expect("a number"),
            guidance: 3.0,
            step_noise: Some(reference.get("step_noise").clone()),
            image: Some(GivenImage {
                image: reference.get("image").clone(),
                strength: case.strength,
                sample_noise: Some(reference.get("image_noise").clone()),
                mask: None,
            }),
        };
        let (latents, _) = draw(&pipeline, &given);
        let what = format!("{} {}", case.config, case.strength);
        close(&what, &latents, reference.get(&format!("case_{index}")), 1e-3);
    }
}

#[test]
fn the_refiner_agrees() {
    let (pipeline, reference) = (tiny("tiny_refiner"), Reference::read("tiny_refiner.safetensors"));
    let prompts: Vec<String> = serde_json::from_str(reference.fact("prompts")).expect("prompts are a list");
    let negative = words(&pipeline, &vec![reference.fact("negative").to_owned(); 2]);
    for (name, strength, negative) in [("latents", 0.4, None), ("image", 0.7, Some(negative))] {
        let given = Given {
            latents: reference.get("latents").clone(),
            prompt: words(&pipeline, &prompts),
            negative,
            steps: 10,
            guidance: 4.0,
            step_noise: None,
            image: Some(GivenImage {
                image: reference.get(&format!("start_{name}")).clone(),
                strength,
                sample_noise: Some(reference.get("image_noise").clone()),
                mask: None,
            }),
        };
        let (latents, image) = draw(&pipeline, &given);
        close(&format!("from {name}: latents"), &latents, reference.get(&format!("from_{name}_latents")), 1e-3);
        close(&format!("from {name}: image"), &image, reference.get(&format!("from_{name}_image")), 1e-3);
    }
}

#[test]
fn a_refiner_takes_over_from_its_base() {
    let (base, refiner) = (tiny("tiny_xl"), tiny("tiny_refiner"));
    assert_eq!(refiner.info().class_name, "StableDiffusionXLImg2ImgPipeline");
    let params = Params { width: 16, height: 24, ..params("a red boat", 3) };
    assert!(matches!(refiner.open(&params), Err(EngineError::OutOfRange { .. })));
    let mut session = base.open(&params).expect("it opens");
    while !session.is_done() {
        base.step(&mut [&mut session]).expect("it steps");
    }
    let first = base.finish(&session).expect("it finishes");
    let start = Start::Latents(session.latents());
    let mut session = refiner.open_from(&params, start, 0.5).expect("it goes on");
    assert_eq!(session.steps(), 2);
    while !session.is_done() {
        refiner.step(&mut [&mut session]).expect("it steps");
    }
    assert!(refiner.finish(&session).expect("it finishes") != first);
}

#[test]
fn a_picture_and_a_strength_must_fit() {
    let pipeline = tiny("tiny_first");
    let params = params("a boat", 1);
    let picture = RgbImage::from_fn(32, 32, |x, y| engine::Rgb([x as u8 * 8, y as u8 * 8, 90]));
    let small = RgbImage::new(16, 32);
    let open = |picture, strength| pipeline.open_from(&params, Start::Picture(picture), strength).map(|s| s.steps());
    assert_eq!(open(&picture, 1.0).expect("it opens"), 4);
    assert_eq!(open(&picture, 0.75).expect("it opens"), 3);
    for (picture, strength) in [(&picture, 0.1), (&picture, 1.1), (&picture, -1.0), (&picture, f64::NAN), (&small, 0.5)]
    {
        let refused = open(picture, strength);
        assert!(matches!(refused, Err(EngineError::OutOfRange { .. })), "{strength}: {refused:?}");
    }
}
