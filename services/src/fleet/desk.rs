//! What the dispatcher remembers between two looks. All of it is derived: it can be lost at any moment.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use dispatch::{Demand, Forecast, Lane, Length, Policy, QueuedJob, Recent, WorkerState};
use domain::{DeviceId, JobId, WorkerId};
use uuid::Uuid;

use super::moving::Asked;
use super::store::Waiting;
use super::{Fleet, store};
use crate::jobs::{Prospect, after};

/// A turn that was had this long ago counts no more.
const RECENT: TimeDelta = TimeDelta::minutes(2);
/// Milliseconds of demand that decide where models lie.
const HOUR_MS: f64 = 3_600_000.0;
/// How long a job waits that failed for the second time; each further failure doubles it.
const FIRST_DELAY_MS: f64 = 1_000.0;

/// What the dispatcher remembers between two looks.
#[derive(Default)]
pub(super) struct Desk {
    /// Waiting jobs, oldest first.
    pub(super) queue: BTreeMap<(DateTime<Utc>, Uuid), Waiting>,
    /// When the waiting jobs were accepted: their place in the queue.
    pub(super) accepted: HashMap<JobId, DateTime<Utc>>,
    pub(super) last_seq: i64,
    /// Short work that arrives, in milliseconds of the present fleet.
    pub(super) short_demand: Demand,
    pub(super) forecast: [Forecast; 2],
    /// What was handed out in the last while, oldest first.
    pub(super) handed_out: VecDeque<(DateTime<Utc>, DeviceId, Lane)>,
    /// Work that arrived for each model in the last hour, in milliseconds of a middling worker.
    pub(super) model_demand: HashMap<String, Demand>,
    pub(super) rotated_at: Option<DateTime<Utc>>,
    /// What the owners of unfinished jobs were told first.
    promises: HashMap<JobId, Promise>,
    /// Jobs that failed: how often, and until when they wait before they are placed again.
    pub(super) delays: HashMap<JobId, (u32, DateTime<Utc>)>,
    /// Since when nobody could do these jobs.
    stuck_since: HashMap<JobId, DateTime<Utc>>,
    pub(super) told_at: Option<DateTime<Utc>>,
    /// Jobs that workers were asked to hand over.
    pub(super) asked: Asked,
    /// When a long job was last asked to give way, in milliseconds.
    pub(super) gave_way_ms: f64,
    /// Jobs that gave way to short ones, and until when they wait for those at most.
    pub(super) resting: HashMap<JobId, DateTime<Utc>>,
    /// Jobs of whose pictures something is kept.
    pub(super) begun: HashSet<JobId>,
    pub(super) unable: Unable,
    pub(super) policy: Policy,
}

/// Workers of earlier versions, which would do something else than is asked for.
#[derive(Default)]
pub(super) struct Unable {
    /// They know nothing of pictures to go on from, and would make one of words alone.
    pub(super) to_go_on: Vec<WorkerId>,
    /// Nor those that know nothing of painted parts and of more room, and could not read what is asked for.
    pub(super) to_extend: Vec<WorkerId>,
}

#[derive(Clone, Copy)]
struct Promise {
    at: DateTime<Utc>,
    projected_ms: f64,
    length: Length,
}

fn index(length: Length) -> usize {
    usize::from(length == Length::Long)
}

impl Desk {
    /// Reads what entered the queue since the last time.
    pub(super) async fn read_queue(&mut self, fleet: &Fleet) -> Result<(), sqlx::Error> {
        let now_ms = millis(fleet.clock.now());
        let first = self.last_seq == 0;
        let workers = fleet.roster().snapshot(now_ms);
        for job in store::waiting(&fleet.pool, self.last_seq).await? {
            self.last_seq = self.last_seq.max(job.queued_seq);
            let planned = job.as_planned(fleet.clock.now());
            if !first && !self.accepted.contains_key(&JobId(job.id)) {
                let work_ms = work_ms(&planned, &workers);
                if planned.length == Length::Short {
                    self.short_demand.arrived(work_ms, now_ms);
                }
                let demand = self.model_demand.entry(planned.model.to_string());
                demand.or_insert_with(|| Demand::over(HOUR_MS)).arrived(work_ms, now_ms);
            }
            self.accepted.insert(JobId(job.id), job.created_at);
            self.queue.insert((job.created_at, job.id), job);
        }
        fleet.outlook.count_queued(self.queue.len());
        Ok(())
    }

    /// A job as the planner looks at it: also kept from workers that could not do it.
    pub(super) fn as_planned(&self, job: &Waiting, now: DateTime<Utc>) -> QueuedJob {
        let mut planned = job.as_planned(now);
        if let Some(source) = &job.request.source {
            let unable = if source.is_newer() { &self.unable.to_extend } else { &self.unable.to_go_on };
            planned.avoid.extend_from_slice(unable);
        }
        planned
    }

    pub(super) fn find(&self, job: JobId) -> Option<&Waiting> {
        self.queue.get(&(*self.accepted.get(&job)?, job.0))
    }

    pub(super) fn remove(&mut self, job: JobId) -> Option<Waiting> {
        let accepted = self.accepted.remove(&job)?;
        self.queue.remove(&(accepted, job.0))
    }

    /// What was handed out lately, by owner and lane.
    pub(super) fn recent(&mut self, now: DateTime<Utc>) -> Recent {
        while self.handed_out.front().is_some_and(|(at, ..)| now - *at > RECENT) {
            self.handed_out.pop_front();
        }
        let mut recent = Recent::default();
        for (_, owner, lane) in &self.handed_out {
            *recent.owners.entry(*owner).or_default() += 1;
            *(if *lane == Lane::Priority { &mut recent.priority } else { &mut recent.standard }) += 1;
        }
        recent
    }

    pub(super) fn promise(&mut self, job: &QueuedJob, finish_ms: f64, now: DateTime<Utc>) {
        let promise = Promise { at: now, projected_ms: finish_ms, length: job.length };
        self.promises.entry(job.id).or_insert(promise);
    }

    /// A job failed somewhere: from the second time on it waits a little, longer each time, so that whatever made it
    /// fail may pass before its attempts are used up.
    pub(super) fn delay(&mut self, job: JobId, now: DateTime<Utc>) {
        let (failures, until) = self.delays.entry(job).or_insert((0, now));
        if *failures > 0 {
            *until = after(now, FIRST_DELAY_MS * 2_f64.powi(i32::try_from(*failures).unwrap_or(i32::MAX).min(6) - 1));
        }
        *failures = failures.saturating_add(1);
    }

    pub(super) fn is_delayed(&self, job: &Waiting, now: DateTime<Utc>) -> bool {
        self.delays.get(&JobId(job.id)).is_some_and(|(_, until)| now < *until)
    }

    /// Whether a job gave way to short ones, where some still wait.
    pub(super) fn rests(&self, job: &Waiting, shorts_wait: bool, now: DateTime<Utc>) -> bool {
        shorts_wait && self.resting.get(&JobId(job.id)).is_some_and(|until| now < *until)
    }

    /// Short jobs that wait, and not for themselves, for which one of these workers has the model; the oldest first.
    pub(super) fn shorts<'a>(
        &'a self,
        workers: &'a [WorkerState],
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = QueuedJob> + 'a {
        let short = move |job: &&Waiting| job.length() == Length::Short && !self.is_delayed(job, now);
        let could = |job: &QueuedJob| {
            let takes = |worker: &&WorkerState| !worker.draining && !job.avoid.contains(&worker.id);
            workers.iter().filter(takes).any(|worker| worker.model(&job.model).is_some())
        };
        self.queue.values().filter(short).map(move |job| self.as_planned(job, now)).filter(could)
    }

    /// Of the jobs that nobody can do now, those for which that has been so for longer than `patience`.
    pub(super) fn hopeless(&mut self, stuck: &HashSet<JobId>, now: DateTime<Utc>, patience: TimeDelta) -> Vec<JobId> {
        self.stuck_since.retain(|job, _| stuck.contains(job));
        let waited = |job: &&JobId| now - *self.stuck_since.entry(**job).or_insert(now) > patience;
        stuck.iter().filter(waited).copied().collect()
    }

    /// Promises on jobs that ended elsewhere are not kept for ever.
    pub(super) fn forget_old_promises(&mut self, now: DateTime<Utc>) {
        self.resting.retain(|_, until| now < *until);
        self.delays.retain(|_, (_, until)| now - *until < TimeDelta::hours(1));
        let waiting = &self.accepted;
        self.promises.retain(|job, promise| waiting.contains_key(job) || now - promise.at < TimeDelta::hours(1));
    }

    /// A job is done: how right was what its owner was told first?
    pub(super) fn kept_promise(&mut self, job: JobId, now: DateTime<Utc>) {
        if let Some(Promise { at, projected_ms, length }) = self.promises.remove(&job) {
            let measured_ms = (now - at).num_milliseconds().max(0) as f64;
            self.forecast[index(length)].record(projected_ms, measured_ms);
        }
    }

    pub(super) fn prospect(&self, job: &QueuedJob, position: u32, finish_ms: f64, now: DateTime<Utc>) -> Prospect {
        Prospect { position, ..self.outlook_of(job.length, finish_ms, now) }
    }

    /// What is expected of a job that runs.
    pub(super) fn outlook_of(&self, length: Length, finish_ms: f64, now: DateTime<Utc>) -> Prospect {
        let at = |ms: f64| after(now, ms);
        let range = self.forecast[index(length)].range(finish_ms);
        Prospect {
            position: 0,
            finish_at: at(finish_ms),
            between: range.map(|(low, high)| (at(low), at(high))),
            overtaken: false,
        }
    }
}

/// Milliseconds the job takes on a middling worker of the fleet.
fn work_ms(job: &QueuedJob, workers: &[WorkerState]) -> f64 {
    let speeds: Vec<f64> = workers.iter().filter_map(|w| w.model(&job.model)).map(|m| 1.0 / m.standard_ms).collect();
    if speeds.is_empty() { 0.0 } else { job.work * speeds.len() as f64 / speeds.iter().sum::<f64>() }
}

/// Milliseconds on the scale the planner's clock has.
pub(super) fn millis(at: DateTime<Utc>) -> f64 {
    at.timestamp_micros() as f64 / 1_000.0
}
