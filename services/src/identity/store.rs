use domain::DeviceId;
use sqlx::PgPool;

pub(super) async fn find(pool: &PgPool, secret_hash: &[u8]) -> Result<Option<DeviceId>, sqlx::Error> {
    let id = sqlx::query_scalar("SELECT id FROM devices WHERE secret_hash = $1")
        .bind(secret_hash)
        .fetch_optional(pool)
        .await?;
    Ok(id.map(DeviceId))
}

pub(super) async fn insert(pool: &PgPool, device: DeviceId, secret_hash: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO devices (id, secret_hash) VALUES ($1, $2)")
        .bind(device.0)
        .bind(secret_hash)
        .execute(pool)
        .await?;
    Ok(())
}
