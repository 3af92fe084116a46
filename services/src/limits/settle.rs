//! Taking back what was counted for work that was not done.

use chrono::{NaiveDate, TimeDelta};
use domain::credits::day_of;
use domain::{AppError, JobId};

use super::decision::{Back, Pass};
use super::store::{self, EndedPass};
use super::{Limits, hour_of, together};
use crate::db::explain;

/// Passes that are settled at once.
const AT_ONCE: i64 = 1_000;
/// After this long a pass without a job stays without one: its head died in between.
const ORPHANED_AFTER: TimeDelta = TimeDelta::minutes(1);

impl Limits {
    /// Takes back all that was counted for a request that then was not served.
    pub async fn give_back(&self, pass: &Pass) {
        let day = day_of(pass.now);
        if let Err(error) = self.take_back(day, vec![pass.back()], &[pass.job]).await {
            // It is found when passes without jobs are.
            tracing::warn!(%error, "a request that was not served stays counted for a moment");
        }
    }

    /// Takes back what was counted for jobs that were cancelled or failed, as far as nobody worked for them. To be
    /// called every few seconds, on every head.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]; nothing was taken back then.
    pub async fn settle(&self) -> Result<(), AppError> {
        loop {
            let orphaned = self.clock.now() - ORPHANED_AFTER;
            let ended = store::take_ended(&self.pool, orphaned, AT_ONCE).await.map_err(explain)?;
            let last = (ended.len() as i64) < AT_ONCE;
            let mut days: Vec<(NaiveDate, Vec<Back>)> = Vec::new();
            for pass in ended {
                let Some(back) = unused(&pass) else { continue };
                match days.iter_mut().find(|(day, _)| *day == pass.day) {
                    Some((_, backs)) => backs.push(back),
                    None => days.push((pass.day, vec![back])),
                }
            }
            for (day, backs) in days {
                self.take_back(day, backs, &[]).await.map_err(explain)?;
            }
            if last {
                return Ok(());
            }
        }
    }

    async fn take_back(&self, day: NaiveDate, mut backs: Vec<Back>, void: &[JobId]) -> Result<(), sqlx::Error> {
        if let Some(book) = &self.book {
            backs.retain(|back| !book.take_back(day, back, void));
        }
        // Nothing is judged by a day that is over.
        if backs.is_empty() || day < day_of(self.clock.now()) {
            return Ok(());
        }
        together::take_back(&self.pool, day, &backs, void).await
    }
}

/// What is taken back of an ended job's pass. Device time: all but what a worker may have spent. Counts: all where
/// nobody began, or where the studio failed; they stay where the owner cancelled work that was under way, because
/// pictures of it may have been seen.
fn unused(pass: &EndedPass) -> Option<Back> {
    let state = pass.state.as_deref();
    if state == Some("succeeded") {
        return None;
    }
    let begun = pass.worked_ms.is_some();
    let counted = if begun && state == Some("cancelled") { Vec::new() } else { pass.counted.0.clone() };
    let ms = (pass.ms - pass.worked_ms.unwrap_or(0).max(0)).max(0);
    Some(Back { device: pass.device_id, hour: hour_of(pass.decided_at), ms, counted })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn pass(state: Option<&str>, worked_ms: Option<i64>) -> EndedPass {
        let at_bucket = store::BucketKey { kind: 1, key: [1; 16] };
        let counted = vec![store::Counted { at: at_bucket, credits: 4, turnover: 4 }];
        EndedPass {
            day: at("2026-11-20T00:00:00Z").date_naive(),
            device_id: uuid::Uuid::nil(),
            decided_at: at("2026-11-20T12:34:56Z"),
            ms: 4_000,
            counted: sqlx::types::Json(counted),
            state: state.map(str::to_owned),
            worked_ms,
        }
    }

    #[test]
    fn what_nobody_worked_for_comes_back() {
        let back = |state, worked_ms| unused(&pass(state, worked_ms)).map(|back| (back.ms, back.counted.len()));
        assert_eq!(back(Some("succeeded"), Some(3_000)), None, "it was had");
        assert_eq!(back(Some("cancelled"), None), Some((4_000, 1)), "it waited");
        assert_eq!(back(Some("cancelled"), Some(1_000)), Some((3_000, 0)), "pictures may have been seen");
        assert_eq!(back(Some("cancelled"), Some(9_000)), Some((0, 0)));
        assert_eq!(back(Some("failed"), Some(9_000)), Some((0, 1)), "not the owner's fault");
        assert_eq!(back(None, None), Some((4_000, 1)), "there never was a job");
        let whole = unused(&pass(None, None)).expect("all of it");
        assert_eq!(whole.hour, at("2026-11-20T12:00:00Z"));
    }
}
