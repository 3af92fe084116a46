//! The database and Redis of a trial, durable as a real one: what is killed must keep its word.

use std::path::{Path, PathBuf};

use sqlx::PgPool;
use tokio::process::Command;

use crate::service::{Service, program};

/// Of this run's database and Redis, which listen on loopback only and end with it.
pub const PASSWORD: &str = "chaos";
/// What workers of this machine are known by.
pub const WORKER_KEY: &str = "chaos-worker-key";

/// Makes a cluster and keeps it running. Commits are on disk before they are answered.
pub async fn postgres(folder: &Path, port: u16) -> Service {
    let programs = postgres_programs();
    let home = folder.join("postgres");
    std::fs::create_dir(&home).expect("a folder");
    let (data, password, log) = (home.join("data"), home.join("password"), folder.join("logs/postgres.log"));
    std::fs::write(&password, PASSWORD).expect("a password");
    // PostgreSQL refuses root.
    let user = std::env::var("MINDSEYE_CHAOS_POSTGRES_USER").ok().filter(|user| !user.is_empty());
    let drop_root: Vec<String> = match &user {
        Some(user) => {
            run(Command::new("chown").args(["-R", user]).arg(&home)).await;
            vec![format!("--reuid={user}"), "--clear-groups".into()]
        }
        None => Vec::new(),
    };
    let options: Vec<&str> = drop_root.iter().map(String::as_str).collect();
    let mut init = program(&[], &options, programs.join("initdb"), &log);
    init.arg("-D").arg(&data).args(["-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
    run(init.arg(format!("--pwfile={}", password.display())).current_dir(&home)).await;
    let recipe = move || {
        let options: Vec<&str> = drop_root.iter().map(String::as_str).collect();
        let mut command = program(&[], &options, programs.join("postgres"), &log);
        command.current_dir(&home).arg("-D").arg(&data).arg("-k").arg(&home).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=on",
            "synchronous_commit=on",
            "full_page_writes=on",
            "max_connections=100",
            "log_min_messages=warning",
        ] {
            command.args(["-c", setting]);
        }
        command
    };
    Service::start("postgres", Box::new(recipe))
}

/// Redis that keeps nothing: whoever kills it takes everything in it along.
pub fn redis(folder: &Path, port: u16) -> Service {
    let (log, home) = (folder.join("logs/redis.log"), folder.to_owned());
    let recipe = move || {
        let mut command = program(&[], &[], "redis-server", &log);
        command.current_dir(&home).args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
        command.args(["--appendonly", "no", "--requirepass", PASSWORD, "--loglevel", "warning"]);
        command
    };
    Service::start("redis", Box::new(recipe))
}

/// The name under which a head logs in to the database.
pub fn role(head: usize) -> String {
    format!("head_{head}")
}

/// One role for each head: which one holds a lock can then be asked of the database.
pub async fn make_roles(pool: &PgPool, heads: usize) {
    for head in 0..heads {
        let make = format!("CREATE ROLE {} SUPERUSER LOGIN PASSWORD '{PASSWORD}'", role(head));
        sqlx::query(&make).execute(pool).await.expect("a role");
    }
}

/// The role that holds the dispatcher's office.
pub async fn dispatcher(pool: &PgPool) -> Option<String> {
    sqlx::query_scalar(
        "SELECT usename::text FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND application_name = 'mindseye election'",
    )
    .fetch_optional(pool)
    .await
    .ok()
    .flatten()
}

async fn run(command: &mut Command) {
    let status = command.status().await.expect("a program runs");
    assert!(status.success(), "{command:?}");
}

fn postgres_programs() -> PathBuf {
    let folder = std::env::var_os("MINDSEYE_CHAOS_POSTGRES").expect("scripts/chaos.sh says where PostgreSQL is");
    folder.into()
}
