//! Taking back what was counted for work that was not done.

use chrono::TimeDelta;
use domain::AppError;
use domain::credits::day_of;

use super::decision::{Back, Pass};
use super::store::{self, EndedPass};
use super::{Limits, hour_of, together};
use crate::db::explain;

/// Passes that are settled at once.
const AT_ONCE: usize = 1_000;
/// What a job that was begun takes at least: the step under way, and the change of models that it may have set off.
const LEAST_WORKED_MS: i64 = 2_000;
/// After this long a pass without a job stays without one: its head died in between.
const ORPHANED_AFTER: TimeDelta = TimeDelta::minutes(1);

impl Limits {
    /// Takes back all that was counted for a request whose job was refused after it had been let through.
    pub async fn give_back(&self, pass: &Pass) {
        if let Some(book) = &self.book
            && (book.take_unwritten(pass, &self.policy) || book.is_open(day_of(pass.now)))
        {
            // What was written in between is found when passes without jobs are.
            return;
        }
        if let Err(error) = together::give_back(&self.pool, &self.policy, pass, self.clock.now()).await {
            tracing::warn!(%error, "a request that was not served stays counted for a moment");
        }
    }

    /// Takes back what was counted for jobs that were cancelled or failed, as far as nobody worked for them. To be
    /// called every few seconds, on every head.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]; the next call makes up for it.
    pub async fn settle(&self) -> Result<(), AppError> {
        while self.settle_some().await.map_err(explain)? == AT_ONCE {}
        Ok(())
    }

    /// One transaction's worth; answers how many passes that were.
    async fn settle_some(&self) -> Result<usize, sqlx::Error> {
        let now = self.clock.now();
        let mut transaction = store::begin(&self.pool).await?;
        let ended = store::take_ended(&mut transaction, now - ORPHANED_AFTER, AT_ONCE as i64).await?;
        let settled = ended.len();
        // Nothing is judged by a day that is over.
        let today = ended.iter().filter(|pass| pass.day == day_of(now)).filter_map(unused);
        let backs: Vec<Back> = today.collect();
        let book = self.book.as_ref().filter(|book| book.is_open(day_of(now)));
        if book.is_none() && !backs.is_empty() {
            // The lock that orders all who count in the database, whatever hours the passes are of. Mostly there is
            // nothing to take back, and nothing is written then.
            let reserved_ms = store::lock_hour(&mut transaction, hour_of(now)).await?;
            together::take_back(&mut transaction, &self.policy, day_of(now), reserved_ms, &backs).await?;
        }
        transaction.commit().await?;
        if let Some(book) = book {
            book.take_back(day_of(now), &backs, &self.policy);
        }
        Ok(settled)
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
    let worked_ms = pass.worked_ms.map_or(0, |worked| worked.max(LEAST_WORKED_MS));
    let ms = (pass.ms - worked_ms).max(0);
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
        let counted = vec![store::Counted { at: at_bucket, credits: 4, counted: 4, returns: 0 }];
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
        assert_eq!(back(Some("cancelled"), Some(3_000)), Some((1_000, 0)), "pictures may have been seen");
        assert_eq!(back(Some("cancelled"), Some(5)), Some((2_000, 0)), "a step goes on, and models change places");
        assert_eq!(back(Some("cancelled"), Some(9_000)), Some((0, 0)));
        assert_eq!(back(Some("failed"), Some(9_000)), Some((0, 1)), "not the owner's fault");
        assert_eq!(back(None, None), Some((4_000, 1)), "there never was a job");
        let whole = unused(&pass(None, None)).expect("all of it");
        assert_eq!(whole.hour, at("2026-11-20T12:00:00Z"));
    }
}
