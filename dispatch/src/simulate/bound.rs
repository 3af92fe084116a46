//! What could be had for jobs of one length if everything were known and nothing cost a switch.

use super::report::Outcome;
use super::workload::{SimJob, Workload};
use crate::snapshot::Length;

/// At every moment the fastest workers serve the favoured jobs, and the next fastest the others; a job moves
/// between workers for nothing. Short jobs go by least work left, long ones by age. Incidents are left out.
///
/// For the favoured length it is a bound in practice, not a proven one: they meet no other jobs at all. For the
/// other length it says nothing.
pub(super) fn run(workload: &Workload, jobs: &[SimJob], favoured: Length) -> Vec<Outcome> {
    let mut speeds = workload.speeds.clone();
    speeds.sort_by(|a, b| b.total_cmp(a));
    let length = |at: usize| workload.classes[jobs[at].class].length();
    // Present jobs as (position, work left), in order of service.
    let mut present: Vec<(usize, f64)> = Vec::new();
    let mut outcomes: Vec<Outcome> = jobs.iter().map(Outcome::unfinished).collect();
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
            let others = |at: usize| length(at) != favoured;
            let within = match length(a.0) {
                Length::Long => a.0.cmp(&b.0),
                Length::Short => a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)),
            };
            others(a.0).cmp(&others(b.0)).then(within)
        });
    }
}
