//! A program under trial: started by this process, started again whenever it ends, killed at will.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::until::until;

/// Pause before a program that ended by itself is started again.
const PAUSE: Duration = Duration::from_millis(500);

/// How to start a program; asked before every start.
pub type Recipe = Box<dyn Fn() -> Command + Send + Sync>;

pub struct Service {
    pub name: String,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    pid: Option<u32>,
    wanted: bool,
    /// Where it ends by itself, it is not started again.
    once: bool,
    /// Before the next start.
    pause: Option<Duration>,
    /// How it ended last.
    ended: Option<ExitStatus>,
}

impl Service {
    /// Starts it, and keeps it running from here on.
    pub fn start(name: &str, recipe: Recipe) -> Self {
        Self::begin(name, recipe, false)
    }

    /// Starts it; it is started again only where this trial killed it.
    pub fn start_once(name: &str, recipe: Recipe) -> Self {
        Self::begin(name, recipe, true)
    }

    fn begin(name: &str, recipe: Recipe, once: bool) -> Self {
        let state = Arc::new(Mutex::new(State { wanted: true, once, ..State::default() }));
        let changed = Arc::new(Notify::new());
        let task = tokio::spawn(supervise(recipe, state.clone(), changed.clone()));
        Self { name: name.to_owned(), state, changed, task }
    }

    pub fn pid(&self) -> Option<u32> {
        self.lock().pid
    }

    /// `kill -9` for it and its children; it starts again after `pause`. False: it was not running.
    pub async fn kill(&self, pause: Duration) -> bool {
        let Some(pid) = self.pid() else { return false };
        self.lock().pause = Some(pause);
        let mut victims = vec![pid];
        victims.extend(children(pid).await);
        signal("-KILL", &victims).await;
        true
    }

    /// `kill -9`, and it stays down until [`Service::revive`].
    pub async fn kill_for_now(&self) {
        self.lock().wanted = false;
        self.kill(PAUSE).await;
        self.gone().await;
    }

    /// Asks it to stop, and answers how it left. It stays down until [`Service::revive`].
    pub async fn stop(&self) -> Option<ExitStatus> {
        self.lock().wanted = false;
        let pid = self.pid()?;
        signal("-TERM", &[pid]).await;
        self.gone().await;
        self.lock().ended
    }

    pub fn revive(&self) {
        self.lock().wanted = true;
        self.changed.notify_one();
    }

    /// `-STOP`, `-CONT` and the like.
    pub async fn signal(&self, name: &str) {
        if let Some(pid) = self.pid() {
            signal(name, &[pid]).await;
        }
    }

    async fn gone(&self) {
        until("a program is gone", || async { self.pid().is_none().then_some(()) }).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The child is killed with the task that holds it.
        self.task.abort();
    }
}

/// A program that dies with this process, however this process ends, and logs into a file. `within` stands before it
/// (`ip netns exec …`); `options` are for `setpriv`.
pub fn program(within: &[&str], options: &[&str], path: impl AsRef<OsStr>, log: &Path) -> Command {
    let mut words = within.iter().copied().chain(["setpriv"]);
    let mut command = Command::new(words.next().expect("a word"));
    command.args(words).args(options).args(["--pdeathsig", "KILL", "--"]).arg(path);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
    command.stdin(Stdio::null()).stdout(file.try_clone().expect("a log")).stderr(file);
    command.kill_on_drop(true);
    command
}

async fn supervise(recipe: Recipe, state: Arc<Mutex<State>>, changed: Arc<Notify>) {
    loop {
        while !lock(&state).wanted {
            changed.notified().await;
        }
        let mut child = recipe().spawn().expect("a program starts");
        lock(&state).pid = child.id();
        let status = child.wait().await.expect("its end");
        let (pause, wanted) = {
            let mut state = lock(&state);
            state.pid = None;
            state.ended = Some(status);
            state.wanted &= !state.once || state.pause.is_some();
            (state.pause.take().unwrap_or(PAUSE), state.wanted)
        };
        if wanted {
            tokio::time::sleep(pause).await;
        }
    }
}

async fn children(pid: u32) -> Vec<u32> {
    let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &pid.to_string()]).output().await.expect("ps");
    String::from_utf8_lossy(&listed.stdout).split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

async fn signal(name: &str, pids: &[u32]) {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    // Some may be gone by now, which is what was wanted.
    let _ = Command::new("kill").arg(name).args(pids).stderr(Stdio::null()).status().await.expect("kill");
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
