//! CLIP's byte-level byte-pair tokenizer.

use std::path::Path;

use serde_json::{Value, json};
use tokenizers::{PostProcessor, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

use crate::config::{read_json, read_small};
use crate::error::{EngineError, LoadError};

/// Turns a prompt into exactly as many token ids as the text encoder has places.
#[derive(Debug)]
pub(crate) struct ClipTokenizer {
    inner: Tokenizer,
    length: usize,
    pad: u32,
}

impl ClipTokenizer {
    /// Reads the `tokenizer` folder: `tokenizer.json`, or else `vocab.json` and `merges.txt`.
    /// `places` is the number of positions the text encoder has.
    pub(crate) fn load(dir: &Path, places: usize) -> Result<ClipTokenizer, LoadError> {
        let config_path = dir.join("tokenizer_config.json");
        let config: Value = if config_path.is_file() { read_json(&config_path)? } else { Value::Null };
        let special = special_tokens(dir)?;
        let name = |field: &str, default: &str| {
            token(&config, field).or_else(|| token(&special, field)).unwrap_or_else(|| default.to_owned())
        };
        let start = name("bos_token", "<|startoftext|>");
        let end = name("eos_token", "<|endoftext|>");
        let pad = name("pad_token", &end);

        let whole = dir.join("tokenizer.json");
        let (path, mut inner) = if whole.is_file() {
            (whole.clone(), from_whole(&whole)?)
        } else {
            let vocab = dir.join("vocab.json");
            let inner = from_parts(&vocab, &dir.join("merges.txt"), &start, &end)?;
            (vocab, inner)
        };
        let Some(pad) = inner.token_to_id(&pad) else {
            return Err(LoadError::config(&path, format!("the padding token {pad:?} is not in the vocabulary")));
        };
        // Absent means "no limit", which tokenizers write as a number with thirty digits.
        let limit = config.get("model_max_length").and_then(Value::as_f64).unwrap_or(f64::INFINITY);
        let length = if limit < places as f64 { limit.max(0.0) as usize } else { places };
        if length < 3 {
            return Err(LoadError::config(&config_path, format!("prompts of {length} tokens hold no words")));
        }
        let added = inner.get_post_processor().map_or(0, |post| post.added_tokens(false));
        if added >= length {
            return Err(LoadError::config(&path, format!("{added} special tokens leave no room in {length} places")));
        }
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams {
                direction: TruncationDirection::Right,
                max_length: length,
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
            }))
            .map_err(|error| LoadError::config(&path, error.to_string()))?;
        Ok(ClipTokenizer { inner, length, pad })
    }

    /// The ids of a prompt, cut or padded to the text encoder's length.
    pub(crate) fn encode(&self, prompt: &str) -> Result<Vec<u32>, EngineError> {
        let encoding = self.inner.encode(prompt, true).map_err(|error| EngineError::Prompt(error.to_string()))?;
        let mut ids = encoding.get_ids().to_vec();
        ids.truncate(self.length);
        ids.resize(self.length, self.pad);
        Ok(ids)
    }
}

fn special_tokens(dir: &Path) -> Result<Value, LoadError> {
    let path = dir.join("special_tokens_map.json");
    if path.is_file() { read_json(&path) } else { Ok(Value::Null) }
}

/// A special token is written as a string, or as an object with its content.
fn token(config: &Value, field: &str) -> Option<String> {
    let value = config.get(field)?;
    value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
}

/// Reads `tokenizer.json`.
fn from_whole(path: &Path) -> Result<Tokenizer, LoadError> {
    let bytes = read_small(path)?;
    let json: Value = serde_json::from_slice(&bytes).map_err(|error| LoadError::config(path, error.to_string()))?;
    // The library cuts it off each merge without a look at how long that is. No model that runs here has one.
    let prefix = json.pointer("/model/continuing_subword_prefix").and_then(Value::as_str).unwrap_or_default();
    if !prefix.is_empty() {
        return Err(LoadError::config(path, "a prefix of continued words is not known here"));
    }
    // What else it takes for granted about its own files must not end a worker.
    let read = std::panic::catch_unwind(|| Tokenizer::from_bytes(&bytes));
    let read = read.map_err(|_| LoadError::config(path, "the tokenizer makes no sense"))?;
    read.map_err(|error| LoadError::config(path, error.to_string()))
}

/// Builds CLIP's tokenizer from a vocabulary and its merges.
fn from_parts(vocab_path: &Path, merges_path: &Path, start: &str, end: &str) -> Result<Tokenizer, LoadError> {
    let vocab: serde_json::Map<String, Value> = read_json(vocab_path)?;
    let merges = String::from_utf8(read_small(merges_path)?)
        .map_err(|error| LoadError::config(merges_path, error.to_string()))?;
    let merges: Vec<&str> =
        merges.lines().filter(|line| !line.starts_with("#version") && !line.trim().is_empty()).collect();
    let id = |token: &str| {
        vocab
            .get(token)
            .and_then(Value::as_u64)
            .ok_or_else(|| LoadError::config(vocab_path, format!("the token {token:?} is missing")))
    };
    let (start_id, end_id) = (id(start)?, id(end)?);
    let special = |id: u64, content: &str| {
        json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true })
    };
    let split = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    let whole = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [special(start_id, start), special(end_id, end)],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "NFC" },
            { "type": "Replace", "pattern": { "Regex": "\\s+" }, "content": " " },
            { "type": "Lowercase" },
        ]},
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": split }, "behavior": "Removed", "invert": true },
            { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        ]},
        "post_processor": { "type": "RobertaProcessing", "sep": [end, end_id], "cls": [start, start_id],
                            "trim_offsets": false, "add_prefix_space": false },
        "decoder": null,
        "model": { "type": "BPE", "dropout": null, "unk_token": end, "continuing_subword_prefix": "",
                   "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false,
                   "vocab": &vocab, "merges": merges },
    });
    serde_json::from_value(whole).map_err(|error| LoadError::config(vocab_path, error.to_string()))
}
