use super::*;
use crate::model::starter_card;
use crate::source::Making;

fn check(request: GenerationRequest) -> Result<ValidRequest, AppError> {
    request.validate(&[starter_card()], 7)
}

fn wish(prompt: &str) -> GenerationRequest {
    GenerationRequest { prompt: prompt.into(), ..GenerationRequest::default() }
}

#[test]
fn defaults_come_from_the_model() {
    let valid = check(wish("  a red\n\tsun ")).expect("valid");
    assert_eq!(valid.prompt, "a red sun");
    assert_eq!((valid.width, valid.height, valid.steps, valid.count), (256, 256, 12, 4));
    assert_eq!(valid.seed, 7);
    assert_eq!(valid.seed_of(3), 10);
}

#[test]
fn control_and_bidi_characters_are_dropped() {
    let valid = check(wish("a \u{0} b\u{202E}c \u{7}")).expect("valid");
    assert_eq!(valid.prompt, "a bc");
}

#[test]
fn bad_requests_name_what_is_wrong() {
    let code = |request| check(request).expect_err("must be refused").code();
    assert_eq!(code(wish(" \u{0} ")), "empty_prompt");
    assert_eq!(code(wish(&"x".repeat(10_000))), "prompt_too_long");
    assert_eq!(code(GenerationRequest { width: Some(257), height: Some(256), ..wish("a") }), "invalid_size");
    assert_eq!(code(GenerationRequest { width: Some(0), ..wish("a") }), "invalid_size");
    assert_eq!(code(GenerationRequest { width: Some(1 << 20), ..wish("a") }), "invalid_size");
    assert_eq!(code(GenerationRequest { model: Some("nope".into()), ..wish("a") }), "unknown_model");
    assert_eq!(code(GenerationRequest { count: Some(0), ..wish("a") }), "out_of_range");
    assert_eq!(code(GenerationRequest { count: Some(9), ..wish("a") }), "out_of_range");
    assert_eq!(code(GenerationRequest { steps: Some(51), ..wish("a") }), "out_of_range");
    assert_eq!(code(GenerationRequest { guidance: Some(f32::NAN), ..wish("a") }), "out_of_range");
    assert_eq!(code(GenerationRequest { seed: Some(u64::MAX), ..wish("a") }), "out_of_range");
}

#[test]
fn the_recipe_follows_the_parameters_convention() {
    let valid = check(GenerationRequest { negative_prompt: Some("fog".into()), ..wish("a sea") }).expect("valid");
    assert_eq!(
        valid.recipe(1),
        "a sea\nNegative prompt: fog\nSteps: 12, Sampler: Euler, CFG scale: 3, Seed: 8, Size: 256x256, Model: starter, Version: Mindseye"
    );
}

fn original() -> Original {
    let before = check(GenerationRequest {
        negative_prompt: Some("fog".into()),
        steps: Some(20),
        width: Some(320),
        height: Some(192),
        ..wish("a calm lake")
    });
    Original {
        media: OutputId::from_random(5),
        width: 320,
        height: 192,
        making: Some(Making { job: crate::ids::JobId::from_random(1), seed: 9, request: before.expect("valid") }),
    }
}

fn upscaler() -> ModelCard {
    let card = starter_card();
    let capability = crate::model::UPSCALE.into();
    ModelCard { name: "larger".into(), capability, native_size: 512, default_steps: 1, max_steps: 1, ..card }
}

fn from(media: u128, change: impl FnOnce(&mut GenerationRequest)) -> Result<ValidRequest, AppError> {
    let source = SourceRequest { media: OutputId::from_random(media), strength: Some(0.35), region: None };
    let mut request = GenerationRequest { source: Some(source), ..GenerationRequest::default() };
    change(&mut request);
    request.validate_from(&[upscaler(), starter_card()], 7, Some(&original()))
}

fn larger(media: u128, factor: u32, models: &[ModelCard]) -> Result<ValidRequest, AppError> {
    let upscale = UpscaleRequest { media: OutputId::from_random(media), factor };
    let request = GenerationRequest { upscale: Some(upscale), ..GenerationRequest::default() };
    request.validate_from(models, 7, Some(&original()))
}

#[test]
fn what_is_left_out_is_as_it_was() {
    let valid = from(5, |_| {}).expect("valid");
    assert_eq!((valid.prompt.as_str(), valid.negative_prompt.as_str()), ("a calm lake", "fog"));
    assert_eq!((valid.width, valid.height, valid.steps, valid.passes(), valid.seed), (320, 192, 20, 7, 7));
    assert_eq!((valid.model.as_str(), valid.count), ("starter", 4));
    let source = valid.source.clone().expect("a source");
    assert_eq!((source.media, source.width, source.height), (OutputId::from_random(5), 320, 192));
    assert!(valid.recipe(0).contains(", Denoising strength: 0.35, "), "{}", valid.recipe(0));
    let changed = from(5, |request| {
        request.prompt = "a stormy sea".into();
        request.width = Some(256);
    });
    let changed = changed.expect("valid");
    assert_eq!((changed.prompt.as_str(), changed.width, changed.height), ("a stormy sea", 256, 256));
}

#[test]
fn a_picture_that_the_model_cannot_make_is_gone_on_from_at_a_size_that_it_can() {
    let mut large = original();
    (large.width, large.height) = (1_280, 768);
    large.making.as_mut().expect("made").request.model = "larger".into();
    let source = SourceRequest { media: large.media, strength: None, region: None };
    let request = GenerationRequest { source: Some(source), ..GenerationRequest::default() };
    let valid = request.validate_from(&[starter_card()], 7, Some(&large)).expect("valid");
    assert!(starter_card().fits(valid.width, valid.height) && valid.width > valid.height);
    assert_eq!(valid.steps, 12, "another model's steps say nothing");
}

#[test]
fn a_photo_has_no_words_of_its_own() {
    let photo = Original { making: None, width: 1_000, height: 750, ..original() };
    let source = SourceRequest { media: photo.media, strength: None, region: None };
    let from = |prompt: &str| {
        let request = GenerationRequest { source: Some(source.clone()), ..wish(prompt) };
        request.validate_from(&[starter_card()], 7, Some(&photo))
    };
    assert_eq!(from(" "), Err(AppError::EmptyPrompt));
    let valid = from("a watercolor").expect("valid");
    assert!(starter_card().fits(valid.width, valid.height) && valid.width > valid.height);
    let upscale = UpscaleRequest { media: photo.media, factor: 2 };
    let request = GenerationRequest { upscale: Some(upscale), ..GenerationRequest::default() };
    let larger = request.validate_from(&[upscaler()], 7, Some(&photo)).expect("valid");
    assert_eq!((larger.prompt.as_str(), larger.seed, larger.width), (PHOTO_WORDS, 0, 2_000));
}

#[test]
fn whose_picture_it_is_not_and_which_there_is_not_look_the_same() {
    assert_eq!(from(6, |_| {}), Err(AppError::SourceGone));
    assert_eq!(larger(6, 2, &[upscaler()]), Err(AppError::SourceGone));
    let source = SourceRequest { media: OutputId::from_random(5), strength: None, region: None };
    assert_eq!(check(GenerationRequest { source: Some(source), ..wish("a") }), Err(AppError::SourceGone));
}

#[test]
fn a_larger_one_is_the_same_picture() {
    let valid = larger(5, 4, &[starter_card(), upscaler()]).expect("valid");
    assert_eq!((valid.model.as_str(), valid.capability.as_str()), ("larger", "upscale"));
    assert_eq!((valid.width, valid.height, valid.count, valid.seed, valid.passes()), (1_280, 768, 1, 9, 1));
    assert_eq!(valid.prompt, "a calm lake");
    assert!(valid.recipe(0).contains("Hires upscale: 4"), "{}", valid.recipe(0));
    let code = |factor, models: &[ModelCard]| larger(5, factor, models).expect_err("refused").code();
    assert_eq!(code(3, &[upscaler()]), "bad_request");
    assert_eq!(code(2, &[starter_card()]), "unknown_model");
    assert_eq!(code(2, &[]), "no_model");
}

#[test]
fn models_do_what_they_are_for() {
    assert_eq!(wish("a").validate(&[upscaler(), starter_card()], 7).expect("valid").model, "starter");
    let code = |result: Result<ValidRequest, AppError>| result.expect_err("must be refused").code();
    assert_eq!(code(from(5, |request| request.model = Some("larger".into()))), "unknown_model");
    let clip = ModelCard { name: "clip".into(), capability: "video".into(), ..starter_card() };
    let source = SourceRequest { media: OutputId::from_random(5), strength: None, region: None };
    let request = GenerationRequest { source: Some(source), model: Some("clip".into()), ..wish("a") };
    assert_eq!(code(request.validate_from(&[clip], 7, Some(&original()))), "bad_request");
    let both = from(5, |request| {
        request.upscale = Some(UpscaleRequest { media: OutputId::from_random(5), factor: 2 });
    });
    assert_eq!(code(both), "bad_request");
}
