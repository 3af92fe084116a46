use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::DeviceId;
use prompts::Entry;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::{Kept, LibrarySearch, digest};

#[derive(Debug, sqlx::FromRow)]
struct EntryRow {
    id: Uuid,
    prompt: String,
    negative: String,
    title: String,
    notes: String,
    tags: Vec<String>,
    pinned: bool,
    tool: String,
    model: String,
    seed: Option<i64>,
    steps: Option<i32>,
    guidance: Option<f32>,
    width: Option<i32>,
    height: Option<i32>,
    made_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<EntryRow> for Kept {
    fn from(row: EntryRow) -> Self {
        let number = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
        let entry = Entry {
            prompt: row.prompt,
            negative: row.negative,
            title: row.title,
            notes: row.notes,
            tags: row.tags,
            pinned: row.pinned,
            tool: row.tool,
            model: row.model,
            seed: row.seed.map(i64::cast_unsigned),
            steps: number(row.steps),
            guidance: row.guidance,
            width: number(row.width),
            height: number(row.height),
            made_at: row.made_at,
        };
        Self { id: row.id, created_at: row.created_at, entry }
    }
}

/// Entries of `owner` whose texts match all patterns, the newest first, behind one of theirs if it is named.
pub(super) async fn page(
    pool: &PgPool,
    owner: DeviceId,
    patterns: &[String],
    search: &LibrarySearch,
    limit: u32,
) -> Result<Vec<Kept>, sqlx::Error> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "SELECT id, prompt, negative, title, notes, tags, pinned, tool, model, seed, steps, guidance, width, height,
             made_at, created_at
         FROM library_entries
         WHERE device_id = $1 AND (pinned OR NOT $2) AND ($3::text IS NULL OR $3 = ANY (tags))
           AND concat_ws(' ', prompt, title, notes, array_to_string(tags, ' ')) ILIKE ALL ($4::text[])
           AND ($5::uuid IS NULL OR (created_at, id)
                < (SELECT created_at, id FROM library_entries WHERE id = $5 AND device_id = $1))
         ORDER BY created_at DESC, id DESC LIMIT $6",
    )
    .bind(owner.0)
    .bind(search.pinned)
    .bind(&search.tag)
    .bind(patterns)
    .bind(search.before)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Kept::from).collect())
}

/// How many entries an owner has, and the bytes of their texts.
pub(super) async fn size(db: impl PgExecutor<'_>, owner: DeviceId) -> Result<(usize, usize), sqlx::Error> {
    let (count, bytes): (i64, i64) =
        sqlx::query_as("SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM library_entries WHERE device_id = $1")
            .bind(owner.0)
            .fetch_one(db)
            .await?;
    Ok((usize::try_from(count).unwrap_or(0), usize::try_from(bytes).unwrap_or(0)))
}

pub(super) async fn tags(pool: &PgPool, owner: DeviceId, limit: u32) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT tag FROM library_entries, unnest(tags) AS tag WHERE device_id = $1
         GROUP BY tag ORDER BY count(*) DESC, tag LIMIT $2",
    )
    .bind(owner.0)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
}

/// Until the transaction ends, nobody else adds to this owner's entries.
pub(super) async fn take_turn(db: &mut PgConnection, owner: DeviceId) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT FROM devices WHERE id = $1 FOR NO KEY UPDATE").bind(owner.0).execute(db).await?;
    Ok(())
}

/// Of these entries, the digests of those that an owner has.
pub(super) async fn there(
    db: &mut PgConnection,
    owner: DeviceId,
    entries: &[Kept],
) -> Result<HashSet<[u8; 32]>, sqlx::Error> {
    let digests: Vec<Vec<u8>> = entries.iter().map(|kept| digest(&kept.entry).to_vec()).collect();
    let found: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT digest FROM library_entries WHERE device_id = $1 AND digest = ANY($2)")
            .bind(owner.0)
            .bind(digests)
            .fetch_all(db)
            .await?;
    Ok(found.into_iter().filter_map(|digest| digest.try_into().ok()).collect())
}

/// Gives entries another id whose own one is somebody's, or named twice.
pub(super) async fn renumber_taken(
    db: &mut PgConnection,
    entries: &mut [Kept],
    fresh: impl Fn() -> Uuid,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = entries.iter().map(|kept| kept.id).collect();
    let taken: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM library_entries WHERE id = ANY($1)").bind(ids).fetch_all(db).await?;
    let mut taken: HashSet<Uuid> = taken.into_iter().collect();
    for kept in entries {
        if !taken.insert(kept.id) {
            kept.id = fresh();
        }
    }
    Ok(())
}

pub(super) async fn insert(db: &mut PgConnection, owner: DeviceId, entries: &[Kept]) -> Result<(), sqlx::Error> {
    fn column<T>(entries: &[Kept], of: impl Fn(&Entry) -> T) -> Vec<T> {
        entries.iter().map(|kept| of(&kept.entry)).collect()
    }
    let number = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
    // Lists in lists have one length in Postgres, so tags travel as JSON.
    sqlx::query(
        "INSERT INTO library_entries (id, device_id, prompt, negative, title, notes, tags, pinned, tool, model, seed,
             steps, guidance, width, height, made_at, digest, created_at)
         SELECT id, $1, prompt, negative, title, notes, ARRAY (SELECT jsonb_array_elements_text(tags)), pinned, tool,
             model, seed, steps, guidance, width, height, made_at, digest, created_at
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::bool[], $9::text[],
             $10::text[], $11::bigint[], $12::int[], $13::real[], $14::int[], $15::int[], $16::timestamptz[],
             $17::bytea[], $18::timestamptz[])
             AS t (id, prompt, negative, title, notes, tags, pinned, tool, model, seed, steps, guidance, width, height,
                 made_at, digest, created_at)
         ON CONFLICT DO NOTHING",
    )
    .bind(owner.0)
    .bind(entries.iter().map(|kept| kept.id).collect::<Vec<_>>())
    .bind(column(entries, |entry| entry.prompt.clone()))
    .bind(column(entries, |entry| entry.negative.clone()))
    .bind(column(entries, |entry| entry.title.clone()))
    .bind(column(entries, |entry| entry.notes.clone()))
    .bind(column(entries, |entry| sqlx::types::Json(entry.tags.clone())))
    .bind(column(entries, |entry| entry.pinned))
    .bind(column(entries, |entry| entry.tool.clone()))
    .bind(column(entries, |entry| entry.model.clone()))
    .bind(column(entries, |entry| entry.seed.map(u64::cast_signed)))
    .bind(column(entries, |entry| number(entry.steps)))
    .bind(column(entries, |entry| entry.guidance))
    .bind(column(entries, |entry| number(entry.width)))
    .bind(column(entries, |entry| number(entry.height)))
    .bind(column(entries, |entry| entry.made_at))
    .bind(column(entries, |entry| digest(entry).to_vec()))
    .bind(entries.iter().map(|kept| kept.created_at).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Writes down what an owner says about an entry; `None`: they have no such entry.
pub(super) async fn change(
    db: &mut PgConnection,
    owner: DeviceId,
    id: Uuid,
    said: &Entry,
) -> Result<Option<Kept>, sqlx::Error> {
    let row: Option<EntryRow> = sqlx::query_as(
        "UPDATE library_entries SET tags = $3, notes = $4, pinned = $5 WHERE id = $1 AND device_id = $2
         RETURNING id, prompt, negative, title, notes, tags, pinned, tool, model, seed, steps, guidance, width, height,
             made_at, created_at",
    )
    .bind(id)
    .bind(owner.0)
    .bind(&said.tags)
    .bind(&said.notes)
    .bind(said.pinned)
    .fetch_optional(db)
    .await?;
    Ok(row.map(Kept::from))
}

pub(super) async fn delete(pool: &PgPool, owner: DeviceId, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM library_entries WHERE id = $1 AND device_id = $2")
        .bind(id)
        .bind(owner.0)
        .execute(pool)
        .await?;
    Ok(())
}
