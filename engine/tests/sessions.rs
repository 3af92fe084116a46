//! What holds for every model: batches, seeds, cancellation, and refusals that break nothing.

mod common;

use common::{difference, floats, params, starter, tiny, tiny_with_scheduler};
use engine::{EngineError, Params, Pipeline, RgbImage, Session, Variation};
use serde_json::json;

fn draw(pipeline: &Pipeline, params: &Params) -> RgbImage {
    let mut session = pipeline.open(params).expect("it opens");
    while !session.is_done() {
        pipeline.step(&mut [&mut session]).expect("it steps");
    }
    pipeline.finish(&session).expect("it finishes")
}

fn finish(pipeline: &Pipeline, sessions: &mut [Session]) -> Vec<Vec<f32>> {
    loop {
        let mut open: Vec<&mut Session> = sessions.iter_mut().filter(|session| !session.is_done()).collect();
        if open.is_empty() {
            break;
        }
        pipeline.step(&mut open).expect("it steps");
    }
    sessions.iter().map(|session| floats(session.latents())).collect()
}

/// Sessions of different lengths, guidance and starting times in one batch, against each alone.
fn batch_equals_singles(pipeline: &Pipeline, size: u32, tolerance: f32) {
    let square = |prompt, seed| Params { width: size, height: size, ..params(prompt, seed) };
    let wanted = [
        square("a red boat", 1),
        Params { steps: 6, guidance: 5.5, ..square("the sun at sunset", 2) },
        Params { steps: 3, guidance: 1.5, ..square("", 3) },
        Params { variation: Some(Variation { seed: 4, strength: 0.3 }), ..square("a sea", 3) },
    ];
    let mut alone = Vec::new();
    for params in &wanted {
        alone.extend(finish(pipeline, &mut [pipeline.open(params).expect("it opens")]));
    }
    let mut sessions: Vec<Session> = wanted.iter().map(|params| pipeline.open(params).expect("it opens")).collect();
    // One of them is a step ahead of the others.
    pipeline.step(&mut [&mut sessions[1]]).expect("it steps");
    for (together, alone) in finish(pipeline, &mut sessions).iter().zip(&alone) {
        let difference = difference(together, alone);
        assert!(difference <= tolerance, "a batch differs from its singles by {difference}");
    }
}

#[test]
fn a_batch_equals_its_singles() {
    batch_equals_singles(&tiny("tiny_first"), 32, 1e-5);
    batch_equals_singles(&tiny("tiny_second"), 32, 1e-5);
    batch_equals_singles(&tiny("tiny_starter"), 32, 1e-5);
    batch_equals_singles(&tiny("tiny_xl"), 32, 1e-4);
    batch_equals_singles(&tiny("tiny_lcm"), 32, 1e-4);
}

#[test]
fn a_batch_equals_its_singles_whatever_the_scheduler() {
    for config in [
        json!({ "_class_name": "EulerAncestralDiscreteScheduler" }),
        json!({ "_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": true }),
        json!({ "_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++" }),
        json!({ "_class_name": "UniPCMultistepScheduler", "solver_order": 3 }),
        json!({ "_class_name": "LCMScheduler" }),
        json!({ "_class_name": "PNDMScheduler", "skip_prk_steps": true }),
    ] {
        batch_equals_singles(&tiny_with_scheduler("tiny_first", &config), 32, 1e-4);
    }
}

#[test]
fn a_batch_of_the_starter_equals_its_singles() {
    batch_equals_singles(&starter(), 128, 1e-5);
}

#[test]
fn a_seed_and_its_words_decide_the_picture() {
    let pipeline = tiny("tiny_second");
    let picture = draw(&pipeline, &params("a red boat", 5));
    assert_eq!((picture.width(), picture.height()), (32, 32));
    assert!(picture == draw(&pipeline, &params("a red boat", 5)));
    assert!(picture != draw(&pipeline, &params("a red boat", 6)));
    assert!(picture != draw(&pipeline, &params("the sun", 5)));
}

#[test]
fn a_variation_lies_between_two_seeds() {
    let ancestral = json!({ "_class_name": "EulerAncestralDiscreteScheduler" });
    for pipeline in [tiny("tiny_first"), tiny_with_scheduler("tiny_first", &ancestral), starter()] {
        let seed = |seed| Params { width: 64, height: 64, ..params("a red boat", seed) };
        let varied = |strength| Params { variation: Some(Variation { seed: 6, strength }), ..seed(5) };
        let latents = |params: &Params| finish(&pipeline, &mut [pipeline.open(params).expect("it opens")]).remove(0);
        let (from, to) = (latents(&seed(5)), latents(&seed(6)));
        assert!(latents(&varied(0.0)) == from, "a strength of 0 changes something");
        assert!(latents(&varied(1.0)) == to, "a strength of 1 is not the other seed's picture");
        assert!(latents(&Params { variation: Some(Variation { seed: 5, strength: 0.5 }), ..seed(5) }) == from);

        let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        let (near, far) = (latents(&varied(0.1)), latents(&varied(0.9)));
        assert!(0.0 < distance(&near, &from) && distance(&near, &from) < distance(&near, &to));
        assert!(0.0 < distance(&far, &to) && distance(&far, &to) < distance(&far, &from));
    }
}

#[test]
fn pictures_need_not_be_square() {
    let pipeline = tiny("tiny_first");
    let picture = draw(&pipeline, &Params { width: 24, height: 8, guidance: 1.0, ..params("a boat", 1) });
    assert_eq!((picture.width(), picture.height()), (24, 8));
}

#[test]
fn a_preview_has_a_pixel_per_latent() {
    let pipeline = tiny("tiny_first");
    let mut session = pipeline.open(&params("a boat", 1)).expect("it opens");
    let noise = pipeline.preview(&session).expect("it previews");
    assert_eq!((noise.width(), noise.height()), (16, 16));
    pipeline.step(&mut [&mut session]).expect("it steps");
    assert!(noise != pipeline.preview(&session).expect("it previews"));
}

#[test]
fn without_guidance_the_negative_prompt_does_not_matter() {
    let pipeline = tiny("tiny_first");
    let plain = Params { guidance: 1.0, ..params("a boat", 1) };
    let other = Params { negative_prompt: "the red sun".into(), ..plain.clone() };
    assert!(draw(&pipeline, &plain) == draw(&pipeline, &other));
    let guided = Params { guidance: 4.0, ..plain };
    assert!(draw(&pipeline, &guided) != draw(&pipeline, &Params { guidance: 4.0, ..other }));
}

#[test]
fn dropping_a_session_leaves_the_others_alone() {
    let pipeline = tiny("tiny_first");
    let wanted = draw(&pipeline, &params("a boat", 9));
    let mut kept = pipeline.open(&params("a boat", 9)).expect("it opens");
    let mut dropped = pipeline.open(&params("a red sun", 2)).expect("it opens");
    pipeline.step(&mut [&mut dropped, &mut kept]).expect("it steps");
    drop(dropped);
    while !kept.is_done() {
        pipeline.step(&mut [&mut kept]).expect("it steps");
    }
    assert!(pipeline.finish(&kept).expect("it finishes") == wanted);
}

#[test]
fn what_cannot_advance_together_is_refused_and_nothing_moves() {
    let pipeline = tiny("tiny_first");
    let open = |params: &Params| pipeline.open(params).expect("it opens");
    let mut one = open(&params("a boat", 1));
    for other in [Params { guidance: 1.0, ..params("a boat", 1) }, Params { width: 16, ..params("a boat", 1) }] {
        let mut other = open(&other);
        assert_ne!(one.key(), other.key());
        let refused = pipeline.step(&mut [&mut one, &mut other]);
        assert!(matches!(refused, Err(EngineError::Incompatible(_))), "{refused:?}");
    }
    let mut stranger = tiny("tiny_first").open(&params("a boat", 1)).expect("it opens");
    assert!(matches!(pipeline.step(&mut [&mut stranger]), Err(EngineError::Incompatible(_))));
    assert!(matches!(pipeline.preview(&stranger), Err(EngineError::Incompatible(_))));
    assert!(matches!(pipeline.finish(&one), Err(EngineError::Unfinished { taken: 0, steps: 4 })));
    assert_eq!((one.step_index(), one.steps()), (0, 4));

    let mut done = open(&Params { steps: 1, ..params("a boat", 1) });
    assert_eq!(one.key(), done.key());
    pipeline.step(&mut [&mut done]).expect("it steps");
    assert!(matches!(pipeline.step(&mut [&mut one, &mut done]), Err(EngineError::Finished { steps: 1 })));
    assert_eq!(one.step_index(), 0);
    pipeline.step(&mut []).expect("nobody waits");
}

#[test]
fn what_is_out_of_range_is_refused() {
    let pipeline = tiny("tiny_first");
    let good = params("a boat", 1);
    for bad in [
        Params { width: 30, ..good.clone() },
        Params { height: 0, ..good.clone() },
        Params { width: 1 << 30, ..good.clone() },
        Params { steps: 0, ..good.clone() },
        Params { steps: 21, ..good.clone() },
        Params { guidance: f32::NAN, ..good.clone() },
        Params { guidance: -1.0, ..good.clone() },
        Params { guidance: 1e9, ..good.clone() },
        Params { variation: Some(Variation { seed: 2, strength: -0.1 }), ..good.clone() },
        Params { variation: Some(Variation { seed: 2, strength: 1.01 }), ..good.clone() },
        Params { variation: Some(Variation { seed: 2, strength: f32::NAN }), ..good.clone() },
        Params { prompt: "boat ".repeat(5000), ..good.clone() },
    ] {
        let refused = pipeline.open(&bad);
        assert!(matches!(refused, Err(EngineError::OutOfRange { .. })), "{bad:?}");
    }
    assert!(pipeline.open(&good).is_ok());
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_build_without_cuda_says_so() {
    let refused = engine::Device::cuda(0);
    assert!(matches!(refused, Err(EngineError::NoCuda)), "{refused:?}");
    assert_eq!(engine::Device::cpu().name(), "cpu");
}

#[test]
fn pipelines_and_sessions_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Pipeline>();
    crosses::<Session>();
    crosses::<EngineError>();
    crosses::<engine::LoadError>();
}

#[test]
fn a_picture_that_moves_at_any_step_is_the_picture_that_stayed() {
    let (here, there) = (starter(), starter());
    let wanted = Params { steps: 6, width: 64, height: 64, ..params("a red boat", 4) };
    let stayed = finish(&here, &mut [here.open(&wanted).expect("it opens")]);
    let mut session = here.open(&wanted).expect("it opens");
    while !session.is_done() {
        let state = here.export(&session).expect("it is written down");
        let moved = there.resume(&wanted, &state).expect("it goes on");
        assert_eq!((moved.step_index(), moved.steps()), (session.step_index(), 6));
        assert!(finish(&there, &mut [moved]) == stayed, "moved after {} steps", session.step_index());
        here.step(&mut [&mut session]).expect("it steps");
    }
    let done = here.export(&session).expect("it is written down");
    assert!(matches!(there.resume(&wanted, &done), Err(EngineError::State(_))), "nothing is left to do");
}

#[test]
fn what_a_scheduler_remembers_moves_along() {
    for config in [
        json!({ "_class_name": "EulerAncestralDiscreteScheduler" }),
        json!({ "_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": true, "solver_order": 3 }),
        json!({ "_class_name": "UniPCMultistepScheduler" }),
        json!({ "_class_name": "PNDMScheduler", "skip_prk_steps": true }),
        json!({ "_class_name": "LCMScheduler" }),
    ] {
        let (here, there) = (tiny_with_scheduler("tiny_first", &config), tiny_with_scheduler("tiny_first", &config));
        let variation = Some(Variation { seed: 5, strength: 0.4 });
        let wanted = Params { steps: 6, variation, ..params("a red boat", 4) };
        let stayed = finish(&here, &mut [here.open(&wanted).expect("it opens")]);
        let mut session = here.open(&wanted).expect("it opens");
        while !session.is_done() {
            let state = here.export(&session).expect("it is written down");
            let moved = there.resume(&wanted, &state).unwrap_or_else(|error| panic!("{config}: {error}"));
            assert!(finish(&there, &mut [moved]) == stayed, "{config}: after {} steps", session.step_index());
            here.step(&mut [&mut session]).expect("it steps");
        }
    }
}

#[test]
fn a_state_that_makes_no_sense_is_refused() {
    let pipeline = tiny("tiny_first");
    let wanted = params("a boat", 1);
    let mut session = pipeline.open(&wanted).expect("it opens");
    pipeline.step(&mut [&mut session]).expect("it steps");
    let good = pipeline.export(&session).expect("it is written down");
    assert!(pipeline.resume(&wanted, &good).is_ok());
    let refused = |state: &[u8]| matches!(pipeline.resume(&wanted, state), Err(EngineError::State(_)));
    for length in [0, 7, 8, 11, 27, 28, good.len() - 4, good.len() - 1] {
        assert!(refused(&good[..length]), "{length} bytes");
    }
    assert!(refused(&[good.as_slice(), &[0; 4]].concat()), "too long");
    let changed = |at: usize, value: [u8; 4]| [&good[..at], &value, &good[at + 4..]].concat();
    assert!(refused(&changed(4, [0; 4])), "another format");
    assert!(refused(&changed(8, [255; 4])), "a step that there is not");
    assert!(refused(&changed(12, [9, 0, 0, 0])), "another schedule");
    assert!(refused(&changed(16, [1, 0, 0, 0])), "another shape");
    assert!(refused(&changed(28, [2, 0, 0, 0])), "more beginnings than one");
    assert!(refused(&changed(32, [9, 0, 0, 0])), "more steps than are remembered");
    assert!(refused(&changed(36, f32::NAN.to_le_bytes())), "not a number");
    assert!(matches!(
        pipeline.resume(&Params { steps: wanted.steps + 1, ..wanted.clone() }, &good),
        Err(EngineError::State(_))
    ));
    let other = tiny("tiny_second");
    assert!(matches!(other.export(&session), Err(EngineError::Incompatible(_))));
}
