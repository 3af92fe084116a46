//! Who owns things: the holder of a secret cookie, and nobody else.
//!
//! A device row is made with the first request that creates something, never by
//! looking at a page, so that a crawler leaves nothing behind.

mod store;
mod visitor;

pub use visitor::Visitor;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AppError, DeviceId};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::clock;
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

/// Finds and makes owners.
#[derive(Clone, Debug)]
pub struct Identity {
    pool: PgPool,
}

impl Identity {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The device that a visitor's cookie opens, if there is one.
    pub async fn device(&self, visitor: &Visitor) -> Result<Option<DeviceId>, AppError> {
        match &visitor.secret {
            None => Ok(None),
            Some(secret) => store::find(&self.pool, &secret.hash()).await.map_err(explain),
        }
    }

    /// The visitor's device; one is made if there is none, with the `Set-Cookie` value that opens it.
    pub async fn ensure(&self, visitor: &Visitor) -> Result<(DeviceId, Option<String>), AppError> {
        if let Some(device) = self.device(visitor).await? {
            return Ok((device, None));
        }
        // Never the secret that was sent: nobody chooses their own.
        let secret = Secret::random();
        let device = DeviceId::from_random(clock::random_u128());
        store::insert(&self.pool, device, &secret.hash()).await.map_err(explain)?;
        Ok((device, Some(visitor.set_cookie(&secret))))
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
