//! Who is served first: owners in turn, lanes by weight, and nobody waits for ever.

use std::collections::HashMap;

use domain::DeviceId;

use crate::snapshot::{Lane, Snapshot};

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
/// the older before the newer; jobs that a worker holds or that were handed out
/// lately count as an owner's earlier ones, so that fifty jobs of one person
/// never hold up another's first. Waiting lowers n, so that a long list is not passed for ever. Lanes
/// are merged by stride scheduling over the work they hold (Waldspurger and
/// Weihl, 1995): each gets its weight's share, and neither waits for the other
/// to be empty.
pub fn fair_order(snapshot: &Snapshot, policy: &OrderPolicy) -> Vec<usize> {
    let Snapshot { queue, workers, recent, .. } = snapshot;
    let mut turns: HashMap<DeviceId, u32> = HashMap::with_capacity(queue.len());
    // Work in service, in jobs: within one lane jobs differ, but lanes differ by who is in them, not by what.
    let mut passes = Passes::new(policy);
    let (mut priority_held, mut standard_held) = (0, 0);
    for held in workers.iter().flat_map(|worker| &worker.held) {
        *turns.entry(held.owner).or_default() += 1;
        *(if held.lane == Lane::Priority { &mut priority_held } else { &mut standard_held }) += 1;
    }
    // Most held jobs are among the recent ones: the larger count, not the sum.
    for (owner, jobs) in &recent.owners {
        let turn = turns.entry(*owner).or_default();
        *turn = (*turn).max(*jobs);
    }
    passes.have_had(priority_held.max(recent.priority), standard_held.max(recent.standard));
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

/// How much each lane has had, divided by its weight.
struct Passes {
    priority: f64,
    standard: f64,
    strides: (f64, f64),
}

impl Passes {
    fn new(policy: &OrderPolicy) -> Self {
        Self { priority: 0.0, standard: 0.0, strides: (1.0 / policy.priority_weight, 1.0 / policy.standard_weight) }
    }

    fn have_had(&mut self, priority: u32, standard: u32) {
        self.priority += f64::from(priority) * self.strides.0;
        self.standard += f64::from(standard) * self.strides.1;
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

#[cfg(test)]
mod tests {
    use domain::JobId;

    use super::*;
    use crate::snapshot::{Length, QueuedJob, Recent};

    fn job(number: u128, owner: u128, lane: Lane) -> QueuedJob {
        QueuedJob {
            id: JobId::from_random(number),
            owner: DeviceId::from_random(owner),
            lane,
            length: Length::Short,
            model: "starter".into(),
            batch_key: 0,
            work: 1.0,
            waited_ms: 0.0,
            avoid: Vec::new(),
        }
    }

    #[test]
    fn a_turn_that_was_had_a_moment_ago_counts_though_nothing_is_held() {
        let queue = vec![job(1, 1, Lane::Standard), job(2, 1, Lane::Standard), job(3, 2, Lane::Standard)];
        let mut snapshot = Snapshot { queue, ..Snapshot::default() };
        assert_eq!(fair_order(&snapshot, &OrderPolicy::default()), [0, 2, 1]);
        snapshot.recent = Recent { owners: [(DeviceId::from_random(1), 1)].into(), ..Recent::default() };
        assert_eq!(fair_order(&snapshot, &OrderPolicy::default()), [2, 0, 1]);
    }

    #[test]
    fn a_lane_that_had_its_share_lets_the_other_go_first() {
        let queue = vec![job(1, 1, Lane::Standard), job(2, 2, Lane::Priority)];
        let mut snapshot = Snapshot { queue, ..Snapshot::default() };
        assert_eq!(fair_order(&snapshot, &OrderPolicy::default()), [1, 0]);
        snapshot.recent.priority = 4;
        snapshot.recent.standard = 1;
        assert_eq!(fair_order(&snapshot, &OrderPolicy::default()), [0, 1]);
    }
}
