//! The process that owns exactly one device: it dials in to the head, takes
//! work, ticks the engine on a thread of its own, and delivers pictures.

mod backend;
mod benchmark;
mod clock;
mod connection;
mod delivery;
mod desk;
mod dial;
mod examples;
mod generate;
mod heat;
mod serve;
mod signals;
mod ticker;
mod tls;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Runs models on one device for a Mindseye head.
#[derive(Debug, Parser)]
#[command(name = "mindseye-worker", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes pictures without a head.
    Generate(generate::GenerateArgs),
    /// Measures pictures a minute with and without shared passes.
    Bench(benchmark::BenchArgs),
    /// Draws the pictures of the page's starting points and styles.
    Examples(examples::ExamplesArgs),
    /// Lists the models in the models folder and whether they load.
    Models(ModelsArgs),
}

#[derive(Debug, Args)]
struct ModelsArgs {
    /// Folder with one folder per model.
    #[arg(long, env = "MINDSEYE_MODELS", default_value = "models")]
    models: PathBuf,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("MINDSEYE_LOG").unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::Generate(args)) => generate::run(&args),
        Some(Command::Bench(args)) => benchmark::run(&args),
        Some(Command::Examples(args)) => examples::run(&args),
        Some(Command::Models(args)) => generate::list_models(&args.models),
        None => serve::run(&cli.serve),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("mindseye-worker: {message}");
            ExitCode::FAILURE
        }
    }
}
