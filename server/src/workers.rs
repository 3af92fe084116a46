//! Local workers: child processes that dial in like any other, and are started again when they end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use domain::WorkerId;
use services::clock::{self, Clock, SystemClock};
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::sync::watch;

/// Pause before the first restart; it doubles while restarts keep failing.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A worker that lived this long earned a quick restart.
const HEALTHY: TimeDelta = TimeDelta::seconds(30);
/// Longest time for a worker to finish what it has.
pub const GRACE: Duration = Duration::from_secs(20);
/// Longest time for a worker to end when its head is over.
const FAREWELL: Duration = Duration::from_secs(3);
/// Longest part of a machine's name in a worker's, in bytes.
const LONGEST_HOST: usize = 40;

/// How local workers are started.
#[derive(Clone, Debug)]
pub struct LocalWorkers {
    pub program: PathBuf,
    /// Address of this head as seen from the machine itself, for example `ws://127.0.0.1:3000`.
    pub head: String,
    pub key: String,
    pub models: PathBuf,
    /// Name of this head, unlike that of any other.
    pub name: String,
}

/// How far this head is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Serving,
    /// Workers finish what they have; none is started any more.
    Finishing,
    /// Workers end now.
    Over,
}

impl LocalWorkers {
    /// Name of a worker in the fleet.
    pub fn id(&self, number: usize) -> WorkerId {
        WorkerId(format!("local-{}-{number}", self.name))
    }

    /// Keeps one worker for `device` running until this head is over.
    pub async fn supervise(self, number: usize, device: String, mut stage: watch::Receiver<Stage>) {
        let mut pause = FIRST_PAUSE;
        while *stage.borrow() == Stage::Serving {
            let mut command = Command::new(&self.program);
            command
                .args(["--device", &device, "--id", &self.id(number).0, "--exit-with-parent"])
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
                    let pipe = child.stdin.take();
                    tracing::info!(number, device, pid = child.id(), "worker started");
                    let ended = tokio::select! {
                        ended = child.wait() => Some(ended),
                        () = until_over(&mut stage) => None,
                    };
                    let Some(ended) = ended else {
                        drop(pipe);
                        let _ = tokio::time::timeout(FAREWELL, child.wait()).await;
                        return;
                    };
                    if *stage.borrow() != Stage::Serving {
                        return;
                    }
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
                _ = stage.changed() => {}
            }
        }
    }
}

/// Waits until the head is over, or gone.
async fn until_over(stage: &mut watch::Receiver<Stage>) {
    let _ = stage.wait_for(|stage| *stage == Stage::Over).await;
}

/// A name for this head that stays the same from start to start and that no other head of the studio has: heads may
/// share a machine, or a data folder, or have machines of the same name, but hardly all of these.
///
/// # Errors
/// With a sentence, when the data folder can't be read or written.
pub fn head_name(data: &Path, addr: SocketAddr) -> Result<String, String> {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host: String = host.trim().to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let host = host.get(..host.len().min(LONGEST_HOST)).filter(|host| !host.is_empty()).unwrap_or("head");
    let stored = stored_name(&data.join("studio-name"))
        .map_err(|error| format!("{} can't keep the studio's name: {error}", data.display()))?;
    let hash = Sha256::digest(format!("{stored} {addr}"));
    Ok(format!("{host}-{:02x}{:02x}", hash[0], hash[1]))
}

/// What the file says; whoever is first writes it.
fn stored_name(path: &Path) -> std::io::Result<String> {
    let fresh: String = clock::random_bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    match std::fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(fresh.as_bytes()).map(|()| fresh),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read_to_string(path),
        Err(error) => Err(error),
    }
}

/// The worker program: beside this one.
pub fn program() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.parent()?.join("mindseye-worker")))
        .unwrap_or_else(|| "mindseye-worker".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_names_of_their_own_that_stay() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let name = |folder: &tempfile::TempDir, port| head_name(folder.path(), at(port)).expect("a name");
        assert_eq!(name(&one, 3000), name(&one, 3000), "from start to start");
        assert_ne!(name(&one, 3000), name(&one, 3001), "two heads that share their data");
        assert_ne!(name(&one, 3000), name(&other, 3000), "two folders on one machine");
        assert!(name(&one, 3000).chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
    }
}
