//! Local workers: child processes that dial in like any other, and are started again when they end.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use services::clock::{Clock, SystemClock};
use tokio::process::Command;
use tokio::sync::watch;

/// Pause before the first restart; it doubles while restarts keep failing.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A worker that lived this long earned a quick restart.
const HEALTHY: TimeDelta = TimeDelta::seconds(30);
/// Longest time for a worker to finish what it has.
pub const GRACE: Duration = Duration::from_secs(20);

/// How local workers are started.
#[derive(Clone, Debug)]
pub struct LocalWorkers {
    pub program: PathBuf,
    /// Address of this head as seen from the machine itself, for example `ws://127.0.0.1:3000`.
    pub head: String,
    pub key: String,
    pub models: PathBuf,
}

impl LocalWorkers {
    /// Keeps one worker for `device` running until `stopping` turns true and the worker has left.
    pub async fn supervise(self, number: usize, device: String, mut stopping: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        while !*stopping.borrow() {
            let mut command = Command::new(&self.program);
            command
                .args(["--device", &device, "--id", &format!("local-{number}"), "--exit-with-parent"])
                .arg("--models")
                .arg(&self.models)
                .env("MINDSEYE_HEAD", &self.head)
                .env("MINDSEYE_WORKER_KEY", &self.key)
                .stdin(Stdio::piped())
                // Ctrl-C in a terminal is for the head, which lets its workers finish first.
                .process_group(0)
                .kill_on_drop(true);
            let started = SystemClock.now();
            match command.spawn() {
                Ok(mut child) => {
                    // Held for as long as the child lives: when this process dies, the pipe closes and the child leaves.
                    let _pipe = child.stdin.take();
                    tracing::info!(number, device, pid = child.id(), "worker started");
                    let ended = tokio::select! {
                        ended = child.wait() => Some(ended),
                        () = told(&mut stopping) => None,
                    };
                    let Some(ended) = ended else {
                        // It has been asked to finish and leave; dropping it here would end it at once.
                        let _ = tokio::time::timeout(GRACE, child.wait()).await;
                        return;
                    };
                    let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::warn!(number, status, "worker ended, starting it again");
                    if SystemClock.now() - started > HEALTHY {
                        pause = FIRST_PAUSE;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, program = %self.program.display(), "the worker program can't be started");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(10)),
                _ = stopping.changed() => {}
            }
        }
    }
}

/// Waits until the head is stopping, or is gone.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The worker program: beside this one.
pub fn program() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.parent()?.join("mindseye-worker")))
        .unwrap_or_else(|| "mindseye-worker".into())
}
