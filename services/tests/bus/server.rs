//! A Redis of one test, to be killed, frozen and started again.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::world::soon;

/// A server without persistence on a port of its own. It ends with this.
pub struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub async fn start() -> Self {
        // Another may take the port between asking and using: try again.
        for _ in 0..5 {
            let port = free_port();
            if let Some(process) = launch(port).await {
                return Self { process, port };
            }
        }
        panic!("no Redis would start");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it is dead");
    }

    /// Starts again at the same address, with nothing in it.
    pub async fn restart(&mut self) {
        self.process = launch(self.port).await.expect("the port is still free");
    }

    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Sends one command, without a bus.
    pub async fn ask(&self, command: &redis::Cmd) -> redis::Value {
        let client = redis::Client::open(self.url()).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("connected");
        command.query_async(&mut connection).await.expect("an answer")
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").arg(signal).arg(self.process.id().to_string()).status().expect("kill");
        assert!(done.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn launch(port: u16) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server on PATH: run 'make setup'");
    soon("Redis to start", async {
        loop {
            if process.try_wait().expect("a process").is_some() {
                return None;
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await?;
    Some(process)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
