//! Prints what every large picture of the tests costs: seconds by the clock, seconds of the processor
//! (which count when it has other work too), and megabytes of memory at the peak.
//!
//!     cargo run --release -p intake --example corpus [part of a name, or files]

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::time::Instant;

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("{:>8} {:>8} {:>8} {:>8}", "file MB", "seconds", "CPU s", "peak MB");
    for member in corpus::large::MEMBERS {
        if arguments.is_empty() || arguments.iter().any(|part| member.name.contains(part)) {
            measure(member.name, &(member.make)());
        }
    }
    for path in &arguments {
        if let Ok(bytes) = std::fs::read(path) {
            measure(path, &bytes);
        }
    }
}

fn measure(name: &str, bytes: &[u8]) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let (start, busy) = (Instant::now(), cpu_seconds());
    let result = intake::take_in(bytes);
    let (seconds, busy) = (start.elapsed().as_secs_f64(), cpu_seconds() - busy);
    let peak = (ALLOCATOR.peak_usage() - before) as f64 / 1e6;
    let size = bytes.len() as f64 / 1e6;
    let outcome = match &result {
        Ok(photo) => format!("{} x {}", photo.pixels.width(), photo.pixels.height()),
        Err(refusal) => format!("{refusal:?}"),
    };
    println!("{size:>8.2} {seconds:>8.2} {busy:>8.2} {peak:>8.1}  {name}: {outcome}");
}

/// What this process has used of the processor so far, in hundredths of a second as Linux counts it; zero
/// elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may have spaces: the 12th and 13th field.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
