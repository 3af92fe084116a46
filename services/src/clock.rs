//! The one place that reads the clock and draws randomness.
//!
//! Everything else receives a [`Clock`] or the drawn value, so that a test can
//! move time and repeat a draw.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    fn now(&self) -> DateTime<Utc>;
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// The time that a file says, for simulations that live through days in minutes: RFC 3339, read anew at every look.
/// While it can't be read, the machine's clock.
#[derive(Clone, Debug)]
pub struct FileClock(pub PathBuf);

impl Clock for FileClock {
    fn now(&self) -> DateTime<Utc> {
        let told = std::fs::read_to_string(&self.0).ok().and_then(|text| text.trim().parse().ok());
        told.unwrap_or_else(|| SystemClock.now())
    }
}

/// 128 bits from the operating system's generator, by way of a cryptographic one.
pub fn random_u128() -> u128 {
    u128::from_be_bytes(random_bytes())
}

/// `N` bytes fit for secrets.
#[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes
}

/// A moment to measure a duration from, which no change of the clock moves.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}
