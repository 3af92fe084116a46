//! What reaches this head over the bus: letters for its workers, and what other heads tell everyone.

use std::time::Duration;

use domain::worker::{Assignment, Lease, ToWorker};
use domain::{JobEvent, JobId, JobState, WorkerId};
use tokio::sync::mpsc;

use super::{Fleet, GiveBack, lease, store, workers};
use crate::bus::{Broadcast, Heard, Letter, Mailbox, Renewal};
use crate::jobs::{Prospect, after};

/// Pause before another attempt to open this head's mailbox.
const RETRY: Duration = Duration::from_secs(1);
/// How often a head looks at what others change.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Fleet {
    /// Serves the bus until the future is dropped: letters, broadcasts and rings of the bell. Every head runs it.
    pub async fn serve_bus(&self, cancelled: &mut mpsc::UnboundedReceiver<(JobId, i32)>) {
        tokio::join!(
            self.read_mailbox(),
            self.listen(),
            self.bell.pass_on(self.bus.as_ref()),
            self.forward_cancellations(cancelled),
            self.keep_up_to_date(),
        );
    }

    async fn read_mailbox(&self) {
        let mut mailbox: Box<dyn Mailbox> = loop {
            match self.bus.open_own_mailbox().await {
                Ok(mailbox) => break mailbox,
                Err(error) => tracing::warn!(%error, "other heads can't reach this one"),
            }
            tokio::time::sleep(RETRY).await;
        };
        loop {
            let delivery = mailbox.next().await;
            if let Letter::ToWorker { worker, connection, message } = delivery.letter {
                self.pass_on(worker, connection, message).await;
            }
            if let Err(error) = mailbox.acknowledge(delivery.receipt).await {
                tracing::debug!(%error, "a letter may come again; the epoch of its lease makes that harmless");
            }
        }
    }

    async fn pass_on(&self, worker: WorkerId, connection: u64, message: ToWorker) {
        let lease = match &message {
            ToWorker::Assign(Assignment { job, epoch, .. }) => Some(Lease { job: *job, epoch: *epoch }),
            _ => None,
        };
        // One that comes again, because it could not be acknowledged, was handed over before.
        if lease.is_some_and(|lease| self.connections.holder(lease.job, lease.epoch).is_some())
            || self.connections.pass(&worker, connection, message).is_ok()
        {
            return;
        }
        self.tell_dispatcher(Letter::Left { worker, connection }).await;
        if let Some(lease) = lease
            && let Err(error) = self.give_back(lease, GiveBack::Unsent).await
        {
            tracing::warn!(%error, job = %lease.job, "an unsent job waits for its lease to end");
        }
    }

    async fn listen(&self) {
        let mut broadcasts = self.bus.subscribe();
        while let Some(heard) = broadcasts.next().await {
            match heard {
                Heard::Message { broadcast: Broadcast::Wake, .. } => self.bell.ring_here(),
                Heard::Message { broadcast: Broadcast::Cancelled { job, epoch }, .. } => {
                    self.forget_cancelled(Lease { job, epoch });
                }
                Heard::Message { broadcast: Broadcast::JobEvent { job, event }, .. } => {
                    self.learn(job, &event);
                    self.jobs.events().send(job, event);
                }
                Heard::Message { broadcast: Broadcast::Pace { jobs_per_second }, .. } => {
                    self.outlook.learn_pace(jobs_per_second, self.clock.now());
                }
                Heard::Gap => {
                    self.introduce_again().await;
                    self.bell.ring_here();
                    for job in self.jobs.events().watched() {
                        self.jobs.publish_here(job).await;
                    }
                }
            }
        }
    }

    /// After an outage the bus may have forgotten this head's workers, who would wait for their next heartbeat.
    async fn introduce_again(&self) {
        for record in self.connections.records() {
            match self.bus.renew(&record, lease()).await {
                Ok(Renewal::Kept) => self.tell_dispatcher(Letter::Joined(Box::new(record))).await,
                Ok(Renewal::Replaced) => {}
                Err(error) => tracing::debug!(%error, "the next heartbeat makes up for it"),
            }
        }
    }

    /// What the dispatcher expects of a job reaches other heads with the job's state.
    fn learn(&self, job: JobId, event: &JobEvent) {
        let JobEvent::State(view) = event else { return };
        self.jobs.learn_wait(view);
        let Some(eta_seconds) = view.eta_seconds.filter(|_| !view.status.is_final()) else {
            self.outlook.forget(job);
            return;
        };
        let now = self.clock.now();
        let at = |seconds: f64| after(now, seconds * 1_000.0);
        let prospect = Prospect {
            position: view.position.unwrap_or(0),
            finish_at: at(eta_seconds),
            between: view.eta_range_seconds.map(|[low, high]| (at(low), at(high))),
            overtaken: view.overtaken,
        };
        self.outlook.learn(job, prospect, view.status == JobState::Running);
    }

    /// Keeps at hand what this head has to know whether it dispatches or not.
    async fn keep_up_to_date(&self) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if let Err(error) = self.look_around().await {
                tracing::debug!(%error, "what this head knows may be old");
            }
        }
    }

    /// The depth of the queue, by which people are turned away, what the operator wants of workers, and their models.
    async fn look_around(&self) -> Result<(), sqlx::Error> {
        let queued = store::count_queued(&self.pool).await?;
        self.outlook.count_queued(usize::try_from(queued).unwrap_or(0));
        self.connections.drained(workers::store::drained(&self.pool).await?);
        self.outlook.tidy(self.clock.now());
        self.jobs.events().tidy();
        self.refresh_models().await
    }

    async fn forward_cancellations(&self, cancelled: &mut mpsc::UnboundedReceiver<(JobId, i32)>) {
        while let Some((job, epoch)) = cancelled.recv().await {
            self.cancel_lease(Lease { job, epoch }).await;
        }
    }
}
