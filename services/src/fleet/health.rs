//! How well a worker does: whether it sits out for a while, and how far its times are from what was expected.

use domain::{JobId, WorkerId};

/// Jobs that fail in a row before a worker sits out.
const PATIENCE: u32 = 3;
/// The first rest, in milliseconds; each further failure doubles it.
const FIRST_REST_MS: f64 = 5_000.0;
const LONGEST_REST_MS: f64 = 300_000.0;
/// Weight of the newest job in the ratio of observed to expected time.
const DRIFT_RATE: f64 = 0.2;
/// Jobs before anything is said of that ratio.
const DRIFT_AFTER: u32 = 5;
/// Observed times this many times longer or shorter than expected are worth a warning.
const DRIFT_FACTOR: f64 = 1.5;

/// How a worker does, as the dispatcher sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub worker: WorkerId,
    /// It failed job after job and is given nothing for a while.
    pub rests: bool,
    /// Observed over expected time of its last jobs, once enough was measured.
    pub drift: Option<f64>,
}

/// What is remembered of a worker from one connection to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// Different jobs that it failed, with none done in between.
    failures: u32,
    last_failed: Option<JobId>,
    failed_at_ms: f64,
    rests_until_ms: f64,
    /// Logarithm of observed over expected time, smoothed.
    drift: f64,
    measured: u32,
    drifts: bool,
}

impl Health {
    /// It failed a job. Answers for how many milliseconds it sits out now, if that has just begun.
    ///
    /// A job that fails here again and again says more about the job, and counts once.
    pub(super) fn failed(&mut self, job: JobId, now_ms: f64) -> Option<f64> {
        self.failed_at_ms = now_ms;
        if self.last_failed.replace(job) == Some(job) {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        let beyond = self.failures.checked_sub(PATIENCE)?;
        let rest_ms = (FIRST_REST_MS * 2_f64.powf(f64::from(beyond))).min(LONGEST_REST_MS);
        self.rests_until_ms = now_ms + rest_ms;
        Some(rest_ms)
    }

    /// It did a job.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.last_failed = None;
        self.rests_until_ms = 0.0;
    }

    pub(super) fn rests(&self, now_ms: f64) -> bool {
        now_ms < self.rests_until_ms
    }

    /// Whether it is to be remembered though its worker is not here.
    pub(super) fn matters(&self, now_ms: f64) -> bool {
        self.failures > 0 && now_ms < self.failed_at_ms + 2.0 * LONGEST_REST_MS
    }

    /// A job took so long. Answers the ratio of observed to expected time if it has just become worth a warning.
    pub(super) fn took(&mut self, observed_ms: f64, expected_ms: f64) -> Option<f64> {
        let ratio = observed_ms / expected_ms;
        if !(ratio.is_finite() && ratio > 0.0) {
            return None;
        }
        self.measured = self.measured.saturating_add(1);
        let weight = DRIFT_RATE.max(1.0 / f64::from(self.measured));
        self.drift += weight * (ratio.ln() - self.drift);
        let drifts = self.measured >= DRIFT_AFTER && self.drift.abs() > DRIFT_FACTOR.ln();
        let begins = drifts && !self.drifts;
        self.drifts = drifts;
        begins.then(|| self.drift.exp())
    }

    /// Observed over expected time, once enough was measured.
    pub(super) fn ratio(&self) -> Option<f64> {
        (self.measured >= DRIFT_AFTER).then(|| self.drift.exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: u128) -> JobId {
        JobId::from_random(number)
    }

    #[test]
    fn who_fails_job_after_job_sits_out_longer_and_longer() {
        let mut health = Health::default();
        assert_eq!((health.failed(job(1), 0.0), health.failed(job(2), 0.0)), (None, None));
        assert_eq!(health.failed(job(3), 100.0), Some(5_000.0));
        assert!(health.rests(5_099.0) && !health.rests(5_100.0));
        assert_eq!(health.failed(job(4), 6_000.0), Some(10_000.0));
        let rests: Vec<f64> = (5..20).filter_map(|number| health.failed(job(number), 0.0)).collect();
        assert!(rests.is_sorted() && rests.last() == Some(&LONGEST_REST_MS), "{rests:?}");
        health.succeeded();
        assert!(!health.rests(0.0) && health.failed(job(1), 0.0).is_none());
    }

    #[test]
    fn one_job_that_fails_again_and_again_is_not_the_workers_fault() {
        let mut health = Health::default();
        assert!((0..10).all(|_| health.failed(job(1), 0.0).is_none()));
    }

    #[test]
    fn drift_is_told_once_and_one_hiccup_is_none() {
        let mut health = Health::default();
        for _ in 0..10 {
            assert_eq!(health.took(1_000.0, 1_000.0), None);
        }
        assert_eq!(health.took(3_000.0, 1_000.0), None);
        assert!(health.ratio().is_some_and(|ratio| (1.0..1.5).contains(&ratio)));
        let told: Vec<f64> = (0..10).filter_map(|_| health.took(2_000.0, 1_000.0)).collect();
        assert!(told.len() == 1 && told[0] > 1.5, "{told:?}");
        assert_eq!(Health::default().took(f64::NAN, 0.0), None);
    }
}
