use std::time::Duration;

use sqlx::PgConnection;

/// The class of all locks of this program; another form than the single number that migrations lock.
const CLASS: i32 = i32::from_be_bytes(*b"MIND");

/// Makes Postgres end this session, and so free its lock, when it says nothing for `silence`: its holder is cut
/// off or frozen.
pub(super) async fn end_when_silent(db: &mut PgConnection, silence: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('idle_session_timeout', $1, false), set_config('statement_timeout', '0', false)")
        .bind(format!("{}ms", silence.as_millis()))
        .execute(db)
        .await?;
    Ok(())
}

/// Takes the lock for this session, unless another session has it.
pub(super) async fn try_lock(db: &mut PgConnection, office: i32) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)").bind(CLASS).bind(office).fetch_one(db).await
}

/// Gives the lock back.
pub(super) async fn unlock(db: &mut PgConnection, office: i32) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_unlock($1, $2)").bind(CLASS).bind(office).execute(db).await?;
    Ok(())
}

/// Answers after `length`, or with an error as soon as the session ends.
pub(super) async fn beat(db: &mut PgConnection, length: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_sleep($1)").bind(length.as_secs_f64()).execute(db).await?;
    Ok(())
}
