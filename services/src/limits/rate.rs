//! Bursts: so many requests a second and a few at once, for each client. In this process, or for all heads in Redis;
//! the rule is the generic cell rate algorithm in both (ATM Forum, Traffic Management 4.0).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use redis::aio::ConnectionManager;

use super::day_key::SignalKey;

/// Answers milliseconds to wait, 0 for none. The time is Redis's own, so that heads need not agree about it.
const SCRIPT: &str = r"
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local gap, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = due - (burst - 1) * gap - now
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], due + gap, 'PX', math.ceil(due + gap - now) + 1000)
return 0
";

/// Requests a second, and at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// The limits of one client, and of everything at one address: a cookie costs nothing to invent.
#[derive(Clone, Debug)]
pub struct Bursts {
    client: RateLimiter,
    address: RateLimiter,
}

/// Times as much is allowed at an address as to one client: a household, an office.
const CLIENTS_AT_AN_ADDRESS: NonZeroU32 = NonZeroU32::new(20).unwrap();

impl Bursts {
    /// Counts in this process alone.
    pub fn new(rate: Rate) -> Self {
        Self { client: RateLimiter::new(rate), address: RateLimiter::new(rate.times(CLIENTS_AT_AN_ADDRESS)) }
    }

    /// Counts together with every head that names the same Redis and prefix.
    ///
    /// # Errors
    /// When Redis can't be reached or the address is none.
    pub async fn shared(rate: Rate, url: &str, prefix: &str) -> Result<Self, redis::RedisError> {
        Ok(Self {
            client: RateLimiter::shared(rate, url, &format!("{prefix}:client")).await?,
            address: RateLimiter::shared(rate.times(CLIENTS_AT_AN_ADDRESS), url, &format!("{prefix}:address")).await?,
        })
    }

    /// One more request of a visitor, by the keys of the cookie that came and of the address.
    ///
    /// # Errors
    /// How long they should wait.
    pub async fn take(&self, cookie: Option<SignalKey>, address: SignalKey) -> Result<(), Duration> {
        match cookie {
            // The address first: cookies cost nothing to invent, and each would be remembered for a while.
            Some(cookie) => {
                self.address.take(address).await?;
                self.client.take(cookie).await
            }
            // Who has no cookie yet is one client with everybody else at the address who has none.
            None => self.client.take(address).await,
        }
    }

    /// Forgets clients that have been quiet. To be called now and then.
    pub(super) fn forget_quiet_ones(&self) {
        self.client.forget_quiet_ones();
        self.address.forget_quiet_ones();
    }
}

impl Rate {
    fn times(self, factor: NonZeroU32) -> Self {
        let times = |number: NonZeroU32| number.saturating_mul(factor);
        Self { per_second: times(self.per_second), burst: times(self.burst) }
    }
}

/// Counts the requests of clients. Cheap to clone.
#[derive(Clone)]
struct RateLimiter {
    rate: Rate,
    here: Arc<DefaultKeyedRateLimiter<[u8; 16]>>,
    shared: Option<(ConnectionManager, String)>,
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiter").field("rate", &self.rate).field("shared", &self.shared.is_some()).finish()
    }
}

impl RateLimiter {
    /// Counts in this process alone.
    fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self { rate, here: Arc::new(DefaultKeyedRateLimiter::dashmap(quota)), shared: None }
    }

    /// Counts together with every head that names the same Redis and prefix.
    ///
    /// # Errors
    /// When Redis can't be reached or the address is none.
    async fn shared(rate: Rate, url: &str, prefix: &str) -> Result<Self, redis::RedisError> {
        let connection = ConnectionManager::new(redis::Client::open(url)?).await?;
        Ok(Self { shared: Some((connection, prefix.to_owned())), ..Self::new(rate) })
    }

    /// One more request of a client.
    ///
    /// # Errors
    /// How long it should wait.
    async fn take(&self, client: [u8; 16]) -> Result<(), Duration> {
        if let Some((connection, prefix)) = &self.shared {
            let gap = 1_000.0 / f64::from(self.rate.per_second.get());
            let key = format!("{prefix}:rate:{}", hex(&client));
            let script = redis::Script::new(SCRIPT);
            let mut call = script.key(key);
            call.arg(gap).arg(self.rate.burst.get());
            match call.invoke_async::<u64>(&mut connection.clone()).await {
                Ok(0) => return Ok(()),
                Ok(ms) => return Err(Duration::from_millis(ms)),
                // Without Redis each head counts for itself, which lets through a little more and nobody less.
                Err(error) => tracing::debug!(%error, "bursts are counted by this head alone"),
            }
        }
        self.here.check_key(&client).map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets clients that have been quiet. To be called now and then.
    fn forget_quiet_ones(&self) {
        self.here.retain_recent();
        self.here.shrink_to_fit();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
