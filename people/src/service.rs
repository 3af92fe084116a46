//! The real service: `mindseye serve` as a child, whose clock is a file that the simulator writes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use tokio::process::{Child, Command};

/// Longest wait for it to be ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it is.
const LOOK: Duration = Duration::from_millis(50);

/// How it is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program.
    pub program: PathBuf,
    pub database_url: String,
    /// Seconds of device time that are given away in an hour.
    pub hourly_seconds: u32,
    /// When the simulated day begins; none where time is real.
    pub day: Option<DateTime<Utc>>,
    /// Numbers in place of the service's own.
    pub policy: Option<PathBuf>,
}

/// A running service.
#[derive(Debug)]
pub struct Service {
    pub base: String,
    child: Child,
    folder: tempfile::TempDir,
    day: Option<DateTime<Utc>>,
}

impl Service {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// A sentence.
    pub async fn start(settings: &Settings) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder: {error}"))?;
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        // It dies with this process, however this process ends.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&settings.program)
            .arg("serve")
            .env("DATABASE_URL", &settings.database_url)
            .env("MINDSEYE_ADDR", format!("127.0.0.1:{port}"))
            .env("MINDSEYE_DATA", folder.path().join("data"))
            .env("MINDSEYE_WORKERS", "fake:1ms@8")
            .env("MINDSEYE_TRUSTED_PROXIES", "127.0.0.1")
            // A day runs in minutes, and bursts are counted in real time: they have tests of their own.
            .env("MINDSEYE_RATE", "1000000")
            .env("MINDSEYE_BURST", "1000000")
            .env("MINDSEYE_MAX_QUEUED", "1000000")
            .env("MINDSEYE_ANONYMOUS_GPU_SECONDS", settings.hourly_seconds.to_string())
            .env("MINDSEYE_LOG", "error")
            .env_remove("MINDSEYE_POLICY")
            .env_remove("REDIS_URL")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(policy) = &settings.policy {
            command.env("MINDSEYE_POLICY", policy);
        }
        if let Some(day) = settings.day {
            write_time(folder.path(), day)?;
            command.env("MINDSEYE_SIMULATED_TIME", time_file(folder.path()));
        } else {
            command.env_remove("MINDSEYE_SIMULATED_TIME");
        }
        let child =
            command.spawn().map_err(|error| format!("{} can't be started: {error}", settings.program.display()))?;
        let service = Self { base: format!("http://127.0.0.1:{port}"), child, folder, day: settings.day };
        tokio::time::timeout(PATIENCE, service.ready())
            .await
            .map_err(|_| "the service did not get ready".to_owned())?;
        Ok(service)
    }

    /// From here on, times are of this day.
    pub fn begin_day(&mut self, day: DateTime<Utc>) {
        self.day = Some(day);
    }

    /// Sets the service's clock to so many milliseconds after the start of its day.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn set_time(&self, at_ms: u64) -> Result<(), String> {
        let Some(day) = self.day else { return Ok(()) };
        let since = TimeDelta::milliseconds(i64::try_from(at_ms).unwrap_or(i64::MAX));
        write_time(self.folder.path(), day + since)
    }

    /// What `/metrics` says.
    ///
    /// # Errors
    /// When it says nothing.
    pub async fn metrics(&self) -> Result<String, String> {
        let answer = reqwest::get(format!("{}/metrics", self.base)).await.map_err(|error| error.to_string())?;
        answer.text().await.map_err(|error| error.to_string())
    }

    /// Asks it to finish what it has and to leave.
    pub async fn stop(mut self) {
        if let Some(pid) = self.child.id() {
            // If it is gone already, so much the better.
            let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
        }
        let _ = tokio::time::timeout(PATIENCE, self.child.wait()).await;
    }

    async fn ready(&self) {
        loop {
            if let Ok(answer) = reqwest::get(format!("{}/readyz", self.base)).await
                && answer.status() == StatusCode::OK
            {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn time_file(folder: &Path) -> PathBuf {
    folder.join("time")
}

/// Written beside and moved into place: the service never reads half a time.
fn write_time(folder: &Path, time: DateTime<Utc>) -> Result<(), String> {
    let next = folder.join("time.next");
    std::fs::write(&next, time.to_rfc3339())
        .and_then(|()| std::fs::rename(&next, time_file(folder)))
        .map_err(|error| format!("the time can't be written: {error}"))
}

fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
