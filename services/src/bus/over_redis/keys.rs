//! Names of keys and channels.

use domain::{JobId, WorkerId};

use crate::bus::{HeadId, To};

#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix }
    }

    pub(super) fn everyone(&self) -> String {
        format!("{}:all", self.prefix)
    }

    pub(super) fn job(&self, job: JobId) -> String {
        format!("{}:job:{job}", self.prefix)
    }

    pub(super) fn mailbox(&self, address: To) -> String {
        match address {
            To::Head(head) => self.mailbox_of_head(head),
            To::Dispatcher => format!("{}:mail:dispatcher", self.prefix),
        }
    }

    /// What stands before a head's id in the name of its mailbox.
    pub(super) fn head_mailboxes(&self) -> String {
        format!("{}:mail:head:", self.prefix)
    }

    pub(super) fn heads(&self) -> String {
        format!("{}:heads", self.prefix)
    }

    pub(super) fn worker(&self, worker: &WorkerId) -> String {
        format!("{}{worker}", self.worker_records())
    }

    /// What stands before a worker's name in the name of its record.
    pub(super) fn worker_records(&self) -> String {
        format!("{}:worker:", self.prefix)
    }

    pub(super) fn workers(&self) -> String {
        format!("{}:workers", self.prefix)
    }

    fn mailbox_of_head(&self, head: HeadId) -> String {
        format!("{}{head}", self.head_mailboxes())
    }
}
