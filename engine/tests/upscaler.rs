//! The upscaler against PyTorch, and what holds for every enlarged picture. `fixtures/make_tiny_starter.py` makes the
//! network and its reference from `training/upscaler.py`.

mod common;

use common::{Reference, close, fixture, tiny};
use engine::{Device, EngineError, Rgb, RgbImage, Upscaler};

fn upscaler() -> Upscaler {
    Upscaler::load(&fixture("tiny_starter/upscaler"), &Device::cpu()).expect("the tiny upscaler loads")
}

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 9) as u8, (y * 11) as u8, (x * y) as u8]))
}

#[test]
fn it_agrees_with_pytorch() {
    let reference = Reference::read("tiny_upscaler.safetensors");
    let doubled = upscaler().double(reference.get("pictures")).expect("it doubles");
    close("upscaler", &doubled, reference.get("doubled"), 1e-4);
}

#[test]
fn a_model_brings_it_along() {
    let pipeline = tiny("tiny_starter");
    assert!(pipeline.info().upscales && pipeline.upscaler().is_some());
    let picture = picture(33, 20);
    let enlarged = pipeline.upscale(&picture, 2).expect("it enlarges");
    assert_eq!(enlarged.dimensions(), (66, 40));
    assert!(enlarged == upscaler().upscale(&picture, 2).expect("it enlarges"));

    let without = tiny("tiny_first");
    assert!(!without.info().upscales && without.upscaler().is_none());
    let refused = without.upscale(&picture, 2);
    assert!(matches!(refused, Err(EngineError::OutOfRange { .. })), "{refused:?}");
}

#[test]
fn four_times_is_twice_in_a_row() {
    let (upscaler, picture) = (upscaler(), picture(17, 30));
    let twice = |picture: &RgbImage| upscaler.upscale(picture, 2).expect("it enlarges");
    let enlarged = upscaler.upscale(&picture, 4).expect("it enlarges");
    assert_eq!(enlarged.dimensions(), (68, 120));
    assert!(enlarged == twice(&twice(&picture)));
}

#[test]
fn progress_is_told_tile_by_tile() {
    let upscaler = upscaler();
    let mut upscaling = upscaler.begin(&picture(300, 20), 4).expect("it begins");
    // Tiles are 256 pixels wide: two of 300 pixels, then three of 600.
    assert_eq!((upscaling.step_index(), upscaling.steps()), (0, 5));
    let unfinished = upscaling.clone().finish();
    assert!(matches!(unfinished, Err(EngineError::Unfinished { taken: 0, steps: 5 })), "{unfinished:?}");
    for taken in 1..=5 {
        assert!(!upscaling.is_done());
        upscaler.step(&mut upscaling).expect("it enlarges");
        assert_eq!(upscaling.step_index(), taken);
    }
    assert!(upscaling.is_done());
    assert!(matches!(upscaler.step(&mut upscaling), Err(EngineError::Finished { steps: 5 })));
    assert_eq!(upscaling.finish().expect("it is done").dimensions(), (1200, 80));
}

#[test]
fn what_cannot_be_enlarged_is_refused() {
    let upscaler = upscaler();
    for (width, height, factor) in [(8, 8, 0), (8, 8, 1), (8, 8, 3), (8, 8, 8), (0, 8, 2), (4097, 1, 2), (1, 2049, 4)] {
        let refused = upscaler.begin(&RgbImage::new(width, height), factor);
        assert!(matches!(refused, Err(EngineError::OutOfRange { .. })), "{width} x {height}, {factor} times");
    }
    assert!(upscaler.begin(&RgbImage::new(4096, 1), 2).is_ok());
    assert_eq!(upscaler.upscale(&RgbImage::new(1, 1), 4).expect("it enlarges").dimensions(), (4, 4));
}
