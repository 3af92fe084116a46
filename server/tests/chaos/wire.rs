//! A machine elsewhere: a network namespace at the end of a cable that can be cut.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

pub struct Wire {
    /// The namespace.
    pub elsewhere: String,
    /// This machine's address as seen from there.
    pub here: String,
    cable: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Wire {
    /// Lays the cable; `None`, and says why, where that is not possible.
    pub async fn lay() -> Option<Self> {
        let is_root = {
            use std::os::unix::fs::MetadataExt;
            std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
        };
        if !is_root || !Path::new("/dev/net/tun").exists() {
            eprintln!("    SKIPPED: network namespaces need root and /dev/net/tun");
            return None;
        }
        let id = std::process::id();
        let (elsewhere, near, far) = (format!("mindseye-{id}"), format!("mxn{id}"), format!("mxf{id}"));
        let (subnet, script) = (id % 250, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chaos/wire.py"));
        let mut cable = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "python3", script, &near, &far])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the cable");
        let orders = cable.stdin.take().expect("a pipe");
        let mut answers = BufReader::new(cable.stdout.take().expect("a pipe")).lines();
        assert_eq!(answers.next_line().await.expect("a line").as_deref(), Some("ready"));
        let (here, there) = (format!("10.231.{subnet}.1"), format!("10.231.{subnet}.2"));
        let ends = (format!("{here}/30"), format!("{there}/30"));
        ip(&["netns", "add", &elsewhere]).await;
        ip(&["link", "set", &far, "netns", &elsewhere]).await;
        ip(&["address", "add", &ends.0, "dev", &near]).await;
        ip(&["link", "set", &near, "up"]).await;
        ip(&["-n", &elsewhere, "address", "add", &ends.1, "dev", &far]).await;
        ip(&["-n", &elsewhere, "link", "set", &far, "up"]).await;
        Some(Self { elsewhere, here, cable, orders, answers })
    }

    /// From now on so large a share of the packets is lost: from there to here, and from here to there.
    pub async fn lose(&mut self, up: f64, down: f64) {
        self.orders.write_all(format!("{up} {down}\n").as_bytes()).await.expect("the cable listens");
        assert_eq!(self.answers.next_line().await.expect("a line").as_deref(), Some("set"));
    }

    /// What a program is started with to be there.
    pub fn within(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.elsewhere]
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = self.cable.start_kill();
        let _ = std::process::Command::new("ip").args(["netns", "delete", &self.elsewhere]).status();
    }
}

async fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().await.expect("ip");
    assert!(status.success(), "ip {arguments:?}");
}
