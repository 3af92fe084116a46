//! What several test files need.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use engine::{Device, Given, Params, Pipeline, Session, Tensor};

/// A path below the repository's root.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The model that comes with the project. Without it these tests fail.
pub fn starter() -> Pipeline {
    Pipeline::load(&repository("models/starter"), &Device::cpu()).expect("models/starter loads")
}

pub fn tiny(name: &str) -> Pipeline {
    Pipeline::load(&fixture(name), &Device::cpu()).expect("the tiny model loads")
}

/// A copy of a tiny model with another scheduler.
pub fn tiny_with_scheduler(name: &str, config: &serde_json::Value) -> Pipeline {
    let dir = tempfile::tempdir().expect("a temporary folder");
    copy(&fixture(name), dir.path());
    std::fs::write(dir.path().join("scheduler/scheduler_config.json"), config.to_string()).expect("it writes");
    Pipeline::load(dir.path(), &Device::cpu()).expect("the tiny model loads")
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// Tensors that diffusers computed, with the text beside them.
pub struct Reference {
    tensors: HashMap<String, Tensor>,
    facts: HashMap<String, String>,
}

impl Reference {
    pub fn read(name: &str) -> Reference {
        let bytes = std::fs::read(fixture(name)).expect("the reference values are there");
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("they have a header");
        let tensors = candle_core::safetensors::load_buffer(&bytes, &candle_core::Device::Cpu).expect("they load");
        Reference { tensors, facts: header.metadata().clone().unwrap_or_default() }
    }

    pub fn get(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| panic!("no reference called {name}"))
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        floats(self.get(name))
    }

    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).unwrap_or_else(|| panic!("no fact called {name}"))
    }

    /// Rows of token ids.
    pub fn ids(&self, name: &str) -> Vec<Vec<u32>> {
        let ids = self.get(name).to_dtype(candle_core::DType::U32).expect("ids are small");
        ids.to_vec2().expect("ids are rows")
    }
}

pub fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("a tensor of floats")
}

/// The largest difference between two lists of numbers; infinite where one is not a number.
pub fn difference(found: &[f32], wanted: &[f32]) -> f32 {
    let apart = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    found.iter().zip(wanted).map(apart).fold(0.0, f32::max)
}

/// Fails unless both have the same shape and differ nowhere by more than `tolerance`.
pub fn close(what: &str, found: &Tensor, wanted: &Tensor, tolerance: f32) {
    assert_eq!(found.dims(), wanted.dims(), "{what} has another shape");
    let difference = difference(&floats(found), &floats(wanted));
    assert!(difference <= tolerance, "{what} is off by {difference}");
    eprintln!("{what}: largest difference {difference:.1e}");
}

/// The latents and the pictures that given tensors lead to.
pub fn draw(pipeline: &Pipeline, given: &Given) -> (Tensor, Tensor) {
    let mut sessions = pipeline.open_given(given).expect("it opens");
    while !sessions[0].is_done() {
        pipeline.step(&mut sessions.iter_mut().collect::<Vec<_>>()).expect("it steps");
    }
    let latents: Vec<&Tensor> = sessions.iter().map(Session::latents).collect();
    let latents = Tensor::cat(&latents, 0).expect("latents of one shape");
    let image = pipeline.decode(&latents).expect("it decodes");
    (latents, image)
}

/// A small picture of a tiny model.
pub fn params(prompt: &str, seed: u64) -> Params {
    Params {
        prompt: prompt.into(),
        negative_prompt: String::new(),
        width: 32,
        height: 32,
        steps: 4,
        guidance: 3.0,
        seed,
        variation: None,
    }
}
