//! Who is served first: owners in turn, lanes by weight, and nobody waits for ever.

use std::collections::HashMap;

use domain::DeviceId;

use crate::snapshot::{Lane, QueuedJob, WorkerState};

/// Numbers that shape the order.
#[derive(Clone, Debug)]
pub struct OrderPolicy {
    /// Shares of the priority and the standard lane while both have work.
    pub priority_weight: f64,
    pub standard_weight: f64,
    /// Waiting this long, in milliseconds, makes up for one job of the same owner ahead.
    pub ageing_ms: f64,
}

impl Default for OrderPolicy {
    fn default() -> Self {
        Self { priority_weight: 3.0, standard_weight: 1.0, ageing_ms: 600_000.0 }
    }
}

/// Positions in `queue`, in the order of service.
///
/// Within a lane every owner's n-th job comes before anybody's (n+1)-th, and
/// the older before the newer; jobs that a worker holds count as an owner's
/// earlier ones, so that fifty jobs of one person never hold up another's
/// first. Waiting lowers n, so that a long list is not passed for ever: a job
/// that has waited n times [`OrderPolicy::ageing_ms`] is behind older ones only.
///
/// Lanes are merged by stride scheduling (Waldspurger and Weihl, 1995) over the
/// jobs that they have in service and those before in this order: each gets its
/// weight's share, and neither waits for the other to be empty. It remembers
/// nothing, so where fewer jobs are in service than the weights add up to, the
/// lanes take turns instead.
pub fn fair_order(queue: &[QueuedJob], workers: &[WorkerState], policy: &OrderPolicy) -> Vec<usize> {
    let mut turns: HashMap<DeviceId, u32> = HashMap::with_capacity(queue.len());
    // In jobs, not in work: lanes differ by who is in them, not by what.
    let mut passes = Passes::new(policy);
    for held in workers.iter().flat_map(|worker| &worker.held) {
        *turns.entry(held.owner).or_default() += 1;
        passes.serve(held.lane);
    }
    let mut priority = Vec::new();
    let mut standard = Vec::with_capacity(queue.len());
    for (at, job) in queue.iter().enumerate() {
        let turn = turns.entry(job.owner).or_default();
        *turn += 1;
        let aged = (job.waited_ms / policy.ageing_ms).max(0.0) as u32;
        let lane = if job.lane == Lane::Priority { &mut priority } else { &mut standard };
        lane.push((turn.saturating_sub(aged).max(1), at));
    }
    // The position breaks ties, so within a turn the oldest comes first.
    priority.sort_unstable();
    standard.sort_unstable();
    if priority.is_empty() {
        return standard.into_iter().map(|(_, at)| at).collect();
    }
    let (mut priority, mut standard) = (priority.into_iter().peekable(), standard.into_iter().peekable());
    let mut order = Vec::with_capacity(queue.len());
    loop {
        let lane = match (priority.peek(), standard.peek()) {
            (None, None) => return order,
            (Some(_), None) => Lane::Priority,
            (None, Some(_)) => Lane::Standard,
            (Some(_), Some(_)) => passes.next(),
        };
        let next = if lane == Lane::Priority { priority.next() } else { standard.next() };
        order.extend(next.map(|(_, at)| at));
        passes.serve(lane);
    }
}

/// How many jobs each lane has had, divided by its weight.
struct Passes {
    priority: f64,
    standard: f64,
    strides: (f64, f64),
}

impl Passes {
    fn new(policy: &OrderPolicy) -> Self {
        Self { priority: 0.0, standard: 0.0, strides: (1.0 / policy.priority_weight, 1.0 / policy.standard_weight) }
    }

    fn serve(&mut self, lane: Lane) {
        match lane {
            Lane::Priority => self.priority += self.strides.0,
            Lane::Standard => self.standard += self.strides.1,
        }
    }

    fn next(&self) -> Lane {
        if self.priority <= self.standard { Lane::Priority } else { Lane::Standard }
    }
}
