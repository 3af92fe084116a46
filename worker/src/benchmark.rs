//! `bench`: what sharing passes gains on this device, measured in one run.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use domain::worker::{Assignment, Lease};
use domain::{GenerationRequest, JobId, ModelCard, ValidRequest};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::backend::{Backend, DeviceSpec, EngineBackend, FakeBackend};
use crate::clock::Stopwatch;
use crate::heat;
use crate::serve::{end_process, memory_mb, stock};
use crate::ticker::{self, Event, Order, Settings, Sharing, Ticker};

const MODES: [(Sharing, &str); 3] =
    [(Sharing::Never, "never"), (Sharing::Measured, "when it pays"), (Sharing::Always, "always")];

/// Measures pictures a minute with and without shared passes.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Device: cpu, cuda:0, or fake:50ms@4.
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,
    /// Folder with one folder per model.
    #[arg(long, env = "MINDSEYE_MODELS", default_value = "models")]
    models: PathBuf,
    /// Model by name; the first one found when left out.
    #[arg(long)]
    model: Option<String>,
    /// Side of the pictures in pixels; the model's own when left out.
    #[arg(long)]
    size: Option<u32>,
    /// Denoising steps; the model's own when left out.
    #[arg(long)]
    steps: Option<u32>,
    /// Requests of one picture in each measurement.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// Requests in flight; each arrives when the one before has made two steps.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    at_once: u32,
    /// Measurements of each kind, in turns, so that a busy machine is unfair to all alike.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// # Errors
/// With a sentence, when the device or the model can't be used.
pub fn run(args: &BenchArgs) -> Result<(), String> {
    match &args.device {
        DeviceSpec::Fake { per_image, batch } => measure(args, FakeBackend::new(*per_image, *batch)),
        DeviceSpec::Cpu | DeviceSpec::Cuda(_) => {
            let memory_mb = memory_mb(&args.device, heat::source(&args.device, None).as_deref());
            let backend = EngineBackend::new(&args.device, &args.models, memory_mb);
            measure(args, backend.map_err(|error| error.to_string())?)
        }
    }
}

fn measure<B: Backend>(args: &BenchArgs, backend: B) -> Result<(), String> {
    let backend = Arc::new(backend);
    let pinned: Vec<String> = args.model.iter().cloned().collect();
    let settings = Settings { pinned: pinned.clone(), slots: Some(1) };
    let (ticker, mut events) = ticker::spawn(backend.clone(), settings, end_process)
        .map_err(|error| format!("no thread for the device: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    runtime.block_on(async {
        let models = stock(&ticker, &mut events, &*backend, &pinned, &args.models).await?;
        let card = models.warm.first().map(|warm| warm.card.clone()).ok_or("no model is warm")?;
        let request = request(args, &card)?;
        let mut bench = Bench { ticker, events, request, next: 0 };
        let mut found: Vec<Found> = MODES.iter().map(|_| Found::default()).collect();
        for _ in 0..args.rounds {
            for ((sharing, _), found) in MODES.iter().zip(&mut found) {
                bench.ticker.order(Order::Share(*sharing));
                for _ in 0..3 {
                    found.single_ms.push(bench.stream(1, 1).await?.total_ms);
                }
                let stream = bench.stream(args.jobs, args.at_once).await?;
                found.per_minute.push(f64::from(args.jobs) / stream.total_ms * 60_000.0);
                found.stream_ms.extend(stream.each_ms);
            }
        }
        print(&backend.describe(), &bench.request, args, &found);
        Ok(())
    })
}

/// What was measured with one way of sharing.
#[derive(Debug, Default)]
struct Found {
    /// Of one request alone.
    single_ms: Vec<f64>,
    /// Of each request among others.
    stream_ms: Vec<f64>,
    per_minute: Vec<f64>,
}

struct Bench {
    ticker: Ticker,
    events: UnboundedReceiver<Event>,
    request: ValidRequest,
    next: u32,
}

struct Stream {
    total_ms: f64,
    each_ms: Vec<f64>,
}

impl Bench {
    /// Sends `jobs` requests, `at_once` of them in flight at most, and waits for their pictures.
    async fn stream(&mut self, jobs: u32, at_once: u32) -> Result<Stream, String> {
        let whole = Stopwatch::start();
        let mut open: HashMap<Lease, Stopwatch> = HashMap::new();
        let mut each_ms = Vec::new();
        let mut left = jobs;
        let mut newest = self.begin(&mut open, &mut left);
        while !open.is_empty() {
            let may_join = left > 0 && open.len() < at_once as usize;
            match self.events.recv().await {
                Some(Event::Step { lease, step: 2, .. }) if may_join && lease == newest => {
                    newest = self.begin(&mut open, &mut left);
                }
                Some(Event::Picture { lease, .. }) => {
                    each_ms.extend(open.remove(&lease).map(|watch| watch.ms()));
                    if left > 0 {
                        newest = self.begin(&mut open, &mut left);
                    }
                }
                Some(Event::Failed { failure, .. }) => return Err(failure.reason),
                Some(Event::Step { .. } | Event::Models(_) | Event::HandedOver { .. } | Event::Sick(_)) => {}
                None => return Err("the device's thread ended".into()),
            }
        }
        Ok(Stream { total_ms: whole.ms(), each_ms })
    }

    fn begin(&mut self, open: &mut HashMap<Lease, Stopwatch>, left: &mut u32) -> Lease {
        self.next += 1;
        *left -= 1;
        let lease = Lease { job: JobId::from_random(u128::from(self.next)), epoch: 1 };
        let request = ValidRequest { seed: u64::from(self.next), ..self.request.clone() };
        open.insert(lease, Stopwatch::start());
        self.ticker.order(Order::Start(Assignment {
            job: lease.job,
            epoch: 1,
            request,
            indices: vec![0],
            begun: false,
        }));
        lease
    }
}

fn request(args: &BenchArgs, card: &ModelCard) -> Result<ValidRequest, String> {
    let request = GenerationRequest {
        prompt: "a red boat on a calm sea at sunset".into(),
        count: Some(1),
        width: args.size,
        height: args.size,
        steps: args.steps,
        ..GenerationRequest::default()
    };
    request.validate(std::slice::from_ref(card), 0).map_err(|error| error.to_string())
}

#[expect(clippy::print_stdout, reason = "the table is what was asked for")]
fn print(device: &str, request: &ValidRequest, args: &BenchArgs, found: &[Found]) {
    let ValidRequest { model, width, height, steps, .. } = request;
    println!(
        "{model} on {device}: {width}x{height}, {steps} steps, {} of {} requests at once",
        args.at_once, args.jobs
    );
    println!(
        "{:>14} {:>12} {:>8} {:>14} {:>14}",
        "passes shared", "pictures/min", "ratio", "alone p50 ms", "stream p50 ms"
    );
    let base = found.first().map_or(&[][..], |found| &found.per_minute);
    for ((_, name), found) in MODES.iter().zip(found) {
        let per_minute = median(&found.per_minute);
        // Round by round: what disturbed a whole round is not in the ratio.
        let ratios: Vec<f64> = found.per_minute.iter().zip(base).map(|(this, base)| this / base).collect();
        let (alone, stream) = (median(&found.single_ms), median(&found.stream_ms));
        println!("{name:>14} {per_minute:>12.1} {:>8.3} {alone:>14.0} {stream:>14.0}", median(&ratios));
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
