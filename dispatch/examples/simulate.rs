//! Compares all dispatchers on a workload file:
//! `cargo run --release -p dispatch --example simulate -- docs/workloads/home.toml [--loads 0.6,0.85] [--no-moves] [--out folder]`
//! With `--no-moves` a video stays where it began.
#![expect(clippy::print_stdout, reason = "a program that prints")]

use std::path::PathBuf;
use std::process::ExitCode;

use dispatch::simulate::{Workload, compare, picture};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (mut file, mut loads, mut out) = (None, None, None);
    let mut policy = dispatch::Policy::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--loads" => loads = Some(value()?),
            "--no-moves" => policy.moves = None,
            "--out" => out = Some(PathBuf::from(value()?)),
            _ => file = Some(PathBuf::from(argument)),
        }
    }
    let file = file.ok_or("which workload? docs/workloads/home.toml, for one")?;
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut workload: Workload = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    if let Some(loads) = loads {
        workload.loads = loads
            .split(',')
            .map(|load| load.trim().parse().map_err(|_| format!("{load} is not a load")))
            .collect::<Result<_, String>>()?;
    }
    workload.check()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let comparisons = compare(&workload, &policy, threads);
    for comparison in &comparisons {
        println!("Load {:.2}\n\n{}", comparison.load, comparison.table(&workload));
    }
    let highest = comparisons.iter().max_by(|a, b| a.load.total_cmp(&b.load));
    if let (Some(folder), Some(highest)) = (out, highest)
        && let Some(svg) = picture(&workload, highest)
    {
        let name = file.with_extension("svg");
        let path = folder.join(name.file_name().unwrap_or_default());
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&path, svg))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        println!("Drawn: {}", path.display());
    }
    Ok(())
}
