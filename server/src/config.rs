//! Configuration: read once from the environment, checked, and passed on in parts.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use domain::credits::{DEFAULT_DAILY_CREDITS, DEFAULT_ULTRA_CREDITS};
use services::credits::Daily;
use services::jobs::MAX_QUEUED;
use services::limits::policy::DEFAULT_HOURLY_SECONDS;
use services::limits::{Policy, Rate};

/// Everything an operator can set. Each field names its variable.
#[derive(Clone, Debug)]
pub struct Config {
    /// `MINDSEYE_ADDR`
    pub addr: SocketAddr,
    /// `MINDSEYE_DATA`
    pub data: PathBuf,
    /// `MINDSEYE_MODELS`
    pub models: PathBuf,
    /// `DATABASE_URL`; unset means a private Postgres below `data`.
    pub database_url: Option<String>,
    /// `REDIS_URL`: set where several heads serve one studio.
    pub redis_url: Option<String>,
    /// `MINDSEYE_MAX_QUEUED`: jobs that may wait before people are asked to come back later.
    pub max_queued: usize,
    /// `MINDSEYE_WORKERS`: devices of the local workers.
    pub workers: Vec<String>,
    /// `MINDSEYE_TRUSTED_PROXIES`: whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// `MINDSEYE_DAILY_CREDITS` and `MINDSEYE_ULTRA_CREDITS`
    pub daily: Daily,
    /// `MINDSEYE_RATE` and `MINDSEYE_BURST`: requests a second and at once that one client may make.
    pub rate: Rate,
    /// `MINDSEYE_POLICY`: a file that changes numbers of the limits.
    pub policy: Policy,
    /// `MINDSEYE_SIMULATED_TIME`: a file that says what time it is, for simulations.
    pub simulated_time: Option<PathBuf>,
    /// `MINDSEYE_FINGERPRINTS`: whether browsers are asked for one (`on`, `off`).
    pub fingerprints: bool,
    /// `MINDSEYE_ADMIN_KEY`: what opens the operator's doors; unset, they are not there.
    pub admin_key: Option<String>,
    /// `MINDSEYE_WORKER_KEY`: what workers authenticate with; drawn at every start when unset.
    pub worker_key: Option<String>,
    /// `LEPTOS_SITE_ROOT`: where the built site lies.
    pub site_root: PathBuf,
}

/// A range of addresses in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Config {
    /// Reads the environment; the error is a sentence that names the variable.
    pub fn from_env() -> Result<Self, String> {
        Self::read(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |name: &str, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
        let addr = text("MINDSEYE_ADDR", "127.0.0.1:3000");
        let addr = addr
            .parse()
            .map_err(|_| format!("MINDSEYE_ADDR is “{addr}”, which is not an address and port like 127.0.0.1:3000"))?;
        let data = PathBuf::from(text("MINDSEYE_DATA", "data"));
        let data = std::path::absolute(&data)
            .map_err(|error| format!("MINDSEYE_DATA ({}) is not a usable path: {error}", data.display()))?;
        let daily = Daily {
            visitor: whole(&variable, "MINDSEYE_DAILY_CREDITS", DEFAULT_DAILY_CREDITS)?,
            ultra: whole(&variable, "MINDSEYE_ULTRA_CREDITS", DEFAULT_ULTRA_CREDITS)?,
        };
        let rate = Rate {
            per_second: above_zero(&variable, "MINDSEYE_RATE", 2)?,
            burst: above_zero(&variable, "MINDSEYE_BURST", 5)?,
        };
        let anonymous_seconds = whole(&variable, "MINDSEYE_ANONYMOUS_GPU_SECONDS", DEFAULT_HOURLY_SECONDS)?;
        let policy = match variable("MINDSEYE_POLICY") {
            None => Policy::default(),
            Some(path) => read_policy(&path)?,
        };
        let policy = Policy { hourly_ms: i64::from(anonymous_seconds) * 1_000, ..policy };
        let fingerprints = match text("MINDSEYE_FINGERPRINTS", "on").trim() {
            "on" => true,
            "off" => false,
            other => return Err(format!("MINDSEYE_FINGERPRINTS is “{other}”, which is neither “on” nor “off”")),
        };
        let max_queued = text("MINDSEYE_MAX_QUEUED", &MAX_QUEUED.to_string());
        let max_queued = (max_queued.parse().ok())
            .filter(|most: &usize| *most > 0)
            .ok_or_else(|| format!("MINDSEYE_MAX_QUEUED is “{max_queued}”, which is not a whole number above 0"))?;
        let trusted_proxies = list(&text("MINDSEYE_TRUSTED_PROXIES", ""))
            .map(|text| {
                Network::parse(text).ok_or_else(|| {
                    format!("MINDSEYE_TRUSTED_PROXIES names “{text}”, which is not a network like 10.0.0.0/8")
                })
            })
            .collect::<Result<_, _>>()?;
        let workers = match text("MINDSEYE_WORKERS", "auto").trim() {
            // Without a card that this build can drive, the processor does the work.
            "auto" => vec!["cpu".to_owned()],
            "none" => Vec::new(),
            devices => list(devices).map(str::to_owned).collect(),
        };
        Ok(Self {
            addr,
            data,
            models: PathBuf::from(text("MINDSEYE_MODELS", "models")),
            database_url: variable("DATABASE_URL"),
            redis_url: variable("REDIS_URL"),
            max_queued,
            workers,
            trusted_proxies,
            daily,
            rate,
            policy,
            simulated_time: variable("MINDSEYE_SIMULATED_TIME").map(PathBuf::from),
            fingerprints,
            admin_key: variable("MINDSEYE_ADMIN_KEY"),
            worker_key: variable("MINDSEYE_WORKER_KEY"),
            site_root: variable("LEPTOS_SITE_ROOT").map_or_else(built_site, PathBuf::from),
        })
    }
}

/// Where the build puts the site: beside the folder that this program is in.
fn built_site() -> PathBuf {
    let program = std::env::current_exe().ok();
    let target = program.as_deref().and_then(|program| program.parent()?.parent());
    target.map_or_else(|| "target/site".into(), |target| target.join("site"))
}

/// Numbers of the limits; what the file does not name stays as it is.
fn read_policy(path: &str) -> Result<Policy, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("MINDSEYE_POLICY ({path}) can't be read: {error}"))?;
    toml::from_str(&text).map_err(|error| format!("MINDSEYE_POLICY ({path}) can't be used: {error}"))
}

fn whole(variable: impl Fn(&str) -> Option<String>, name: &str, default: u32) -> Result<u32, String> {
    let Some(text) = variable(name) else { return Ok(default) };
    text.trim().parse().map_err(|_| format!("{name} is “{text}”, which is not a whole number"))
}

fn above_zero(variable: impl Fn(&str) -> Option<String>, name: &str, default: u32) -> Result<NonZeroU32, String> {
    let number = whole(variable, name, default)?;
    NonZeroU32::new(number).ok_or_else(|| format!("{name} is 0, and must be above"))
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

impl Network {
    /// Reads `10.0.0.0/8` or a single address.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base.parse().ok()?, Some(prefix.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let longest = if matches!(base, IpAddr::V4(_)) { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { base, prefix })
    }

    /// Whether an address lies inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                same_prefix(base.to_bits().into(), address.to_bits().into(), 32, self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => same_prefix(base.to_bits(), address.to_bits(), 128, self.prefix),
            _ => false,
        }
    }
}

fn same_prefix(a: u128, b: u128, bits: u8, prefix: u8) -> bool {
    (a ^ b).checked_shr(u32::from(bits - prefix)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_means_the_documented_defaults() {
        let config = Config::read(|_| None).expect("defaults");
        assert_eq!(config.addr.to_string(), "127.0.0.1:3000");
        assert_eq!((config.daily.visitor, config.workers), (50, vec!["cpu".to_owned()]));
        assert_eq!((config.rate.per_second.get(), config.rate.burst.get()), (2, 5));
        assert!(config.database_url.is_none() && config.trusted_proxies.is_empty());
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        for (wrong, value) in [
            ("MINDSEYE_ADDR", "here"),
            ("MINDSEYE_DAILY_CREDITS", "many"),
            ("MINDSEYE_BURST", "0"),
            ("MINDSEYE_FINGERPRINTS", "maybe"),
            ("MINDSEYE_TRUSTED_PROXIES", "10/8"),
        ] {
            let error = Config::read(|name| (name == wrong).then(|| value.to_owned())).expect_err("refused");
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        let inside = |network: &str, address: &str| {
            Network::parse(network).expect("a network").contains(address.parse().expect("an address"))
        };
        assert!(inside("10.0.0.0/8", "10.255.0.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(inside("fd00::/8", "fd12::1"));
        assert!(inside("0.0.0.0/0", "8.8.8.8"));
        assert!(!inside("0.0.0.0/0", "::1"));
    }
}
