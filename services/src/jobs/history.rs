//! What somebody made: searched, and step by step.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{AppError, DeviceId, JobId, JobView};

use super::{Jobs, store};
use crate::db::explain;

/// Where a job stands among those that a person went through.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// What came before it, the first one first.
    pub before: Vec<JobView>,
    pub job: JobView,
    /// What followed it, the latest first.
    pub after: Vec<JobView>,
}

/// Most steps of a trail that are told: before a job, and after it.
const MOST_STEPS: (u32, u32) = (24, 12);

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Words that all have to be in the prompt, in any order and case; all jobs where there are none.
    pub words: String,
    /// Only those that were pinned.
    pub pinned: bool,
    /// Only older ones than this job of one's own.
    pub before: Option<JobId>,
}

/// A page of what was found, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Each with whether it is pinned.
    pub jobs: Vec<(JobView, bool)>,
    /// There are more behind the last one.
    pub more: bool,
    pub at: DateTime<Utc>,
}

/// Most words that are looked for, and most characters of one: further ones are left out. Somebody may have thousands of
/// long prompts, and every word is looked for in all of them.
const MOST_WORDS: usize = 8;
const MOST_CHARS: usize = 32;

impl Jobs {
    /// A job of this owner, with those that led to it and those that went on from it.
    pub async fn trail(&self, owner: DeviceId, job: JobId) -> Result<Trail, AppError> {
        let (before, after) = MOST_STEPS;
        let rows = store::trail(&self.pool, job, owner, before, after).await.map_err(explain)?;
        let mut before = self.with_outputs(rows).await?;
        let at = before.iter().position(|view| view.id == job).ok_or(AppError::NotFound)?;
        let after = before.split_off(at + 1);
        let job = before.pop().ok_or(AppError::Internal)?;
        Ok(Trail { before, job, after })
    }

    /// This owner's jobs that fit a search, `limit` of them at most.
    pub async fn history(&self, owner: DeviceId, search: &Search, limit: u32) -> Result<History, AppError> {
        let patterns = patterns(&search.words);
        let Search { pinned, before, .. } = *search;
        let rows = store::history(&self.pool, owner, &patterns, pinned, before, limit + 1).await.map_err(explain)?;
        let more = rows.len() > limit as usize;
        let (rows, pins): (Vec<_>, Vec<_>) =
            rows.into_iter().take(limit as usize).map(|row| (row.job, row.pinned)).unzip();
        let jobs = self.with_outputs(rows).await?.into_iter().zip(pins).collect();
        Ok(History { jobs, more, at: self.clock.now() })
    }

    /// Puts one of this owner's jobs at hand, or back.
    pub async fn pin(&self, owner: DeviceId, job: JobId, pinned: bool) -> Result<(), AppError> {
        let found = store::pin(&self.pool, job, owner, pinned).await.map_err(explain)?;
        if found { Ok(()) } else { Err(AppError::NotFound) }
    }
}

/// A pattern for each of the words that are looked for; a text that has them all is found.
pub(crate) fn patterns(search: &str) -> Vec<String> {
    wanted(search).iter().map(|word| containing(word)).collect()
}

/// The words that are looked for, each once. What no prompt has is left out of them, too.
fn wanted(search: &str) -> BTreeSet<String> {
    let sayable = |word: &str| word.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect::<String>();
    search.split_whitespace().take(MOST_WORDS).map(sayable).filter(|word| !word.is_empty()).collect()
}

/// A pattern for texts that contain this one, whatever signs it has.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for sign in text.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::{containing, wanted};

    #[test]
    fn a_search_is_bounded_whatever_is_asked() {
        assert_eq!(wanted("red boat  red").into_iter().collect::<Vec<_>>(), ["boat", "red"]);
        assert!(wanted("\u{0} \u{7}").is_empty());
        let long = wanted(&format!("{} {}", "a".repeat(9_000), "b ".repeat(9_000)));
        assert_eq!(long.iter().map(|word| word.chars().count()).collect::<Vec<_>>(), [32, 1]);
    }

    #[test]
    fn signs_of_a_pattern_are_signs_of_the_text() {
        assert_eq!(containing("50%_a\\"), "%50\\%\\_a\\\\%");
    }
}
