//! What waiting people are told: place in the queue and expected finish, from the latest plan.
//!
//! Derived state, kept in memory: after a restart it is unknown, and left out,
//! until the next plan.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use domain::JobId;

/// What is expected of one job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prospect {
    /// Jobs ahead in the queue; 0 is next.
    pub position: u32,
    pub finish_at: DateTime<Utc>,
}

impl Prospect {
    /// Seconds until the expected finish, to a tenth; never negative.
    pub fn seconds_left(&self, now: DateTime<Utc>) -> f64 {
        let ms = (self.finish_at - now).num_milliseconds().max(0);
        (ms as f64 / 100.0).round() / 10.0
    }
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

    pub(crate) fn count_queued(&self, queued: usize) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).queued = queued;
    }

    /// Replaces what is expected of waiting jobs; answers the jobs whose place changed.
    pub(crate) fn replace_waiting(&self, waiting: HashMap<JobId, Prospect>) -> Vec<JobId> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let moved = waiting
            .iter()
            .filter(|(job, now)| inner.waiting.get(job).is_none_or(|before| before.position != now.position))
            .map(|(job, _)| *job)
            .collect();
        inner.waiting = waiting;
        moved
    }

    pub(crate) fn started(&self, job: JobId, finish_at: DateTime<Utc>) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.remove(&job);
        inner.running.insert(job, Prospect { position: 0, finish_at });
    }

    pub(crate) fn forget(&self, job: JobId) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.remove(&job);
        inner.running.remove(&job);
    }
}
