//! Which jobs a head watches, counted.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::JobId;

/// As long as it lives, its head hears the events of one job.
#[derive(Debug)]
pub struct Watch {
    watched: Arc<Watched>,
    job: JobId,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watched.release(self.job);
    }
}

/// The jobs of one head with the number of their watchers.
pub(super) struct Watched {
    counts: Mutex<HashMap<JobId, usize>>,
    /// Called when a job's last watcher has left.
    unwatched: Box<dyn Fn(JobId) + Send + Sync>,
}

impl Watched {
    pub(super) fn new(unwatched: impl Fn(JobId) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), unwatched: Box::new(unwatched) })
    }

    pub(super) fn watch(self: &Arc<Self>, job: JobId) -> Watch {
        *self.lock().entry(job).or_default() += 1;
        Watch { watched: self.clone(), job }
    }

    pub(super) fn contains(&self, job: JobId) -> bool {
        self.lock().contains_key(&job)
    }

    pub(super) fn all(&self) -> Vec<JobId> {
        self.lock().keys().copied().collect()
    }

    fn release(&self, job: JobId) {
        let mut counts = self.lock();
        let Some(count) = counts.get_mut(&job) else { return };
        *count -= 1;
        if *count == 0 {
            counts.remove(&job);
            drop(counts);
            (self.unwatched)(job);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("counts", &self.counts).finish_non_exhaustive()
    }
}
