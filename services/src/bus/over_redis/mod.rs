//! The bus over Redis 6.2 or later: broadcasts by publish and subscribe,
//! mailboxes as streams with one consumer group, the registry as keys that expire.
//!
//! Under the prefix, `P` here:
//!
//! | key or channel | holds |
//! |---|---|
//! | `P:all` | channel of what concerns every head |
//! | `P:job:ID` | channel of one job's events; heads that watch it subscribe |
//! | `P:mail:head:ID`, `P:mail:dispatcher` | streams; a head is alive while its stream exists |
//! | `P:heads` | set of heads that may be alive |
//! | `P:worker:NAME` | hash of a worker's `owner` and `record` |
//! | `P:workers` | set of workers that may have a record |
//!
//! The scripts name keys that are not among their arguments, so this wants one
//! Redis (with replicas, if you like), not a Redis cluster.

mod keys;
mod link;
mod listener;
mod mailbox;
mod reader;
mod registry;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{JobId, WorkerId};
use tokio::sync::broadcast;

use super::watched::Watched;
use super::{
    Broadcast, Broadcasts, Bus, BusError, BusSettings, DISPATCHER_MAILBOX_TTL, HeadId, Heard, Letter, MAILBOX_CAPACITY,
    Mailbox, Renewal, To, Watch, WorkerRecord,
};
use keys::Keys;
use link::Link;
use listener::Listener;
use mailbox::RedisMailbox;

/// Longest wait for a new connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest wait for a whole call, connecting included.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between attempts to get a lost connection back.
const RETRY: Duration = Duration::from_millis(200);

/// Where Redis is, and who speaks.
#[derive(Clone)]
pub struct RedisSettings {
    /// For example `redis://:password@127.0.0.1:6379`, or `redis+unix:///path?pass=password`.
    pub url: String,
    /// Stands before every key: studios with different databases must not share one.
    pub prefix: String,
    pub head: HeadId,
    pub bus: BusSettings,
}

/// One head's access to the bus over Redis.
#[derive(Debug)]
pub struct RedisBus {
    head: HeadId,
    keys: Arc<Keys>,
    settings: BusSettings,
    link: Arc<Link>,
    listener: Listener,
    watched: Arc<Watched>,
    heard: broadcast::Sender<Heard>,
}

impl RedisBus {
    /// Connects, and waits until broadcasts arrive here.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]: nothing answers at that address. [`BusError::Refused`]: the address can't be
    /// read, or Redis does not let this head in.
    pub async fn open(settings: RedisSettings) -> Result<Self, BusError> {
        let RedisSettings { url, prefix, head, bus } = settings;
        let link = Arc::new(Link::open(&url)?);
        let keys = Arc::new(Keys::new(prefix));
        let heard = broadcast::Sender::new(Broadcasts::BACKLOG);
        let (listener, watched) = Listener::start(head, keys.clone(), link.clone(), heard.clone()).await?;
        Ok(Self { head, keys, settings: bus, link, listener, watched, heard })
    }

    async fn open_mailbox(&self, address: To) -> Result<Box<dyn Mailbox>, BusError> {
        let ttl = match address {
            To::Head(_) => self.settings.mailbox_ttl,
            To::Dispatcher => DISPATCHER_MAILBOX_TTL,
        };
        let mailbox = RedisMailbox::open(self.link.clone(), &self.keys, self.head, address, ttl).await?;
        Ok(Box::new(mailbox))
    }
}

#[async_trait]
impl Bus for RedisBus {
    fn head(&self) -> HeadId {
        self.head
    }

    fn is_alone(&self) -> bool {
        false
    }

    async fn publish(&self, broadcast: &Broadcast) -> Result<(), BusError> {
        let channel = match broadcast {
            Broadcast::JobEvent { job, .. } => self.keys.job(*job),
            Broadcast::Wake | Broadcast::Cancelled { .. } | Broadcast::Pace { .. } => self.keys.everyone(),
        };
        let message = listener::write(self.head, broadcast)?;
        let mut publish = redis::pipe();
        publish.cmd("PUBLISH").arg(channel).arg(message);
        self.link.call::<(u64,)>(&publish).await?;
        Ok(())
    }

    fn subscribe(&self) -> Broadcasts {
        Broadcasts { receiver: self.heard.subscribe() }
    }

    async fn watch(&self, job: JobId) -> Watch {
        let watch = self.watched.watch(job);
        self.listener.attend(job).await;
        watch
    }

    async fn watched(&self) -> Result<HashSet<JobId>, BusError> {
        let mut list = redis::pipe();
        list.cmd("PUBSUB").arg("CHANNELS").arg(self.keys.any_job());
        let (channels,): (Vec<String>,) = self.link.call(&list).await?;
        Ok(channels.iter().filter_map(|channel| self.keys.job_of(channel)).collect())
    }

    async fn send(&self, to: To, letter: &Letter) -> Result<(), BusError> {
        let text = serde_json::to_string(letter).map_err(|error| BusError::Unfit(error.to_string()))?;
        let mailbox = self.keys.mailbox(to);
        let mut send = redis::pipe();
        send.atomic().cmd("XADD").arg(&mailbox);
        if matches!(to, To::Head(_)) {
            // Only the reader makes the stream: without one, nobody is there.
            send.arg("NOMKSTREAM");
        }
        send.arg("MAXLEN").arg("~").arg(MAILBOX_CAPACITY).arg("*");
        send.arg(mailbox::FROM).arg(self.head.to_string()).arg(mailbox::LETTER).arg(text);
        if to == To::Dispatcher {
            send.cmd("PEXPIRE").arg(&mailbox).arg(link::milliseconds(DISPATCHER_MAILBOX_TTL)).ignore();
        }
        let (entry,): (Option<String>,) = self.link.call(&send).await?;
        entry.map(|_| ()).ok_or(BusError::NobodyThere)
    }

    async fn open_own_mailbox(&self) -> Result<Box<dyn Mailbox>, BusError> {
        self.open_mailbox(To::Head(self.head)).await
    }

    async fn open_dispatcher_mailbox(&self) -> Result<Box<dyn Mailbox>, BusError> {
        self.open_mailbox(To::Dispatcher).await
    }

    async fn heads(&self) -> Result<Vec<HeadId>, BusError> {
        registry::heads(&self.link, &self.keys).await
    }

    async fn announce(&self, record: &WorkerRecord, ttl: Duration) -> Result<(), BusError> {
        registry::announce(&self.link, &self.keys, record, ttl).await
    }

    async fn renew(&self, record: &WorkerRecord, ttl: Duration) -> Result<Renewal, BusError> {
        registry::renew(&self.link, &self.keys, record, ttl).await
    }

    async fn withdraw(&self, worker: &WorkerId, connection: u64) -> Result<(), BusError> {
        registry::withdraw(&self.link, &self.keys, worker, self.head, connection).await
    }

    async fn workers(&self) -> Result<Vec<WorkerRecord>, BusError> {
        registry::workers(&self.link, &self.keys).await
    }
}

impl fmt::Debug for RedisSettings {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings").field("prefix", &self.prefix).field("head", &self.head).finish_non_exhaustive()
    }
}
