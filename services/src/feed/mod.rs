//! Public pictures, newest first, page by key.

mod store;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::{AppError, OutputId};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::db::explain;
use crate::jobs::media_url;

/// Most pictures on one page.
const MAX_PAGE: u32 = 100;

/// Reads the public side.
#[derive(Clone, Debug)]
pub struct Feed {
    pool: PgPool,
}

/// One page of the feed.
#[derive(Debug, Serialize)]
pub struct FeedPage {
    pub items: Vec<FeedItem>,
    /// Key of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A picture that its owner made public.
#[derive(Debug, Serialize)]
pub struct FeedItem {
    pub id: OutputId,
    pub url: String,
    pub width: u32,
    pub height: u32,
    pub seed: u64,
    pub prompt: String,
    pub created_at: DateTime<Utc>,
}

impl Feed {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The page after `after`, or the first one.
    pub async fn page(&self, after: Option<&str>, limit: u32) -> Result<FeedPage, AppError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let after = after.map(|key| parse_key(key).ok_or_else(bad_key)).transpose()?;
        // One more than asked for tells whether there is a next page.
        let mut rows = store::page(&self.pool, after, limit + 1).await.map_err(explain)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| key(row.created_at, row.id));
        let side = |value: i32| u32::try_from(value).unwrap_or(0);
        let items = rows
            .into_iter()
            .map(|row| FeedItem {
                id: OutputId(row.id),
                url: media_url(OutputId(row.id)),
                width: side(row.width),
                height: side(row.height),
                seed: u64::try_from(row.seed).unwrap_or(0),
                prompt: row.prompt,
                created_at: row.created_at,
            })
            .collect();
        Ok(FeedPage { items, next })
    }
}

fn bad_key() -> AppError {
    AppError::BadRequest { reason: "“after” is not a key that this feed gave".into() }
}

fn key(created_at: DateTime<Utc>, id: Uuid) -> String {
    let mut bytes = created_at.timestamp_micros().to_be_bytes().to_vec();
    bytes.extend_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn parse_key(text: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (micros, id) = bytes.split_at(8);
    // Between 1970 and 9999, which is what a timestamp in the table can be.
    let micros = i64::from_be_bytes(micros.try_into().ok()?);
    let at = DateTime::from_timestamp_micros(micros).filter(|_| (0..253_402_300_800_000_000).contains(&micros))?;
    Some((at, Uuid::from_slice(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip_and_nonsense_is_refused() {
        let at = DateTime::from_timestamp_micros(1_795_000_000_123_456).expect("a time");
        let id = Uuid::from_u128(7);
        assert_eq!(parse_key(&key(at, id)), Some((at, id)));
        let early = key(DateTime::from_timestamp_micros(-7_000_000_000_000_000_000).expect("a time"), id);
        for wrong in ["", "x", "!!", &"A".repeat(33), &early] {
            assert_eq!(parse_key(wrong), None);
        }
    }
}
