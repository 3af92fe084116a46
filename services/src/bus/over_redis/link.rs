//! The connection that all short calls share. It is made when needed and
//! thrown away at the first sign of trouble.
//!
//! The crate's own `ConnectionManager` is not used: when a reconnection fails
//! for a reason that is not an input or output error (Redis still loads its
//! data, say), it keeps that failure and never tries again.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError, ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{CALL_TIMEOUT, CONNECT_TIMEOUT};
use crate::bus::BusError;

/// A peer that does not acknowledge what was sent to it for this long is gone.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);
/// A silent connection is probed after this long, and then as often.
const PROBE_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Link {
    client: redis::Client,
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a failure throws away the one it happened on and not its successor.
    number: u64,
}

impl Link {
    /// Reads the address; connects with the first call.
    pub(super) fn open(url: &str) -> Result<Self, BusError> {
        let refused = |error: RedisError| BusError::Refused(format!("the address of Redis: {error}"));
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_AFTER))
            .set_user_timeout(UNACKNOWLEDGED);
        let address = url.into_connection_info().map_err(refused)?.set_tcp_settings(tcp);
        let client = redis::Client::open(address).map_err(refused)?;
        Ok(Self { client, shared: Mutex::default() })
    }

    /// Sends commands and waits for their answers, all within [`CALL_TIMEOUT`].
    pub(super) async fn call<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, BusError> {
        let mut used = None;
        let call = async {
            let (mut connection, number) = self.shared().await?;
            used = Some(number);
            commands.query_async(&mut connection).await
        };
        let result = timeout(CALL_TIMEOUT, call).await;
        let broken = match &result {
            Ok(Ok(_)) => false,
            Ok(Err(error)) => is_broken(error),
            Err(_) => true,
        };
        if let Some(number) = used.filter(|_| broken) {
            let mut shared = self.shared.lock().await;
            if shared.number == number {
                shared.connection = None;
            }
        }
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(explain(&error)),
            Err(_) => Err(BusError::Unavailable("no answer in time".into())),
        }
    }

    /// A connection of one's own, for commands that may take `patience` and a little longer.
    pub(super) async fn dedicated(&self, patience: Duration) -> Result<MultiplexedConnection, BusError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(patience + CALL_TIMEOUT));
        self.client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| explain(&error))
    }

    /// A connection of one's own for subscriptions.
    pub(super) async fn subscriber(&self) -> Result<redis::aio::PubSub, BusError> {
        match timeout(CONNECT_TIMEOUT, self.client.get_async_pubsub()).await {
            Ok(connected) => connected.map_err(|error| explain(&error)),
            Err(_) => Err(BusError::Unavailable("no connection in time".into())),
        }
    }

    async fn shared(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        // Whoever comes while one connects waits for that connection.
        let mut shared = self.shared.lock().await;
        if let Some(connection) = &shared.connection {
            return Ok((connection.clone(), shared.number));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CALL_TIMEOUT));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        shared.number += 1;
        shared.connection = Some(connection.clone());
        Ok((connection, shared.number))
    }
}

/// What an error of the client means to a caller.
pub(super) fn explain(error: &RedisError) -> BusError {
    match error.kind() {
        ErrorKind::Io
        | ErrorKind::Parse
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => BusError::Unavailable(error.to_string()),
        _ => BusError::Refused(error.to_string()),
    }
}

/// Whole milliseconds, at least one.
pub(super) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Whether a connection that answered so is to be replaced. A server that lost its role to another is, too.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly))
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("connected", &self.connection.is_some()).field("number", &self.number).finish()
    }
}
