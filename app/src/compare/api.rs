use domain::{JobId, OutputId, ValidRequest};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::PageError;
use crate::trail::Word;

/// A picture beside another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    pub media: OutputId,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// What made it: the job, the seed, the request. Nothing where it is a photo.
    pub making: Option<(JobId, u64, ValidRequest)>,
    /// Its words, with those marked that the other one has not.
    pub words: Vec<Word>,
}

/// Two pictures of the visitor's.
#[server(prefix = "/act", endpoint = "compare")]
pub async fn compare(left: String, right: String) -> Result<(Side, Side), PageError> {
    use domain::{AppError, Making, Original};

    use crate::trail::words::Change;

    let jobs = &crate::server::handles().jobs;
    let found = async {
        let owner = crate::server::device().await?.ok_or(AppError::NotFound)?;
        let mut found = Vec::with_capacity(2);
        for id in [left, right] {
            let media = id.parse().map_err(|_| AppError::NotFound)?;
            found.push(jobs.original(owner, media).await?.ok_or(AppError::NotFound)?);
        }
        let right = found.pop().ok_or(AppError::NotFound)?;
        Ok((found.pop().ok_or(AppError::NotFound)?, right))
    };
    let (left, right) = found.await.inspect_err(crate::server::mark_missing)?;
    let said = |original: &Original| match &original.making {
        Some(making) => making.request.prompt.clone(),
        None => String::new(),
    };
    let words = crate::server::changed_words(&said(&left), &said(&right));
    let side = |original: Original, without: Change| {
        let Original { media, width, height, making } = original;
        let words = words.iter().filter(|word| word.change != without).cloned().collect();
        let making = making.map(|Making { job, seed, request }| (job, seed, request));
        Side { media, width, height, making, words }
    };
    Ok((side(left, Change::Added), side(right, Change::Removed)))
}
