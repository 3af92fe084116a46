use std::str::FromStr;
use std::time::Duration;

/// Which device to use, as it is written in `MINDSEYE_WORKERS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceSpec {
    Cpu,
    Cuda(usize),
    /// Draws test cards, up to `batch` of them in the time of one.
    Fake {
        per_image: Duration,
        batch: usize,
    },
}

impl FromStr for DeviceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || format!("“{text}” is not a device: use cpu, cuda:0, fake:50ms or fake:50ms@4");
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", ordinal)) => ordinal.parse().map(Self::Cuda).map_err(|_| unknown()),
            Some(("fake", pace)) => {
                let (pace, batch) = pace.split_once('@').unwrap_or((pace, "1"));
                let ms = pace.strip_suffix("ms").unwrap_or(pace).parse().map_err(|_| unknown())?;
                let batch = batch.parse().ok().filter(|batch| (1..=64).contains(batch)).ok_or_else(unknown)?;
                Ok(Self::Fake { per_image: Duration::from_millis(ms), batch })
            }
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_written() {
        let fake = |ms, batch| DeviceSpec::Fake { per_image: Duration::from_millis(ms), batch };
        assert_eq!("cpu".parse(), Ok(DeviceSpec::Cpu));
        assert_eq!("cuda".parse(), Ok(DeviceSpec::Cuda(0)));
        assert_eq!("cuda:1".parse(), Ok(DeviceSpec::Cuda(1)));
        assert_eq!("fake:50ms".parse(), Ok(fake(50, 1)));
        assert_eq!("fake:50".parse(), Ok(fake(50, 1)));
        assert_eq!("fake:50ms@4".parse(), Ok(fake(50, 4)));
        for wrong in ["", "gpu", "cuda:x", "fake:", "fake:ms", "fake:5ms@", "fake:5ms@0", "fake:5ms@x", "cpu:0"] {
            assert!(wrong.parse::<DeviceSpec>().is_err(), "{wrong}");
        }
    }
}
