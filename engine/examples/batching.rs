//! How long a pass of the starter model takes, by the number of sessions that share it:
//! `cargo run --release -p engine --example batching [-- MODEL_DIR]`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

use engine::{Device, Params, Pipeline, Session};

const ROUNDS: usize = 10;
const SIZES: [usize; 4] = [1, 2, 4, 8];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "models/starter".into());
    let pipeline = Pipeline::load(dir.as_ref(), &Device::cpu())?;
    let info = pipeline.info();
    let params = Params {
        prompt: "a red boat on a calm sea at sunset".into(),
        negative_prompt: String::new(),
        width: info.native_size,
        height: info.native_size,
        steps: 2,
        guidance: info.default_guidance,
        seed: 1,
        variation: None,
    };
    let mut shortest = SIZES.map(|_| f64::INFINITY);
    // In turns, so that whatever else the machine does disturbs all sizes alike.
    for _ in 0..ROUNDS {
        for (size, shortest) in SIZES.iter().zip(&mut shortest) {
            let mut sessions: Vec<Session> = (0..*size).map(|_| pipeline.open(&params)).collect::<Result<_, _>>()?;
            for _ in 0..params.steps {
                let started = Instant::now();
                pipeline.step(&mut sessions.iter_mut().collect::<Vec<_>>())?;
                *shortest = shortest.min(started.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    for (size, ms) in SIZES.iter().zip(shortest) {
        let gain = *size as f64 * shortest[0] / ms;
        println!("{size} sessions: {ms:7.2} ms a pass, {gain:.3} times the work of one (shortest of {})", ROUNDS * 2);
    }
    Ok(())
}
