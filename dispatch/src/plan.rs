//! Placement: least projected completion, bound late.
//!
//! Jobs wait in the head's queue, not in a worker's. Walking the queue in fair
//! order, each job is tried on the worker that would finish it first, with the
//! true cost of loading a model and of stepping in between the steps of a long
//! job; it is bound only if that worker can start it now or is about to, and
//! otherwise only its projected times are noted. A worker that is better but
//! busy is therefore waited for exactly when waiting is faster.

use domain::{JobId, WorkerId};

use crate::fleet::{Fleet, Place};
use crate::moves::MovePolicy;
use crate::order::{OrderPolicy, fair_order};
use crate::snapshot::{QueuedJob, Snapshot};

/// Numbers that shape a plan.
#[derive(Clone, Debug)]
pub struct Policy {
    /// A busy worker is handed its next job when it expects to start it within this many
    /// milliseconds, so that no device waits for a round trip.
    pub prefetch_ms: f64,
    pub order: OrderPolicy,
    pub long: LongPolicy,
    /// How long jobs that run move between workers; `None` if they don't.
    pub moves: Option<MovePolicy>,
}

/// How long jobs share the fleet with short ones.
#[derive(Clone, Debug)]
pub struct LongPolicy {
    /// Expected milliseconds to switch between a long job and a short one.
    pub switch_ms: f64,
    /// How much a millisecond that a long job loses to a short one stepping in counts, against one of the
    /// short job's own: while short work needs the fleet, and in a quiet one, where another worker comes free
    /// in a moment.
    pub interruption: f64,
    pub quiet_interruption: f64,
    /// Short demand, as a share of the fleet, below which it is quiet and above which it is not; in between
    /// the one weight turns into the other.
    pub quiet_demand: (f64, f64),
    /// No short job waits longer than this many milliseconds for a long one's sake.
    pub longest_deference_ms: f64,
    /// Share of the fleet's capacity that long jobs may hold where they can't step aside, however many short
    /// ones there are. One worker may always hold one.
    pub busy_share: f64,
    /// What short jobs need of the fleet is kept free of such long jobs, with so much room that they would use
    /// it to this share. A burst beyond it is what long jobs give way for ([`MovePolicy::patience_ms`]).
    pub short_utilisation: f64,
    /// The same once a long job has waited for `impatience_ms` milliseconds; before, the one turns into the other.
    pub impatient_utilisation: f64,
    pub impatience_ms: f64,
    /// Beyond that, short jobs that wait are to be worked off within this many milliseconds: what that takes of the
    /// fleet is kept free of such long jobs as well, even below `busy_share`.
    pub catch_up_ms: f64,
    /// A long job that has waited this many milliseconds takes no notice of those; before, the less the longer.
    pub catch_up_patience_ms: f64,
}

impl LongPolicy {
    /// What an interruption weighs at this demand for short work.
    pub(crate) fn interruption_at(&self, short_demand: f64) -> f64 {
        let (quiet, busy) = self.quiet_demand;
        let share = ((short_demand - quiet) / (busy - quiet)).clamp(0.0, 1.0);
        self.quiet_interruption.powf(1.0 - share) * self.interruption.powf(share)
    }

    /// Share of the fleet's capacity that long jobs may hold, with this one, where they can't step aside.
    /// `waiting_ms` is how long all of it would take for the short jobs that wait.
    pub(crate) fn share_for(&self, job: &QueuedJob, short_demand: f64, waiting_ms: f64) -> f64 {
        let impatience = (job.waited_ms / self.impatience_ms).clamp(0.0, 1.0);
        let utilisation = self.short_utilisation + (self.impatient_utilisation - self.short_utilisation) * impatience;
        let patience = 1.0 - (job.waited_ms / self.catch_up_patience_ms).clamp(0.0, 1.0);
        self.busy_share.max(1.0 - short_demand / utilisation) - patience * waiting_ms / self.catch_up_ms
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            prefetch_ms: 250.0,
            order: OrderPolicy::default(),
            long: LongPolicy::default(),
            moves: Some(MovePolicy::default()),
        }
    }
}

impl Default for LongPolicy {
    fn default() -> Self {
        Self {
            switch_ms: 300.0,
            interruption: 0.5,
            quiet_interruption: 50.0,
            quiet_demand: (0.32, 0.36),
            longest_deference_ms: 12_000.0,
            busy_share: 0.53,
            short_utilisation: 1.0,
            impatient_utilisation: 1.1,
            impatience_ms: 120_000.0,
            catch_up_ms: 100_000.0,
            catch_up_patience_ms: 300_000.0,
        }
    }
}

/// What to do now, and what to tell those who wait. Sending it leaves no choices open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub assignments: Vec<(JobId, WorkerId)>,
    /// One per queued job that some worker can run, in the order they will be served.
    pub projections: Vec<Projection>,
    /// Milliseconds until another look could bind something, though nothing else happens before: a worker comes
    /// free that is waited for, or demand for short work fades. `None` when only an event can help.
    pub look_again_ms: Option<f64>,
}

/// When a job is expected to start and finish, in milliseconds from now.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    pub job: JobId,
    pub start_ms: f64,
    pub finish_ms: f64,
    /// Bound to a worker by this plan.
    pub bound: bool,
}

/// No look is arranged sooner than this, in milliseconds: a clock that is a little early must not make the
/// dispatcher look again and again until the moment has come.
const SOONEST_LOOK_MS: f64 = 5.0;

/// While long jobs wait for their share alone, a look every so many milliseconds: demand fades without a sign.
const SHARE_LOOK_MS: f64 = 1_000.0;

/// Decides which waiting jobs go to which workers now.
///
/// List scheduling by earliest completion time (Ibarra and Kim, 1977, heuristic
/// D without its search), with the list in fair order and unbound placements
/// kept as reservations (conservative backfilling; Mu'alem and Feitelson,
/// 2001). Deterministic: the same snapshot and policy give the same plan. With
/// `J` jobs, `W` workers and `C` classes of workers that have the same models
/// at about the same speed, it takes `O(J (log J + C + log W))`.
pub fn plan(snapshot: &Snapshot, policy: &Policy) -> Plan {
    let mut fleet = Fleet::of(snapshot, policy);
    let order = fair_order(snapshot, &policy.order);
    let mut plan = Plan { projections: Vec::with_capacity(order.len()), ..Plan::default() };
    for at in order {
        let job = &snapshot.queue[at];
        let Some(model) = fleet.model(&job.model) else { continue };
        let Some(place) = fleet.best(job, model) else { continue };
        let Place { worker, turn_ms, start_ms, finish_ms, allowed } = place;
        let has_room = allowed && fleet.has_room(worker, job.length);
        let bound = has_room && turn_ms <= policy.prefetch_ms;
        fleet.take(&place, job, model, bound);
        if bound {
            plan.assignments.push((job.id, snapshot.workers[worker].id.clone()));
        } else if has_room {
            plan.look_within((turn_ms - policy.prefetch_ms).max(SOONEST_LOOK_MS));
        } else if !allowed {
            plan.look_within(SHARE_LOOK_MS);
        }
        plan.projections.push(Projection { job: job.id, start_ms, finish_ms, bound });
    }
    plan
}

impl Plan {
    fn look_within(&mut self, ms: f64) {
        self.look_again_ms = Some(self.look_again_ms.map_or(ms, |before| before.min(ms)));
    }
}
