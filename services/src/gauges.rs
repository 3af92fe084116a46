//! Gauges that change now and then. The recorder forgets a gauge that nobody sets, so that a worker that is gone leaves
//! none behind; what is kept here is told anew to every reader.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Name, and the task it is about, if it is about one.
type Key = (&'static str, Option<&'static str>);

static KEPT: Mutex<BTreeMap<Key, f64>> = Mutex::new(BTreeMap::new());

/// Keeps a gauge's value until the next one.
pub(crate) fn keep(name: &'static str, task: Option<&'static str>, value: f64) {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).insert((name, task), value);
}

/// Tells the recorder everything that is kept.
pub fn tell() {
    for ((name, task), value) in &*KEPT.lock().unwrap_or_else(PoisonError::into_inner) {
        match task {
            Some(task) => metrics::gauge!(*name, "task" => *task).set(*value),
            None => metrics::gauge!(*name).set(*value),
        }
    }
}
