//! Progress from the fleet to whoever watches.
//!
//! Every event has an id. A `State` event says everything about a job, so a
//! watcher that reconnects, with or without the last id it saw, is sent the
//! current state and the latest step of every picture, and has missed nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{JobEvent, JobId, StepProgress};
use tokio::sync::broadcast;

use crate::bus::Watch;

/// Events a slow watcher may fall behind before it is resynchronised.
const BACKLOG: usize = 64;
/// Looks without an event after which steps that nobody watches are forgotten.
const QUIET: u32 = 150;

/// One event with its id.
#[derive(Clone, Debug)]
pub struct Numbered {
    pub id: u64,
    pub event: JobEvent,
}

/// Cheap to clone; all clones share the same channels.
#[derive(Clone, Debug, Default)]
pub struct EventHub {
    channels: Arc<Mutex<HashMap<JobId, Channel>>>,
}

#[derive(Debug)]
struct Channel {
    sender: broadcast::Sender<Numbered>,
    next_id: u64,
    /// Latest step of each unfinished picture.
    latest: HashMap<u32, StepProgress>,
    /// Looks since the last event.
    quiet: u32,
}

/// A place in the audience of one job.
#[derive(Debug)]
pub struct Subscription {
    /// Events of other heads arrive as long as it lives.
    pub(super) watch: Option<Watch>,
    hub: EventHub,
    job: JobId,
    /// Id of the newest event at the moment of subscribing.
    pub last_id: u64,
    /// Latest step of each unfinished picture at that moment.
    pub latest: Vec<StepProgress>,
    receiver: Option<broadcast::Receiver<Numbered>>,
}

impl EventHub {
    /// Joins the audience of `job`.
    pub fn subscribe(&self, job: JobId) -> Subscription {
        let mut channels = self.lock();
        let channel = channels.entry(job).or_insert_with(Channel::new);
        let mut latest: Vec<StepProgress> = channel.latest.values().cloned().collect();
        latest.sort_by_key(|progress| progress.index);
        Subscription {
            watch: None,
            hub: self.clone(),
            job,
            last_id: channel.next_id.saturating_sub(1),
            latest,
            receiver: Some(channel.sender.subscribe()),
        }
    }

    /// Whether anyone is in the audience.
    pub fn is_watched(&self, job: JobId) -> bool {
        self.lock().get(&job).is_some_and(|channel| channel.sender.receiver_count() > 0)
    }

    /// Jobs that have an audience.
    pub fn watched(&self) -> Vec<JobId> {
        let channels = self.lock();
        let watched = channels.iter().filter(|(_, channel)| channel.sender.receiver_count() > 0);
        watched.map(|(job, _)| *job).collect()
    }

    /// Sends an event to the audience of `job`.
    pub fn send(&self, job: JobId, event: JobEvent) {
        let mut channels = self.lock();
        let done = matches!(&event, JobEvent::State(view) if view.status.is_final());
        if done && !channels.contains_key(&job) {
            return;
        }
        let channel = channels.entry(job).or_insert_with(Channel::new);
        channel.quiet = 0;
        match &event {
            JobEvent::Progress(progress) => {
                let mut kept = progress.clone();
                if kept.preview.is_none() {
                    kept.preview = channel.latest.get(&progress.index).and_then(|before| before.preview.clone());
                }
                channel.latest.insert(progress.index, kept);
            }
            // Nothing will come of what was in the making.
            JobEvent::State(view) if view.status.is_final() => channel.latest = HashMap::new(),
            JobEvent::State(view) => {
                channel.latest.retain(|index, _| view.outputs.iter().all(|output| output.index != *index));
            }
        }
        let id = channel.next_id;
        channel.next_id += 1;
        // An error means that nobody listens, which is fine.
        let _ = channel.sender.send(Numbered { id, event });
        if done && channel.sender.receiver_count() == 0 {
            channels.remove(&job);
        }
    }

    /// Forgets a finished job that nobody watches.
    pub fn forget(&self, job: JobId) {
        let mut channels = self.lock();
        if channels.get(&job).is_some_and(|channel| channel.sender.receiver_count() == 0) {
            channels.remove(&job);
        }
    }

    /// Forgets the steps of jobs that nobody watches and nothing was heard of for long: a late step may come after the
    /// last word. To be called every few seconds.
    pub(crate) fn tidy(&self) {
        self.lock().retain(|_, channel| {
            channel.quiet += 1;
            channel.sender.receiver_count() > 0 || channel.quiet < QUIET
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn new() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG), next_id: 1, latest: HashMap::new(), quiet: 0 }
    }
}

impl Subscription {
    /// The next event. `Ok(None)`: some were missed, read the state again. `Err`: there are no more.
    pub async fn next(&mut self) -> Result<Option<Numbered>, Closed> {
        let receiver = self.receiver.as_mut().ok_or(Closed)?;
        match receiver.recv().await {
            Ok(event) => Ok(Some(event)),
            Err(broadcast::error::RecvError::Lagged(_)) => Ok(None),
            Err(broadcast::error::RecvError::Closed) => Err(Closed),
        }
    }
}

/// The channel is closed.
#[derive(Debug, thiserror::Error)]
#[error("there will be no more events")]
pub struct Closed;

impl Drop for Subscription {
    fn drop(&mut self) {
        self.receiver = None;
        let mut channels = self.hub.lock();
        // What is left without an audience and without steps to remember costs nothing to make again.
        if channels.get(&self.job).is_some_and(|c| c.sender.receiver_count() == 0 && c.latest.is_empty()) {
            channels.remove(&self.job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(index: u32, step: u32, preview: Option<&str>) -> JobEvent {
        JobEvent::Progress(StepProgress {
            job: JobId::from_random(1),
            index,
            step,
            steps: 12,
            preview: preview.map(Into::into),
        })
    }

    #[tokio::test]
    async fn a_late_watcher_gets_the_latest_step_and_then_every_event() {
        let hub = EventHub::default();
        let job = JobId::from_random(1);
        hub.send(job, progress(0, 1, Some("p1")));
        hub.send(job, progress(0, 2, None));
        let mut late = hub.subscribe(job);
        assert_eq!(late.latest.len(), 1);
        assert_eq!((late.latest[0].step, late.latest[0].preview.as_deref()), (2, Some("p1")));
        hub.send(job, progress(0, 3, None));
        let event = late.next().await.expect("open").expect("not lagged");
        assert!(event.id > late.last_id);
    }

    #[tokio::test]
    async fn a_slow_watcher_is_told_to_read_again() {
        let hub = EventHub::default();
        let job = JobId::from_random(1);
        let mut slow = hub.subscribe(job);
        for step in 0..200 {
            hub.send(job, progress(0, step, None));
        }
        assert!(slow.next().await.expect("open").is_none());
    }

    #[test]
    fn nothing_is_kept_for_an_empty_audience() {
        let hub = EventHub::default();
        let job = JobId::from_random(1);
        drop(hub.subscribe(job));
        assert!(hub.lock().is_empty());
    }

    #[test]
    fn nothing_is_kept_of_a_cancelled_job_that_was_watched() {
        let hub = EventHub::default();
        let job = JobId::from_random(1);
        let watching = hub.subscribe(job);
        hub.send(job, progress(0, 1, Some("p1")));
        hub.send(job, cancelled(job));
        assert_eq!(hub.subscribe(job).latest, []);
        drop(watching);
        assert!(hub.lock().is_empty());
    }

    #[test]
    fn a_step_after_the_last_word_is_forgotten_in_the_end() {
        let hub = EventHub::default();
        let job = JobId::from_random(1);
        hub.send(job, progress(0, 1, None));
        for _ in 0..QUIET {
            assert!(!hub.lock().is_empty());
            hub.tidy();
        }
        assert!(hub.lock().is_empty());
    }

    fn cancelled(job: JobId) -> JobEvent {
        let request = domain::ValidRequest {
            prompt: "a sea".into(),
            negative_prompt: String::new(),
            model: "starter".into(),
            capability: "image.fast".into(),
            count: 1,
            seed: 5,
            width: 64,
            height: 64,
            steps: 12,
            guidance: 3.0,
            source: None,
        };
        JobEvent::State(Box::new(domain::JobView {
            id: job,
            status: domain::JobState::Cancelled,
            position: None,
            eta_seconds: None,
            eta_range_seconds: None,
            overtaken: false,
            price: 1,
            request,
            outputs: Vec::new(),
            error: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
            finished_at: None,
        }))
    }
}
