//! Hears broadcasts on a connection of its own, and subscribes to the jobs
//! that its head watches.
//!
//! Which jobs those are is kept in [`Watched`]; a command only says "look at
//! this job again". So the order of commands does not matter, and after a
//! reconnection everything that is watched is subscribed to.

use std::collections::HashSet;
use std::sync::Arc;

use domain::JobId;
use redis::aio::{PubSubSink, PubSubStream};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use super::keys::Keys;
use super::link::{Link, explain};
use super::{CALL_TIMEOUT, RETRY};
use crate::bus::watched::Watched;
use crate::bus::{Broadcast, BusError, HeadId, Heard};

/// Jobs subscribed to with one command after a reconnection.
const AT_ONCE: usize = 500;

/// A broadcast as it crosses Redis.
pub(super) fn write(from: HeadId, broadcast: &Broadcast) -> Result<String, BusError> {
    #[derive(Serialize)]
    struct Envelope<'a> {
        from: HeadId,
        broadcast: &'a Broadcast,
    }
    serde_json::to_string(&Envelope { from, broadcast }).map_err(|error| BusError::Unfit(error.to_string()))
}

/// The running listener. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Listener {
    commands: mpsc::UnboundedSender<Look>,
    task: JoinHandle<()>,
}

/// Subscribe to a job or no longer, as [`Watched`] says.
#[derive(Debug)]
struct Look {
    job: JobId,
    done: Option<oneshot::Sender<()>>,
}

impl Listener {
    /// Starts listening; answers when broadcasts arrive.
    pub(super) async fn start(
        head: HeadId,
        keys: Arc<Keys>,
        link: Arc<Link>,
        heard: broadcast::Sender<Heard>,
    ) -> Result<(Self, Arc<Watched>), BusError> {
        let (commands, looks) = mpsc::unbounded_channel();
        let unwatched = commands.clone();
        let watched = Watched::new(move |job| {
            // An error means that the listener has ended, and its subscriptions with it.
            let _ = unwatched.send(Look { job, done: None });
        });
        let ear = Ear { head, keys, link, watched: watched.clone(), heard };
        let first = ear.connect().await?;
        let task = tokio::spawn(ear.run(first, looks));
        Ok((Self { commands, task }, watched))
    }

    /// Waits until a job that has just become watched is subscribed to, but not for ever: a reconnection
    /// subscribes to it, and tells of the gap.
    pub(super) async fn attend(&self, job: JobId) {
        let (done, subscribed) = oneshot::channel();
        if self.commands.send(Look { job, done: Some(done) }).is_ok() {
            let _ = timeout(CALL_TIMEOUT, subscribed).await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Ear {
    head: HeadId,
    keys: Arc<Keys>,
    link: Arc<Link>,
    watched: Arc<Watched>,
    heard: broadcast::Sender<Heard>,
}

/// A connection with its subscriptions.
struct Subscribed {
    sink: PubSubSink,
    stream: PubSubStream,
    jobs: HashSet<JobId>,
}

impl Ear {
    async fn run(self, first: Subscribed, mut looks: mpsc::UnboundedReceiver<Look>) {
        let mut subscribed = first;
        loop {
            let error = self.listen(&mut subscribed, &mut looks).await;
            tracing::warn!(%error, "other heads are not heard until Redis answers");
            let mut waiting = Vec::new();
            subscribed = loop {
                tokio::time::sleep(RETRY).await;
                // Connecting subscribes to everything that is watched by now.
                while let Ok(look) = looks.try_recv() {
                    waiting.extend(look.done);
                }
                match self.connect().await {
                    Ok(subscribed) => break subscribed,
                    Err(error) => tracing::debug!(%error, "Redis is still away"),
                }
            };
            tracing::info!("other heads are heard again");
            for done in waiting {
                // Those who gave up waiting are told of the gap like everybody.
                let _ = done.send(());
            }
            self.tell(Heard::Gap);
        }
    }

    async fn connect(&self) -> Result<Subscribed, BusError> {
        let (mut sink, stream) = self.link.subscriber().await?.split();
        within(sink.subscribe(self.keys.everyone())).await?;
        let jobs = self.watched.all();
        for some in jobs.chunks(AT_ONCE) {
            let channels: Vec<String> = some.iter().map(|job| self.keys.job(*job)).collect();
            within(sink.subscribe(channels)).await?;
        }
        Ok(Subscribed { sink, stream, jobs: jobs.into_iter().collect() })
    }

    /// Passes messages on until the connection fails.
    async fn listen(&self, subscribed: &mut Subscribed, looks: &mut mpsc::UnboundedReceiver<Look>) -> BusError {
        loop {
            tokio::select! {
                message = subscribed.stream.next() => match message {
                    Some(message) => self.hear(message.get_payload_bytes()),
                    None => return BusError::Unavailable("the connection was closed".into()),
                },
                // While the bus lives, so does the other end of this channel.
                Some(look) = looks.recv() => {
                    if let Err(error) = self.look(subscribed, look.job).await {
                        return error;
                    }
                    // Whoever waited for this gave up: what came in between may be missing.
                    if look.done.is_some_and(|done| done.send(()).is_err()) {
                        self.tell(Heard::Gap);
                    }
                }
            }
        }
    }

    async fn look(&self, subscribed: &mut Subscribed, job: JobId) -> Result<(), BusError> {
        let is_watched = self.watched.contains(job);
        if is_watched && subscribed.jobs.insert(job) {
            within(subscribed.sink.subscribe(self.keys.job(job))).await?;
        } else if !is_watched && subscribed.jobs.remove(&job) {
            within(subscribed.sink.unsubscribe(self.keys.job(job))).await?;
        }
        Ok(())
    }

    fn hear(&self, message: &[u8]) {
        #[derive(Deserialize)]
        struct Envelope {
            from: HeadId,
            broadcast: Broadcast,
        }
        match serde_json::from_slice(message) {
            Ok(Envelope { from, .. }) if from == self.head => {}
            Ok(Envelope { from, broadcast }) => self.tell(Heard::Message { from, broadcast }),
            Err(error) => tracing::warn!(%error, "a broadcast of another version is skipped"),
        }
    }

    fn tell(&self, heard: Heard) {
        // An error means that nobody listens, which is fine.
        let _ = self.heard.send(heard);
    }
}

async fn within(subscribe: impl Future<Output = redis::RedisResult<()>>) -> Result<(), BusError> {
    match timeout(CALL_TIMEOUT, subscribe).await {
        Ok(result) => result.map_err(|error| explain(&error)),
        Err(_) => Err(BusError::Unavailable("no answer in time".into())),
    }
}
