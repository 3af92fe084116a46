//! The latest decisions against which something spoke, for operators: reasons, and nothing about who it was.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::risk::{Demand, Reason};

/// Decisions that are kept.
const KEPT: usize = 200;

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    /// What was asked for; nothing where a proof had been given or not enough spoke against it.
    pub demand: Demand,
    pub why: Vec<Reason>,
}

/// Cheap to clone; all clones share the entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<VecDeque<Entry>>>);

impl Journal {
    pub(super) fn write(&self, at: DateTime<Utc>, demand: Demand, why: &[Reason]) {
        if why.is_empty() {
            return;
        }
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(Entry { at, demand, why: why.to_vec() });
    }

    /// The newest first.
    pub(super) fn read(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}
