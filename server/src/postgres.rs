//! The private Postgres: found, initialised, started, kept running, stopped.
//!
//! It listens on loopback only, with a random port and password, and runs as an
//! unprivileged user when the server was started by root. It outlives a
//! `kill -9` of the server; the next start adopts it.

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::process::Command;

const USER: &str = "mindseye";
/// How often it is looked after.
const WATCH: Duration = Duration::from_secs(1);

/// A running private Postgres.
#[derive(Clone, Debug)]
pub struct PrivatePostgres {
    programs: PathBuf,
    cluster: PathBuf,
    /// User and group to run as, when this process is root.
    run_as: Option<(u32, u32)>,
    port: u16,
    password: String,
    was_running: bool,
}

impl PrivatePostgres {
    /// Finds, prepares and starts the Postgres below `data`; errors are sentences for the operator.
    pub async fn start(data: &Path) -> Result<Self, String> {
        let programs = find_programs().ok_or(
            "PostgreSQL is not installed. Run `make setup`, install your system's postgresql package, or set DATABASE_URL",
        )?;
        fs::create_dir_all(data).map_err(|error| format!("{} can't be made: {error}", data.display()))?;
        let run_as = if is_root() { Some(unprivileged_user()?) } else { None };
        let cluster = place(data, run_as)?;
        let password = password(data)?;
        let mut postgres = Self { programs, cluster, run_as, port: 0, password, was_running: false };
        if !postgres.cluster.join("PG_VERSION").is_file() {
            tracing::info!("preparing a private Postgres in {} (once, a few seconds)", data.join("pg").display());
            postgres.init().await?;
        }
        match postgres.running_port().await {
            Some(port) => {
                tracing::info!(port, "found the private Postgres still running");
                postgres.port = port;
                postgres.was_running = true;
            }
            None => {
                postgres.port = free_port().map_err(|error| format!("no free port on loopback: {error}"))?;
                postgres.launch().await?;
            }
        }
        Ok(postgres)
    }

    /// Connection URL, with the password: not for logs.
    pub fn url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// It ran before this process found it.
    pub fn was_running(&self) -> bool {
        self.was_running
    }

    /// Starts it again whenever it is gone, until the future is dropped.
    pub async fn keep_running(&self) {
        loop {
            tokio::time::sleep(WATCH).await;
            if self.running_port().await.is_none() {
                tracing::warn!("the private Postgres is gone: starting it again");
                if let Err(error) = self.launch().await {
                    tracing::error!("{error}");
                }
            }
        }
    }

    /// Stops it; what is committed is on disk either way.
    pub async fn stop(&self) {
        let stopped = self.pg_ctl().args(["stop", "-m", "fast", "-w", "-t", "20"]).output().await;
        match stopped {
            Ok(output) if output.status.success() => tracing::info!("the private Postgres has stopped"),
            Ok(output) => tracing::warn!("the private Postgres did not stop: {}", said(&output)),
            Err(error) => tracing::warn!(%error, "the private Postgres could not be told to stop"),
        }
    }

    async fn init(&self) -> Result<(), String> {
        // Made beside its place and renamed, so that a half-made cluster is never taken for a whole one.
        let fresh = self.cluster.with_extension("new");
        let _ = fs::remove_dir_all(&fresh);
        let _ = fs::remove_dir(&self.cluster);
        let file = self.cluster.with_extension("pw");
        let prepared = write_secret(&file, &self.password).and_then(|()| match self.run_as {
            Some((user, group)) => chown(&file, Some(user), Some(group)),
            None => Ok(()),
        });
        prepared.map_err(|error| format!("{} can't be written: {error}", file.display()))?;
        let output = self
            .command("initdb")
            .arg("-D")
            .arg(&fresh)
            .args(["-U", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"])
            .arg(format!("--pwfile={}", file.display()))
            .output()
            .await;
        let _ = fs::remove_file(&file);
        match output {
            Ok(output) if output.status.success() => fs::rename(&fresh, &self.cluster)
                .map_err(|error| format!("{} can't be put in place: {error}", fresh.display())),
            Ok(output) => Err(format!("the private Postgres could not be prepared: {}", said(&output))),
            Err(error) => Err(format!("initdb can't be run: {error}")),
        }
    }

    async fn launch(&self) -> Result<(), String> {
        let options = format!("-p {} -h 127.0.0.1 -k ''", self.port);
        let output = self
            .pg_ctl()
            .args(["start", "-w", "-t", "60", "-o", &options])
            .arg("-l")
            .arg(self.cluster.join("server.log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        match output {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(format!(
                "the private Postgres does not start; its log says why: {}",
                self.cluster.join("server.log").display()
            )),
            Err(error) => Err(format!("pg_ctl can't be run: {error}")),
        }
    }

    /// The port of the postmaster that runs on this cluster, if one does.
    async fn running_port(&self) -> Option<u16> {
        let status = self.pg_ctl().arg("status").stdout(Stdio::null()).stderr(Stdio::null()).status().await.ok()?;
        if !status.success() {
            return None;
        }
        // The fourth line of postmaster.pid is the port.
        fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?.lines().nth(3)?.trim().parse().ok()
    }

    fn pg_ctl(&self) -> Command {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(&self.cluster);
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.stdin(Stdio::null()).current_dir("/").env("LC_ALL", "C");
        if let Some((user, group)) = self.run_as {
            command.uid(user).gid(group);
        }
        // A signal meant for the server must not take the database along: it is stopped last.
        command.process_group(0);
        command
    }
}

/// Where PostgreSQL's server programs are: on the path, or where Debian keeps them.
pub fn find_programs() -> Option<PathBuf> {
    let complete = |folder: &Path| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file());
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| {
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.into_iter().filter_map(|folder| {
            let program = fs::canonicalize(folder.join("pg_ctl")).ok()?;
            program.parent().map(Path::to_owned)
        })
    });
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    debian.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    on_path.chain(debian.into_iter().map(|(_, folder)| folder)).find(|folder| complete(folder))
}

/// The folder of the cluster. Below `data`, unless the unprivileged user could not get there.
fn place(data: &Path, run_as: Option<(u32, u32)>) -> Result<PathBuf, String> {
    let link = data.join("pg");
    let Some((user, group)) = run_as else {
        made(&link)?;
        return Ok(link.join("cluster"));
    };
    let reachable = data.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0 || meta.uid() == user)
    });
    let home = if reachable || link.is_symlink() {
        made(&link)?;
        link
    } else {
        // As root in a closed folder such as /root: kept where services keep state, with a link to it.
        let name: String = Sha256::digest(data.as_os_str().as_encoded_bytes())
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let home = Path::new("/var/lib/mindseye").join(name);
        made(&home)?;
        if !link.exists() {
            symlink(&home, &link).map_err(|error| format!("{} can't be made: {error}", link.display()))?;
        }
        home
    };
    let home = fs::canonicalize(&home).map_err(|error| format!("{} is not there: {error}", home.display()))?;
    chown(&home, Some(user), Some(group))
        .map_err(|error| format!("{} can't be given to the database's user: {error}", home.display()))?;
    Ok(home.join("cluster"))
}

fn made(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{} can't be made: {error}", folder.display()))
}

/// The password of the cluster, drawn once and kept beside it for its owner's eyes only.
fn password(data: &Path) -> Result<String, String> {
    let path = data.join("pg-password");
    match fs::read_to_string(&path) {
        Ok(password) if !password.trim().is_empty() => Ok(password.trim().to_owned()),
        _ => {
            let password = URL_SAFE_NO_PAD.encode(services::clock::random_bytes::<24>());
            write_secret(&path, &password).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
            Ok(password)
        }
    }
}

fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// The user to run as: Debian's postgres if there is one, else nobody.
fn unprivileged_user() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd can't be read: {error}"))?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|wanted| {
            users.lines().find_map(|line| {
                let mut fields = line.split(':');
                (fields.next() == Some(*wanted)).then_some(())?;
                Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
            })
        })
        .ok_or_else(|| "Postgres refuses to run as root, and there is no user postgres or nobody to run as".into())
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn said(output: &std::process::Output) -> String {
    let text = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    text.lines().last().unwrap_or("(it said nothing)").to_owned()
}
