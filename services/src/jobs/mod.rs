//! A wish becomes a durable row; its owner reads, watches and cancels it.

mod admission;
mod events;
mod history;
mod models;
mod outlook;
pub(crate) mod store;

pub use admission::{Admission, Admitted};
pub use events::{EventHub, Subscription};
pub(crate) use history::patterns;
pub use history::{History, Search, Trail};
pub use models::{Models, Source};
pub(crate) use outlook::after;
pub use outlook::{Outlook, Prospect};

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::{
    AppError, DeviceId, ErrorView, GenerationRequest, JobEvent, JobId, JobState, JobView, ModelCard, Original,
    OutputId, OutputView, Plan, ValidRequest, price,
};
use sqlx::PgPool;

use crate::bell::Bell;
use crate::bus::{Broadcast, Bus};
use crate::clock::{self, SharedClock};
use crate::credits::{self, CreditsService};
use crate::db::explain;
use crate::group::Group;
use crate::media::MediaStore;

/// Jobs waiting at once by default; beyond, a new one is told to come back later.
pub const MAX_QUEUED: usize = 20_000;

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
    bus: Arc<dyn Bus>,
    bell: Bell,
    submitting: Group<store::NewJob, Result<bool, AppError>>,
    max_queued: usize,
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
    pub bus: Arc<dyn Bus>,
    pub bell: Bell,
    /// Jobs waiting at once; beyond, a new one is told to come back later.
    pub max_queued: usize,
    pub cancelled: tokio::sync::mpsc::UnboundedSender<(JobId, i32)>,
}

/// A request that has been checked and priced.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    pub request: ValidRequest,
    pub card: ModelCard,
    /// Credits.
    pub price: u32,
    /// The person's job that this one follows.
    pub parent: Option<JobId>,
}

impl Jobs {
    /// Must be called within a runtime.
    pub fn new(parts: JobsParts) -> Self {
        let JobsParts { pool, clock, credits, media, models, events, outlook, bus, bell, max_queued, cancelled } =
            parts;
        let submitting = submitting(&pool);
        Self { pool, clock, credits, media, models, events, outlook, bus, bell, submitting, max_queued, cancelled }
    }

    /// Checks and prices a request of somebody, known here or not, without doing anything.
    pub async fn quote(&self, owner: Option<DeviceId>, request: GenerationRequest) -> Result<Quote, AppError> {
        let cards = self.models.cards().await?;
        let original = match (request.media(), owner) {
            (Some(media), Some(owner)) => self.original(owner, media).await?,
            _ => None,
        };
        let made_by = original.as_ref().and_then(|original| original.making.as_ref()).map(|making| making.job);
        let parent = match (made_by, request.parent, owner) {
            (Some(job), _, _) => Some(job),
            (None, Some(named), Some(owner)) => {
                store::owns(&self.pool, named, owner).await.map_err(explain)?.then_some(named)
            }
            _ => None,
        };
        let request = request.validate_from(&cards, clock::random_u128() as u64, original.as_ref())?;
        let card = cards.into_iter().find(|card| card.name == request.model).ok_or(AppError::NoModel)?;
        let price = price::price(&request, &card);
        Ok(Quote { request, card, price, parent })
    }

    /// Accepts a job of somebody with a visitor's plan. People come in through [`Admission`].
    pub async fn submit(&self, owner: DeviceId, request: GenerationRequest) -> Result<JobView, AppError> {
        let quote = self.quote(Some(owner), request).await?;
        self.credits.check_possible(quote.price, Plan::Visitor)?;
        self.accept(JobId::from_random(clock::random_u128()), owner, Plan::Visitor, quote).await
    }

    /// Accepts a job: the row and the hold are one transaction.
    async fn accept(&self, id: JobId, owner: DeviceId, plan: Plan, quote: Quote) -> Result<JobView, AppError> {
        self.check_room()?;
        let now = self.clock.now();
        let job = store::NewJob {
            id,
            owner,
            relative_cost: price::relative_cost(&quote.request, &quote.card),
            price: quote.price,
            request: quote.request,
            parent: quote.parent,
            created_at: now,
        };
        // Most submissions are one statement of a group. A day's first one has no balance to take from yet, and
        // one that can't be paid has to be told why: both take the long way.
        let accepted = self.submitting.call(job.clone()).await.unwrap_or(Err(AppError::Unavailable))?;
        if !accepted {
            let mut transaction = self.pool.begin().await.map_err(explain)?;
            store::insert(&mut transaction, &job).await.map_err(explain)?;
            self.credits.hold(&mut transaction, owner, plan, job.id, job.price).await?;
            transaction.commit().await.map_err(explain)?;
        }
        self.outlook.one_more_queued();
        self.bell.ring();
        Ok(JobView {
            id: job.id,
            status: JobState::Queued,
            position: None,
            eta_seconds: None,
            eta_range_seconds: None,
            overtaken: false,
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
        let row = store::find(&self.pool, job, owner).await.map_err(explain)?.ok_or(AppError::NotFound)?;
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
            self.bell.ring();
            self.publish(job).await;
        }
        self.delete_files(&dropped).await;
        self.get(owner, job).await
    }

    /// Follows a job of this owner: its state now, and everything from here on.
    pub async fn watch(&self, owner: DeviceId, job: JobId) -> Result<(JobView, Subscription), AppError> {
        // Subscribed before reading, so that nothing falls in between.
        let mut subscription = self.events.subscribe(job);
        subscription.watch = Some(self.bus.watch(job).await);
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

    /// A picture that this owner made and that is still there, with what it was made by.
    pub async fn original(&self, owner: DeviceId, media: OutputId) -> Result<Option<Original>, AppError> {
        let found = store::original(&self.pool, media, owner).await.map_err(explain)?;
        let there = found.is_some() && self.media.has(media).await.unwrap_or(true);
        Ok(found.filter(|_| there))
    }

    /// Tells everyone who watches `job`, at whichever head, how it stands.
    pub(crate) async fn publish(&self, job: JobId) {
        if !self.events.is_watched(job) && self.bus.is_alone() {
            return;
        }
        self.tell(self.views(&[job]).await).await;
    }

    /// As [`Jobs::publish`] for many jobs at once, of which few are watched.
    pub(crate) async fn publish_all(&self, jobs: &[JobId]) {
        if jobs.is_empty() {
            return;
        }
        let elsewhere = if self.bus.is_alone() { Ok(HashSet::new()) } else { self.bus.watched().await };
        let elsewhere = elsewhere.unwrap_or_else(|error| {
            tracing::debug!(%error, "watchers at other heads may miss an event");
            HashSet::new()
        });
        let watched = |job: &JobId| self.events.is_watched(*job) || elsewhere.contains(job);
        let watched: Vec<JobId> = jobs.iter().copied().filter(watched).collect();
        self.tell(self.views(&watched).await).await;
    }

    /// Tells those who watch `job` at this head how it stands.
    pub(crate) async fn publish_here(&self, job: JobId) {
        for view in self.views(&[job]).await {
            self.events.send(job, JobEvent::State(Box::new(view)));
        }
    }

    async fn tell(&self, views: Vec<JobView>) {
        for view in views {
            self.learn_wait(&view);
            let job = view.id;
            let event = JobEvent::State(Box::new(view));
            if let Err(error) = self.bus.publish(&Broadcast::JobEvent { job, event: event.clone() }).await {
                tracing::debug!(%error, %job, "watchers at other heads may miss an event");
            }
            self.events.send(job, event);
        }
    }

    /// Seconds that people waited for a job of each model lately; half of the waits lie between the two.
    pub fn waits(&self) -> Vec<(String, [f64; 2])> {
        self.outlook.waits(self.clock.now())
    }

    /// Remembers how long somebody waited, where this job is done.
    pub(crate) fn learn_wait(&self, view: &JobView) {
        if let (JobState::Succeeded, Some(end)) = (view.status, view.finished_at) {
            let seconds = (end - view.created_at).num_milliseconds().max(0) as f64 / 1_000.0;
            self.outlook.learn_wait(&view.request.model, seconds, self.clock.now());
        }
    }

    /// How jobs stand, whoever owns them; none when the database can't tell.
    async fn views(&self, jobs: &[JobId]) -> Vec<JobView> {
        let views = async {
            if jobs.is_empty() {
                return Ok(Vec::new());
            }
            self.with_outputs(store::find_all(&self.pool, jobs).await.map_err(explain)?).await
        };
        views.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "no event was sent");
            Vec::new()
        })
    }

    /// Refuses when too many wait, and says when there may be room, if anybody knows.
    fn check_room(&self) -> Result<(), AppError> {
        let queued = self.outlook.queued();
        if queued < self.max_queued {
            return Ok(());
        }
        // At the pace of the queue, the time until what is too many has been served; at least a moment.
        let seconds = self.outlook.seconds_to_serve(queued + 1 - self.max_queued, self.clock.now());
        Err(AppError::Busy { retry_seconds: seconds.map(|seconds| seconds.clamp(5, 3_600)) })
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
                    eta_range_seconds: prospect.and_then(|prospect| prospect.range_left(now)),
                    overtaken: prospect.is_some_and(|prospect| prospect.overtaken),
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

/// Accepts jobs in groups. Answers whether a job was: its owner's balance had its price.
fn submitting(pool: &PgPool) -> Group<store::NewJob, Result<bool, AppError>> {
    let pool = pool.clone();
    Group::spawn(move |jobs: Vec<store::NewJob>| {
        let pool = pool.clone();
        async move {
            let mut answers: Vec<Result<bool, AppError>> = vec![Ok(false); jobs.len()];
            for turn in turns(&jobs) {
                let of_turn: Vec<&store::NewJob> = turn.iter().map(|at| &jobs[*at]).collect();
                match store::accept(&pool, &of_turn).await {
                    Ok(accepted) => {
                        for at in turn {
                            answers[at] = Ok(accepted.contains(&jobs[at].id));
                        }
                    }
                    Err(error) => {
                        let error = explain(error);
                        for at in turn {
                            answers[at] = Err(error.clone());
                        }
                    }
                }
            }
            answers
        }
    })
}

/// Positions of the jobs, in rounds that name every owner once: one statement changes a balance once.
fn turns(jobs: &[store::NewJob]) -> Vec<Vec<usize>> {
    let mut seen: HashMap<DeviceId, usize> = HashMap::new();
    let mut turns: Vec<Vec<usize>> = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        let turn = seen.entry(job.owner).or_default();
        if turns.len() == *turn {
            turns.push(Vec::new());
        }
        turns[*turn].push(at);
        *turn += 1;
    }
    turns
}
