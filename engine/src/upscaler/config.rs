//! What `upscaler/config.json` may say.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::SCALE;
use crate::config::{only_known, read_json};
use crate::error::LoadError;

const CLASS: &str = "MindseyeUpscaler";
/// More would not fit into a tile of bounded memory, and no picture needs it.
const MOST_CHANNELS: usize = 256;
const MOST_BLOCKS: usize = 32;

/// A checked configuration.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct UpscalerConfig {
    pub(crate) channels: usize,
    /// Residual blocks of two convolutions each.
    pub(crate) blocks: usize,
}

impl UpscalerConfig {
    /// Reads and checks a configuration file.
    pub(crate) fn read(path: &Path) -> Result<UpscalerConfig, LoadError> {
        let value: Value = read_json(path)?;
        match value.get("_class_name").and_then(Value::as_str) {
            Some(CLASS) => {}
            Some(found) => {
                return Err(LoadError::UnknownClass { found: found.to_owned(), known: vec![CLASS.to_owned()] });
            }
            None => return Err(LoadError::config(path, "`_class_name` is missing")),
        }
        only_known(path, &value, &[("scale", json!(SCALE))])?;
        let config: UpscalerConfig =
            serde_json::from_value(value).map_err(|error| LoadError::config(path, error.to_string()))?;
        if !(1..=MOST_CHANNELS).contains(&config.channels) || config.blocks > MOST_BLOCKS {
            let reason =
                format!("`channels` must lie between 1 and {MOST_CHANNELS}, and `blocks` be at most {MOST_BLOCKS}");
            return Err(LoadError::config(path, reason));
        }
        Ok(config)
    }

    /// How many pixels away what a pixel becomes depends on others: one for each convolution it passes.
    pub(super) fn reach(self) -> usize {
        2 * self.blocks + 3
    }

    /// The side in pixels of the tiles a picture is enlarged in, so that with all they depend on they take a bounded
    /// amount of memory.
    pub(super) fn tile(self) -> usize {
        const SIDES: [usize; 4] = [256, 128, 64, 32];
        /// Values of one convolution's result: 32 MiB.
        const MOST_VALUES: usize = 8 << 20;
        let values = |side: usize| self.channels * (side + 2 * self.reach()).pow(2);
        SIDES.into_iter().find(|side| values(*side) <= MOST_VALUES).unwrap_or(SIDES[SIDES.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BLOCKS, MOST_CHANNELS, UpscalerConfig};

    #[test]
    fn every_network_has_tiles_that_fit() {
        for channels in 1..=MOST_CHANNELS {
            for blocks in 0..=MOST_BLOCKS {
                let config = UpscalerConfig { channels, blocks };
                let side = config.tile() + 2 * config.reach();
                assert!(channels * side * side * 4 <= 32 << 20, "{config:?}");
            }
        }
        assert_eq!(UpscalerConfig { channels: 32, blocks: 6 }.tile(), 256);
    }
}
