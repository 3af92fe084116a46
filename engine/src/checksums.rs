//! `SHA256SUMS` beside a model's index: weights that are pinned must be those that were pinned.

use std::collections::HashMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::read_small;
use crate::error::{LoadError, Result};

/// Checksums by path, relative to the model's directory. Files that are not listed are not checked.
#[derive(Debug, Default)]
pub(crate) struct Checksums(HashMap<String, String>);

impl Checksums {
    /// Reads the list in a model's directory, when there is one.
    pub(crate) fn read(dir: &Path) -> Result<Checksums, LoadError> {
        let path = dir.join("SHA256SUMS");
        if !path.is_file() {
            return Ok(Checksums::default());
        }
        let text =
            String::from_utf8(read_small(&path)?).map_err(|error| LoadError::config(&path, error.to_string()))?;
        let mut sums = HashMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let Some((sum, name)) = line.split_once(' ') else {
                return Err(LoadError::config(&path, format!("{line:?} is not a checksum and a file")));
            };
            sums.insert(name.trim_start_matches([' ', '*']).to_owned(), sum.to_lowercase());
        }
        Ok(Checksums(sums))
    }

    /// Compares a file's bytes with what the list says about `part/file`.
    pub(crate) fn check(&self, path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
        let name = |path: Option<&Path>| Some(path?.file_name()?.to_string_lossy().into_owned());
        let (Some(file), Some(part)) = (name(Some(path)), name(path.parent())) else { return Ok(()) };
        let Some(wanted) = self.0.get(&format!("{part}/{file}")) else { return Ok(()) };
        let found: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if found == *wanted { Ok(()) } else { Err(LoadError::WrongChecksum { path: path.to_owned() }) }
    }
}
