//! Words change the picture, and in the direction they say: the starter model drawn with a word and
//! without it, from the same seeds. `training/word_effects.json` says what to look at.

mod common;

use std::collections::HashMap;

use common::{repository, starter};
use engine::{Params, Pipeline, RgbImage, Session};

const SEEDS: u64 = 6;

#[derive(serde::Deserialize)]
struct Effect {
    word: String,
    with: String,
    without: String,
    /// For example `red_minus_blue over top`.
    statistic: String,
    direction: String,
}

fn draw(pipeline: &Pipeline, prompt: &str) -> Vec<RgbImage> {
    let info = pipeline.info();
    let mut sessions: Vec<Session> = (0..SEEDS)
        .map(|seed| {
            let params = Params {
                prompt: prompt.into(),
                negative_prompt: String::new(),
                width: info.native_size,
                height: info.native_size,
                steps: info.default_steps,
                guidance: info.default_guidance,
                seed,
                variation: None,
            };
            pipeline.open(&params).expect("it opens")
        })
        .collect();
    while !sessions[0].is_done() {
        pipeline.step(&mut sessions.iter_mut().collect::<Vec<_>>()).expect("it steps");
    }
    sessions.iter().map(|session| pipeline.finish(session).expect("it finishes")).collect()
}

/// A number between -1 and 1 that says how a picture looks in a region.
fn statistic(picture: &RgbImage, name: &str) -> f64 {
    let (measure, region) = name.split_once(" over ").expect("a measure over a region");
    let (width, height) = picture.dimensions();
    let (rows, columns) = match region {
        "full" => (0..height, 0..width),
        "top" => (0..height / 2, 0..width),
        "bottom" => (height * 5 / 8..height, 0..width),
        "center" => (height / 4..height * 3 / 4, width / 4..width * 3 / 4),
        other => panic!("no region is called {other}"),
    };
    let count = f64::from((rows.len() * columns.len()) as u32);
    let mut color = [0.0; 3];
    for y in rows {
        for x in columns.clone() {
            for (sum, value) in color.iter_mut().zip(picture.get_pixel(x, y).0) {
                *sum += f64::from(value) / 255.0 / count;
            }
        }
    }
    let channel = |name: &str| match name {
        "red" => color[0],
        "green" => color[1],
        "blue" => color[2],
        other => panic!("no channel is called {other}"),
    };
    match (measure.strip_prefix("mean_"), measure.split_once("_minus_")) {
        (Some("luma"), _) => 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2],
        (Some(name), _) => channel(name),
        (None, Some((more, less))) => channel(more) - channel(less),
        (None, None) => panic!("no measure is called {measure}"),
    }
}

/// The difference of means in pooled deviations.
fn cohens_d(with: &[f64], without: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let variance = |values: &[f64]| {
        let mean = mean(values);
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
    };
    let pooled = f64::midpoint(variance(with), variance(without)).sqrt();
    (mean(with) - mean(without)) / pooled.max(1e-6)
}

#[test]
fn words_change_the_picture() {
    let text = std::fs::read_to_string(repository("training/word_effects.json")).expect("the list of effects is there");
    let effects: Vec<Effect> = serde_json::from_str(&text).expect("it is a list of effects");
    let pipeline = starter();
    let mut strong = 0;
    let mut reversed = Vec::new();
    // Several effects share a prompt.
    let mut drawn: HashMap<&str, Vec<RgbImage>> = HashMap::new();
    for effect in &effects {
        let [with, without] = [&effect.with, &effect.without].map(|prompt| {
            let pictures = drawn.entry(prompt).or_insert_with(|| draw(&pipeline, prompt));
            pictures.iter().map(|picture| statistic(picture, &effect.statistic)).collect::<Vec<_>>()
        });
        let sign = match effect.direction.as_str() {
            "higher" => 1.0,
            "lower" => -1.0,
            other => panic!("no direction is called {other}"),
        };
        let size = sign * cohens_d(&with, &without);
        eprintln!("{}: {size:.1}", effect.word);
        strong += usize::from(size > 1.0);
        // Below Cohen's "small effect" a word that was not learned cannot be told from one reversed.
        if size < -0.2 {
            reversed.push(&effect.word);
        }
    }
    assert!(strong >= 6, "only {strong} of {} words change the picture as they say", effects.len());
    assert!(reversed.is_empty(), "these words do the opposite of what they say: {reversed:?}");
}
