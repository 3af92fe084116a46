//! One head alone: today's counts are kept in memory, where a decision takes microseconds, and written down behind it.
//!
//! What is written are differences, so a second head that overlaps with this one for a while, as in a restart, loses
//! nothing: both judge by counts that are a moment old. What was not yet written when a process is killed is forgotten:
//! some tenths of a second of soft counts, and never a credit, which only the ledger moves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::JobId;
use domain::credits::day_of;
use sqlx::PgPool;

use super::decision::{Ask, Back, Changes, Counts, PROMPT, Ruling};
use super::policy::Policy;
use super::together::by_device;
use super::{hour_of, store};

/// How long counts may stay unwritten.
const WRITE_EVERY: Duration = Duration::from_millis(100);
/// Pause after a write that failed.
const RETRY: Duration = Duration::from_secs(1);
/// Entries that are kept in memory, of some hundred bytes each; beyond, the database judges for the rest of the day.
const MOST: usize = 500_000;

/// What the book says to a request.
pub(super) enum Answer {
    Ruled(Ruling),
    /// The day has to be read first.
    Closed,
    /// There is too much for memory.
    Full,
}

/// Cheap to clone; all clones share the counts.
#[derive(Clone, Debug)]
pub(super) struct Book(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    page: Mutex<Page>,
    /// One writer, or reader of a day, at a time.
    database: tokio::sync::Mutex<()>,
    most: usize,
}

#[derive(Debug, Default)]
struct Page {
    /// The day that is open.
    day: Option<NaiveDate>,
    hour: DateTime<Utc>,
    counts: Counts,
    full: bool,
    /// What is to be written of days that are over.
    due: VecDeque<(NaiveDate, Changes)>,
}

impl Book {
    /// Must be called within a runtime. Its writer ends with the last handle.
    pub(super) fn open(pool: PgPool) -> Self {
        Self::of_size(pool, MOST)
    }

    fn of_size(pool: PgPool, most: usize) -> Self {
        let shared = Shared { pool, page: Mutex::default(), database: tokio::sync::Mutex::default(), most };
        let book = Self(Arc::new(shared));
        let weak = Arc::downgrade(&book.0);
        tokio::spawn(async move {
            let mut pause = WRITE_EVERY;
            loop {
                tokio::time::sleep(pause).await;
                let Some(shared) = weak.upgrade() else { return };
                pause = match Self(shared).write().await {
                    Ok(()) => WRITE_EVERY,
                    Err(error) => {
                        tracing::warn!(%error, "limits are counted in memory until the database answers");
                        RETRY
                    }
                };
            }
        });
        book
    }

    /// Judges a request, and counts it if it may pass.
    pub(super) fn judge(&self, ask: &Ask, policy: &Policy) -> Answer {
        let mut page = self.page();
        if page.day != Some(day_of(ask.now)) {
            return Answer::Closed;
        }
        if page.full {
            return Answer::Full;
        }
        page.turn_hour(ask.now);
        let ruling = page.counts.judge(ask, policy);
        if page.counts.len() > self.0.most {
            page.counts.forget(PROMPT);
            page.full = page.counts.len() > self.0.most;
        }
        Answer::Ruled(ruling)
    }

    /// Takes back, for jobs that count no more. False: another day is open.
    pub(super) fn take_back(&self, day: NaiveDate, back: &Back, void: &[JobId]) -> bool {
        let mut page = self.page();
        if page.day != Some(day) || page.full {
            return false;
        }
        let this_hour = back.hour == page.hour;
        page.counts.take_back(&Back { ms: if this_hour { back.ms } else { 0 }, ..back.clone() });
        page.counts.changes.void.extend(void);
        true
    }

    /// Turns to the day of `now`: reads what is known of it. To be called when the book is closed.
    pub(super) async fn turn(&self, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let (day, hour) = (day_of(now), hour_of(now));
        // Whoever waited finds it open.
        let turning = self.0.database.lock().await;
        if self.page().day == Some(day) {
            return Ok(());
        }
        let stored = store::read_day(&self.0.pool, day, PROMPT, self.0.most).await?;
        let reserved_ms = store::reserved(&self.0.pool, hour).await?;
        let mut counts = Counts { buckets: stored.buckets.into_iter().collect(), reserved_ms, ..Counts::default() };
        counts.uses = by_device(stored.uses);
        let mut page = self.page();
        page.full = counts.len() >= self.0.most;
        let before = std::mem::replace(&mut page.counts, counts);
        if let Some(yesterday) = page.day.replace(day) {
            page.due.push_back((yesterday, before.changes));
        }
        page.hour = hour;
        drop(page);
        drop(turning);
        Ok(())
    }

    /// Forgets a day that is over.
    pub(super) fn close(&self, now: DateTime<Utc>) {
        let mut page = self.page();
        if page.day.is_some_and(|day| day < day_of(now))
            && let Some(day) = page.day.take()
        {
            let counts = std::mem::take(&mut page.counts);
            page.due.push_back((day, counts.changes));
        }
    }

    /// Writes everything down that is not yet.
    pub(super) async fn write(&self) -> Result<(), sqlx::Error> {
        let _writing = self.0.database.lock().await;
        let (due, hour) = {
            let mut page = self.page();
            let mut due = std::mem::take(&mut page.due);
            if let Some(day) = page.day {
                due.push_back((day, std::mem::take(&mut page.counts.changes)));
            }
            (due, page.hour)
        };
        let mut due: VecDeque<_> = due.into_iter().filter(|(_, changes)| !changes.is_empty()).collect();
        while let Some((day, changes)) = due.pop_front() {
            match write(&self.0.pool, day, hour, &changes).await {
                Ok(reserved_ms) => {
                    let mut page = self.page();
                    if page.hour == hour {
                        // What others gave away as well.
                        let unwritten = page.counts.changes.reserved_ms.get(&hour).copied().unwrap_or(0);
                        page.counts.reserved_ms = reserved_ms + unwritten;
                    }
                }
                Err(error) => {
                    due.push_front((day, changes));
                    self.page().take_again(due);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.0.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn turn_hour(&mut self, now: DateTime<Utc>) {
        let hour = hour_of(now);
        if self.hour != hour {
            self.hour = hour;
            self.counts.reserved_ms = 0;
        }
    }

    /// What could not be written comes before what was changed since.
    fn take_again(&mut self, unwritten: VecDeque<(NaiveDate, Changes)>) {
        for (day, changes) in unwritten.into_iter().rev() {
            if self.day == Some(day) {
                let later = std::mem::take(&mut self.counts.changes);
                self.counts.changes = changes.then(later);
            } else {
                self.due.push_front((day, changes));
            }
        }
    }
}

/// Answers the device time that was given away in `hour`, by everybody.
async fn write(pool: &PgPool, day: NaiveDate, hour: DateTime<Utc>, changes: &Changes) -> Result<i64, sqlx::Error> {
    let mut transaction = store::begin(pool).await?;
    let before = store::lock_hour(&mut transaction, hour).await?;
    store::write(&mut transaction, day, changes).await?;
    transaction.commit().await?;
    Ok(before + changes.reserved_ms.get(&hour).copied().unwrap_or(0))
}
