//! The one way in for people: who is asking, whether they may, and then the job. Both doors, REST and the pages'
//! server function, come through here.

use std::time::Duration;

use domain::{AppError, GenerationRequest, JobId, JobView, Plan, price};

use super::{Jobs, Quote};
use crate::clock;
use crate::credits::CreditsService;
use crate::db::explain;
use crate::identity::{Actor, Identity, Visitor};
use crate::limits::{Limits, Purpose, Wish};

/// Lets people's requests in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admission {
    jobs: Jobs,
    identity: Identity,
    credits: CreditsService,
    limits: Limits,
}

/// An accepted job.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub job: JobView,
    /// The `Set-Cookie` value for somebody new.
    pub cookie: Option<String>,
}

impl Admission {
    pub fn new(jobs: Jobs, identity: Identity, credits: CreditsService, limits: Limits) -> Self {
        Self { jobs, identity, credits, limits }
    }

    /// Checks and prices a request without doing anything.
    pub async fn quote(&self, visitor: &Visitor, request: GenerationRequest) -> Result<Quote, AppError> {
        let (device, plan) = self.identity.holder(visitor).await?.unzip();
        let (quote, plan) = (self.jobs.quote(device, request).await?, plan.unwrap_or_default());
        self.credits.check_possible(quote.price, plan)?;
        Ok(quote)
    }

    /// Accepts a request. Nothing is written down about anybody whose request was not.
    ///
    /// # Errors
    /// Everything a request can be refused for; see `docs/limits.md` for the order.
    pub async fn create(&self, visitor: &Visitor, request: GenerationRequest) -> Result<Admitted, AppError> {
        let pacing = clock::stopwatch();
        self.limits.pace(visitor).await?;
        let paced = pacing.elapsed();
        // Only somebody who is known here has pictures and jobs to go on from.
        let goes_on = request.media().is_some() || request.parent.is_some();
        let owner = if goes_on { self.identity.device(visitor).await? } else { None };
        let quote = self.jobs.quote(owner, request).await?;
        self.jobs.check_room()?;
        let actor = self.identity.actor(visitor).await?;
        self.credits.check_possible(quote.price, actor.plan)?;
        let admitted = self.admit(visitor, &actor, quote, paced).await;
        if let Err(AppError::DailyLimit { .. }) = &admitted {
            self.limits.met_limit(&actor, &visitor.signals, "daily_limit").await;
        }
        admitted
    }

    /// Gives Ultra to whoever says that they can't picture things: believed, at once, for good. Answers the
    /// `Set-Cookie` value for somebody new.
    pub async fn attest(&self, visitor: &Visitor) -> Result<Option<String>, AppError> {
        self.limits.pace(visitor).await?;
        let actor = self.identity.actor(visitor).await?;
        let cookie = self.identity.keep(&actor, visitor).await?;
        if let Some(mut transaction) = self.identity.attest(actor.device).await? {
            self.credits.grant_plan(&mut transaction, actor.device, Plan::Ultra).await?;
            transaction.commit().await.map_err(explain)?;
        }
        Ok(cookie)
    }

    /// `paced`: what looking at the visitor's pace took.
    async fn admit(
        &self,
        visitor: &Visitor,
        actor: &Actor,
        quote: Quote,
        paced: Duration,
    ) -> Result<Admitted, AppError> {
        let (request, price) = (&quote.request, quote.price);
        // Before anything is counted: whoever has nothing left today is told so, and not asked to prove anything for it.
        if !self.limits.has_left(actor, self.credits.daily().of(actor.plan), price) {
            self.credits.check(actor.device, actor.plan, price).await?;
        }
        let id = JobId::from_random(clock::random_u128());
        let wish = Wish {
            job: id,
            purpose: Purpose::Create,
            prompt: &request.prompt,
            model: &request.model,
            price,
            standard_pictures: price::relative_cost(request, &quote.card) * f64::from(request.count),
        };
        let deciding = clock::stopwatch();
        let decided = self.limits.decide(actor, &visitor.signals, wish).await;
        metrics::histogram!("mindseye_limits_decision_seconds").record((paced + deciding.elapsed()).as_secs_f64());
        let pass = decided?;
        let accepted = async {
            let cookie = self.identity.keep(actor, visitor).await?;
            let job = self.jobs.accept(id, actor.device, actor.plan, quote).await?;
            Ok(Admitted { job, cookie })
        };
        let accepted = accepted.await;
        match &accepted {
            Ok(_) => {}
            // There may be a job all the same; if there is none, its pass is found without one.
            Err(AppError::Unavailable | AppError::Internal) => {}
            Err(_) => self.limits.give_back(&pass).await,
        }
        accepted
    }
}
