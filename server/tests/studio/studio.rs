//! A running studio and people who use it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};

/// Longest wait for anything in these tests; far beyond what anything takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// What workers of these tests come in with.
pub const WORKER_KEY: &str = "the key of these tests";

/// The program under test, running.
pub struct Studio {
    pub base: String,
    server: Child,
    settings: Settings,
}

/// How a studio is started; the same settings start it again after a kill.
#[derive(Clone)]
pub struct Settings {
    pub database_url: Option<String>,
    pub data: PathBuf,
    pub workers: String,
    pub port: u16,
}

impl Settings {
    pub fn new(pool: &PgPool, data: &Path, workers: &str) -> Self {
        let url = pool.connect_options().to_url_lossy().to_string();
        Self { database_url: Some(url), ..Self::private(data, workers) }
    }

    /// Without `DATABASE_URL`: the private Postgres.
    pub fn private(data: &Path, workers: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        Self { database_url: None, data: data.to_owned(), workers: workers.into(), port }
    }
}

impl Studio {
    /// Starts the studio and waits until it is ready.
    pub async fn start(settings: &Settings) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mindseye"));
        command
            .arg("serve")
            .env("MINDSEYE_ADDR", format!("127.0.0.1:{}", settings.port))
            .env("MINDSEYE_DATA", &settings.data)
            .env("MINDSEYE_WORKERS", &settings.workers)
            // Tests are faster than people.
            .env("MINDSEYE_RATE", "10000")
            .env("MINDSEYE_BURST", "10000")
            .env("MINDSEYE_WORKER_KEY", WORKER_KEY)
            .env("MINDSEYE_LOG", "warn")
            .stdin(Stdio::null());
        match &settings.database_url {
            Some(url) => command.env("DATABASE_URL", url),
            None => command.env_remove("DATABASE_URL"),
        };
        let server = command.spawn().expect("the studio starts");
        let base = format!("http://127.0.0.1:{}", settings.port);
        let studio = Self { base, server, settings: settings.clone() };
        let client = browser().build().expect("a client");
        until("the studio is ready", || async {
            let answer = client.get(format!("{}/readyz", studio.base)).send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(())
        })
        .await;
        studio
    }

    /// `kill -9`, and the same studio again.
    pub async fn kill_and_restart(mut self) -> Self {
        self.server.kill().expect("kill");
        self.server.wait().expect("wait");
        let settings = self.settings.clone();
        drop(self);
        Self::start(&settings).await
    }

    /// Asks it to stop and waits for it; whether it left cleanly.
    pub fn stop(&mut self) -> bool {
        signal("-TERM", self.server.id());
        self.server.wait().is_ok_and(|status| status.success())
    }

    /// Another worker, which this test started; it ends when it is dropped.
    pub fn guest(&self, id: &str, device: &str) -> Guest {
        self.guest_with(id, device, "starter")
    }

    /// The same, with these models.
    pub fn guest_with(&self, id: &str, device: &str, models: &str) -> Guest {
        let program = Path::new(env!("CARGO_BIN_EXE_mindseye")).with_file_name("mindseye-worker");
        let worker = Command::new(program)
            .args(["--id", id, "--device", device, "--head", &self.base.replacen("http", "ws", 1)])
            .env("MINDSEYE_FAKE_MODELS", models)
            .env("MINDSEYE_WORKER_KEY", WORKER_KEY)
            .env("MINDSEYE_LOG", "warn")
            .stdin(Stdio::null())
            .spawn();
        Guest(worker.expect("the worker starts"))
    }

    /// `kill -9` for its workers.
    pub fn kill_workers(&self) -> usize {
        let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &self.server.id().to_string()]).output();
        let pids: Vec<u32> = String::from_utf8_lossy(&listed.expect("ps").stdout)
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .filter(|pid| {
                let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                name.starts_with("mindseye-worker")
            })
            .collect();
        for pid in &pids {
            signal("-KILL", *pid);
        }
        pids.len()
    }

    pub fn person(&self) -> Person {
        let client = browser().cookie_store(true).build().expect("a client");
        Person { client, base: self.base.clone() }
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A worker that is not the studio's child.
pub struct Guest(Child);

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An HTTP client in the making.
pub fn browser() -> reqwest::ClientBuilder {
    // An error means that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

fn signal(signal: &str, pid: u32) {
    Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill");
}

/// Someone with nothing but a cookie jar.
pub struct Person {
    pub client: Client,
    pub base: String,
}

impl Person {
    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.expect("an answer")
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.client.post(format!("{}{path}", self.base)).json(body).send().await.expect("an answer")
    }

    /// Submits a job that must be accepted; answers its id.
    pub async fn submit(&self, body: &Value) -> String {
        let answer = self.post("/api/v1/generations", body).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let job: Value = answer.json().await.expect("a job");
        job["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until a job has ended.
    pub async fn finished(&self, id: &str) -> Value {
        until("the job has ended", || async {
            let url = format!("{}/api/v1/generations/{id}", self.base);
            let job: Value = self.client.get(url).send().await.ok()?.json().await.ok()?;
            matches!(job["status"].as_str(), Some("succeeded" | "failed" | "cancelled")).then_some(job)
        })
        .await
    }
}

/// Looks again and again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited too long: {what}"))
}
