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

    /// A pattern that the channels of all jobs match.
    pub(super) fn any_job(&self) -> String {
        let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '^' | '\\');
        let escape = |c: char| special(c).then_some('\\').into_iter().chain([c]);
        format!("{}:job:*", self.prefix.chars().flat_map(escape).collect::<String>())
    }

    /// The job that a channel belongs to.
    pub(super) fn job_of(&self, channel: &str) -> Option<JobId> {
        channel.strip_prefix(&self.prefix)?.strip_prefix(":job:")?.parse().ok()
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
