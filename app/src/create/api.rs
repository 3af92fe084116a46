use domain::{Credits, JobView, ModelCard};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::settings::ComposerForm;
use crate::error::PageError;

/// What the studio needs to know before anything is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub credits: Credits,
    /// Models that can be asked for; the default first.
    pub models: Vec<ModelCard>,
    /// Seconds that people waited lately, by model: half of the waits lie between the two.
    pub waits: Vec<(String, [f64; 2])>,
}

impl Facts {
    /// The model that makes pictures when none is named.
    pub fn card(&self) -> Option<&ModelCard> {
        self.models.iter().find(|card| !card.upscales())
    }

    /// How long people waited for this model's pictures lately, where enough did.
    pub fn wait(&self, model: &str) -> Option<[f64; 2]> {
        self.waits.iter().find(|(name, _)| name == model).map(|(_, wait)| *wait)
    }

    /// Whether pictures can be made larger.
    pub fn upscales(&self) -> bool {
        self.models.iter().any(ModelCard::upscales)
    }
}

/// Credits and models.
#[server(prefix = "/act", endpoint = "studio_facts")]
pub async fn studio_facts() -> Result<Facts, PageError> {
    let handles = crate::server::handles();
    let holder = crate::server::holder().await?;
    Ok(Facts {
        credits: handles.credits.balance(holder).await?,
        models: handles.models.cards().await?,
        waits: handles.jobs.waits(),
    })
}

/// The visitor's latest jobs, newest first.
#[server(prefix = "/act", endpoint = "recent_jobs")]
pub async fn recent_jobs() -> Result<Vec<JobView>, PageError> {
    match crate::server::device().await? {
        None => Ok(Vec::new()),
        Some(owner) => Ok(crate::server::handles().jobs.recent(owner, 12).await?),
    }
}

/// What a form without scripts is told about an error, if there is something to say.
#[server(prefix = "/act", endpoint = "notice")]
pub async fn form_notice(form: ComposerForm, code: String) -> Result<Option<PageError>, PageError> {
    Ok(crate::server::notice(form, &code).await)
}

/// Makes pictures.
#[server(prefix = "/act", endpoint = "create", client = crate::checks::CheckedClient)]
pub async fn create_pictures(#[server(flatten)] form: ComposerForm) -> Result<JobView, PageError> {
    let filled_in = form.link();
    let submitted = async {
        let form = crate::server::filled_in(form, crate::server::random());
        crate::server::create(super::request::request_from_form(form)?).await
    };
    match submitted.await {
        Ok(job) => {
            crate::server::redirect_forms(&format!("/g/{}", job.id));
            Ok(job)
        }
        Err(error) => {
            // Back to the form with everything as it was, and a word about what is wrong.
            crate::server::redirect_forms(&format!("{filled_in}&notice={}", error.code()));
            Err(error.into())
        }
    }
}
