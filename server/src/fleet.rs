//! `mindseye worker`: keys for workers on other machines, and draining.

use std::io::Write as _;

use clap::Subcommand;
use domain::WorkerId;
use services::fleet::{Fleet, WorkerKeys};

use crate::config::Config;
use crate::serve;

#[derive(Debug, Subcommand)]
pub enum WorkerCommand {
    /// Makes a key for one worker and prints it, this once.
    Key {
        /// Name of the worker: lower-case letters, digits and dashes.
        name: String,
    },
    /// Revokes a worker's key: it is turned away within seconds.
    Revoke { name: String },
    /// Lists the keys that were made.
    Keys,
    /// Lets a worker finish what it has and gives it nothing new, until `undrain`. It stays connected.
    Drain { name: String },
    /// Lets a drained worker take work again.
    Undrain { name: String },
}

/// Errors are sentences for the operator.
pub async fn run(config: &Config, command: WorkerCommand) -> Result<(), String> {
    let (postgres, pool) = serve::open_database(config).await?;
    let keys = WorkerKeys::new(pool.clone());
    let answer = match command {
        WorkerCommand::Key { name } => keys.create(&name).await.map_err(|error| error.to_string()),
        WorkerCommand::Revoke { name } => {
            keys.revoke(&name).await.map(|()| format!("{name} is turned away now")).map_err(|error| error.to_string())
        }
        WorkerCommand::Keys => keys.list().await.map_err(|error| error.to_string()).map(|keys| {
            let line = |key: &services::fleet::KeyInfo| {
                let made = key.created_at.format("%Y-%m-%d");
                let revoked = key.revoked_at.map(|at| format!(", revoked {}", at.format("%Y-%m-%d")));
                format!("{}  made {made}{}", key.name, revoked.unwrap_or_default())
            };
            keys.iter().map(line).collect::<Vec<_>>().join("\n")
        }),
        WorkerCommand::Drain { name } => drain(&pool, name, true).await,
        WorkerCommand::Undrain { name } => drain(&pool, name, false).await,
    };
    pool.close().await;
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    let answer = answer?;
    writeln!(std::io::stdout(), "{answer}").map_err(|error| error.to_string())
}

async fn drain(pool: &sqlx::PgPool, name: String, draining: bool) -> Result<String, String> {
    Fleet::set_draining(pool, &WorkerId(name.clone()), draining).await.map_err(|error| error.to_string())?;
    Ok(if draining {
        format!("{name} finishes what it has and is given nothing new")
    } else {
        format!("{name} may take work again")
    })
}
