//! One head alone: today's counts are kept in memory, where a decision takes microseconds, and written down behind it.
//!
//! Sums are written as differences, and read again where they were changed: two heads that overlap for a while, as in a
//! restart, lose nothing of each other's. What one device had is written as this head knows it. What was not yet written
//! when a process is killed is forgotten: soft counts since the last write, and never a credit, which only the ledger
//! moves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::DeviceId;
use domain::credits::day_of;
use sqlx::PgPool;

use super::decision::{Ask, Back, Changes, Counts, PROMPT, Pass, Ruling};
use super::policy::Policy;
use super::store::{BucketKey, BucketRow};
use super::{hour_of, store};

/// How long counts may stay unwritten.
const WRITE_EVERY: Duration = Duration::from_millis(100);
/// Pause after a write that failed.
const RETRY: Duration = Duration::from_secs(1);
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
    /// Keeps at most so many entries; beyond, the database judges for the rest of the day.
    ///
    /// Must be called within a runtime. Its writer ends with the last handle.
    pub(super) fn open(pool: PgPool, most: usize) -> Self {
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

    /// Judges a request, and counts it if it may pass. One that comes a moment late, over midnight or the full hour,
    /// counts as of now.
    pub(super) fn judge(&self, ask: &Ask, policy: &Policy) -> Answer {
        let mut page = self.page();
        if page.day.is_none_or(|day| day < day_of(ask.now)) {
            return Answer::Closed;
        }
        if page.full {
            return Answer::Full;
        }
        page.turn_hour(ask.now);
        let ruling = page.counts.judge(ask, policy);
        if page.counts.len() > self.0.most {
            page.counts.forget(PROMPT);
            // With room to spare, or words would be forgotten with every request.
            page.full = page.counts.len() > self.0.most / 4 * 3;
        }
        Answer::Ruled(ruling)
    }

    /// Credits that a device spent today, as far as this head saw it and its address told a place. None: nobody knows.
    pub(super) fn spent(&self, device: DeviceId, now: DateTime<Utc>) -> Option<i32> {
        let page = self.page();
        (page.day == Some(day_of(now)) && !page.full).then(|| page.counts.spent(device.0))
    }

    /// Whether this day is judged by what is in memory.
    pub(super) fn is_open(&self, day: NaiveDate) -> bool {
        let page = self.page();
        page.day == Some(day) && !page.full
    }

    /// Takes back what was counted on an open day.
    pub(super) fn take_back(&self, day: NaiveDate, backs: &[Back], policy: &Policy) {
        let mut page = self.page();
        if page.day != Some(day) {
            return;
        }
        for back in backs {
            let this_hour = back.hour == page.hour;
            page.counts.take_back(&Back { ms: if this_hour { back.ms } else { 0 }, ..back.clone() }, policy);
        }
    }

    /// Takes a pass back of which nothing is written yet. False: it is being written, or was.
    pub(super) fn take_unwritten(&self, pass: &Pass, policy: &Policy) -> bool {
        let unwritten = self.page().counts.changes.passes.remove(&pass.job).is_some();
        if unwritten {
            self.take_back(day_of(pass.now), &[pass.back()], policy);
        }
        unwritten
    }

    /// Turns to the day of `now`: reads what is known of it. To be called when the book is closed.
    pub(super) async fn turn(&self, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let (day, hour) = (day_of(now), hour_of(now));
        // Whoever waited finds it open.
        let _turning = self.0.database.lock().await;
        if self.page().day.is_some_and(|open| open >= day) {
            return Ok(());
        }
        // What is read has to know what was changed here.
        self.write_all().await?;
        let stored = store::read_day(&self.0.pool, day, PROMPT, self.0.most).await?;
        let reserved_ms = store::reserved(&self.0.pool, hour).await?;
        let counts = Counts::of(stored.buckets, stored.uses, reserved_ms);
        let mut page = self.page();
        page.full = counts.len() >= self.0.most;
        let before = std::mem::replace(&mut page.counts, counts);
        if let Some(yesterday) = page.day.replace(day) {
            page.due.push_back((yesterday, before.changes));
        }
        page.hour = hour;
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

    /// Writes everything down that is not yet. Goes on to its end though whoever asked for it may leave.
    pub(super) async fn write(&self) -> Result<(), sqlx::Error> {
        let book = self.clone();
        let writing = tokio::spawn(async move {
            let _writing = book.0.database.lock().await;
            book.write_all().await
        });
        writing.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }

    /// Under the lock of the database.
    async fn write_all(&self) -> Result<(), sqlx::Error> {
        let (due, hour) = self.page().take_due();
        let mut unwritten = Unwritten { book: self, due };
        while let Some((day, changes)) = unwritten.due.front() {
            let (buckets, reserved_ms) = write(&self.0.pool, *day, hour, changes).await?;
            self.page().learn(*day, hour, buckets, reserved_ms);
            unwritten.due.pop_front();
        }
        Ok(())
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.0.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Changes on their way to the database; what did not arrive is taken again.
struct Unwritten<'a> {
    book: &'a Book,
    due: VecDeque<(NaiveDate, Changes)>,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        self.book.page().take_again(std::mem::take(&mut self.due));
    }
}

impl Page {
    fn turn_hour(&mut self, now: DateTime<Utc>) {
        let hour = hour_of(now);
        if self.hour < hour {
            self.hour = hour;
            self.counts.reserved_ms = self.counts.changes.reserved_ms.get(&hour).copied().unwrap_or(0);
        }
    }

    /// What is to be written, the older days first, and the hour it is.
    fn take_due(&mut self) -> (VecDeque<(NaiveDate, Changes)>, DateTime<Utc>) {
        let mut due = std::mem::take(&mut self.due);
        if let Some(day) = self.day {
            due.push_back((day, std::mem::take(&mut self.counts.changes)));
        }
        // Words are for memory alone.
        let due = due.into_iter().map(|(day, changes)| (day, changes.without(PROMPT)));
        let due: VecDeque<_> = due.filter(|(_, changes)| !changes.is_empty()).collect();
        if self.full && due.is_empty() {
            self.counts = Counts::default();
        }
        (due, self.hour)
    }

    /// What others counted as well.
    fn learn(&mut self, day: NaiveDate, hour: DateTime<Utc>, buckets: Vec<(BucketKey, BucketRow)>, reserved_ms: i64) {
        if self.hour == hour {
            let unwritten = self.counts.changes.reserved_ms.get(&hour).copied().unwrap_or(0);
            self.counts.reserved_ms = reserved_ms + unwritten;
        }
        if self.day != Some(day) {
            return;
        }
        for (key, written) in buckets {
            let unwritten = self.counts.changes.buckets.get(&key).copied().unwrap_or_default();
            if let Some(row) = self.counts.buckets.get_mut(&key) {
                row.turnover = written.turnover + unwritten.turnover;
                row.credits = written.credits + unwritten.credits;
            }
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

/// Answers the changed buckets, and the device time that was given away in `hour`, by everybody.
async fn write(
    pool: &PgPool,
    day: NaiveDate,
    hour: DateTime<Utc>,
    changes: &Changes,
) -> Result<(Vec<(BucketKey, BucketRow)>, i64), sqlx::Error> {
    let mut transaction = store::begin(pool).await?;
    let before = store::lock_hour(&mut transaction, hour).await?;
    let buckets = store::write(&mut transaction, day, changes).await?;
    transaction.commit().await?;
    Ok((buckets, before + changes.reserved_ms.get(&hour).copied().unwrap_or(0)))
}
