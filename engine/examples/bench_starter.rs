//! How long one picture of the starter model takes, and where the time goes:
//! `cargo run --release -p engine --example bench_starter [-- MODEL_DIR]`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

use engine::{Device, Params, Pipeline};

const RUNS: usize = 5;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "models/starter".into());
    let started = Instant::now();
    let pipeline = Pipeline::load(dir.as_ref(), &Device::cpu())?;
    println!("load        {:8.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let info = pipeline.info();
    let params = Params {
        prompt: "a red boat on a calm sea at sunset".into(),
        negative_prompt: String::new(),
        width: info.native_size,
        height: info.native_size,
        steps: info.default_steps,
        guidance: info.default_guidance,
        seed: 1,
        variation: None,
    };
    let (mut words, mut steps, mut decode, mut total) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // The first picture warms caches and pages, and is not counted.
    for run in 0..=RUNS {
        let started = Instant::now();
        let mut lap = started;
        let mut since = || {
            let ms = lap.elapsed().as_secs_f64() * 1e3;
            lap = Instant::now();
            ms
        };
        let mut session = pipeline.open(&params)?;
        let open = since();
        while !session.is_done() {
            pipeline.step(&mut [&mut session])?;
        }
        let all_steps = since();
        pipeline.finish(&session)?;
        let finish = since();
        if run > 0 {
            words.push(open);
            steps.push(all_steps);
            decode.push(finish);
            total.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    let (words, steps, decode, total) = (median(words), median(steps), median(decode), median(total));
    let share = |part: f64| 100.0 * part / total;
    println!("words       {words:8.1} ms  {:4.1} %", share(words));
    println!("{:3} steps   {steps:8.1} ms  {:4.1} %", params.steps, share(steps));
    println!("  per step  {:8.1} ms", steps / f64::from(params.steps));
    println!("decode      {decode:8.1} ms  {:4.1} %", share(decode));
    println!("picture     {total:8.1} ms  (median of {RUNS}, {}x{})", params.width, params.height);
    Ok(())
}
