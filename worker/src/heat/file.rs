use std::path::{Path, PathBuf};

use domain::worker::Heat;

use super::HeatSource;

/// A JSON file in place of a device's sensors, for tests; read anew every time.
#[derive(Debug)]
pub struct HeatFile(PathBuf);

impl HeatFile {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl HeatSource for HeatFile {
    fn read(&self) -> Option<Heat> {
        let read = std::fs::read(&self.0).map_err(|error| error.to_string());
        match read.and_then(|json| serde_json::from_slice(&json).map_err(|error| error.to_string())) {
            Ok(heat) => Some(heat),
            Err(error) => {
                tracing::warn!(path = %self.0.display(), error, "the file in place of sensors can't be read");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("heat.json");
        let source = HeatFile::new(&path);
        assert_eq!(source.read(), None);
        let mut heat = Heat { temperature: 60.0, clock_mhz: 900, max_clock_mhz: 1800, ..Heat::default() };
        for temperature in [60.0, 91.5] {
            heat.temperature = temperature;
            std::fs::write(&path, serde_json::to_vec(&heat).expect("JSON")).expect("written");
            assert_eq!(source.read().as_ref(), Some(&heat));
        }
        std::fs::write(&path, "{").expect("written");
        assert_eq!(source.read(), None);
    }
}
