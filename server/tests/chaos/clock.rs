//! The one place where the trials read the time.
#![expect(clippy::disallowed_methods, reason = "a trial measures real time; nothing in it is decided by the clock")]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// Runs from when it was started.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    pub fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// The time of day, which on one machine is also the database's.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
