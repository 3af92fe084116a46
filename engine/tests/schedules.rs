//! Every scheduler against diffusers': where five numbers end when a made-up network drives them.

mod common;

use common::fixture;
use engine::Scheduler;

#[derive(serde::Deserialize)]
struct Case {
    config: serde_json::Value,
    timesteps: Vec<f32>,
    noise: Vec<f32>,
    end: Vec<f32>,
}

#[test]
fn schedules_are_those_of_diffusers() {
    let text = std::fs::read_to_string(fixture("schedules.json")).expect("the cases are there");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("they are cases");
    assert!(cases.len() >= 10);
    let dir = tempfile::tempdir().expect("a temporary folder");
    for case in cases {
        let path = dir.path().join("scheduler_config.json");
        std::fs::write(&path, case.config.to_string()).expect("it writes");
        let schedule = Scheduler::read(&path).expect("it reads").schedule(case.timesteps.len());
        for (step, timestep) in schedule.steps.iter().zip(&case.timesteps) {
            assert!((step.timestep - timestep).abs() < 1e-3, "{}: {} is not {timestep}", case.config, step.timestep);
        }
        for (noise, end) in case.noise.iter().zip(&case.end) {
            let mut x = noise * schedule.initial_scale;
            for step in &schedule.steps {
                let output = (x * step.input_scale * 2.0 + step.timestep / 500.0).sin();
                x = step.keep * x + step.push * output;
            }
            assert!((x - end).abs() < 1e-4 * end.abs().max(1.0), "{}: {x} is not {end}", case.config);
        }
    }
}
