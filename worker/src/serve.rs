//! Working for a head: the device, its models, and the way in.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use domain::WorkerId;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::backend::{Backend, DeviceSpec, EngineBackend, FakeBackend};
use crate::connection::{self, Head};
use crate::delivery::Delivery;
use crate::desk::Desk;
use crate::dial::{self, Patience};
use crate::heat::{self, HeatSource};
use crate::signals::Signals;
use crate::ticker::{self, Event, ModelsNow, Order, Settings, Ticker};
use crate::tls;

/// The exit status after a panic on the device's thread.
const DEVICE_FAILED: i32 = 70;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address of the head, for example ws://127.0.0.1:3000 or wss://studio.example.org.
    #[arg(long, env = "MINDSEYE_HEAD", default_value = "ws://127.0.0.1:3000")]
    head: String,
    /// Key that the head knows this worker by.
    #[arg(long, env = "MINDSEYE_WORKER_KEY", hide_env_values = true, default_value = "")]
    key: String,
    /// PEM file with the authority that signed the head's certificate, if this machine does not trust it anyway.
    #[arg(long, env = "MINDSEYE_HEAD_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Name of this worker, unique in the fleet; the machine's name when left out.
    #[arg(long)]
    id: Option<String>,
    /// Device: cpu, cuda:0, or fake:50ms, which draws test cards at that pace (fake:50ms@4: four at a time).
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,
    /// Folder with one folder per model.
    #[arg(long, env = "MINDSEYE_MODELS", default_value = "models")]
    models: PathBuf,
    /// Load this model first and never unload it; may be given several times.
    #[arg(long, value_name = "MODEL")]
    pin: Vec<String>,
    /// Most models loaded at once; as many as fit when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slots: Option<u32>,
    /// Models that a fake device pretends to have: starter, clip (slow, offers video), upscale, or any name.
    #[arg(long, env = "MINDSEYE_FAKE_MODELS", value_delimiter = ',', default_value = "starter")]
    fake_models: Vec<String>,
    /// JSON file in place of the device's sensors, read anew every 15 s; for tests.
    #[arg(long, env = "MINDSEYE_FAKE_HEAT", value_name = "FILE")]
    fake_heat: Option<PathBuf>,
    /// Leave when standard input closes: how a head takes its child processes with it.
    #[arg(long)]
    exit_with_parent: bool,
}

/// Works until told to leave.
///
/// # Errors
/// With a sentence for the operator.
pub fn run(args: &ServeArgs) -> Result<(), String> {
    if args.exit_with_parent {
        // A thread of its own: reading standard input blocks, and nothing else may wait for it.
        std::thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(0);
        });
    }
    let heat = heat::source(&args.device, args.fake_heat.as_deref());
    match &args.device {
        DeviceSpec::Fake { per_image, batch } => {
            serve(args, FakeBackend::new(*per_image, *batch).with_models(&args.fake_models), heat)
        }
        DeviceSpec::Cpu | DeviceSpec::Cuda(_) => {
            let memory_mb = memory_mb(&args.device, heat.as_deref());
            let backend = EngineBackend::new(&args.device, &args.models, memory_mb);
            serve(args, backend.map_err(|error| error.to_string())?, heat)
        }
    }
}

/// Memory of a device that models may use, in MiB; 0 when unknown.
pub fn memory_mb(device: &DeviceSpec, heat: Option<&dyn HeatSource>) -> u64 {
    match device {
        DeviceSpec::Cuda(_) => heat.and_then(HeatSource::read).map_or(0, |heat| heat.memory_total_mb),
        // Half of the machine's: it has more to do than this.
        DeviceSpec::Cpu => {
            std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_mb(&text)).unwrap_or(0) / 2
        }
        DeviceSpec::Fake { .. } => 0,
    }
}

/// What a panic on the device's thread leads to: the end of the process.
pub fn end_process() {
    std::process::exit(DEVICE_FAILED);
}

/// Loads models, the pinned ones first, until one is warm; the others follow while there is room.
///
/// # Errors
/// With a sentence, when none is fit for work.
pub async fn stock(
    ticker: &Ticker,
    events: &mut UnboundedReceiver<Event>,
    backend: &impl Backend,
    pinned: &[String],
    folder: &Path,
) -> Result<ModelsNow, String> {
    let mut names: Vec<String> = backend.catalogue().into_iter().map(|offer| offer.card.name).collect();
    if names.is_empty() {
        return Err(format!("{} holds no model that can be used", folder.display()));
    }
    if let Some(unknown) = pinned.iter().find(|name| !names.contains(name)) {
        return Err(format!("“{unknown}” can't be pinned: there is {}", names.join(", ")));
    }
    // Stable: beside pinned or not, the order stays.
    names.sort_by_key(|name| !pinned.contains(name));
    ticker.order(Order::Stock(names));
    loop {
        match events.recv().await {
            Some(Event::Models(now)) if !now.warm.is_empty() => return Ok(now),
            Some(Event::Models(now)) if !now.busy => {
                return Err(format!("no model is fit for work: {}", now.problem.unwrap_or_default()));
            }
            Some(_) => {}
            None => return Err("the device's thread ended".into()),
        }
    }
}

fn serve<B: Backend>(args: &ServeArgs, backend: B, heat: Option<Arc<dyn HeatSource>>) -> Result<(), String> {
    let url = args.head.trim_end_matches('/').to_owned();
    let tls = tls::client_config(args.ca.as_deref())?;
    let delivery = Delivery::new(&url, &args.key, &tls)?;
    let backend = Arc::new(backend);
    let head = Head {
        url,
        key: args.key.clone(),
        id: WorkerId(args.id.clone().unwrap_or_else(connection::host_name)),
        device: backend.describe(),
        memory_mb: backend.memory_mb(),
        tls,
        heat,
    };
    let settings =
        Settings { pinned: args.pin.clone(), slots: args.slots.and_then(|slots| usize::try_from(slots).ok()) };
    let (ticker, mut events) = ticker::spawn(backend.clone(), settings, end_process)
        .map_err(|error| format!("no thread for the device: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let served = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(|error| format!("signals can't be watched: {error}"))?;
        let models = tokio::select! {
            models = stock(&ticker, &mut events, &*backend, &args.pin, &args.models) => models?,
            _ = signals.told() => return Ok(()),
        };
        let mut desk = Desk::new(ticker, events, delivery, models);
        // The standard library's hasher keys are random per process: enough to vary pauses.
        let seed = RandomState::new().hash_one(std::process::id());
        dial::run(&head, &mut desk, &mut signals, Patience::default(), seed).await?;
        match desk.sick() {
            Some(reason) => Err(format!("the device failed: {reason}")),
            None => Ok(()),
        }
    });
    // A driver that hangs must not keep the process.
    runtime.shutdown_background();
    served
}

/// `MemTotal` of `/proc/meminfo`, in MiB.
fn total_mb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_what_the_kernel_says() {
        assert_eq!(total_mb("MemTotal:       16384000 kB\nMemFree: 1 kB\n"), Some(16_000));
        assert_eq!(total_mb("MemFree: 1 kB\n"), None);
    }
}
