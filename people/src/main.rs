//! People and bots against the real service: who is let through, and who is stopped. `docs/limits.md` has the tables.

mod bars;
mod chance;
mod client;
mod crowd;
mod latency;
mod play;
mod reference;
mod report;
mod service;
mod store;
mod tally;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use clap::Parser;
use services::clock::stopwatch;

use crate::client::Door;
use crate::crowd::{Group, PEOPLE};
use crate::report::{Budget, Report};
use crate::service::{Service, Settings};

/// Pixels of a side: test cards of this size cost next to nothing.
const SMALL: u32 = 64;
/// And a standard picture, where device time is what is counted.
const STANDARD: u32 = 256;
/// Seconds of device time an hour that nobody uses up, and that one proxy network does: the worker is a fake one, which
/// takes milliseconds.
const PLENTY: u32 = 4_000_000;
const FEW_SECONDS: u32 = 2;

/// What to run.
#[derive(Debug, Parser)]
#[command(name = "people", version)]
struct Cli {
    /// The studio's program.
    #[arg(long)]
    program: PathBuf,
    /// A database that may be filled.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Worlds to simulate.
    #[arg(long, value_delimiter = ',', default_value = "1,2,3")]
    seeds: Vec<u64>,
    /// Numbers to try in place of the service's own, as `MINDSEYE_POLICY` takes them.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// A document whose tables are replaced.
    #[arg(long)]
    document: Option<PathBuf>,
    /// Measures the decision at so many requests a second instead.
    #[arg(long, value_name = "RATE", num_args = 0..=1, default_missing_value = "500")]
    bench_latency: Option<u32>,
}

fn main() -> ExitCode {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the runtime can't start: {error}")),
    };
    let done = runtime.block_on(async {
        match cli.bench_latency {
            Some(rate) => bench_latency(&cli, rate).await.map(|()| true),
            None => simulate(&cli).await,
        }
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => fail("a promise was not kept"),
        Err(error) => fail(&error),
    }
}

/// Plays everything; false when a promise was not kept.
#[expect(clippy::print_stdout, reason = "the tables are what the command is for")]
async fn simulate(cli: &Cli) -> Result<bool, String> {
    let began = stopwatch();
    let actors = crowd::ordinary_day(&cli.seeds);
    let requests: usize = actors.iter().map(|actor| actor.asks.len()).sum();
    eprintln!("{} actors, {requests} requests", actors.len());
    let service = Service::start(&settings(cli, PLENTY, Some(first_day()))).await?;
    let ours = play::play(&service, &Door::new(&service.base, SMALL)?, &actors).await?;
    service.stop().await;
    eprintln!("the ordinary day took {:.0} s", began.elapsed().as_secs_f64());
    let budget = proxy_networks(cli).await?;
    let (honest, forged) = (reference::Headers::Honest, reference::Headers::Forged);
    let report = Report {
        seeds: cli.seeds.clone(),
        reference: reference::play(&actors, honest),
        forged: reference::play(&actors, forged),
        actors,
        ours,
        budget,
    };
    let tables = report.tables();
    println!("{tables}");
    if let Some(path) = &cli.document {
        put_into(path, &tables)?;
    }
    eprintln!("everything took {:.0} s", began.elapsed().as_secs_f64());
    Ok(bars::bars(&report).iter().all(|bar| bar.kept))
}

/// The days of the proxy network, one for each seed, under a budget that it can use up.
async fn proxy_networks(cli: &Cli) -> Result<Budget, String> {
    let told = |error: sqlx::Error| format!("the database can't be read: {error}");
    let pool = store::connect(&cli.database_url).await.map_err(told)?;
    let first = first_day() + Days::new(7);
    let mut service = Service::start(&settings(cli, FEW_SECONDS, Some(first))).await?;
    let door = Door::new(&service.base, STANDARD)?;
    let mut budget = Budget { hourly_ms: f64::from(FEW_SECONDS) * 1_000.0, ..Budget::default() };
    let (mut people, mut refused) = (0_u32, 0_u32);
    for (number, seed) in cli.seeds.iter().enumerate() {
        service.begin_day(first + Days::new(number as u64));
        let actors = crowd::day_of_the_proxy_network(*seed);
        let outcomes = play::play(&service, &door, &actors).await?;
        let theirs = reference::play(&actors, reference::Headers::Honest);
        for ((actor, outcomes), theirs) in actors.iter().zip(&outcomes).zip(&theirs) {
            let served = |outcomes: &[client::Outcome]| -> u32 {
                actor.asks.iter().zip(outcomes).filter(|(_, outcome)| outcome.served).map(|(ask, _)| ask.count).sum()
            };
            if PEOPLE.contains(&actor.group) {
                people += 1;
                let spent = |outcome: &client::Outcome| outcome.code.as_deref() == Some("budget_spent");
                refused += u32::from(outcomes.iter().any(spent));
            } else if actor.group == Group::EverythingRotated {
                budget.asked += actor.asks.iter().map(|ask| ask.count).sum::<u32>();
                budget.served += served(outcomes);
                budget.reference_served += served(theirs);
            }
        }
    }
    service.stop().await;
    budget.people_refused = 100.0 * f64::from(refused) / f64::from(people.max(1));
    budget.hours = store::hours(&pool, first).await.map_err(told)?;
    budget.standard_ms = store::standard_ms(&pool).await.map_err(told)?;
    let failed = store::failed(&pool).await.map_err(told)?;
    if failed > 0 {
        eprintln!("{failed} jobs failed: their credits came back, so counts are a little off");
    }
    Ok(budget)
}

#[expect(clippy::print_stdout, reason = "the figures are what the command is for")]
async fn bench_latency(cli: &Cli, rate: u32) -> Result<(), String> {
    let seed = cli.seeds.first().copied().unwrap_or(1);
    let service = Service::start(&settings(cli, PLENTY, None)).await?;
    let found = latency::measure(&service, rate, Duration::from_secs(20), seed).await?;
    service.stop().await;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let row = |what: &str, [half, most, nearly_all]: [f64; 3]| {
        println!("| {what} | {half:.2} ms | {most:.2} ms | {nearly_all:.2} ms |");
    };
    println!(
        "{} requests in {:.1} s ({:.0} a second), {} accepted; {cores} cores, load before {} and after {}\n",
        found.sent,
        found.seconds,
        found.sent as f64 / found.seconds,
        found.accepted,
        found.load.0,
        found.load.1
    );
    println!("| | p50 | p95 | p99 |\n|---|---:|---:|---:|");
    row("the decision, in the service", found.decision);
    row("the whole request, at the client", found.whole);
    Ok(())
}

fn settings(cli: &Cli, hourly_seconds: u32, day: Option<DateTime<Utc>>) -> Settings {
    Settings {
        program: cli.program.clone(),
        database_url: cli.database_url.clone(),
        policy: cli.policy.clone(),
        hourly_seconds,
        day,
    }
}

/// Any day does.
fn first_day() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(2027, 3, 1).unwrap_or_default().and_time(NaiveTime::MIN).and_utc()
}

fn put_into(path: &Path, tables: &str) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let document = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    let replaced = report::between_marks(&document, tables).map_err(|error| told(&error))?;
    std::fs::write(path, replaced).map_err(|error| told(&error))
}

fn fail(message: &str) -> ExitCode {
    eprintln!("people: {message}");
    ExitCode::FAILURE
}
