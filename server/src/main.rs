//! `mindseye`: the studio's one program for operators.

mod api;
mod assets;
mod config;
mod doctor;
mod fleet;
mod gateway;
mod generate;
mod keep;
mod memory;
mod pages;
mod postgres;
mod problem;
mod router;
mod security;
mod serve;
mod simulate;
mod state;
mod visitor;
mod workers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A studio for AI pictures that anyone can run at home.
#[derive(Debug, Parser)]
#[command(name = "mindseye", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the studio (the default).
    Serve,
    /// Makes pictures without a server: --prompt "…" --out picture.png; --help lists the rest.
    #[command(disable_help_flag = true)]
    Generate {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Checks the machine, the database and the models, and says what to do.
    Doctor,
    /// Workers on other machines: their keys, and giving one nothing new.
    #[command(subcommand)]
    Worker(fleet::WorkerCommand),
    /// Signs challenges with a new secret from now on. Nobody is logged out.
    RotateKeys,
    /// Compares ways to place jobs on a simulated fleet.
    Simulate(simulate::Simulate),
    /// Brings the database's schema up to date and leaves.
    Migrate,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MINDSEYE_LOG")
                .unwrap_or_else(|_| "info,sqlx::postgres::notice=warn".into()),
        )
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    memory::give_back_what_is_large();
    let cli = Cli::parse();
    if let Some(Command::Generate { arguments }) = cli.command {
        return generate::run(&arguments);
    }
    if let Some(Command::Simulate(workload)) = &cli.command {
        return match simulate::run(workload) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        };
    }
    let config = match config::Config::from_env() {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the runtime can't start: {error}")),
    };
    let result = runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve) {
            Command::Serve | Command::Generate { .. } | Command::Simulate(_) => serve::run(config).await,
            Command::Doctor => doctor::run(&config).await,
            Command::RotateKeys => serve::rotate_keys(&config).await,
            Command::Migrate => serve::migrate(&config).await,
            Command::Worker(command) => fleet::run(&config, command).await,
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("mindseye: {message}");
    ExitCode::FAILURE
}
