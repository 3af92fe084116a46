//! What waiting people are told: place in the queue and expected finish, from the latest plan.
//!
//! Derived state, kept in memory: after a restart it is unknown, and left out,
//! until the next plan.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use domain::JobId;

/// What is expected of one job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prospect {
    /// Jobs ahead in the queue; 0 is next.
    pub position: u32,
    pub finish_at: DateTime<Utc>,
    /// Earliest and latest likely finish, where enough is known to say.
    pub between: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// A job of the priority lane is ahead.
    pub overtaken: bool,
}

impl Prospect {
    /// Seconds until the expected finish, to a tenth; never negative.
    pub fn seconds_left(&self, now: DateTime<Utc>) -> f64 {
        seconds_until(self.finish_at, now)
    }

    /// Seconds until the earliest and the latest likely finish.
    pub fn range_left(&self, now: DateTime<Utc>) -> Option<[f64; 2]> {
        self.between.map(|(low, high)| [seconds_until(low, now), seconds_until(high, now)])
    }
}

fn seconds_until(at: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    let ms = (at - now).num_milliseconds().max(0);
    (ms as f64 / 100.0).round() / 10.0
}

/// How long the pace of the queue is believed.
const PACE_HOLDS: TimeDelta = TimeDelta::seconds(30);
/// A prospect this much older than the finish it foretold is forgotten.
const OVERDUE: TimeDelta = TimeDelta::minutes(15);
/// Most prospects that are kept of what another head's dispatcher said.
const MOST_WAITING: usize = 50_000;
/// Waits that are remembered of each model, for how long, and how many are needed to say anything.
const WAITS_OF_EACH: usize = 32;
const WAITS_HOLD: TimeDelta = TimeDelta::hours(1);
const LEAST_WAITS: usize = 4;
/// Further into the future nothing is foretold: 30 days, in milliseconds.
const HORIZON_MS: f64 = 30.0 * 86_400_000.0;

/// The moment so many milliseconds from now, or the furthest that is foretold.
pub(crate) fn after(now: DateTime<Utc>, ms: f64) -> DateTime<Utc> {
    // What is not a number counts as nothing.
    let ms = ms.clamp(0.0, HORIZON_MS) as i64;
    now.checked_add_signed(TimeDelta::milliseconds(ms)).unwrap_or(now)
}

/// Cheap to clone; all clones see the same prospects.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    inner: Arc<RwLock<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Jobs in the queue, with or without a prospect.
    queued: usize,
    waiting: HashMap<JobId, Prospect>,
    running: HashMap<JobId, Prospect>,
    /// Jobs served in a second, and when that was so.
    pace: Option<(f64, DateTime<Utc>)>,
    /// How long people waited lately, by model: when it ended, and its seconds.
    waits: HashMap<String, VecDeque<(DateTime<Utc>, f64)>>,
}

impl Outlook {
    pub fn get(&self, job: JobId) -> Option<Prospect> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.running.get(&job).or_else(|| inner.waiting.get(&job)).copied()
    }

    /// Jobs that wait, as last counted.
    pub fn queued(&self) -> usize {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).queued
    }

    /// Seconds until the next `jobs` of those that wait are expected to be done, where anybody knows.
    pub(crate) fn seconds_to_serve(&self, jobs: usize, now: DateTime<Utc>) -> Option<u32> {
        let jobs_per_second = self.pace(now)?;
        // Saturates.
        Some((jobs as f64 / jobs_per_second).ceil() as u32)
    }

    /// Jobs served in a second, as far as was heard lately.
    pub(crate) fn pace(&self, now: DateTime<Utc>) -> Option<f64> {
        let (pace, at) = self.inner.read().unwrap_or_else(PoisonError::into_inner).pace?;
        (now - at <= PACE_HOLDS).then_some(pace)
    }

    /// The dispatcher, here or elsewhere, expects the queue to be served at this pace.
    pub(crate) fn learn_pace(&self, jobs_per_second: f64, now: DateTime<Utc>) {
        let known = (jobs_per_second.is_finite() && jobs_per_second > 0.0).then_some((jobs_per_second, now));
        self.inner.write().unwrap_or_else(PoisonError::into_inner).pace = known;
    }

    /// Somebody had everything of a job this long after asking for it.
    pub(crate) fn learn_wait(&self, model: &str, seconds: f64, now: DateTime<Utc>) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let waits = inner.waits.entry(model.to_owned()).or_default();
        waits.truncate(WAITS_OF_EACH - 1);
        waits.push_front((now, seconds));
    }

    /// Seconds that people waited for a job of each model lately, from asking to having: half of the waits lie between
    /// the two. Models that too few were made with are left out.
    pub fn waits(&self, now: DateTime<Utc>) -> Vec<(String, [f64; 2])> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let mut told: Vec<_> =
            inner.waits.iter().filter_map(|(model, waits)| Some((model.clone(), middle(waits, now)?))).collect();
        told.sort_by(|(one, _), (other, _)| one.cmp(other));
        told
    }

    /// Forgets what was expected of jobs that should have ended long ago: where others dispatch, nobody may say so.
    pub(crate) fn tidy(&self, now: DateTime<Utc>) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let holds = |_: &JobId, prospect: &mut Prospect| now - prospect.finish_at < OVERDUE;
        inner.waiting.retain(holds);
        inner.running.retain(holds);
        inner.waits.retain(|_, waits| waits.front().is_some_and(|(at, _)| now - *at < WAITS_HOLD));
    }

    /// Counts a job that was just accepted, until the queue is counted again.
    pub(crate) fn one_more_queued(&self) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).queued += 1;
    }

    pub(crate) fn count_queued(&self, queued: usize) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).queued = queued;
    }

    /// Replaces what is expected of waiting jobs; answers the jobs whose place changed.
    ///
    /// A place only ever goes down, unless a job of the priority lane overtakes, and then it says so: what a
    /// fairer turn of somebody else costs shows in the time, not as a step back.
    pub(crate) fn replace_waiting(&self, mut waiting: HashMap<JobId, Prospect>) -> Vec<JobId> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let mut moved = Vec::new();
        for (job, now) in &mut waiting {
            let before = inner.waiting.get(job);
            if let Some(before) = before
                && !now.overtaken
            {
                now.position = now.position.min(before.position);
            }
            if before.is_none_or(|before| before.position != now.position) {
                moved.push(*job);
            }
        }
        // Who waits does not run, even if nobody said that a lease had ended.
        inner.running.retain(|job, _| !waiting.contains_key(job));
        inner.waiting = waiting;
        moved
    }

    /// What the dispatcher of another head expects of a job.
    pub(crate) fn learn(&self, job: JobId, prospect: Prospect, running: bool) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if running {
            inner.waiting.remove(&job);
            inner.running.insert(job, prospect);
        } else if inner.waiting.len() < MOST_WAITING {
            inner.waiting.insert(job, prospect);
        }
    }

    pub(crate) fn started(&self, job: JobId, prospect: Prospect) {
        self.learn(job, prospect, true);
    }

    pub(crate) fn forget(&self, job: JobId) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.remove(&job);
        inner.running.remove(&job);
    }
}

/// The quarters between which half of the waits lie.
fn middle(waits: &VecDeque<(DateTime<Utc>, f64)>, now: DateTime<Utc>) -> Option<[f64; 2]> {
    let recent = waits.iter().filter(|(at, _)| now - *at < WAITS_HOLD);
    let mut seconds: Vec<f64> = recent.map(|(_, seconds)| *seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let at = |quarter: usize| seconds.get((seconds.len() - 1) * quarter / 4).copied();
    if seconds.len() < LEAST_WAITS { None } else { Some([at(1)?, at(3)?]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: u128) -> JobId {
        JobId::from_random(number)
    }

    fn prospect(position: u32, overtaken: bool) -> Prospect {
        Prospect { position, finish_at: DateTime::UNIX_EPOCH, between: None, overtaken }
    }

    fn places(outlook: &Outlook) -> Vec<Option<u32>> {
        (1..=3).map(|number| outlook.get(job(number)).map(|prospect| prospect.position)).collect()
    }

    #[test]
    fn a_place_goes_up_only_where_the_priority_lane_overtakes() {
        let outlook = Outlook::default();
        let all = |places: [(u32, bool); 3]| {
            let one =
                |(at, (place, overtaken)): (usize, (u32, bool))| (job(at as u128 + 1), prospect(place, overtaken));
            places.into_iter().enumerate().map(one).collect::<HashMap<_, _>>()
        };
        assert_eq!(outlook.replace_waiting(all([(0, false), (1, false), (2, false)])).len(), 3);
        let mut moved = outlook.replace_waiting(all([(1, false), (0, false), (5, true)]));
        moved.sort();
        let mut expected = vec![job(2), job(3)];
        expected.sort();
        assert_eq!(moved, expected);
        assert_eq!(places(&outlook), [Some(0), Some(0), Some(5)]);
    }

    #[test]
    fn how_long_it_takes_is_told_only_while_it_is_known() {
        let (outlook, now) = (Outlook::default(), DateTime::UNIX_EPOCH);
        assert_eq!(outlook.seconds_to_serve(10, now), None);
        outlook.learn_pace(0.5, now);
        assert_eq!(outlook.seconds_to_serve(10, now), Some(20));
        assert_eq!(outlook.seconds_to_serve(10, now + TimeDelta::seconds(31)), None);
        outlook.learn_pace(f64::INFINITY, now);
        assert_eq!(outlook.seconds_to_serve(10, now), None);
    }

    #[test]
    fn what_people_waited_is_told_while_enough_of_them_did_lately() {
        let (outlook, now) = (Outlook::default(), DateTime::UNIX_EPOCH);
        for seconds in [9.0, 3.0, 4.0] {
            outlook.learn_wait("starter", seconds, now);
        }
        assert_eq!(outlook.waits(now), []);
        outlook.learn_wait("starter", 5.0, now);
        outlook.learn_wait("other", 5.0, now);
        assert_eq!(outlook.waits(now), [("starter".to_owned(), [3.0, 5.0])]);
        for _ in 0..40 {
            outlook.learn_wait("starter", 7.0, now);
        }
        assert_eq!(outlook.waits(now), [("starter".to_owned(), [7.0, 7.0])], "only the latest count");
        assert_eq!(outlook.waits(now + TimeDelta::minutes(61)), []);
    }

    #[test]
    fn what_should_have_ended_long_ago_is_forgotten() {
        let outlook = Outlook::default();
        outlook.learn(job(1), prospect(0, false), false);
        outlook.learn(job(2), prospect(0, false), true);
        outlook.tidy(DateTime::UNIX_EPOCH + TimeDelta::minutes(14));
        assert_eq!(places(&outlook), [Some(0), Some(0), None]);
        outlook.tidy(DateTime::UNIX_EPOCH + TimeDelta::minutes(16));
        assert_eq!(places(&outlook), [None, None, None]);
    }

    #[test]
    fn what_waits_again_runs_no_longer() {
        let outlook = Outlook::default();
        outlook.started(job(1), prospect(0, false));
        outlook.replace_waiting(HashMap::from([(job(1), prospect(7, false))]));
        assert_eq!(places(&outlook), [Some(7), None, None]);
        outlook.replace_waiting(HashMap::new());
        assert_eq!(places(&outlook), [None, None, None]);
    }
}
