//! Reads one mailbox on a connection of its own, through outages.
//!
//! Each session begins with what was delivered and never acknowledged, by this
//! reader or by an earlier one, and then reads on from where the group stands:
//! `XREADGROUP … >`, never `$`, which would pass over what came in between.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};
use tokio::sync::mpsc;

use super::RETRY;
use super::link::{Link, explain, milliseconds};
use super::mailbox::{FROM, GROUP, InHand, LETTER, Place, Stage};
use crate::bus::{BusError, Delivery, HeadId, Letter, Receipt};

/// Letters read or claimed with one command.
const AT_ONCE: usize = 64;
/// Longest wait for a letter with one command; the mailbox is kept open between two.
const BLOCK: Duration = Duration::from_secs(1);
/// Reads between two searches for letters that another reader died over.
const READS_BETWEEN_CLAIMS: usize = 5;
/// A letter that another reader has had for this long without acknowledging it is taken from it.
const ABANDONED: Duration = Duration::from_secs(5);

pub(super) struct Reader {
    pub link: Arc<Link>,
    pub place: Arc<Place>,
    pub letters: mpsc::Sender<Delivery>,
    pub in_hand: InHand,
}

impl Reader {
    /// Reads until it is aborted, or nobody takes the letters any more.
    pub(super) async fn run(self) {
        let mut reading = true;
        while !self.letters.is_closed() {
            if let Err(error) = self.session(&mut reading).await {
                if std::mem::replace(&mut reading, false) {
                    tracing::warn!(%error, mailbox = %self.place.stream, "letters wait until Redis answers");
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Reads until something fails.
    async fn session(&self, reading: &mut bool) -> Result<(), BusError> {
        let block = BLOCK.min(self.place.ttl / 3);
        let mut connection = self.link.dedicated(block).await?;
        self.keep_open(&mut connection).await?;
        if !std::mem::replace(reading, true) {
            tracing::info!(mailbox = %self.place.stream, "letters are read again");
        }
        let mut unacknowledged_for = Duration::ZERO;
        loop {
            self.claim(&mut connection, unacknowledged_for).await?;
            unacknowledged_for = ABANDONED;
            for _ in 0..READS_BETWEEN_CLAIMS {
                self.keep_open(&mut connection).await?;
                self.read(&mut connection, block).await?;
                if self.letters.is_closed() {
                    return Ok(());
                }
            }
        }
    }

    async fn keep_open(&self, connection: &mut MultiplexedConnection) -> Result<(), BusError> {
        let (_,): (u8,) = self.place.keep_open().query_async(connection).await.map_err(|error| explain(&error))?;
        Ok(())
    }

    async fn read(&self, connection: &mut MultiplexedConnection, block: Duration) -> Result<(), BusError> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(&self.place.consumer).arg("COUNT").arg(AT_ONCE);
        read.arg("BLOCK").arg(milliseconds(block)).arg("STREAMS").arg(&self.place.stream).arg(">");
        let reply: Option<StreamReadReply> = read.query_async(connection).await.map_err(|error| explain(&error))?;
        for entry in reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids) {
            self.hand_over(connection, entry).await?;
        }
        Ok(())
    }

    /// Takes over letters that nobody acknowledged, oldest first, and acknowledges again what Redis could not be
    /// told of.
    async fn claim(&self, connection: &mut MultiplexedConnection, idle: Duration) -> Result<(), BusError> {
        // What is settled before the search begins can't turn up in it or in any later one.
        let settled = self.in_hand.settled();
        let mut start = "0-0".to_owned();
        loop {
            let mut claim = redis::cmd("XAUTOCLAIM");
            claim.arg(&self.place.stream).arg(GROUP).arg(&self.place.consumer).arg(idle.as_millis() as u64);
            claim.arg(&start).arg("COUNT").arg(AT_ONCE);
            let reply: StreamAutoClaimReply = claim.query_async(connection).await.map_err(|error| explain(&error))?;
            for entry in reply.claimed {
                match self.in_hand.stage(&entry.id) {
                    None => self.hand_over(connection, entry).await?,
                    Some(Stage::Unconfirmed) => self.settle(connection, entry.id).await?,
                    Some(Stage::Out | Stage::Settled) => {}
                }
            }
            if reply.next_stream_id == "0-0" {
                break;
            }
            start = reply.next_stream_id;
        }
        self.in_hand.forget(&settled);
        Ok(())
    }

    async fn hand_over(&self, connection: &mut MultiplexedConnection, entry: StreamId) -> Result<(), BusError> {
        let Some((from, letter)) = parse(&entry) else {
            tracing::warn!(mailbox = %self.place.stream, entry = %entry.id, "a letter of another version is dropped");
            return self.settle(connection, entry.id).await;
        };
        let permit = loop {
            tokio::select! {
                permit = self.letters.reserve() => break permit,
                // A slow head is not a dead one.
                () = tokio::time::sleep(self.place.ttl / 3) => self.keep_open(connection).await?,
            }
        };
        if let Ok(permit) = permit {
            // Not before: what was not handed over when the connection fails must be claimed again.
            self.in_hand.set(entry.id.clone(), Stage::Out);
            permit.send(Delivery { receipt: Receipt(entry.id), from, letter });
        }
        Ok(())
    }

    async fn settle(&self, connection: &mut MultiplexedConnection, entry: String) -> Result<(), BusError> {
        let settle = self.place.settle(std::slice::from_ref(&entry));
        let () = settle.query_async(connection).await.map_err(|error| explain(&error))?;
        self.in_hand.set(entry, Stage::Settled);
        Ok(())
    }
}

fn parse(entry: &StreamId) -> Option<(HeadId, Letter)> {
    let from = entry.get::<String>(FROM)?.parse().ok().map(HeadId)?;
    let letter = serde_json::from_str(&entry.get::<String>(LETTER)?).ok()?;
    Some((from, letter))
}
