//! Mailboxes as streams. A task reads ([`Reader`]); this hands out what it
//! read, and acknowledges.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::keys::Keys;
use super::link::{Link, milliseconds};
use super::reader::Reader;
use crate::bus::{BusError, Delivery, HeadId, Mailbox, Receipt, To};

/// Fields of a stream's entry.
pub(super) const FROM: &str = "from";
pub(super) const LETTER: &str = "letter";
/// The one consumer group of every mailbox.
pub(super) const GROUP: &str = "readers";
/// Letters read ahead.
const AHEAD: usize = 64;

/// Keys: stream, index of heads. Arguments: group, time to live, head to enter into the index or nothing.
/// Makes the stream and its group if need be, and keeps them for another while. The group begins with the oldest
/// letter, so that nothing is passed over that came before it.
const KEEP_OPEN: &str = "
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('SADD', KEYS[2], ARGV[3]) end
return 1";

/// A mailbox being read.
#[derive(Debug)]
pub(super) struct RedisMailbox {
    link: Arc<Link>,
    place: Arc<Place>,
    letters: mpsc::Receiver<Delivery>,
    in_hand: InHand,
    task: JoinHandle<()>,
}

/// Where a mailbox lies, and under which name it is read.
#[derive(Debug)]
pub(super) struct Place {
    pub stream: String,
    /// This head's name within the group: the same for all its readers.
    pub consumer: String,
    /// How long the mailbox stays when nobody reads it.
    pub ttl: Duration,
    heads: String,
    /// Entered into the index of heads.
    alive: String,
}

/// Letters of this reader that Redis may still name as unacknowledged. Shared by reading and acknowledging.
#[derive(Clone, Debug, Default)]
pub(super) struct InHand(Arc<Mutex<HashMap<String, Stage>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Handed out, or about to be.
    Out,
    /// Dealt with, but Redis could not be told.
    Unconfirmed,
    /// Acknowledged. An answer that was under way at that moment may still name it.
    Settled,
}

impl RedisMailbox {
    pub(super) async fn open(
        link: Arc<Link>,
        keys: &Keys,
        head: HeadId,
        address: To,
        ttl: Duration,
    ) -> Result<Self, BusError> {
        let place = Arc::new(Place {
            stream: keys.mailbox(address),
            consumer: head.to_string(),
            ttl,
            heads: keys.heads(),
            alive: if address == To::Dispatcher { String::new() } else { head.to_string() },
        });
        let (_,): (u8,) = link.call(&place.keep_open()).await?;
        let (sender, letters) = mpsc::channel(AHEAD);
        let in_hand = InHand::default();
        let reader = Reader { link: link.clone(), place: place.clone(), letters: sender, in_hand: in_hand.clone() };
        Ok(Self { link, place, letters, in_hand, task: tokio::spawn(reader.run()) })
    }
}

#[async_trait]
impl Mailbox for RedisMailbox {
    async fn next(&mut self) -> Delivery {
        match self.letters.recv().await {
            Some(delivery) => delivery,
            // The reader ends only with this mailbox, or with the runtime.
            None => std::future::pending().await,
        }
    }

    async fn acknowledge(&mut self, receipt: Receipt) -> Result<(), BusError> {
        let settled = self.link.call::<()>(&self.place.settle(std::slice::from_ref(&receipt.0))).await;
        self.in_hand.set(receipt.0, if settled.is_ok() { Stage::Settled } else { Stage::Unconfirmed });
        settled
    }
}

impl Drop for RedisMailbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Place {
    /// Makes the mailbox if it is not there, and keeps it for another while.
    pub(super) fn keep_open(&self) -> redis::Pipeline {
        let mut keep = redis::pipe();
        keep.cmd("EVAL").arg(KEEP_OPEN).arg(2).arg(&self.stream).arg(&self.heads);
        keep.arg(GROUP).arg(milliseconds(self.ttl)).arg(&self.alive);
        keep
    }

    /// Acknowledges entries and removes them, so that a stream holds only what nobody has dealt with.
    pub(super) fn settle(&self, entries: &[String]) -> redis::Pipeline {
        let mut settle = redis::pipe();
        settle.atomic().cmd("XACK").arg(&self.stream).arg(GROUP).arg(entries).ignore();
        settle.cmd("XDEL").arg(&self.stream).arg(entries).ignore();
        settle
    }
}

impl InHand {
    pub(super) fn stage(&self, entry: &str) -> Option<Stage> {
        self.lock().get(entry).copied()
    }

    pub(super) fn set(&self, entry: String, stage: Stage) {
        self.lock().insert(entry, stage);
    }

    /// Entries that are settled by now.
    pub(super) fn settled(&self) -> Vec<String> {
        let settled = |(entry, stage): (&String, &Stage)| (*stage == Stage::Settled).then(|| entry.clone());
        self.lock().iter().filter_map(settled).collect()
    }

    pub(super) fn forget(&self, entries: &[String]) {
        let mut stages = self.lock();
        for entry in entries {
            stages.remove(entry);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Stage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
