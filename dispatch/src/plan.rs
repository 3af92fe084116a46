//! Placement: least projected completion, bound late.
//!
//! Jobs wait in the head's queue, not in a worker's. Walking the queue in fair
//! order, each job is tried on the worker that would finish it first; it is
//! bound only if that worker can start it now or is about to come free, and
//! otherwise only its projected times are noted. A worker that is better but
//! busy is therefore waited for exactly when waiting is faster.

use std::collections::HashMap;

use domain::{DeviceId, JobId, WorkerId};

use crate::snapshot::{QueuedJob, Snapshot, WorkerState};

/// Numbers that shape a plan.
#[derive(Clone, Debug)]
pub struct Policy {
    /// A busy worker is handed its next job when it expects to be free within this many
    /// milliseconds, so that no device waits for a round trip.
    pub prefetch_ms: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { prefetch_ms: 250.0 }
    }
}

/// What to do now, and what to tell those who wait. Sending it leaves no choices open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub assignments: Vec<(JobId, WorkerId)>,
    /// One per queued job that some worker can run, in the order they will be served.
    pub projections: Vec<Projection>,
}

/// When a waiting job is expected to start and finish, in milliseconds from now.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    pub job: JobId,
    pub start_ms: f64,
    pub finish_ms: f64,
}

/// Decides which waiting jobs go to which workers now.
///
/// Deterministic: the same snapshot and policy give the same plan.
pub fn plan(snapshot: &Snapshot, policy: &Policy) -> Plan {
    let mut lanes: Vec<Lanes<'_>> = snapshot.workers.iter().filter(|worker| !worker.draining).map(Lanes::of).collect();
    let mut plan = Plan::default();
    for job in fair_order(snapshot) {
        let Some((lane, cost_ms)) = best(&lanes, job) else { continue };
        let lanes = &mut lanes[lane];
        let start_ms = lanes.free_in_ms();
        let bind = lanes.may_take(policy);
        lanes.add(cost_ms, bind);
        plan.projections.push(Projection { job: job.id, start_ms, finish_ms: start_ms + cost_ms });
        if bind {
            plan.assignments.push((job.id, lanes.worker.id.clone()));
        }
    }
    plan
}

/// Oldest first, but every owner's n-th job before anybody's (n+1)-th.
///
/// Jobs that a worker already holds count, so that fifty jobs of one person
/// never hold up another person's first.
fn fair_order(snapshot: &Snapshot) -> Vec<&QueuedJob> {
    let mut turns: HashMap<DeviceId, u32> = HashMap::new();
    for held in snapshot.workers.iter().flat_map(|worker| &worker.held) {
        *turns.entry(held.owner).or_default() += 1;
    }
    let mut order: Vec<(u32, &QueuedJob)> = snapshot
        .queue
        .iter()
        .map(|job| {
            let turn = turns.entry(job.owner).or_default();
            *turn += 1;
            (*turn, job)
        })
        .collect();
    order.sort_by_key(|(turn, _)| *turn); // stable: within a turn, oldest first
    order.into_iter().map(|(_, job)| job).collect()
}

/// The worker that would finish the job first, and what the job costs there.
///
/// Ties go to the lower load ratio, then to the faster worker, then to the
/// earlier one in the snapshot.
fn best(lanes: &[Lanes<'_>], job: &QueuedJob) -> Option<(usize, f64)> {
    lanes
        .iter()
        .enumerate()
        .filter_map(|(at, lane)| {
            let standard_ms = lane.worker.standard_ms(&job.model)?;
            let cost_ms = standard_ms * job.relative_cost * f64::from(job.pictures);
            Some((at, cost_ms, [lane.free_in_ms() + cost_ms, lane.load_ratio(), standard_ms]))
        })
        .min_by(|(_, _, a), (_, _, b)| {
            a.iter()
                .zip(b)
                .map(|(a, b)| a.total_cmp(b))
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        })
        .map(|(at, cost_ms, _)| (at, cost_ms))
}

/// A worker's places, each with the milliseconds until it comes free.
struct Lanes<'a> {
    worker: &'a WorkerState,
    free_in_ms: Vec<f64>,
    /// Jobs bound to the worker: held ones and those this plan adds.
    bound: u32,
}

impl<'a> Lanes<'a> {
    fn of(worker: &'a WorkerState) -> Self {
        let mut lanes = Self { worker, free_in_ms: vec![0.0; worker.concurrency.max(1) as usize], bound: 0 };
        for held in &worker.held {
            lanes.add(held.remaining_ms.max(0.0), true);
        }
        lanes
    }

    fn earliest(&self) -> usize {
        (0..self.free_in_ms.len()).min_by(|a, b| self.free_in_ms[*a].total_cmp(&self.free_in_ms[*b])).unwrap_or(0)
    }

    fn free_in_ms(&self) -> f64 {
        self.free_in_ms[self.earliest()]
    }

    fn load_ratio(&self) -> f64 {
        f64::from(self.bound) / self.free_in_ms.len() as f64
    }

    /// A free place, or exactly one job ahead for a place that is about to come free.
    fn may_take(&self, policy: &Policy) -> bool {
        let places = self.free_in_ms.len() as u32;
        self.bound < places || (self.bound == places && self.free_in_ms() <= policy.prefetch_ms)
    }

    fn add(&mut self, cost_ms: f64, bind: bool) {
        let lane = self.earliest();
        self.free_in_ms[lane] += cost_ms;
        self.bound += u32::from(bind);
    }
}
