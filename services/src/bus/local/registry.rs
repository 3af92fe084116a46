//! Workers' records and when they end.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::WorkerId;

use crate::bus::{HeadId, Renewal, WorkerRecord};

#[derive(Debug, Default)]
pub(super) struct Workers {
    records: BTreeMap<WorkerId, Entry>,
}

#[derive(Debug)]
struct Entry {
    record: WorkerRecord,
    until: DateTime<Utc>,
}

impl Workers {
    pub(super) fn announce(&mut self, record: WorkerRecord, until: DateTime<Utc>) {
        self.records.insert(record.hello.id.clone(), Entry { record, until });
    }

    pub(super) fn renew(&mut self, record: WorkerRecord, now: DateTime<Utc>, until: DateTime<Utc>) -> Renewal {
        if let Some(entry) = self.records.get(&record.hello.id)
            && entry.until > now
            && !entry.is_of(record.head, record.connection)
        {
            return Renewal::Replaced;
        }
        self.announce(record, until);
        Renewal::Kept
    }

    pub(super) fn withdraw(&mut self, worker: &WorkerId, head: HeadId, connection: u64) {
        if self.records.get(worker).is_some_and(|entry| entry.is_of(head, connection)) {
            self.records.remove(worker);
        }
    }

    pub(super) fn list(&mut self, now: DateTime<Utc>) -> Vec<WorkerRecord> {
        self.records.retain(|_, entry| entry.until > now);
        self.records.values().map(|entry| entry.record.clone()).collect()
    }
}

impl Entry {
    fn is_of(&self, head: HeadId, connection: u64) -> bool {
        self.record.head == head && self.record.connection == connection
    }
}
