use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

#[derive(Debug, sqlx::FromRow)]
pub(super) struct FeedRow {
    pub id: Uuid,
    pub width: i32,
    pub height: i32,
    pub seed: i64,
    pub prompt: String,
    pub created_at: DateTime<Utc>,
}

pub(super) async fn page(
    pool: &PgPool,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u32,
) -> Result<Vec<FeedRow>, sqlx::Error> {
    let (at, id) = after.unzip();
    sqlx::query_as(
        "SELECT output.id, output.width, output.height, output.seed, job.request->>'prompt' AS prompt, output.created_at
         FROM outputs AS output JOIN jobs AS job ON job.id = output.job_id
         WHERE output.public AND job.state = 'succeeded'
           AND ($1::timestamptz IS NULL OR (output.created_at, output.id) < ($1, $2))
         ORDER BY output.created_at DESC, output.id DESC LIMIT $3",
    )
    .bind(at)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
}
