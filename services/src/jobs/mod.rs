//! A wish becomes a durable row; its owner reads, watches and cancels it.

mod events;
mod models;
mod outlook;
pub(crate) mod store;

pub use events::{EventHub, Subscription};
pub use models::Models;
pub use outlook::{Outlook, Prospect};

use std::sync::Arc;

use domain::{
    AppError, DeviceId, ErrorView, GenerationRequest, JobEvent, JobId, JobState, JobView, ModelCard, OutputId,
    OutputView, ValidRequest, price,
};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::clock::{self, SharedClock};
use crate::credits::{self, CreditsService};
use crate::db::explain;
use crate::media::MediaStore;

/// Jobs waiting at once; beyond, a new one is told to come back later.
const MAX_QUEUED: usize = 20_000;

/// Submits, reads, watches and cancels jobs.
#[derive(Clone, Debug)]
pub struct Jobs {
    pool: PgPool,
    clock: SharedClock,
    credits: CreditsService,
    media: MediaStore,
    models: Models,
    events: EventHub,
    outlook: Outlook,
    /// Wakes the dispatcher.
    wake: Arc<Notify>,
    /// Tells the fleet that a running job was cancelled.
    cancelled: tokio::sync::mpsc::UnboundedSender<(JobId, i32)>,
}

/// What [`Jobs::new`] is made of.
#[derive(Debug)]
pub struct JobsParts {
    pub pool: PgPool,
    pub clock: SharedClock,
    pub credits: CreditsService,
    pub media: MediaStore,
    pub models: Models,
    pub events: EventHub,
    pub outlook: Outlook,
    pub wake: Arc<Notify>,
    pub cancelled: tokio::sync::mpsc::UnboundedSender<(JobId, i32)>,
}

/// A request that has been checked and priced.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    pub request: ValidRequest,
    pub card: ModelCard,
    /// Credits.
    pub price: u32,
}

impl Jobs {
    pub fn new(parts: JobsParts) -> Self {
        let JobsParts { pool, clock, credits, media, models, events, outlook, wake, cancelled } = parts;
        Self { pool, clock, credits, media, models, events, outlook, wake, cancelled }
    }

    /// Checks and prices a request without doing anything.
    pub async fn quote(&self, request: GenerationRequest) -> Result<Quote, AppError> {
        let cards = self.models.cards().await?;
        let request = request.validate(&cards, clock::random_u128() as u64)?;
        let card = cards.into_iter().find(|card| card.name == request.model).ok_or(AppError::NoModel)?;
        let price = price::price(&request, &card);
        self.credits.check_possible(price)?;
        Ok(Quote { request, card, price })
    }

    /// Accepts a job: the row, the hold and the limits are one transaction.
    pub async fn submit(&self, owner: DeviceId, request: GenerationRequest) -> Result<JobView, AppError> {
        let quote = self.quote(request).await?;
        if self.outlook.queued() >= MAX_QUEUED {
            return Err(AppError::Busy { retry_seconds: 30 });
        }
        let job = store::NewJob {
            id: JobId::from_random(clock::random_u128()),
            owner,
            relative_cost: price::relative_cost(&quote.request, &quote.card),
            price: quote.price,
            request: quote.request,
            created_at: self.clock.now(),
        };
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        store::insert(&mut transaction, &job).await.map_err(explain)?;
        self.credits.hold(&mut transaction, owner, job.id, job.price).await?;
        transaction.commit().await.map_err(explain)?;
        self.wake.notify_one();
        Ok(JobView {
            id: job.id,
            status: JobState::Queued,
            position: None,
            eta_seconds: None,
            price: job.price,
            request: job.request,
            outputs: Vec::new(),
            error: None,
            created_at: job.created_at,
            finished_at: None,
        })
    }

    /// A job of this owner. Missing and forbidden look the same.
    pub async fn get(&self, owner: DeviceId, job: JobId) -> Result<JobView, AppError> {
        let row = store::find(&self.pool, job, Some(owner)).await.map_err(explain)?.ok_or(AppError::NotFound)?;
        self.with_outputs(vec![row]).await?.pop().ok_or(AppError::Internal)
    }

    /// This owner's jobs, newest first.
    pub async fn recent(&self, owner: DeviceId, limit: u32) -> Result<Vec<JobView>, AppError> {
        let rows = store::recent(&self.pool, owner, limit).await.map_err(explain)?;
        self.with_outputs(rows).await
    }

    /// Ends a job early and gives its credits back. Ending a finished job changes nothing.
    pub async fn cancel(&self, owner: DeviceId, job: JobId) -> Result<JobView, AppError> {
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        let ended = store::cancel(&mut transaction, job, owner).await.map_err(explain)?;
        let dropped = if ended.is_some() {
            credits::release(&mut transaction, job).await.map_err(explain)?;
            store::drop_outputs(&mut transaction, job).await.map_err(explain)?
        } else {
            Vec::new()
        };
        transaction.commit().await.map_err(explain)?;
        if let Some(epoch) = ended {
            // The fleet is told which lease ended; if it is gone, so is the worker's work.
            let _ = self.cancelled.send((job, epoch));
            self.outlook.forget(job);
            self.wake.notify_one();
            self.publish(job).await;
        }
        self.delete_files(&dropped).await;
        self.get(owner, job).await
    }

    /// Follows a job of this owner: its state now, and everything from here on.
    pub async fn watch(&self, owner: DeviceId, job: JobId) -> Result<(JobView, Subscription), AppError> {
        // Subscribed before reading, so that nothing falls in between.
        let subscription = self.events.subscribe(job);
        Ok((self.get(owner, job).await?, subscription))
    }

    /// Bytes and media type of a picture this owner may see.
    pub async fn picture(
        &self,
        owner: Option<DeviceId>,
        output: OutputId,
    ) -> Result<(Vec<u8>, String, bool), AppError> {
        let found = store::output(&self.pool, output, owner).await.map_err(explain)?.ok_or(AppError::NotFound)?;
        match self.media.read(output).await {
            Ok(Some(bytes)) => Ok((bytes, found.media_type, found.public)),
            Ok(None) => Err(AppError::NotFound),
            Err(error) => {
                tracing::error!(%error, %output, "a picture could not be read");
                Err(AppError::Internal)
            }
        }
    }

    /// Tells everyone who watches `job` how it stands.
    pub(crate) async fn publish(&self, job: JobId) {
        if !self.events.is_watched(job) {
            return;
        }
        match store::find(&self.pool, job, None).await {
            Ok(Some(row)) => match self.with_outputs(vec![row]).await {
                Ok(mut views) => {
                    if let Some(view) = views.pop() {
                        self.events.send(job, JobEvent::State(Box::new(view)));
                    }
                }
                Err(error) => tracing::warn!(%error, %job, "no event was sent"),
            },
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, %job, "no event was sent"),
        }
    }

    pub(crate) async fn delete_files(&self, outputs: &[OutputId]) {
        for output in outputs {
            if let Err(error) = self.media.delete(*output).await {
                tracing::warn!(%error, %output, "a dropped picture's file stays behind");
            }
        }
    }

    pub(crate) fn events(&self) -> &EventHub {
        &self.events
    }

    async fn with_outputs(&self, rows: Vec<store::JobRow>) -> Result<Vec<JobView>, AppError> {
        let ids: Vec<JobId> = rows.iter().map(|row| JobId(row.id)).collect();
        let mut outputs = store::outputs(&self.pool, &ids).await.map_err(explain)?;
        let now = self.clock.now();
        Ok(rows
            .into_iter()
            .map(|row| {
                let id = JobId(row.id);
                let status = row.state();
                let prospect = if status.is_final() { None } else { self.outlook.get(id) };
                let error: Option<AppError> = row.error.map(|error| error.0);
                JobView {
                    id,
                    status,
                    position: prospect.filter(|_| status == JobState::Queued).map(|prospect| prospect.position),
                    eta_seconds: prospect.map(|prospect| prospect.seconds_left(now)),
                    price: u32::try_from(row.price).unwrap_or(0),
                    request: row.request.0,
                    outputs: outputs.remove(&id).unwrap_or_default(),
                    error: error.as_ref().map(ErrorView::from),
                    created_at: row.created_at,
                    finished_at: row.finished_at,
                }
            })
            .collect())
    }
}

/// Address of a picture.
pub(crate) fn media_url(id: OutputId) -> String {
    format!("/media/{id}")
}

impl From<store::OutputRow> for OutputView {
    fn from(row: store::OutputRow) -> Self {
        let side = |value: i32| u32::try_from(value).unwrap_or(0);
        Self {
            id: OutputId(row.id),
            index: side(row.index),
            url: media_url(OutputId(row.id)),
            width: side(row.width),
            height: side(row.height),
            seed: u64::try_from(row.seed).unwrap_or(0),
        }
    }
}
