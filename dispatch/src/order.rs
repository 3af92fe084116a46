//! Who is served first: owners in turn, lanes by weight, and nobody waits for ever.

use std::collections::HashMap;
use std::sync::Arc;

use domain::DeviceId;

use crate::snapshot::{Lane, QueuedJob, Snapshot, WorkerState};

/// Numbers that shape the order.
#[derive(Clone, Debug)]
pub struct OrderPolicy {
    /// Shares of the priority and the standard lane while both have work.
    pub priority_weight: f64,
    pub standard_weight: f64,
    /// Waiting as many times as long as the job itself takes makes up for one job of the same owner ahead: a list
    /// that got nothing moves on as if it had one worker for one part in so many.
    pub ageing: f64,
    /// The milliseconds that [`Recent`](crate::snapshot::Recent) looks back, and waiting counts in this way no
    /// longer: what was had before is not known, so a long list that is being served could overtake everybody.
    pub memory_ms: f64,
    /// Waiting this long, in milliseconds, makes up for one job in any case.
    pub ageing_ms: f64,
}

impl OrderPolicy {
    /// Jobs ahead that waiting made up for, where a job takes `typical_ms` milliseconds.
    fn aged(&self, job: &QueuedJob, typical_ms: f64) -> u32 {
        let waited_ms = job.waited_ms.max(0.0);
        // Nothing takes no time, whatever a measurement says.
        let by_own_time = waited_ms.min(self.memory_ms) / (self.ageing * typical_ms).max(1.0);
        by_own_time as u32 + (waited_ms / self.ageing_ms) as u32
    }
}

impl Default for OrderPolicy {
    fn default() -> Self {
        Self { priority_weight: 3.0, standard_weight: 1.0, ageing: 4.0, memory_ms: 120_000.0, ageing_ms: 600_000.0 }
    }
}

/// Positions in `queue`, in the order of service.
///
/// Within a lane every owner's n-th job comes before anybody's (n+1)-th, and
/// the older before the newer; jobs that a worker holds or that were handed out
/// lately count as an owner's earlier ones, so that fifty jobs of one person
/// never hold up another's first. Waiting lowers n, so that a long list is not
/// passed for ever: a job that has waited n times [`OrderPolicy::ageing_ms`] is
/// behind older ones only, and so is a second one that has waited for as long
/// as [`OrderPolicy::ageing`] jobs like it take.
///
/// Lanes are merged by stride scheduling (Waldspurger and Weihl, 1995) over the
/// jobs that they have in service or lately had, and those before in this order:
/// each gets its weight's share, and neither waits for the other to be empty.
pub fn fair_order(snapshot: &Snapshot, policy: &OrderPolicy) -> Vec<usize> {
    let Snapshot { queue, workers, recent, .. } = snapshot;
    let mut turns: HashMap<DeviceId, u32> = HashMap::with_capacity(queue.len());
    // In jobs, not in work: lanes differ by who is in them, not by what.
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
    let mut typical = TypicalTimes::of(workers);
    let mut priority = Vec::new();
    let mut standard = Vec::with_capacity(queue.len());
    for (at, job) in queue.iter().enumerate() {
        let turn = turns.entry(job.owner).or_default();
        *turn += 1;
        // Mostly a job is its owner's only one.
        let aged = if *turn > 1 { policy.aged(job, job.work * typical.standard_ms(&job.model)) } else { 0 };
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

/// How long a standard picture of each model takes, over all workers that have it.
struct TypicalTimes<'a> {
    /// Sum and number.
    times: HashMap<&'a str, (f64, f64)>,
    last: Option<(&'a Arc<str>, f64)>,
}

impl<'a> TypicalTimes<'a> {
    fn of(workers: &'a [WorkerState]) -> Self {
        let mut times: HashMap<&str, (f64, f64)> = HashMap::new();
        for model in workers.iter().flat_map(|worker| &worker.models) {
            let (sum, number) = times.entry(&*model.name).or_default();
            *sum += model.standard_ms;
            *number += 1.0;
        }
        Self { times, last: None }
    }

    /// Infinite where nobody has the model: nothing is known of such a job, and nobody takes it.
    fn standard_ms(&mut self, model: &'a Arc<str>) -> f64 {
        // Neighbours in the queue mostly ask for the same one.
        if let Some((last, standard_ms)) = self.last
            && Arc::ptr_eq(last, model)
        {
            return standard_ms;
        }
        let standard_ms = self.times.get(&**model).map_or(f64::INFINITY, |(sum, number)| sum / number);
        self.last = Some((model, standard_ms));
        standard_ms
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
    use crate::snapshot::{Length, ModelState, Recent};

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

    fn fleet() -> Vec<WorkerState> {
        let model = ModelState { name: "starter".into(), standard_ms: 3_000.0, load_ms: 0.0 };
        vec![WorkerState {
            id: domain::WorkerId("a".into()),
            models: vec![model],
            concurrency: 1,
            batch_gain: 1.0,
            steps_aside: true,
            hands_over: true,
            slowdown: 1.0,
            held: Vec::new(),
            draining: false,
        }]
    }

    #[test]
    fn a_second_job_is_passed_by_newcomers_for_four_times_as_long_as_it_takes() {
        let waited = |number, owner, waited_ms| QueuedJob { waited_ms, ..job(number, owner, Lane::Standard) };
        let order = |waited_ms| {
            let queue = vec![waited(1, 1, waited_ms), waited(2, 1, waited_ms), waited(3, 2, 0.0)];
            fair_order(&Snapshot { queue, workers: fleet(), ..Snapshot::default() }, &OrderPolicy::default())
        };
        assert_eq!(order(11_900.0), [0, 2, 1]);
        assert_eq!(order(12_000.0), [0, 1, 2]);
    }

    #[test]
    fn a_long_list_that_is_being_served_holds_up_nobodys_first_however_long_it_waits() {
        // A person who had a picture every three seconds for nine minutes and has hundreds to go.
        let mut queue: Vec<_> =
            (0..300).map(|n| QueuedJob { waited_ms: 540_000.0, ..job(n, 1, Lane::Standard) }).collect();
        queue.push(job(300, 2, Lane::Standard));
        let recent = Recent { owners: [(DeviceId::from_random(1), 40)].into(), ..Recent::default() };
        let snapshot = Snapshot { queue, workers: fleet(), recent, ..Snapshot::default() };
        assert_eq!(fair_order(&snapshot, &OrderPolicy::default())[0], 300);
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
