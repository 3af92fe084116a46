//! Every scheduler against diffusers: step by step with a made-up network, and the sums its own
//! tests have published. `fixtures/make_schedules.py` makes the references.

mod common;

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use common::{Reference, fixture, floats};
use engine::{EngineError, LoadError, Schedule, Scheduler, Tensor, Trajectory};
use serde_json::{Value, json};

#[derive(serde::Deserialize)]
struct References {
    noise: Vec<f32>,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    config: Value,
    steps: usize,
    timesteps: Vec<f32>,
    latents: Vec<Vec<f32>>,
}

fn scheduler(config: &str) -> Result<Scheduler, LoadError> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("scheduler_config.json");
    std::fs::write(&path, config).expect("it writes");
    Scheduler::read(&path)
}

fn tensor(values: &[f32]) -> Tensor {
    Tensor::new(values, &Device::Cpu).expect("a tensor")
}

/// Made-up noise, the same formula as in the script.
fn step_noise(index: usize, count: usize) -> Tensor {
    tensor(&(0..count).map(|i| (1.7 * index as f64 + 2.3 * i as f64).cos() as f32).collect::<Vec<_>>())
}

fn schedule(config: &Value, steps: usize) -> Schedule {
    scheduler(&config.to_string()).expect("it reads").schedule(steps).expect("it has a schedule")
}

/// Drives latents to the end, and shows each step's timestep and latents to `look`.
fn drive(
    schedule: Schedule,
    noise: &Tensor,
    fresh: impl Fn(usize) -> Tensor,
    network: impl Fn(&Tensor, f64) -> Tensor,
    mut look: impl FnMut(usize, f32, &Tensor),
) -> Tensor {
    let mut trajectory = Trajectory::begin(Arc::new(schedule), noise).expect("it begins");
    while let Some(step) = trajectory.next_step() {
        let index = trajectory.index();
        let output = network(&trajectory.input().expect("an input"), f64::from(step.timestep));
        trajectory = trajectory.advanced(&output, Some(&fresh(index))).expect("it advances");
        look(index, step.timestep, trajectory.latents());
    }
    trajectory.latents().clone()
}

#[test]
fn schedules_are_those_of_diffusers() {
    let text = std::fs::read_to_string(fixture("schedules.json")).expect("the references are there");
    let References { noise, cases } = serde_json::from_str(&text).expect("they are references");
    assert!(cases.len() >= 80);
    let mut largest = 0f32;
    let mut wrong = Vec::new();
    for case in cases {
        let network =
            |x: &Tensor, timestep: f64| x.affine(2.0, timestep / 500.0).and_then(|x| x.sin()).expect("a sine");
        let (mut taken, mut off) = (0, 0f32);
        let fresh = |index| step_noise(index, noise.len());
        drive(schedule(&case.config, case.steps), &tensor(&noise), fresh, network, |index, timestep, latents| {
            taken += 1;
            off = off.max((timestep - case.timesteps[index]).abs() / 10.0);
            for (found, wanted) in floats(latents).iter().zip(&case.latents[index]) {
                let error = (found - wanted).abs() / wanted.abs().max(1.0);
                off = off.max(if error.is_finite() { error } else { f32::INFINITY });
            }
        });
        assert_eq!(taken, case.latents.len(), "{}: another number of steps", case.config);
        largest = largest.max(off);
        if off > 1e-4 {
            wrong.push(format!("{} in {} steps is off by {off:.1e}", case.config, case.steps));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eprintln!("largest difference {largest:.1e}");
}

/// The sample of diffusers' scheduler tests, `[4, 3, 8, 8]`.
fn deterministic_sample() -> Tensor {
    Tensor::arange(0f32, 768f32, &Device::Cpu)
        .and_then(|x| x.reshape((3, 8, 8, 4))?.affine(1.0 / 768.0, 0.0)?.permute((3, 0, 1, 2))?.contiguous())
        .expect("a sample")
}

/// What their stand-in for a network says.
fn published_network(x: &Tensor, timestep: f64) -> Tensor {
    (x * (timestep / (timestep + 1.0))).expect("a product")
}

fn published_loop(config: &Value, steps: usize) -> Tensor {
    let noise = Reference::read("published_noise.safetensors");
    let fresh = |index| noise.get("noise").get(index).expect("noise for ten steps");
    let mut schedule = schedule(config, steps);
    for step in &mut schedule.steps {
        // Their loops go on with what the network was shown, not with the latents.
        step.keep *= step.input_scale;
        step.clean_keep *= step.input_scale;
    }
    drive(schedule, &deterministic_sample(), fresh, published_network, |_, _, _| {})
}

#[test]
fn published_sums_are_reached() {
    let linear =
        json!({ "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear" });
    let with = |class: &str, more: Value| {
        let mut config = linear.clone();
        config["_class_name"] = json!(class);
        for (field, value) in more.as_object().expect("an object") {
            config[field] = value.clone();
        }
        config
    };
    let karras = json!({ "final_sigmas_type": "sigma_min", "use_karras_sigmas": true });
    let distilled = json!({ "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear" });
    let longer = json!({ "num_train_timesteps": 1100 });
    let sums = [
        ("EulerDiscreteScheduler", longer.clone(), 10, 10.0807),
        ("DDIMScheduler", json!({ "clip_sample": true }), 10, 172.0067),
        ("LCMScheduler", distilled.clone(), 1, 18.7097),
        ("LCMScheduler", distilled, 10, 197.7616),
        ("EulerAncestralDiscreteScheduler", longer, 10, 152.3192),
    ];
    for (class, more, steps, wanted) in sums {
        let end = published_loop(&with(class, more), steps);
        let sum: f32 = floats(&end).iter().map(|x| x.abs()).sum();
        eprintln!("{class}: {sum}, published {wanted}");
        assert!((sum - wanted).abs() < 1e-2, "{class}: {sum} is not {wanted}");
    }
    let means = [
        (
            "DPMSolverMultistepScheduler",
            json!({ "final_sigmas_type": "sigma_min", "lower_order_final": false }),
            0.3301,
        ),
        ("UniPCMultistepScheduler", json!({ "final_sigmas_type": "sigma_min" }), 0.2464),
        ("UniPCMultistepScheduler", karras, 0.2925),
    ];
    for (class, more, wanted) in means {
        let end = floats(&published_loop(&with(class, more), 10));
        let mean = end.iter().map(|x| x.abs()).sum::<f32>() / end.len() as f32;
        eprintln!("{class}: {mean}, published {wanted}");
        assert!((mean - wanted).abs() < 1e-3, "{class}: {mean} is not {wanted}");
    }
}

#[test]
fn fresh_noise_is_asked_for_and_no_step_follows_the_last() {
    let lcm = scheduler(r#"{"_class_name": "LCMScheduler"}"#).expect("it reads");
    let schedule = Arc::new(lcm.schedule(2).expect("it has a schedule"));
    assert!(schedule.is_noisy());
    let x = tensor(&[1.0, 2.0]);
    let start = Trajectory::begin(schedule, &x).expect("it begins");
    assert!(matches!(start.advanced(&x, None), Err(EngineError::OutOfRange { .. })));
    let end = start.advanced(&x, Some(&x)).and_then(|middle| middle.advanced(&x, None)).expect("it advances");
    assert!(end.is_empty());
    assert!(matches!(end.advanced(&x, None), Err(EngineError::Finished { steps: 2 })));
    for steps in [0, 51, usize::MAX] {
        assert!(matches!(lcm.schedule(steps), Err(EngineError::OutOfRange { .. })));
    }
}

#[test]
fn settings_that_are_not_known_are_named() {
    let refused = [
        ("EulerDiscreteScheduler", "timestep_type", json!("continuous")),
        ("EulerDiscreteScheduler", "interpolation_type", json!("log_linear")),
        ("EulerDiscreteScheduler", "use_beta_sigmas", json!(true)),
        ("EulerDiscreteScheduler", "use_karras_sigmas", json!("yes")),
        ("EulerDiscreteScheduler", "beta_schedule", json!("sigmoid")),
        ("EulerDiscreteScheduler", "timestep_spacing", json!("middle")),
        ("EulerAncestralDiscreteScheduler", "prediction_type", json!("sample")),
        ("DDIMScheduler", "thresholding", json!(true)),
        ("DDIMScheduler", "clip_sample_range", json!(0.0)),
        ("DPMSolverMultistepScheduler", "algorithm_type", json!("dpmsolver")),
        ("DPMSolverMultistepScheduler", "solver_order", json!(4)),
        ("DPMSolverMultistepScheduler", "use_lu_lambdas", json!(true)),
        ("DPMSolverMultistepScheduler", "use_flow_sigmas", json!(true)),
        ("UniPCMultistepScheduler", "solver_type", json!("bh3")),
        ("UniPCMultistepScheduler", "predict_x0", json!(false)),
        ("UniPCMultistepScheduler", "solver_order", json!(0)),
        ("LCMScheduler", "original_inference_steps", json!(0)),
        ("PNDMScheduler", "skip_prk_steps", json!(false)),
        ("PNDMScheduler", "skip_prk_steps", Value::Null),
    ];
    for (class, field, value) in refused {
        let mut config = json!({ "_class_name": class });
        config[field] = value.clone();
        let error = scheduler(&config.to_string()).expect_err("it is refused");
        let text = error.to_string();
        // Serde names the value and those it knows, we name the field too.
        let named = text.contains(field) || value.as_str().is_some_and(|value| text.contains(value));
        assert!(matches!(error, LoadError::BadConfig { .. }) && named, "{class} {field}: {text}");
    }
    match scheduler(r#"{"_class_name": "HeunDiscreteScheduler"}"#) {
        Err(LoadError::UnknownClass { found, known }) => {
            assert_eq!(found, "HeunDiscreteScheduler");
            assert!(known.contains(&"UniPCMultistepScheduler".to_owned()));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(Scheduler::read(Path::new("/nowhere")), Err(LoadError::MissingFile { .. })));
}

#[test]
fn an_infinity_as_python_writes_it_is_read() {
    let config = r#"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}"#;
    assert!(scheduler(config).is_ok());
}
