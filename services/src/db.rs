//! The connection pool, migrations, and what a database error means to a caller.

use std::time::Duration;

use domain::AppError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

/// How long a request waits for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// No statement that a request waits for takes nearly as long: one that does has met a search that nobody thought of, and
/// must not keep a connection from everybody else.
const STATEMENT_TIMEOUT: (&str, &str) = ("statement_timeout", "30s");

/// Opens a pool. Connections are made when needed and replaced when they break.
pub async fn connect(url: &str, max_connections: u32) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options.options([STATEMENT_TIMEOUT]).application_name("mindseye").disable_statement_logging())
        .await
}

/// Brings the schema up to date, however long it takes. Several servers may do so at once: an advisory lock orders them.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    sqlx::migrate!("../migrations").run(&mut connection).await
}

/// Whether the database answers.
pub async fn is_up(pool: &PgPool) -> bool {
    sqlx::query("SELECT 1").execute(pool).await.is_ok()
}

/// What a database error means to whoever asked: come back soon, or our fault. Logged either way.
pub fn explain(error: sqlx::Error) -> AppError {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
            tracing::warn!(%error, "the database is out of reach");
            AppError::Unavailable
        }
        // Class 57P: the server is shutting down or starting up. 53: out of connections, memory or disk.
        sqlx::Error::Database(ref database)
            if database.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("53")) =>
        {
            tracing::warn!(%error, "the database can't serve now");
            AppError::Unavailable
        }
        // What took longer than `STATEMENT_TIMEOUT`.
        sqlx::Error::Database(ref database) if database.code().is_some_and(|code| code == "57014") => {
            tracing::error!(%error, "a statement took too long and was ended");
            AppError::Unavailable
        }
        // Class 40: undone for another transaction's sake, such as one of two that waited for each other.
        sqlx::Error::Database(ref database) if database.code().is_some_and(|code| code.starts_with("40")) => {
            tracing::warn!(%error, "a transaction had to give way");
            AppError::Unavailable
        }
        error => {
            tracing::error!(%error, "database error");
            AppError::Internal
        }
    }
}
