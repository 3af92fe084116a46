//! Directories that are not what they should be: each gives an error of the right type, in words.

mod common;

use std::path::{Path, PathBuf};

use common::{copy, fixture};
use engine::{Device, LoadError, ModelInfo, Pipeline};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";

/// Loads a copy of a tiny model after something was done to it.
fn load(model: &str, damage: impl FnOnce(&Path)) -> Result<Pipeline, LoadError> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    copy(&fixture(model), dir.path());
    damage(dir.path());
    let loaded = Pipeline::load(dir.path(), &Device::cpu());
    if let Err(error) = &loaded {
        let text = error.to_string();
        eprintln!("{text}");
        assert!(text.len() > 20 && !text.contains('\n'), "not a sentence: {text:?}");
    }
    loaded
}

fn edit(path: PathBuf, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    change(&mut value);
    std::fs::write(path, value.to_string()).expect("it writes");
}

fn set(path: &'static str, field: &'static str, value: Value) -> impl FnOnce(&Path) {
    move |dir| edit(dir.join(path), |config| config[field] = value)
}

/// Rewrites the header of a safetensors file.
fn edit_header(path: PathBuf, change: impl FnOnce(&mut Value)) {
    let bytes = std::fs::read(&path).expect("a file");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    change(&mut header);
    let header = header.to_string().into_bytes();
    let whole = [&(header.len() as u64).to_le_bytes(), header.as_slice(), &bytes[8 + length..]].concat();
    std::fs::write(path, whole).expect("it writes");
}

macro_rules! fails {
    ($result:expr, $pattern:pat) => {
        let result = $result;
        assert!(matches!(result, Err($pattern)), "{:?}", result.map(|_| ()));
    };
}

#[test]
fn the_copies_load_when_nothing_is_done_to_them() {
    assert!(load("tiny_first", |_| {}).is_ok());
    assert!(load("tiny_second", |_| {}).is_ok());
}

#[test]
fn every_missing_file_is_named() {
    for file in [
        "model_index.json",
        "unet/config.json",
        UNET,
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "scheduler/scheduler_config.json",
    ] {
        let result = load("tiny_first", |dir| std::fs::remove_file(dir.join(file)).expect("it was there"));
        match result {
            Err(LoadError::MissingFile { path }) => assert!(path.ends_with(file), "{} for {file}", path.display()),
            other => panic!("{file}: {:?}", other.map(|_| ())),
        }
    }
    fails!(
        load("tiny_first", |dir| std::fs::remove_file(dir.join("tokenizer/tokenizer.json")).expect("it was there")),
        LoadError::MissingFile { .. }
    );
    fails!(Pipeline::load(Path::new("/nowhere/at/all"), &Device::cpu()), LoadError::MissingFile { .. });
    fails!(ModelInfo::read(Path::new("")), LoadError::MissingFile { .. });
}

#[test]
fn a_card_is_optional() {
    let pipeline = load("tiny_first", |dir| std::fs::remove_file(dir.join("mindseye.json")).expect("it was there"));
    assert_eq!(pipeline.expect("it loads").info().native_size, 512);
}

#[test]
fn damaged_weights_are_refused() {
    let cut = |keep: usize| {
        load("tiny_first", |dir| {
            let bytes = std::fs::read(dir.join(UNET)).expect("weights");
            std::fs::write(dir.join(UNET), &bytes[..keep.min(bytes.len() - 1)]).expect("it writes");
        })
    };
    for keep in [0, 4, 8, 100, 20_000, usize::MAX] {
        fails!(cut(keep), LoadError::BadWeights { .. });
    }
    for length in [1u64 << 60, u64::MAX, 1 << 32, 3] {
        let result = load("tiny_first", |dir| {
            let mut bytes = std::fs::read(dir.join(UNET)).expect("weights");
            bytes[..8].copy_from_slice(&length.to_le_bytes());
            std::fs::write(dir.join(UNET), bytes).expect("it writes");
        });
        fails!(result, LoadError::BadWeights { .. });
    }
    let result = load("tiny_first", |dir| {
        edit_header(dir.join(UNET), |header| header["conv_in.bias"]["data_offsets"] = json!([0, 1u64 << 40]));
    });
    fails!(result, LoadError::BadWeights { .. });
    let result = load("tiny_first", |dir| {
        edit_header(dir.join(UNET), |header| header["conv_in.bias"]["shape"] = json!([1u64 << 62, 8]));
    });
    fails!(result, LoadError::BadWeights { .. });
    let result = load("tiny_first", |dir| {
        edit_header(dir.join(UNET), |header| header["conv_in.bias"]["dtype"] = json!("I32"));
    });
    fails!(result, LoadError::BadWeights { .. });
    let result = load("tiny_first", |dir| {
        let mut bytes = std::fs::read(dir.join(UNET)).expect("weights");
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(dir.join(UNET), bytes).expect("it writes");
    });
    fails!(result, LoadError::BadWeights { .. });
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let result = load("tiny_first", |dir| {
        edit_header(dir.join(UNET), |header| {
            let fields = header.as_object_mut().expect("an object");
            let tensor = fields.remove("mid_block.resnets.0.conv1.bias").expect("it was there");
            fields.insert("something.else".into(), tensor);
        });
    });
    match result {
        Err(LoadError::MissingTensor { tensor, .. }) => assert_eq!(tensor, "mid_block.resnets.0.conv1.bias"),
        other => panic!("{:?}", other.map(|_| ())),
    }
    let result = load("tiny_first", |dir| {
        edit_header(dir.join(UNET), |header| header["conv_in.weight"]["shape"] = json!([4, 4, 9, 1]));
    });
    match result {
        Err(LoadError::WrongShape { tensor, found, expected, .. }) => {
            assert_eq!((tensor.as_str(), found, expected), ("conv_in.weight", vec![4, 4, 9, 1], vec![4, 4, 3, 3]));
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
    fails!(
        load("tiny_first", set("unet/config.json", "layers_per_block", json!(1u64 << 40))),
        LoadError::WrongShape { .. } | LoadError::MissingTensor { .. }
    );
    fails!(
        load("tiny_first", set("text_encoder/config.json", "vocab_size", json!(1u64 << 60))),
        LoadError::WrongShape { .. }
    );
    fails!(
        load("tiny_first", set("text_encoder/config.json", "num_hidden_layers", json!(9))),
        LoadError::MissingTensor { .. }
    );
}

#[test]
fn unknown_classes_are_named() {
    for file in ["model_index.json", "vae/config.json", "scheduler/scheduler_config.json"] {
        match load("tiny_first", set(file, "_class_name", json!("SomethingNew"))) {
            Err(LoadError::UnknownClass { found, known }) => assert!(found == "SomethingNew" && !known.is_empty()),
            other => panic!("{file}: {:?}", other.map(|_| ())),
        }
    }
}

#[test]
fn settings_that_are_not_known_are_named() {
    let bad: [(&str, &str, Value); 22] = [
        ("unet/config.json", "_class_name", json!("UNet3DConditionModel")),
        ("unet/config.json", "down_block_types", json!(["DownBlock2D", "AttnDownBlock2D"])),
        ("unet/config.json", "block_out_channels", json!([])),
        ("unet/config.json", "block_out_channels", json!([4, 9])),
        ("unet/config.json", "act_fn", json!("mish")),
        ("unet/config.json", "norm_num_groups", json!(0)),
        ("unet/config.json", "attention_head_dim", json!(0)),
        ("unet/config.json", "attention_head_dim", json!([1, 2, 3])),
        ("unet/config.json", "num_attention_heads", json!(2)),
        ("unet/config.json", "addition_embed_type", json!("text_time")),
        ("unet/config.json", "resnet_time_scale_shift", json!("ada_group")),
        ("unet/config.json", "in_channels", json!(9)),
        ("unet/config.json", "in_channels", json!(-1)),
        ("unet/config.json", "cross_attention_dim", json!(32)),
        ("vae/config.json", "upsample_fn", json!("bilinear")),
        ("vae/config.json", "num_decoder_blocks", json!([1])),
        ("vae/config.json", "scaling_factor", json!(0.0)),
        ("text_encoder/config.json", "hidden_act", json!("tanh")),
        ("text_encoder/config.json", "num_attention_heads", json!(3)),
        ("scheduler/scheduler_config.json", "use_dynamic_shifting", json!(true)),
        ("scheduler/scheduler_config.json", "shift", json!(0.0)),
        ("mindseye.json", "native_size", json!(33)),
    ];
    for (file, field, value) in bad {
        match load("tiny_first", move |dir| edit(dir.join(file), |config| config[field] = value)) {
            Err(LoadError::BadConfig { path, reason }) => assert!(path.ends_with(file), "{field}: {reason}"),
            other => panic!("{file} {field}: {:?}", other.map(|_| ())),
        }
    }
}

#[test]
fn levels_without_attention_may_carry_any_number_of_heads() {
    let with = |heads: Value| load("tiny_second", set("unet/config.json", "attention_head_dim", heads));
    assert!(with(json!([5, 2, 3])).is_ok());
    fails!(with(json!([1, 5, 3])), LoadError::BadConfig { .. });
}

#[test]
fn the_parts_of_sdxl_must_fit_each_other() {
    assert!(load("tiny_xl", |_| {}).is_ok());
    for (file, field, value) in [
        ("unet/config.json", "addition_embed_type", Value::Null),
        ("unet/config.json", "addition_embed_type", json!("text_image")),
        ("unet/config.json", "addition_time_embed_dim", json!(0)),
        ("unet/config.json", "projection_class_embeddings_input_dim", json!(81)),
        ("unet/config.json", "cross_attention_dim", json!(32)),
        ("model_index.json", "force_zeros_for_empty_prompt", json!("yes")),
    ] {
        match load("tiny_xl", move |dir| edit(dir.join(file), |config| config[field] = value)) {
            Err(LoadError::BadConfig { path, reason }) => assert!(path.ends_with(file), "{field}: {reason}"),
            other => panic!("{file} {field}: {:?}", other.map(|_| ())),
        }
    }
    let class = set("text_encoder_2/config.json", "architectures", json!(["T5EncoderModel"]));
    fails!(load("tiny_xl", class), LoadError::UnknownClass { .. });
    let width = set("text_encoder_2/config.json", "projection_dim", json!(31));
    fails!(load("tiny_xl", width), LoadError::BadConfig { .. });
    let file = "text_encoder_2/model.safetensors";
    let missing = load("tiny_xl", |dir| std::fs::remove_file(dir.join(file)).expect("it was there"));
    fails!(missing, LoadError::MissingFile { .. });
    let nobody = load("tiny_xl", |dir| {
        edit(dir.join("model_index.json"), |index| {
            index["text_encoder"] = json!([null, null]);
            index["text_encoder_2"] = json!([null, null]);
        });
    });
    fails!(nobody, LoadError::BadConfig { .. });
}

#[test]
fn broken_json_is_refused() {
    for file in ["model_index.json", "unet/config.json", "tokenizer/tokenizer.json", "mindseye.json"] {
        for text in ["", "{", "[1, 2]", "\u{0}", "{\"a\": }"] {
            let result = load("tiny_first", |dir| std::fs::write(dir.join(file), text).expect("it writes"));
            fails!(result, LoadError::BadConfig { .. });
        }
    }
    for file in ["tokenizer/vocab.json", "tokenizer/merges.txt"] {
        let result = load("tiny_second", |dir| std::fs::write(dir.join(file), "{ zzz qqq").expect("it writes"));
        fails!(result, LoadError::BadConfig { .. });
    }
    let nested =
        load("tiny_first", |dir| std::fs::write(dir.join("model_index.json"), "[".repeat(100_000)).expect("it writes"));
    fails!(nested, LoadError::BadConfig { .. });
}

#[test]
fn pinned_weights_must_be_those_that_were_pinned() {
    let pinned = |sum: String| {
        load("tiny_first", |dir| {
            std::fs::write(dir.join("SHA256SUMS"), format!("{sum}  {UNET}\n")).expect("it writes");
        })
    };
    let bytes = std::fs::read(fixture("tiny_first").join(UNET)).expect("weights");
    let right: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(pinned(right).is_ok());
    fails!(pinned("0".repeat(64)), LoadError::WrongChecksum { .. });
    let result = load("tiny_first", |dir| std::fs::write(dir.join("SHA256SUMS"), "hello\n").expect("it writes"));
    fails!(result, LoadError::BadConfig { .. });
}

#[test]
fn pickle_is_never_read() {
    let result = load("tiny_first", |dir| {
        std::fs::rename(dir.join(UNET), dir.join("unet/diffusion_pytorch_model.bin")).expect("it renames");
    });
    fails!(result, LoadError::PickleOnly { .. });
}

#[test]
fn an_index_of_shards_leads_nowhere_else() {
    let index = "unet/diffusion_pytorch_model.safetensors.index.json";
    let with = |name: &'static str| {
        load("tiny_first", move |dir| {
            std::fs::rename(dir.join(UNET), dir.join("unet/one.safetensors")).expect("it renames");
            std::fs::write(dir.join(index), json!({ "weight_map": { "a": name } }).to_string()).expect("it writes");
        })
    };
    assert!(with("one.safetensors").is_ok());
    fails!(with("../unet/one.safetensors"), LoadError::BadConfig { .. });
    fails!(with("/etc/passwd"), LoadError::BadConfig { .. });
    fails!(with("two.safetensors"), LoadError::MissingFile { .. });
}

#[test]
fn the_name_is_the_folders_unless_the_card_says_otherwise() {
    let info = ModelInfo::read(&fixture("tiny_first")).expect("it reads");
    assert_eq!((info.name.as_str(), info.title.as_str(), info.size_multiple), ("tiny_first", "tiny_first", 4));
    assert_eq!(info.capability, "image.fast");
    assert!(info.weight_bytes > 100_000);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = dir.path().join("my-model");
    copy(&fixture("tiny_first"), &folder);
    std::fs::remove_file(folder.join("mindseye.json")).expect("it was there");
    assert_eq!(ModelInfo::read(&folder).expect("it reads").name, "my-model");
}
