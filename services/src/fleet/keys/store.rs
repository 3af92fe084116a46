use sqlx::PgPool;

use super::{KeyHash, KeyInfo};

/// False: there is a valid key of that name.
pub(super) async fn insert(pool: &PgPool, name: &str, hash: &KeyHash) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO worker_keys (name, key_hash) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET key_hash = EXCLUDED.key_hash, created_at = now(), revoked_at = NULL
         WHERE worker_keys.revoked_at IS NOT NULL",
    )
    .bind(name)
    .bind(hash.as_bytes())
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn revoke(pool: &PgPool, name: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE worker_keys SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL")
        .bind(name)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn list(pool: &PgPool) -> Result<Vec<KeyInfo>, sqlx::Error> {
    sqlx::query_as("SELECT name, created_at, revoked_at FROM worker_keys ORDER BY name").fetch_all(pool).await
}

pub(super) async fn find(pool: &PgPool, hash: &KeyHash) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT name FROM worker_keys WHERE key_hash = $1 AND revoked_at IS NULL")
        .bind(hash.as_bytes())
        .fetch_optional(pool)
        .await
}

pub(super) async fn stands(pool: &PgPool, hash: &KeyHash) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM worker_keys WHERE key_hash = $1 AND revoked_at IS NULL)")
        .bind(hash.as_bytes())
        .fetch_one(pool)
        .await
}
