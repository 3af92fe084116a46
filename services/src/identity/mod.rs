//! Who owns things: the holder of a secret cookie, and nobody else.
//!
//! A device row is made with the first request that creates something, never by
//! looking at a page, so that a crawler leaves nothing behind.

mod signals;
mod store;
mod visitor;

pub use signals::{Agent, Signals, range, tells_place};
pub use visitor::Visitor;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Days, Utc};
use domain::{AppError, DeviceId, Plan};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Postgres, Transaction};

use crate::clock::{self, SharedClock};
use crate::db::explain;

const SECRET_BYTES: usize = 32;

/// The secret in an owner's cookie: 256 random bits. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET_BYTES]);

impl Secret {
    /// Draws a new one.
    pub fn random() -> Self {
        Self(clock::random_bytes())
    }

    /// Reads a cookie's value; anything but 32 bytes in unpadded URL-safe base64 is no secret.
    pub fn parse(text: &str) -> Option<Self> {
        // Refuse by length first: the value is whatever a client chose to send.
        if text.len() != 43 {
            return None;
        }
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The cookie's value.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Days after which a cookie that was not used opens nothing any more; browsers forget it then, too.
const COOKIE_DAYS: u64 = 400;

/// Who is asking, and what that entitles to. Nothing of it is stored before [`Identity::keep`].
///
/// Today this is always a device: the holder of a cookie, or somebody who is about to get one.
#[derive(Clone, Debug)]
pub struct Actor {
    pub device: DeviceId,
    pub plan: Plan,
    /// Has not made anything yet.
    pub first: bool,
    /// Brought a cookie from an earlier day that had made something.
    pub kept: bool,
    /// Last used on an earlier day.
    stale: bool,
    /// Drawn for somebody new.
    secret: Option<Secret>,
}

impl Actor {
    /// Came without a cookie that opens anything.
    pub fn is_new(&self) -> bool {
        self.secret.is_some()
    }
}

/// Finds and makes owners.
#[derive(Clone, Debug)]
pub struct Identity {
    pool: PgPool,
    clock: SharedClock,
}

impl Identity {
    pub fn new(pool: PgPool, clock: SharedClock) -> Self {
        Self { pool, clock }
    }

    /// The device that a visitor's cookie opens, if there is one.
    pub async fn device(&self, visitor: &Visitor) -> Result<Option<DeviceId>, AppError> {
        Ok(self.find(visitor, self.clock.now()).await?.map(|row| row.id))
    }

    /// The visitor's device and plan, if they have one.
    pub async fn holder(&self, visitor: &Visitor) -> Result<Option<(DeviceId, Plan)>, AppError> {
        Ok(self.find(visitor, self.clock.now()).await?.map(|row| (row.id, row.plan)))
    }

    /// Who is asking. Somebody new gets an id and a secret, which mean nothing until they are kept.
    pub async fn actor(&self, visitor: &Visitor) -> Result<Actor, AppError> {
        let now = self.clock.now();
        Ok(match self.find(visitor, now).await? {
            Some(row) => Actor {
                device: row.id,
                plan: row.plan,
                first: !row.made_something,
                kept: row.made_something && row.created_on < now.date_naive(),
                stale: row.seen_on < now.date_naive(),
                secret: None,
            },
            None => Actor {
                device: DeviceId::from_random(clock::random_u128()),
                plan: Plan::default(),
                first: true,
                kept: false,
                stale: false,
                // Never the secret that was sent: nobody chooses their own.
                secret: Some(Secret::random()),
            },
        })
    }

    /// Writes down who is asking, before anything is theirs. For somebody new: the `Set-Cookie` value.
    pub async fn keep(&self, actor: &Actor, visitor: &Visitor) -> Result<Option<String>, AppError> {
        let now = self.clock.now();
        match &actor.secret {
            Some(secret) => {
                store::insert(&self.pool, actor.device, &secret.hash(), now).await.map_err(explain)?;
                Ok(Some(visitor.set_cookie(secret)))
            }
            None => {
                if actor.stale {
                    store::seen(&self.pool, actor.device, now.date_naive()).await.map_err(explain)?;
                }
                Ok(None)
            }
        }
    }

    /// Gives a device Ultra by its holder's word. What else belongs to that goes into the transaction that is
    /// answered; `None` when it had Ultra already.
    pub async fn attest(&self, device: DeviceId) -> Result<Option<Transaction<'static, Postgres>>, AppError> {
        let mut transaction = self.pool.begin().await.map_err(explain)?;
        let changed = store::attest(&mut transaction, device, self.clock.now()).await.map_err(explain)?;
        Ok(changed.then_some(transaction))
    }

    async fn find(&self, visitor: &Visitor, now: DateTime<Utc>) -> Result<Option<store::DeviceRow>, AppError> {
        let Some(secret) = &visitor.secret else { return Ok(None) };
        let earliest = now.date_naive().checked_sub_days(Days::new(COOKIE_DAYS)).unwrap_or_default();
        // Looked up by its hash: how far a guess is right can't be told from how long the answer takes.
        store::find(&self.pool, &secret.hash(), earliest).await.map_err(explain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_round_trip_and_nothing_else_parses() {
        let secret = Secret::random();
        assert_eq!(Secret::parse(&secret.encode()), Some(secret.clone()));
        for text in ["", "abc", &"A".repeat(44), &"!".repeat(43), &secret.encode()[..42]] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
