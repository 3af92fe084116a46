//! What a run comes to, in figures.

use super::workload::{SimJob, Workload};

/// What became of one job, in milliseconds of simulated time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Position in [`Workload::classes`].
    pub class: usize,
    pub arrival_ms: f64,
    /// First step.
    pub start_ms: f64,
    pub finish_ms: f64,
}

impl Outcome {
    /// Of a job that has not begun.
    pub(super) fn unfinished(job: &SimJob) -> Self {
        Self { class: job.class, arrival_ms: job.arrival_ms, start_ms: f64::INFINITY, finish_ms: f64::INFINITY }
    }
}

/// How the times of one class are spread, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    pub jobs: usize,
    /// From arrival to finish.
    pub median_s: f64,
    pub p95_s: f64,
    pub p99_s: f64,
    pub mean_s: f64,
    /// Longest time from arrival to the first step.
    pub longest_wait_s: f64,
}

/// One run: a [`Spread`] for each class.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub classes: Vec<Spread>,
}

/// Sums a run up.
pub fn summarise(workload: &Workload, outcomes: &[Outcome]) -> Summary {
    let classes = (0..workload.classes.len())
        .map(|class| {
            let of_class: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.class == class).collect();
            let mut times: Vec<f64> = of_class.iter().map(|o| (o.finish_ms - o.arrival_ms) / 1_000.0).collect();
            times.sort_by(f64::total_cmp);
            let longest = of_class.iter().map(|o| o.start_ms - o.arrival_ms).fold(0.0, f64::max);
            Spread {
                jobs: times.len(),
                median_s: percentile(&times, 0.50),
                p95_s: percentile(&times, 0.95),
                p99_s: percentile(&times, 0.99),
                mean_s: times.iter().sum::<f64>() / times.len().max(1) as f64,
                longest_wait_s: longest / 1_000.0,
            }
        })
        .collect();
    Summary { classes }
}

impl Summary {
    /// The mean of several runs, figure by figure; the longest wait is the longest of all.
    pub fn mean(runs: &[Self]) -> Self {
        let classes = runs.first().map_or(0, |run| run.classes.len());
        let over = |class: usize, figure: fn(&Spread) -> f64| {
            runs.iter().map(|run| figure(&run.classes[class])).sum::<f64>() / runs.len().max(1) as f64
        };
        Self {
            classes: (0..classes)
                .map(|class| Spread {
                    jobs: runs.iter().map(|run| run.classes[class].jobs).sum(),
                    median_s: over(class, |s| s.median_s),
                    p95_s: over(class, |s| s.p95_s),
                    p99_s: over(class, |s| s.p99_s),
                    mean_s: over(class, |s| s.mean_s),
                    longest_wait_s: runs.iter().map(|run| run.classes[class].longest_wait_s).fold(0.0, f64::max),
                })
                .collect(),
        }
    }
}

/// The smallest value that at least `share` of the sorted values do not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}
