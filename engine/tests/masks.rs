//! Pictures of which only a part is drawn anew: the rest stays to the byte, whatever model draws.

mod common;

use common::{params, starter, tiny, tiny_with_scheduler};
use engine::{EngineError, GrayImage, Luma, Params, Pipeline, Rgb, RgbImage, Session, Start, Variation};
use serde_json::json;

fn picture(side: u32) -> RgbImage {
    RgbImage::from_fn(side, side, |x, y| Rgb([(x * 255 / side) as u8, (y * 255 / side) as u8, ((x ^ y) & 255) as u8]))
}

/// White within a block off the latents' grid, black around it.
fn block(side: u32) -> GrayImage {
    let within = side / 4 + 1..side * 3 / 4 + 3;
    GrayImage::from_fn(side, side, |x, y| Luma([if within.contains(&x) && within.contains(&y) { 255 } else { 0 }]))
}

fn square(side: u32, seed: u64) -> Params {
    Params { width: side, height: side, ..params("a red boat", seed) }
}

fn finish(pipeline: &Pipeline, mut session: Session) -> RgbImage {
    while !session.is_done() {
        pipeline.step(&mut [&mut session]).expect("it steps");
    }
    pipeline.finish(&session).expect("it finishes")
}

/// How many pixels differ where the mask is black, and which part of those where it is white does.
fn changes(before: &RgbImage, after: &RgbImage, mask: &GrayImage) -> (usize, f64) {
    assert_eq!(before.dimensions(), after.dimensions());
    let (mut outside, mut inside, mut white) = (0, 0, 0);
    for ((before, after), mask) in before.pixels().zip(after.pixels()).zip(mask.pixels()) {
        match mask.0[0] {
            0 => outside += usize::from(before != after),
            _ => (inside, white) = (inside + usize::from(before != after), white + 1),
        }
    }
    (outside, f64::from(inside as u32) / f64::from(white.max(1)))
}

#[test]
fn outside_of_the_mask_nothing_changes() {
    for (pipeline, side) in [
        (starter(), 128),
        (tiny("tiny_first"), 32),
        (tiny("tiny_second"), 32),
        (tiny("tiny_third"), 32),
        (tiny("tiny_starter"), 32),
        (tiny("tiny_xl"), 32),
        (tiny("tiny_refiner"), 32),
        (tiny("tiny_lcm"), 32),
    ] {
        let (picture, mask) = (picture(side), block(side));
        for strength in [0.5, 0.8, 1.0] {
            let start = Start::Masked { picture: &picture, mask: &mask };
            let session = pipeline.open_from(&square(side, 1), start, strength).expect("it opens");
            let drawn = finish(&pipeline, session);
            let (outside, inside) = changes(&picture, &drawn, &mask);
            let name = &pipeline.info().name;
            assert_eq!(outside, 0, "{name} at {strength}: pixels outside of the mask changed");
            assert!(inside > 0.9, "{name} at {strength}: only {inside} of the pixels within the mask changed");
        }
    }
}

#[test]
fn at_full_strength_nothing_of_what_was_there_is_seen() {
    for (pipeline, side) in [(starter(), 128), (tiny("tiny_third"), 32)] {
        // All white: what the pictures look like must not matter at all.
        let (mask, params) = (GrayImage::from_pixel(side, side, Luma([255])), square(side, 1));
        let drawn = |picture: &RgbImage, strength| {
            let start = Start::Masked { picture, mask: &mask };
            finish(&pipeline, pipeline.open_from(&params, start, strength).expect("it opens"))
        };
        let other = RgbImage::from_pixel(side, side, Rgb([255, 0, 0]));
        assert!(drawn(&picture(side), 1.0) == drawn(&other, 1.0));
        assert!(drawn(&picture(side), 1.0) == finish(&pipeline, pipeline.open(&params).expect("it opens")));
        assert!(drawn(&picture(side), 0.5) != drawn(&other, 0.5));
    }
}

#[test]
fn the_network_sees_what_stays() {
    let (pipeline, mask) = (starter(), block(128));
    let drawn = |picture: &RgbImage| {
        let start = Start::Masked { picture, mask: &mask };
        finish(&pipeline, pipeline.open_from(&square(128, 1), start, 1.0).expect("it opens"))
    };
    let (dark, light) = (RgbImage::from_pixel(128, 128, Rgb([10; 3])), RgbImage::from_pixel(128, 128, Rgb([240; 3])));
    let mean = |picture: &RgbImage| {
        let middle = (48..80).flat_map(|y| (48..80).map(move |x| (x, y)));
        middle.map(|(x, y)| picture.get_pixel(x, y).0.iter().map(|byte| u32::from(*byte)).sum::<u32>()).sum::<u32>()
    };
    // The middle is far from the border: only the network can have made it lighter.
    assert!(mean(&drawn(&light)) > mean(&drawn(&dark)) + 32 * 32 * 3 * 4);
}

#[test]
fn a_grey_mask_mixes() {
    let (pipeline, picture) = (tiny("tiny_first"), picture(32));
    let drawn = |level| {
        let mask = GrayImage::from_pixel(32, 32, Luma([level]));
        let start = Start::Masked { picture: &picture, mask: &mask };
        finish(&pipeline, pipeline.open_from(&square(32, 1), start, 1.0).expect("it opens"))
    };
    let (whole, half) = (drawn(255), drawn(128));
    for ((whole, half), before) in whole.as_raw().iter().zip(half.as_raw()).zip(picture.as_raw()) {
        let wanted = f32::from(*before) + (f32::from(*whole) - f32::from(*before)) * 128.0 / 255.0;
        assert!((f32::from(*half) - wanted).abs() <= 0.51, "{half} is not {wanted}");
    }
}

#[test]
fn masked_pictures_share_passes_with_others() {
    for (pipeline, side) in [(tiny("tiny_first"), 32), (tiny("tiny_third"), 32), (starter(), 64)] {
        let (picture, mask, params) = (picture(side), block(side), square(side, 1));
        let variation = Some(Variation { seed: 9, strength: 0.3 });
        let start = Start::Masked { picture: &picture, mask: &mask };
        let sessions = [
            pipeline.open_from(&params, start, 1.0),
            pipeline.open_from(&Params { steps: 6, variation, ..square(side, 2) }, start, 0.7),
            pipeline.open_from(&square(side, 3), Start::Picture(&picture), 0.8),
            pipeline.open(&square(side, 4)),
        ];
        let mut sessions = sessions.map(|session| session.expect("it opens"));
        let alone = sessions.clone().map(|session| finish(&pipeline, session));
        loop {
            let mut open: Vec<&mut Session> = sessions.iter_mut().filter(|session| !session.is_done()).collect();
            if open.is_empty() {
                break;
            }
            pipeline.step(&mut open).expect("they share a pass");
        }
        assert!(sessions.map(|session| pipeline.finish(&session).expect("it finishes")) == alone);
    }
}

#[test]
fn the_preview_shows_what_stays() {
    let pipeline = starter();
    let (picture, mask) = (RgbImage::from_pixel(128, 128, Rgb([250, 40, 40])), block(128));
    let start = Start::Masked { picture: &picture, mask: &mask };
    let mut session = pipeline.open_from(&square(128, 1), start, 1.0).expect("it opens");
    pipeline.step(&mut [&mut session]).expect("it steps");
    let preview = pipeline.preview(&session).expect("it previews");
    // Latents outside of the mask are those of the picture, so a uniform picture has uniform ones there.
    let corner = preview.get_pixel(1, 1).0;
    assert!(preview.get_pixel(14, 1).0.iter().zip(corner).all(|(a, b)| a.abs_diff(b) < 30), "{corner:?}");
    assert!(corner[0] > corner[1] && corner[0] > corner[2], "the border is not red: {corner:?}");
}

#[test]
fn pictures_that_were_begun_from_others_move_along() {
    let ancestral = json!({ "_class_name": "EulerAncestralDiscreteScheduler" });
    let unipc = json!({ "_class_name": "UniPCMultistepScheduler" });
    let pairs = [
        (64, starter(), starter()),
        (32, tiny_with_scheduler("tiny_first", &ancestral), tiny_with_scheduler("tiny_first", &ancestral)),
        (32, tiny_with_scheduler("tiny_third", &unipc), tiny_with_scheduler("tiny_third", &unipc)),
    ];
    for (side, here, there) in pairs {
        let (picture, mask) = (picture(side), block(side));
        let variation = Some(Variation { seed: 9, strength: 0.3 });
        let wanted = Params { steps: 6, variation, ..square(side, 4) };
        for (start, strength) in [
            (Start::Masked { picture: &picture, mask: &mask }, 1.0),
            (Start::Masked { picture: &picture, mask: &mask }, 0.7),
            (Start::Picture(&picture), 0.7),
        ] {
            let mut session = here.open_from(&wanted, start, strength).expect("it opens");
            let stayed = finish(&here, session.clone());
            while !session.is_done() {
                let state = here.export(&session).expect("it is written down");
                let moved = there.resume_from(&wanted, start, strength, &state).expect("it goes on");
                assert_eq!((moved.step_index(), moved.steps()), (session.step_index(), session.steps()));
                assert!(finish(&there, moved) == stayed, "{strength}: moved after {} steps", session.step_index());
                here.step(&mut [&mut session]).expect("it steps");
            }
        }
    }
}

#[test]
fn a_state_goes_on_only_as_it_began() {
    let (pipeline, picture, mask) = (tiny("tiny_first"), picture(32), block(32));
    let params = square(32, 1);
    let masked = Start::Masked { picture: &picture, mask: &mask };
    let refused = |resumed: Result<Session, EngineError>| matches!(resumed, Err(EngineError::State(_)));
    let state = |session| pipeline.export(&session).expect("it is written down");
    let from_noise = state(pipeline.open(&params).expect("it opens"));
    let from_picture = state(pipeline.open_from(&params, Start::Picture(&picture), 1.0).expect("it opens"));
    let from_masked = state(pipeline.open_from(&params, masked, 1.0).expect("it opens"));
    assert!(refused(pipeline.resume(&params, &from_picture)) && refused(pipeline.resume(&params, &from_masked)));
    for other in [&from_noise, &from_masked] {
        assert!(refused(pipeline.resume_from(&params, Start::Picture(&picture), 1.0, other)));
    }
    for other in [&from_noise, &from_picture] {
        assert!(refused(pipeline.resume_from(&params, masked, 1.0, other)));
    }
    assert!(refused(pipeline.resume_from(&params, masked, 0.5, &from_masked)), "another strength");
}

#[test]
fn masks_that_make_no_sense_are_refused() {
    let (pipeline, picture) = (tiny("tiny_first"), picture(32));
    let open = |picture: &RgbImage, mask: &GrayImage| {
        pipeline.open_from(&square(32, 1), Start::Masked { picture, mask }, 0.5).map(|_| ())
    };
    assert!(open(&picture, &block(32)).is_ok());
    for mask in [block(16), GrayImage::new(0, 0), GrayImage::new(32, 32), GrayImage::from_pixel(32, 32, Luma([127]))] {
        let refused = open(&picture, &mask);
        assert!(matches!(refused, Err(EngineError::OutOfRange { .. })), "{refused:?}");
    }
    let refused = open(&RgbImage::new(16, 32), &block(32));
    assert!(matches!(refused, Err(EngineError::OutOfRange { .. })), "{refused:?}");
}
