//! The keys that stand for a request's signals during one day, and mean nothing after it.

use std::net::IpAddr;

use domain::DeviceId;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::identity::{Signals, range, tells_place};

/// Keys in the database: 128 bits of an HMAC under the day's key.
pub type SignalKey = [u8; 16];

/// The key that everything of one day is hashed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DayKey(pub(super) [u8; 32]);

impl std::fmt::Debug for DayKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DayKey(…)")
    }
}

impl DayKey {
    /// The address range, where it tells a place.
    pub(super) fn address(&self, signals: &Signals) -> Option<SignalKey> {
        signals.address.filter(|address| tells_place(*address)).map(|_| self.place(signals))
    }

    /// The address range, whatever it tells: what a proof is bound to.
    pub(super) fn place(&self, signals: &Signals) -> SignalKey {
        self.hash("address", &[&range_bytes(signals)])
    }

    /// The fingerprint at the address range; at a place, browsers that send none count as one kind.
    pub(super) fn pair(&self, signals: &Signals) -> Option<SignalKey> {
        (signals.fingerprint.is_some() || self.address(signals).is_some()).then(|| self.person(signals))
    }

    /// Somebody without a cookie, as far as they can be told apart.
    pub(super) fn person(&self, signals: &Signals) -> SignalKey {
        self.hash("pair", &[&range_bytes(signals), fingerprint_bytes(signals)])
    }

    /// The fingerprint, wherever it is.
    pub(super) fn fingerprint(&self, signals: &Signals) -> Option<SignalKey> {
        signals.fingerprint.as_ref().map(|fingerprint| self.hash("fingerprint", &[fingerprint]))
    }

    /// These words at the address range; case and spacing don't make them others.
    pub(super) fn prompt(&self, signals: &Signals, prompt: &str) -> SignalKey {
        let words = prompt.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
        self.hash("prompt", &[&range_bytes(signals), words.as_bytes()])
    }

    /// An address as bursts count it: one of IPv4, but a whole range of IPv6, in which everybody has billions.
    pub(super) fn client(&self, signals: &Signals) -> SignalKey {
        match signals.address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => self.hash("client", &[&address.octets()]),
            _ => self.hash("client", &[&range_bytes(signals)]),
        }
    }

    /// A cookie as bursts count it.
    pub(super) fn cookie(&self, secret: &[u8; 32]) -> SignalKey {
        self.hash("cookie", &[secret])
    }

    /// A device, where its id is not to be seen.
    pub(super) fn device(&self, device: DeviceId) -> SignalKey {
        self.hash("device", &[device.0.as_bytes()])
    }

    fn hash(&self, purpose: &str, parts: &[&[u8]]) -> SignalKey {
        // Any key length is fine for HMAC, so this can't fail; a zero key would only make hashes guessable.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return SignalKey::default() };
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            // With their lengths, so that no two lists of parts are the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut key = SignalKey::default();
        key.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        key
    }
}

fn range_bytes(signals: &Signals) -> Vec<u8> {
    match signals.address.map(range) {
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        Some(IpAddr::V6(address)) => address.octets().to_vec(),
        None => Vec::new(),
    }
}

fn fingerprint_bytes(signals: &Signals) -> &[u8] {
    signals.fingerprint.as_ref().map_or(&[], |fingerprint| fingerprint.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Signals {
        Signals { address: Some(address.parse().expect("an address")), ..Signals::default() }
    }

    #[test]
    fn nothing_correlates_across_days() {
        let signals = Signals { fingerprint: Some([7; 32]), ..from("198.51.100.1") };
        let (today, tomorrow) = (DayKey([1; 32]), DayKey([2; 32]));
        assert_ne!(today.address(&signals), tomorrow.address(&signals));
        assert_ne!(today.pair(&signals), tomorrow.pair(&signals));
        assert_ne!(today.fingerprint(&signals), tomorrow.fingerprint(&signals));
    }

    #[test]
    fn one_purpose_says_nothing_about_another() {
        let key = DayKey([1; 32]);
        let signals = from("198.51.100.1");
        assert_ne!(key.address(&signals), key.pair(&signals));
        assert_eq!((key.address(&from("10.0.0.1")), key.pair(&from("10.0.0.1"))), (None, None));
        assert_eq!(key.prompt(&signals, "A red  Boat"), key.prompt(&signals, "a red boat"));
        assert_ne!(key.prompt(&signals, "a red boat"), key.prompt(&from("203.0.113.1"), "a red boat"));
    }
}
