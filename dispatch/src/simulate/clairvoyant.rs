//! What no scheduler can beat by much: everything known, free switches, infinitely small steps.

use super::report::Outcome;
use super::workload::{SimJob, Workload};
use crate::snapshot::Length;

/// At every moment the fastest workers serve the short jobs with the least work left, and the next
/// fastest the long ones, oldest first; a job moves between workers for nothing. Incidents are left out.
pub(super) fn run(workload: &Workload, jobs: &[SimJob]) -> Vec<Outcome> {
    let mut speeds = workload.speeds.clone();
    speeds.sort_by(|a, b| b.total_cmp(a));
    let is_long = |job: &SimJob| workload.classes[job.class].length() == Length::Long;
    // Present jobs as (position, work left), short ones first, in order of service.
    let mut present: Vec<(usize, f64)> = Vec::new();
    let mut outcomes: Vec<Outcome> = jobs
        .iter()
        .map(|job| Outcome {
            class: job.class,
            arrival_ms: job.arrival_ms,
            start_ms: f64::INFINITY,
            finish_ms: f64::INFINITY,
        })
        .collect();
    let mut now = 0.0;
    let mut arrivals = jobs.iter().enumerate().peekable();
    loop {
        for ((at, _), _) in present.iter().zip(&speeds) {
            outcomes[*at].start_ms = outcomes[*at].start_ms.min(now);
        }
        let first_done =
            present.iter().zip(&speeds).map(|((_, left), speed)| left / speed).fold(f64::INFINITY, f64::min);
        let next_arrival = arrivals.peek().map_or(f64::INFINITY, |(_, job)| job.arrival_ms - now);
        let step = first_done.min(next_arrival).max(0.0);
        if step.is_infinite() {
            return outcomes;
        }
        now += step;
        for ((_, left), speed) in present.iter_mut().zip(&speeds) {
            *left -= step * speed;
        }
        present.retain(|(at, left)| {
            let done = *left <= 1e-6;
            if done {
                outcomes[*at].finish_ms = now;
            }
            !done
        });
        while let Some((at, job)) = arrivals.next_if(|(_, job)| job.arrival_ms <= now + 1e-9) {
            present.push((at, job.work_ms));
        }
        present.sort_by(|a, b| {
            let (long_a, long_b) = (is_long(&jobs[a.0]), is_long(&jobs[b.0]));
            let within = if long_a { a.0.cmp(&b.0) } else { a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)) };
            long_a.cmp(&long_b).then(within)
        });
    }
}
