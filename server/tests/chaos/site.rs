//! Everything a studio with several heads is made of, as real programs on this machine.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::StatusCode;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::process::Command;

use crate::client::keeping_client;
use crate::service::{Service, program};
use crate::until::until;
use crate::{data, trail};

/// Postgres, Redis, heads and workers.
pub struct Site {
    pub postgres: Service,
    pub redis: Service,
    pub heads: Vec<Head>,
    pub workers: Vec<Service>,
    /// The trial's own view of the database; it survives the database's deaths.
    pub pool: PgPool,
    pub plan: Plan,
    pub ports: Ports,
    folder: PathBuf,
}

pub struct Head {
    pub service: Service,
    /// `http://…`
    pub base: String,
    /// The name under which it logs in to the database, by which one sees who dispatches.
    pub role: String,
}

/// What a trial wants of its site.
#[derive(Clone, Debug)]
pub struct Plan {
    pub heads: usize,
    /// Devices of the workers; each dials in at the head of its turn.
    pub workers: Vec<String>,
    /// Address that heads listen on.
    pub listen: String,
    /// What `MINDSEYE_LOG` is set to.
    pub log: &'static str,
    /// Whether a worker that ended by itself is started again.
    pub revive_workers: bool,
}

#[derive(Clone, Debug)]
pub struct Ports {
    pub postgres: u16,
    pub redis: u16,
    pub heads: Vec<u16>,
}

impl Plan {
    pub fn new(heads: usize, workers: &[&str]) -> Self {
        let workers = workers.iter().map(|&device| device.to_owned()).collect();
        Self { heads, workers, listen: "127.0.0.1".into(), log: "info", revive_workers: true }
    }
}

impl Site {
    /// Starts everything, and waits until every head is ready and every worker is there.
    pub async fn start(plan: Plan) -> Self {
        let folder = tempfile::Builder::new().prefix("mindseye-chaos.").tempdir().expect("a folder").keep();
        for sub in ["logs", "data"] {
            std::fs::create_dir(folder.join(sub)).expect("a folder");
        }
        // The database's user has to get through.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        let mut free = free_ports(2 + plan.heads).into_iter();
        let mut next = || free.next().expect("a port");
        let ports = Ports { postgres: next(), redis: next(), heads: (0..plan.heads).map(|_| next()).collect() };
        let postgres = data::postgres(&folder, ports.postgres).await;
        let redis = data::redis(&folder, ports.redis);
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(1))
            .connect_lazy(&database_url(ports.postgres, "postgres"))
            .expect("an address");
        let mut site = Self { postgres, redis, heads: Vec::new(), workers: Vec::new(), pool, plan, ports, folder };
        until("the database answers", || async { sqlx::query("SELECT 1").execute(&site.pool).await.ok() }).await;
        data::make_roles(&site.pool, site.plan.heads).await;
        site.command(&["migrate"], "migrate").await;
        trail::begin(&site.pool).await;
        for number in 0..site.plan.heads {
            let head = site.start_head(number);
            site.heads.push(head);
        }
        for (number, device) in site.plan.workers.clone().iter().enumerate() {
            let worker = site.start_worker(number, device);
            site.workers.push(worker);
        }
        site.ready().await;
        site
    }

    /// Waits until every head is ready, and every worker is connected to some head.
    pub async fn ready(&self) {
        let client = keeping_client();
        for head in &self.heads {
            until("a head is ready", || async {
                let answer = client.get(format!("{}/readyz", head.base)).send().await.ok()?;
                (answer.status() == StatusCode::OK).then_some(())
            })
            .await;
        }
        until("every worker is there", || async {
            let mut there = 0;
            for number in 0..self.heads.len() {
                there += self.gauge(number, "mindseye_workers").await? as usize;
            }
            (there >= self.workers.len()).then_some(())
        })
        .await;
    }

    /// The value of a metric without labels, at one head.
    pub async fn gauge(&self, head: usize, name: &str) -> Option<f64> {
        self.metric(head, &format!("{name} ")).await
    }

    /// The value of the metric whose line begins so, at one head.
    pub async fn metric(&self, head: usize, start: &str) -> Option<f64> {
        let text = self.metrics(head).await?;
        text.lines().find_map(|line| line.strip_prefix(start)?.trim().parse().ok())
    }

    pub async fn metrics(&self, head: usize) -> Option<String> {
        keeping_client().get(format!("{}/metrics", self.heads[head].base)).send().await.ok()?.text().await.ok()
    }

    /// The head that dispatches now, as far as the database can tell.
    pub async fn dispatcher(&self) -> Option<usize> {
        let role = tokio::time::timeout(Duration::from_millis(500), data::dispatcher(&self.pool)).await.ok()??;
        self.heads.iter().position(|head| head.role == role)
    }

    /// Runs `mindseye COMMAND…` to its end; answers what it printed.
    pub async fn command(&self, arguments: &[&str], log: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mindseye"));
        self.environment(&mut command, 0);
        let output = command.args(arguments).output().await.expect("mindseye runs");
        let said = String::from_utf8_lossy(&output.stderr);
        std::fs::write(self.log(log), said.as_bytes()).expect("a log");
        assert!(output.status.success(), "mindseye {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A worker that dials in at `head` (`ws://…`), started by `within`, if by anything.
    pub fn worker(&self, id: &str, device: &str, head: &str, key: &str, within: &[&str]) -> Service {
        let (id, device, head, key) = (id.to_owned(), device.to_owned(), head.to_owned(), key.to_owned());
        let within: Vec<String> = within.iter().map(|&word| word.to_owned()).collect();
        let (log, name) = (self.log(&id), id.clone());
        let recipe = move || {
            let within: Vec<&str> = within.iter().map(String::as_str).collect();
            let mut command = program(&within, &[], worker_program(), &log);
            command.args(["--id", &id, "--device", &device, "--head", &head]);
            command.env("MINDSEYE_WORKER_KEY", &key).env("MINDSEYE_LOG", "info").arg("--models").arg(models());
            command
        };
        if self.plan.revive_workers {
            Service::start(&name, Box::new(recipe))
        } else {
            Service::start_once(&name, Box::new(recipe))
        }
    }

    pub fn media(&self) -> PathBuf {
        self.folder.join("data/media")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// Address of a head for workers on this machine.
    pub fn dial(&self, head: usize) -> String {
        format!("ws://{}:{}", reachable(&self.plan.listen), self.ports.heads[head])
    }

    fn start_head(&self, number: usize) -> Head {
        let (port, log) = (self.ports.heads[number], self.log(&format!("head-{number}")));
        let addr = format!("{}:{port}", self.plan.listen);
        let environment = self.variables(number);
        let recipe = move || {
            let mut command = program(&[], &[], env!("CARGO_BIN_EXE_mindseye"), &log);
            command.arg("serve").env("MINDSEYE_ADDR", &addr).envs(environment.iter().map(|(k, v)| (k, v)));
            command
        };
        let base = format!("http://{}:{port}", reachable(&self.plan.listen));
        Head { service: Service::start(&format!("head-{number}"), Box::new(recipe)), base, role: data::role(number) }
    }

    fn start_worker(&self, number: usize, device: &str) -> Service {
        let head = self.dial(number % self.heads.len());
        self.worker(&format!("worker-{number}"), device, &head, data::WORKER_KEY, &[])
    }

    fn environment(&self, command: &mut Command, head: usize) {
        command.envs(self.variables(head));
    }

    fn variables(&self, head: usize) -> Vec<(String, String)> {
        let redis = format!("redis://:{}@127.0.0.1:{}", data::PASSWORD, self.ports.redis);
        [
            ("DATABASE_URL", database_url(self.ports.postgres, &data::role(head))),
            ("REDIS_URL", redis),
            ("MINDSEYE_DATA", self.folder.join("data").display().to_string()),
            // The trials are faster than people, and must not run out of what is given away in an hour.
            ("MINDSEYE_RATE", "100000".into()),
            ("MINDSEYE_BURST", "100000".into()),
            ("MINDSEYE_ANONYMOUS_GPU_SECONDS", "1000000".into()),
            ("MINDSEYE_WORKERS", "none".into()),
            ("MINDSEYE_WORKER_KEY", data::WORKER_KEY.into()),
            ("MINDSEYE_DAILY_CREDITS", "1000000".into()),
            ("MINDSEYE_LOG", self.plan.log.into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() || std::env::var_os("MINDSEYE_CHAOS_KEEP").is_some() {
            eprintln!("    logs and data are kept in {}", self.folder.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// The worker program, beside the server's.
pub fn worker_program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_mindseye")).with_file_name("mindseye-worker")
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn reachable(listen: &str) -> &str {
    if listen == "0.0.0.0" { "127.0.0.1" } else { listen }
}

fn database_url(port: u16, role: &str) -> String {
    format!("postgres://{role}:{}@127.0.0.1:{port}/postgres", data::PASSWORD)
}

/// Ports that nobody uses, below those that outgoing connections are given: a program that is down for a moment
/// must find its port free when it comes back.
fn free_ports(count: usize) -> Vec<u16> {
    // Far from those of a trial that was started at the same moment.
    let first = 20_000 + u16::try_from(std::process::id() * 16 % 11_000).unwrap_or(0);
    let free = |port: &u16| TcpListener::bind(("0.0.0.0", *port)).is_ok();
    let ports: Vec<u16> = (first..32_000).filter(free).take(count).collect();
    assert_eq!(ports.len(), count, "free ports");
    ports
}
