//! Reading the JSON files of a model directory.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::LoadError;

/// No configuration file is larger than this; a tokenizer's vocabulary can be.
const LARGEST: u64 = 64 << 20;

/// Reads and parses one JSON file.
///
/// # Errors
/// `MissingFile`, or `BadConfig` naming the offending field or value.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, LoadError> {
    serde_json::from_slice(&without_infinity(read_small(path)?))
        .map_err(|error| LoadError::config(path, error.to_string()))
}

/// Python writes `-Infinity` into the settings of some schedulers, which is no JSON. It stands for
/// "no limit", as null does.
fn without_infinity(mut bytes: Vec<u8>) -> Vec<u8> {
    const WORD: &[u8] = b"-Infinity";
    let (mut quoted, mut at) = (false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'-' if !quoted && bytes[at..].starts_with(WORD) => {
                bytes[at..at + WORD.len()].copy_from_slice(b"null     ");
            }
            _ => {}
        }
        at += 1;
    }
    bytes
}

/// Reads a file that must be of moderate size.
pub(crate) fn read_small(path: &Path) -> Result<Vec<u8>, LoadError> {
    let size = std::fs::metadata(path).map_err(|error| LoadError::io(path, &error))?.len();
    if size > LARGEST {
        return Err(LoadError::config(path, format!("it has {size} bytes, which is too many")));
    }
    std::fs::read(path).map_err(|error| LoadError::io(path, &error))
}

/// Refuses settings that change what a model computes and that this engine does not know.
/// A field that is absent or null has its default, which is always known.
pub(crate) fn only_known(path: &Path, config: &Value, known: &[(&str, Value)]) -> Result<(), LoadError> {
    for (field, allowed) in known {
        match config.get(field) {
            None | Some(Value::Null) => {}
            Some(found) if same(found, allowed) => {}
            Some(found) => {
                return Err(LoadError::config(path, format!("`{field}` is {found}, and only {allowed} is known here")));
            }
        }
    }
    Ok(())
}

/// Equality that does not tell 1 from 1.0.
fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64())
}

/// One value for all blocks, or one for each.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum PerBlock {
    Same(usize),
    Each(Vec<usize>),
}

impl PerBlock {
    /// The value of each of `count` blocks; none of them may be 0.
    pub(crate) fn spread(&self, path: &Path, field: &str, count: usize) -> Result<Vec<usize>, LoadError> {
        let values = match self {
            PerBlock::Same(value) => vec![*value; count],
            PerBlock::Each(values) => values.clone(),
        };
        if values.len() != count {
            return Err(LoadError::config(path, format!("`{field}` has {} entries for {count} blocks", values.len())));
        }
        if values.contains(&0) {
            return Err(LoadError::config(path, format!("`{field}` holds a 0")));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::without_infinity;

    #[test]
    fn only_bare_infinities_become_null() {
        let found = without_infinity(br#"{"a": -Infinity, "b": "-Infinity \" -Infinity", "c": -1}"#.to_vec());
        let value: serde_json::Value = serde_json::from_slice(&found).expect("it is JSON now");
        assert_eq!(value, serde_json::json!({"a": null, "b": "-Infinity \" -Infinity", "c": -1}));
        assert_eq!(without_infinity(b"-Infinit".to_vec()), b"-Infinit");
    }
}
