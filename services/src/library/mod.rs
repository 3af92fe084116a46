//! Prompts that people keep: found again by words, tag or pin; brought in from other tools, and taken along.

pub(crate) mod store;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{AppError, DeviceId, JobId, ValidRequest};
use prompts::{Entry, ImportNote, Imported};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::clock::{self, SharedClock};
use crate::db::explain;
use crate::identity::{Identity, Visitor};
use crate::jobs::{Jobs, patterns};
use crate::limits::Limits;

/// Most entries of one owner.
pub const MOST_ENTRIES: usize = 5_000;
/// Most bytes of all texts of one owner's entries.
pub const MOST_BYTES: usize = 16 << 20;
/// Tags that are offered to choose from: those that are used most.
const TAGS_OFFERED: u32 = 30;
/// What entries of jobs made here say about where they come from.
const HERE: &str = "Mindseye";

/// Keeps prompts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Library {
    pool: PgPool,
    clock: SharedClock,
    identity: Identity,
    limits: Limits,
    jobs: Jobs,
}

/// An entry that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    #[serde(flatten)]
    pub entry: Entry,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LibrarySearch {
    /// Words that all have to be in an entry's texts, in any order and case.
    pub words: String,
    /// Only entries with this tag.
    pub tag: Option<String>,
    /// Only those that were pinned.
    pub pinned: bool,
    /// Only older ones than this entry of one's own.
    pub before: Option<Uuid>,
}

/// A page of what was found, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct LibraryPage {
    pub entries: Vec<Kept>,
    /// There are more behind the last one.
    pub more: bool,
    /// All entries of this owner.
    pub count: usize,
    /// The owner's tags, those that are used most first.
    pub tags: Vec<String>,
}

/// What came of a list that was brought in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListKept {
    pub kept: usize,
    /// They were there before.
    pub skipped: usize,
    /// There was no more room for them.
    pub refused: usize,
    /// What was left out or changed while the file was read.
    pub notes: Vec<ImportNote>,
}

impl Library {
    pub fn new(pool: PgPool, clock: SharedClock, identity: Identity, limits: Limits, jobs: Jobs) -> Self {
        Self { pool, clock, identity, limits, jobs }
    }

    /// Entries of this owner that fit a search, `limit` of them at most.
    pub async fn search(&self, owner: DeviceId, search: &LibrarySearch, limit: u32) -> Result<LibraryPage, AppError> {
        let patterns = patterns(&search.words);
        let mut entries =
            store::page(&self.pool, owner, &patterns, search, limit.saturating_add(1)).await.map_err(explain)?;
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let (count, _) = store::size(&self.pool, owner).await.map_err(explain)?;
        let tags = store::tags(&self.pool, owner, TAGS_OFFERED).await.map_err(explain)?;
        Ok(LibraryPage { entries, more, count, tags })
    }

    /// All entries of this owner, the newest first: their number and their texts are bounded.
    pub async fn all(&self, owner: DeviceId) -> Result<Vec<Kept>, AppError> {
        let everything = LibrarySearch::default();
        store::page(&self.pool, owner, &[], &everything, MOST_ENTRIES as u32).await.map_err(explain)
    }

    /// Keeps the words and settings of a job of this owner's. False: they were kept before.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::SlowDown`], [`AppError::ImportRefused`] where there is no more room.
    pub async fn keep_job(&self, visitor: &Visitor, job: JobId) -> Result<bool, AppError> {
        self.limits.pace(visitor).await?;
        let owner = self.identity.device(visitor).await?.ok_or(AppError::NotFound)?;
        let job = self.jobs.get(owner, job).await?;
        let kept = self.add(owner, vec![entry_of_request(&job.request, job.created_at)]).await?;
        if kept.refused > 0 { Err(full()) } else { Ok(kept.kept > 0) }
    }

    /// Changes what an owner says about an entry of theirs.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::ImportRefused`] where there is no more room.
    pub async fn change(
        &self,
        owner: DeviceId,
        id: Uuid,
        tags: Vec<String>,
        notes: String,
        pinned: bool,
    ) -> Result<Kept, AppError> {
        let (said, _) = Entry { tags, notes, pinned, ..Entry::default() }.tidied();
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        store::take_turn(&mut transaction, owner).await.map_err(explain)?;
        let changed = store::change(&mut transaction, owner, id, &said).await.map_err(explain)?;
        let changed = changed.ok_or(AppError::NotFound)?;
        let (_, bytes) = store::size(&mut *transaction, owner).await.map_err(explain)?;
        if bytes > MOST_BYTES {
            return Err(full());
        }
        transaction.commit().await.map_err(explain)?;
        Ok(changed)
    }

    /// Forgets an entry. One that is already gone is fine.
    pub async fn delete(&self, owner: DeviceId, id: Uuid) -> Result<(), AppError> {
        store::delete(&self.pool, owner, id).await.map_err(explain)
    }

    /// Brings in a list of prompts, as many of them as there is room for; what is there already is left as it is.
    ///
    /// # Errors
    /// [`AppError::Unavailable`].
    pub async fn bring_in(&self, owner: DeviceId, list: Imported) -> Result<ListKept, AppError> {
        let Imported { entries, notes, .. } = list;
        Ok(ListKept { notes, ..self.add(owner, entries).await? })
    }

    async fn add(&self, owner: DeviceId, entries: Vec<Entry>) -> Result<ListKept, AppError> {
        let now = self.clock.now();
        // The first one of a list stays the first one.
        let at = |place: usize| now - TimeDelta::microseconds(i64::try_from(place).unwrap_or(0));
        let entries = entries.into_iter().map(|entry| entry.tidied().0).filter(|entry| !entry.prompt.is_empty());
        let entries: Vec<Kept> =
            entries.enumerate().map(|(place, entry)| Kept { id: random_id(), created_at: at(place), entry }).collect();
        self.restore(owner, entries).await
    }

    /// Keeps entries under their ids and times where those are free.
    pub(crate) async fn restore(&self, owner: DeviceId, entries: Vec<Kept>) -> Result<ListKept, AppError> {
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        store::take_turn(&mut transaction, owner).await.map_err(explain)?;
        let there = store::there(&mut transaction, owner, &entries).await.map_err(explain)?;
        let (mut count, mut bytes) = store::size(&mut *transaction, owner).await.map_err(explain)?;
        let mut told = ListKept::default();
        let mut new: Vec<Kept> = Vec::new();
        let mut seen = there;
        for entry in entries {
            let size = text_bytes(&entry.entry);
            if !seen.insert(digest(&entry.entry)) {
                told.skipped += 1;
            } else if count >= MOST_ENTRIES || bytes + size > MOST_BYTES {
                told.refused += 1;
            } else {
                count += 1;
                bytes += size;
                new.push(entry);
            }
        }
        store::renumber_taken(&mut transaction, &mut new, random_id).await.map_err(explain)?;
        told.kept = new.len();
        store::insert(&mut transaction, owner, &new).await.map_err(explain)?;
        transaction.commit().await.map_err(explain)?;
        Ok(told)
    }
}

/// Entries as Markdown, for people.
pub fn markdown(kept: &[Kept]) -> String {
    prompts::export::markdown(&entries(kept))
}

/// Entries as JSON, for programs.
pub fn json(kept: &[Kept]) -> String {
    prompts::export::json(&entries(kept))
}

fn entries(kept: &[Kept]) -> Vec<Entry> {
    kept.iter().map(|kept| kept.entry.clone()).collect()
}

/// What tells entries apart: the words and the settings. What people say about them may differ.
pub(crate) fn digest(entry: &Entry) -> [u8; 32] {
    let Entry { prompt, negative, tool, model, seed, steps, guidance, width, height, .. } = entry;
    let mut hasher = Sha256::new();
    for text in [prompt, negative, tool, model] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let numbers = [
        *seed,
        steps.map(u64::from),
        guidance.map(|guidance| u64::from(guidance.to_bits())),
        width.map(u64::from),
        height.map(u64::from),
    ];
    for number in numbers {
        hasher.update([u8::from(number.is_some())]);
        hasher.update(number.unwrap_or(0).to_be_bytes());
    }
    hasher.finalize().into()
}

/// The words and settings of a job, as an entry.
pub(crate) fn entry_of_request(request: &ValidRequest, made_at: DateTime<Utc>) -> Entry {
    Entry {
        prompt: request.prompt.clone(),
        negative: request.negative_prompt.clone(),
        tool: HERE.into(),
        model: request.model.clone(),
        seed: Some(request.seed),
        steps: Some(request.steps),
        guidance: Some(request.guidance),
        width: Some(request.width),
        height: Some(request.height),
        made_at: Some(made_at),
        ..Entry::default()
    }
}

fn text_bytes(entry: &Entry) -> usize {
    entry.prompt.len() + entry.negative.len() + entry.title.len() + entry.notes.len()
}

fn full() -> AppError {
    let megabytes = MOST_BYTES >> 20;
    AppError::ImportRefused {
        reason: format!(
            "your library is full ({MOST_ENTRIES} prompts, {megabytes} MB of words); what is in it is unchanged; \
             delete some that you need no more, and try again"
        ),
    }
}

fn random_id() -> Uuid {
    uuid::Builder::from_random_bytes(clock::random_u128().to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_settings_tell_entries_apart_and_notes_do_not() {
        let entry = Entry { prompt: "a sea".into(), steps: Some(1), ..Entry::default() };
        let same = Entry { notes: "nice".into(), tags: vec!["blue".into()], pinned: true, ..entry.clone() };
        assert_eq!(digest(&entry), digest(&same));
        let others = [
            Entry { prompt: "a se".into(), negative: "a".into(), ..entry.clone() },
            Entry { steps: None, width: Some(1), ..entry.clone() },
            Entry { seed: Some(0), ..entry.clone() },
        ];
        for other in others {
            assert_ne!(digest(&entry), digest(&other), "{other:?}");
        }
    }
}
