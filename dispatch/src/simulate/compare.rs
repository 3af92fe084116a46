//! All dispatchers on one workload, as a table.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::report::{Summary, summarise};
use super::workload::Workload;
use super::{Dispatcher, simulate};
use crate::plan::Policy;

/// What each dispatcher came to at one load: means over the seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// See [`Workload::jobs`].
    pub load: f64,
    pub rows: Vec<(Dispatcher, Summary)>,
}

/// Runs all dispatchers at all of the workload's loads with all of its seeds, on so many threads.
///
/// The threads share the work and nothing else: their number does not show in the figures.
pub fn compare(workload: &Workload, policy: &Policy, threads: usize) -> Vec<Comparison> {
    let runs: Vec<(f64, Dispatcher, u64)> = (workload.loads.iter())
        .flat_map(|load| Dispatcher::ALL.map(|dispatcher| (*load, dispatcher)))
        .flat_map(|(load, dispatcher)| workload.seeds.iter().map(move |seed| (load, dispatcher, *seed)))
        .collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Summary)>> = Mutex::new(Vec::with_capacity(runs.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, runs.len().max(1)) {
            scope.spawn(|| {
                while let Some((at, (load, dispatcher, seed))) = take(&runs, &next) {
                    let summary = summarise(workload, &simulate(workload, load, seed, dispatcher, policy));
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, summary));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    let mut means = done.chunks(workload.seeds.len().max(1)).map(|seeds| {
        let summaries: Vec<Summary> = seeds.iter().map(|(_, summary)| summary.clone()).collect();
        Summary::mean(&summaries)
    });
    let row = |dispatcher| means.next().map(|summary| (dispatcher, summary));
    let mut rows: Vec<_> = workload.loads.iter().flat_map(|_| Dispatcher::ALL).filter_map(row).collect();
    let loads = workload.loads.iter();
    loads.map(|load| Comparison { load: *load, rows: rows.drain(..Dispatcher::ALL.len()).collect() }).collect()
}

fn take<T: Copy>(runs: &[T], next: &AtomicUsize) -> Option<(usize, T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    runs.get(at).map(|run| (at, *run))
}

impl Comparison {
    /// A Markdown table: for each class the median, p95 and p99 of the time from arrival to finish, and the
    /// longest time from arrival to the first step, in seconds.
    pub fn table(&self, workload: &Workload) -> String {
        let mut text = String::from("| seconds |");
        for class in &workload.classes {
            let name = &class.name;
            let _ = write!(text, " {name} median | p95 | p99 | longest wait |");
        }
        text.push_str("\n|---|");
        text.push_str(&"---:|".repeat(4 * workload.classes.len()));
        for (dispatcher, summary) in &self.rows {
            let ours = matches!(dispatcher, Dispatcher::WithTicks | Dispatcher::WithoutTicks);
            let bold = if ours { "**" } else { "" };
            let _ = write!(text, "\n| {bold}{}{bold} |", dispatcher.title());
            for spread in &summary.classes {
                for seconds in [spread.median_s, spread.p95_s, spread.p99_s, spread.longest_wait_s] {
                    let _ = write!(text, " {} |", three_figures(seconds));
                }
            }
        }
        text.push('\n');
        text
    }
}

/// Three figures that count, and never more than one decimal.
pub(super) fn three_figures(seconds: f64) -> String {
    if seconds < 99.95 {
        return format!("{seconds:.1}");
    }
    let whole = format!("{seconds:.0}");
    // Thousands apart, as a person reads them.
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
