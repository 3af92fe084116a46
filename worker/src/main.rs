//! The process that owns exactly one device: it dials in to the head, takes
//! work, ticks the engine on a thread of its own, and delivers pictures.

mod backend;
mod clock;
mod connection;
mod delivery;
mod generate;
mod ticker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use backend::{Backend, DeviceSpec, EngineBackend, FakeBackend};
use clap::{Args, Parser, Subcommand};
use connection::{Ended, Head};
use domain::WorkerId;

/// Runs models on one device for a Mindseye head.
#[derive(Debug, Parser)]
#[command(name = "mindseye-worker", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes pictures without a head.
    Generate(generate::GenerateArgs),
    /// Lists the models in the models folder and whether they load.
    Models(ModelsArgs),
}

#[derive(Debug, Args)]
struct ModelsArgs {
    /// Folder with one folder per model.
    #[arg(long, env = "MINDSEYE_MODELS", default_value = "models")]
    models: PathBuf,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Address of the head, for example ws://127.0.0.1:3000.
    #[arg(long, env = "MINDSEYE_HEAD", default_value = "ws://127.0.0.1:3000")]
    head: String,
    /// Key that the head knows this worker by.
    #[arg(long, env = "MINDSEYE_WORKER_KEY", hide_env_values = true, default_value = "")]
    key: String,
    /// Name of this worker, unique in the fleet; the machine's name when left out.
    #[arg(long)]
    id: Option<String>,
    /// Device: cpu, cuda:0, or fake:50ms, which draws test cards at that pace.
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,
    /// Folder with one folder per model.
    #[arg(long, env = "MINDSEYE_MODELS", default_value = "models")]
    models: PathBuf,
    /// Leave when standard input closes: how a head takes its child processes with it.
    #[arg(long)]
    exit_with_parent: bool,
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
        Some(Command::Models(args)) => generate::list_models(&args.models),
        None => serve(&cli.serve),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("mindseye-worker: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &ServeArgs) -> Result<(), String> {
    if args.exit_with_parent {
        // A thread of its own: reading standard input blocks, and nothing else may wait for it.
        std::thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(0);
        });
    }
    match &args.device {
        DeviceSpec::Fake { per_image } => run(args, FakeBackend::new(*per_image)),
        DeviceSpec::Cpu | DeviceSpec::Cuda(_) => {
            run(args, EngineBackend::load(&args.device, &args.models).map_err(|error| error.to_string())?)
        }
    }
}

fn run<B: Backend>(args: &ServeArgs, backend: B) -> Result<(), String> {
    let warm = backend.warm_up().map_err(|error| error.to_string())?;
    for model in &warm {
        tracing::info!(model = %model.card.name, standard_ms = model.standard_ms.round(), "model is warm");
    }
    let head = Head {
        url: args.head.trim_end_matches('/').to_owned(),
        key: args.key.clone(),
        id: WorkerId(args.id.clone().unwrap_or_else(connection::host_name)),
        device: backend.describe(),
        models: warm,
    };
    let ticker = ticker::spawn(backend).map_err(|error| format!("no thread for the device: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .map_err(|error| format!("signals can't be watched: {error}"))?;
        let mut pause = Duration::from_millis(200);
        loop {
            match connection::serve(&head, &ticker, &mut terminate).await {
                Ended::Drained => return Ok(()),
                Ended::Refused(reason) => return Err(reason),
                Ended::Lost { served, reason } => {
                    if served {
                        pause = Duration::from_millis(200);
                    }
                    tracing::warn!(reason, retry_ms = pause.as_millis(), "the head is out of reach");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(10)),
                _ = terminate.recv() => return Ok(()),
            }
        }
    })
}
