//! Mailboxes in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use super::{LocalHub, later};
use crate::bus::{BusError, DISPATCHER_MAILBOX_TTL, Delivery, HeadId, Letter, MAILBOX_CAPACITY, Mailbox, Receipt, To};

#[derive(Debug, Default)]
pub(super) struct Mail {
    slots: BTreeMap<To, Slot>,
    last_reader: u64,
    last_letter: u64,
}

#[derive(Debug, Default)]
struct Slot {
    waiting: VecDeque<Stored>,
    /// Handed out and not acknowledged, by number.
    in_hand: BTreeMap<u64, Stored>,
    /// The reader that has the mailbox open.
    reader: Option<u64>,
    /// While nobody has it open: when its letters go.
    until: Option<DateTime<Utc>>,
    arrived: Arc<Notify>,
}

#[derive(Clone, Debug)]
struct Stored {
    number: u64,
    from: HeadId,
    letter: Letter,
}

impl Mail {
    pub(super) fn send(&mut self, to: To, from: HeadId, letter: Letter, now: DateTime<Utc>) -> Result<(), BusError> {
        self.drop_expired(now);
        if matches!(to, To::Head(_)) && !self.slots.contains_key(&to) {
            return Err(BusError::NobodyThere);
        }
        self.last_letter += 1;
        let slot = self.slots.entry(to).or_default();
        slot.waiting.push_back(Stored { number: self.last_letter, from, letter });
        if slot.waiting.len() > MAILBOX_CAPACITY {
            slot.waiting.pop_front();
        }
        if slot.reader.is_none() && to == To::Dispatcher {
            slot.until = Some(later(now, DISPATCHER_MAILBOX_TTL));
        }
        slot.arrived.notify_one();
        Ok(())
    }

    pub(super) fn heads(&mut self, now: DateTime<Utc>) -> Vec<HeadId> {
        self.drop_expired(now);
        let head = |address: &To| match address {
            To::Head(head) => Some(*head),
            To::Dispatcher => None,
        };
        self.slots.keys().filter_map(head).collect()
    }

    fn open(&mut self, address: To, now: DateTime<Utc>) -> (u64, Arc<Notify>) {
        self.drop_expired(now);
        self.last_reader += 1;
        let slot = self.slots.entry(address).or_default();
        slot.reader = Some(self.last_reader);
        slot.until = None;
        slot.put_back();
        // A new one, so that an earlier reader takes no wake-up away.
        slot.arrived = Arc::new(Notify::new());
        slot.arrived.notify_one();
        (self.last_reader, slot.arrived.clone())
    }

    fn take(&mut self, address: To, reader: u64) -> Option<Stored> {
        let slot = self.slot_of(address, reader)?;
        let stored = slot.waiting.pop_front()?;
        slot.in_hand.insert(stored.number, stored.clone());
        Some(stored)
    }

    fn acknowledge(&mut self, address: To, receipt: &Receipt) {
        let (Some(slot), Ok(number)) = (self.slots.get_mut(&address), receipt.0.parse::<u64>()) else { return };
        if slot.in_hand.remove(&number).is_none() {
            // Its reader has been replaced, and it waits again.
            slot.waiting.retain(|stored| stored.number != number);
        }
    }

    fn close(&mut self, address: To, reader: u64, until: DateTime<Utc>) {
        if let Some(slot) = self.slot_of(address, reader) {
            slot.reader = None;
            slot.until = Some(until);
            slot.put_back();
        }
    }

    fn slot_of(&mut self, address: To, reader: u64) -> Option<&mut Slot> {
        self.slots.get_mut(&address).filter(|slot| slot.reader == Some(reader))
    }

    fn drop_expired(&mut self, now: DateTime<Utc>) {
        self.slots.retain(|_, slot| slot.until.is_none_or(|until| until > now));
    }
}

impl Slot {
    /// What was handed out in vain comes again, first.
    fn put_back(&mut self) {
        for (_, stored) in std::mem::take(&mut self.in_hand).into_iter().rev() {
            self.waiting.push_front(stored);
        }
    }
}

/// A mailbox being read.
#[derive(Debug)]
pub(super) struct LocalMailbox {
    hub: LocalHub,
    address: To,
    reader: u64,
    arrived: Arc<Notify>,
}

impl LocalMailbox {
    pub(super) fn open(hub: &LocalHub, address: To) -> Self {
        let now = hub.now();
        let (reader, arrived) = hub.lock().mail.open(address, now);
        Self { hub: hub.clone(), address, reader, arrived }
    }
}

#[async_trait]
impl Mailbox for LocalMailbox {
    async fn next(&mut self) -> Delivery {
        loop {
            let taken = self.hub.lock().mail.take(self.address, self.reader);
            if let Some(Stored { number, from, letter }) = taken {
                return Delivery { receipt: Receipt(number.to_string()), from, letter };
            }
            self.arrived.notified().await;
        }
    }

    async fn acknowledge(&mut self, receipt: Receipt) -> Result<(), BusError> {
        self.hub.lock().mail.acknowledge(self.address, &receipt);
        Ok(())
    }
}

impl Drop for LocalMailbox {
    fn drop(&mut self) {
        let ttl = match self.address {
            To::Head(_) => self.hub.settings.mailbox_ttl,
            To::Dispatcher => DISPATCHER_MAILBOX_TTL,
        };
        let until = later(self.hub.now(), ttl);
        self.hub.lock().mail.close(self.address, self.reader, until);
    }
}
