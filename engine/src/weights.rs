//! Reading safetensors: whole files into memory, checked before anything is allocated from them.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

use crate::checksums::Checksums;
use crate::device::Device;
use crate::error::LoadError;

/// File endings of formats that can run code when read, or that are other tools' containers.
const PICKLED: [&str; 5] = ["bin", "ckpt", "pt", "pth", "pkl"];

/// All tensors of one part of a model (`unet`, `vae`, `text_encoder`).
pub(crate) struct Weights {
    dir: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
    entries: HashMap<String, Entry>,
    device: Device,
}

struct Entry {
    file: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    start: usize,
    end: usize,
}

impl Weights {
    /// Reads the weights in `dir`, whose files are called `stem`: one file, a half-precision
    /// variant, or shards named by an index.
    pub(crate) fn open(dir: &Path, stem: &str, device: &Device) -> Result<Weights, LoadError> {
        let mut weights =
            Weights { dir: dir.to_owned(), files: Vec::new(), entries: HashMap::new(), device: device.clone() };
        let checksums = dir.parent().map_or_else(|| Ok(Checksums::default()), Checksums::read)?;
        for path in find(dir, stem)? {
            weights.add(path, &checksums)?;
        }
        Ok(weights)
    }

    fn add(&mut self, path: PathBuf, checksums: &Checksums) -> Result<(), LoadError> {
        let bytes = std::fs::read(&path).map_err(|error| LoadError::io(&path, &error))?;
        checksums.check(&path, &bytes)?;
        let file = self.files.len();
        let (header, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|error| LoadError::weights(&path, error.to_string()))?;
        // The header has been checked against the file's length, so these sums cannot overflow.
        let base = 8 + header;
        for (name, info) in metadata.tensors() {
            let (start, end) = (base + info.data_offsets.0, base + info.data_offsets.1);
            self.entries.insert(name, Entry { file, dtype: info.dtype, shape: info.shape.clone(), start, end });
        }
        self.files.push((path, bytes));
        Ok(())
    }

    pub(crate) fn root(&self) -> Scope<'_> {
        Scope { weights: self, prefix: String::new() }
    }

    /// The file to name in an error about a tensor: the only one, or the folder of shards.
    fn path(&self) -> PathBuf {
        match self.files.as_slice() {
            [(path, _)] => path.clone(),
            _ => self.dir.clone(),
        }
    }
}

/// The safetensors files of a part, in the order in which they are read.
pub(crate) fn find(dir: &Path, stem: &str) -> Result<Vec<PathBuf>, LoadError> {
    for name in [format!("{stem}.safetensors"), format!("{stem}.fp16.safetensors")] {
        let path = dir.join(name);
        if path.is_file() {
            return Ok(vec![path]);
        }
    }
    let index = dir.join(format!("{stem}.safetensors.index.json"));
    if index.is_file() {
        return shards(dir, &index);
    }
    if let Some(path) = pickled(dir) {
        return Err(LoadError::PickleOnly { path });
    }
    Err(LoadError::MissingFile { path: dir.join(format!("{stem}.safetensors")) })
}

fn shards(dir: &Path, index: &Path) -> Result<Vec<PathBuf>, LoadError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: HashMap<String, String>,
    }
    let parsed: Index = crate::config::read_json(index)?;
    let names: BTreeSet<String> = parsed.weight_map.into_values().collect();
    let mut paths = Vec::new();
    for name in names {
        // A shard is a plain file name beside its index, never a path that leads elsewhere.
        if Path::new(&name).file_name() != Some(name.as_ref()) || !name.ends_with(".safetensors") {
            return Err(LoadError::config(index, format!("{name:?} is not the name of a safetensors file")));
        }
        let path = dir.join(name);
        if !path.is_file() {
            return Err(LoadError::MissingFile { path });
        }
        paths.push(path);
    }
    Ok(paths)
}

fn pickled(dir: &Path) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| PICKLED.iter().any(|known| end.eq_ignore_ascii_case(known))))
        .collect();
    found.sort();
    found.into_iter().next()
}

/// A place in the tree of tensor names.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    weights: &'a Weights,
    prefix: String,
}

impl Scope<'_> {
    /// The scope `name` below this one.
    pub(crate) fn at(&self, name: impl Display) -> Self {
        Scope { weights: self.weights, prefix: self.full(name) }
    }

    pub(crate) fn device(&self) -> &Device {
        &self.weights.device
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.weights.entries.contains_key(&self.full(name))
    }

    /// The values of a tensor as f32, whatever float type the file holds, in row-major order.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let tensor = self.full(name);
        let Some(entry) = self.weights.entries.get(&tensor) else {
            return Err(LoadError::MissingTensor { path: self.weights.path(), tensor });
        };
        let (path, bytes) = &self.weights.files[entry.file];
        if entry.shape != shape {
            return Err(LoadError::WrongShape {
                path: path.clone(),
                tensor,
                found: entry.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        let Some(data) = bytes.get(entry.start..entry.end) else {
            return Err(LoadError::weights(path, format!("{tensor:?} points outside of the file")));
        };
        let values = to_f32(entry.dtype, data)
            .ok_or_else(|| LoadError::weights(path, format!("{tensor:?} holds {:?}, not floats", entry.dtype)))?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(LoadError::weights(path, format!("{tensor:?} holds values that are not finite")));
        }
        Ok(values)
    }

    fn full(&self, name: impl Display) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) }
    }
}

fn to_f32(dtype: Dtype, data: &[u8]) -> Option<Vec<f32>> {
    let halves = || data.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    match dtype {
        Dtype::F32 => Some(data.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()),
        Dtype::F16 => Some(halves().map(half_to_f32).collect()),
        Dtype::BF16 => Some(halves().map(|bits| f32::from_bits(u32::from(bits) << 16)).collect()),
        _ => None,
    }
}

/// IEEE half precision to single, exactly.
fn half_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10) & 0x1f;
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction as f32 / 16_777_216.0,
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::half_to_f32;

    #[test]
    fn halves_convert_exactly() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0), (0x3555, 0.333_251_95)]
        {
            assert_eq!(half_to_f32(bits), value);
        }
        assert!(half_to_f32(0x7c00).is_infinite() && half_to_f32(0x7e00).is_nan());
        assert_eq!(half_to_f32(0x8000).to_bits(), (-0.0f32).to_bits());
    }
}
