//! The starter model against what `training/export_parity.py` wrote with diffusers.

mod common;

use common::{Reference, close, repository, starter};
use engine::{Conditioning, Given, Scheduler, Tensor};

fn reference() -> Reference {
    Reference::read("starter_parity.safetensors")
}

/// The references hold latents as the autoencoder has them; the engine's have passed its scale.
fn scaling() -> f64 {
    let text = std::fs::read_to_string(repository("models/starter/vae/config.json")).expect("the vae has a config");
    let config: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    config["scaling_factor"].as_f64().unwrap_or(1.0)
}

#[test]
fn the_text_encoder_agrees() {
    let (pipeline, reference) = (starter(), reference());
    let ids = reference.ids("input_ids");
    for (index, ids) in ids.iter().enumerate() {
        let prompt = reference.fact(&format!("prompt_{index}"));
        assert_eq!(&pipeline.tokenize(prompt).expect("it has tokens")[0], ids);
    }
    assert_eq!(pipeline.tokenize("").expect("it has tokens"), reference.ids("empty_input_ids"));
    let states: Vec<Tensor> = ids.into_iter().map(|ids| pipeline.encode_ids(&[ids]).expect("it encodes").0).collect();
    close("text", &Tensor::cat(&states, 0).expect("one width"), reference.get("last_hidden_state"), 1e-4);
}

#[test]
fn the_unet_agrees() {
    let (pipeline, reference) = (starter(), reference());
    let latents = reference.get("latents");
    let timesteps = vec![reference.floats("timestep")[0]; latents.dims()[0]];
    let output = pipeline.predict(latents, &timesteps, reference.get("last_hidden_state"), None).expect("it predicts");
    close("unet", &output, reference.get("unet_output"), 1e-4);
}

#[test]
fn the_autoencoder_agrees() {
    let (pipeline, reference) = (starter(), reference());
    let latents = (reference.get("decode_input") * scaling()).expect("a scale");
    let wanted = reference.get("decode_output").affine(0.5, 0.5).and_then(|x| x.clamp(0f32, 1f32));
    close("decoder", &pipeline.decode(&latents).expect("it decodes"), &wanted.expect("a picture"), 1e-4);
    let picture = reference.get("encode_input").affine(0.5, 0.5).expect("a picture");
    let wanted = (reference.get("encode_output") * scaling()).expect("a scale");
    close("encoder", &pipeline.encode(&picture).expect("it encodes"), &wanted, 1e-4);
}

#[test]
fn a_guided_loop_ends_at_the_same_latents() {
    let (pipeline, reference) = (starter(), reference());
    let latents = reference.get("latents").clone();
    let empty = reference.ids("empty_input_ids")[0].clone();
    let given = Given {
        negative: Some(Conditioning::Ids(vec![empty; latents.dims()[0]])),
        latents,
        prompt: Conditioning::Ids(reference.ids("input_ids")),
        steps: reference.get("loop_steps").to_vec1::<i32>().map_or(4, |steps| steps[0] as usize),
        guidance: reference.floats("loop_guidance")[0],
        step_noise: None,
        image: None,
    };
    let mut sessions = pipeline.open_given(&given).expect("it opens");
    while !sessions[0].is_done() {
        pipeline.step(&mut sessions.iter_mut().collect::<Vec<_>>()).expect("it steps");
    }
    let latents: Vec<&Tensor> = sessions.iter().map(engine::Session::latents).collect();
    close("loop", &Tensor::cat(&latents, 0).expect("one shape"), reference.get("loop_output"), 1e-3);
}

#[test]
fn the_schedule_agrees() {
    let scheduler = Scheduler::read(&repository("models/starter/scheduler/scheduler_config.json")).expect("it reads");
    let sigmas = reference().floats("loop_sigmas");
    let schedule = scheduler.schedule(sigmas.len() - 1).expect("it has a schedule");
    for (step, pair) in schedule.steps.iter().zip(sigmas.windows(2)) {
        assert!((step.timestep - 1000.0 * pair[0]).abs() < 1e-3 && (step.push - (pair[1] - pair[0])).abs() < 1e-6);
    }
}
