//! Proof of work: ALTCHA version 2 with Argon2id. What is signed is what is bought: one request of one purpose, for
//! one price at most, from one address range, within a few minutes.

use std::collections::BTreeMap;

use altcha::{
    Challenge, CreateChallengeOptions, HmacAlgorithm, Payload, VerifySolutionOptions, create_challenge, verify_solution,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::day_key::SignalKey;
use super::risk::Demand;

/// Memory of one derivation, in KiB: little enough for an old phone, far too much for a graphics card to do many.
const MEMORY_KIB: u32 = 4_096;
/// How long an answer may take.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(5);
/// Longest answer that is looked at, in characters.
const LONGEST: usize = 4_096;

/// What a proof is for: one never buys another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Create,
    Attest,
}

/// What one proof buys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bought {
    pub purpose: Purpose,
    /// The address range it is for.
    pub subject: SignalKey,
    /// Credits, at most.
    pub price: u32,
}

/// A proof that was good when it was looked at; whether it is new, the database says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proven {
    pub id: [u8; 32],
    pub level: Demand,
    pub expires_at: DateTime<Utc>,
}

/// The fewest and the most derivations that a proof takes. Which of them it is, the server draws, so everybody works
/// about equally long: under two seconds on a phone for the silent one, under fifteen for the visible one. A phone is a
/// browser slowed down four times, where one derivation takes some 30 ms; `docs/signals.md` has the figures.
fn bounds(demand: Demand) -> (u32, u32) {
    match demand {
        Demand::Nothing | Demand::Silent => (20, 28),
        Demand::Visible => (220, 260),
    }
}

fn work(demand: Demand, drawn: u32) -> u32 {
    let (fewest, most) = bounds(demand);
    fewest + drawn % (most - fewest + 1)
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Attest => "attest",
        }
    }
}

/// Makes a challenge. One derivation is made here, which is what lets the answer be verified without any.
pub(super) fn challenge(
    secret: &[u8; 32],
    bought: Bought,
    demand: Demand,
    drawn: u32,
    now: DateTime<Utc>,
) -> Result<Value, altcha::Error> {
    let level = if demand == Demand::Visible { "visible" } else { "silent" };
    let data = BTreeMap::from([
        ("purpose".to_owned(), Value::from(bought.purpose.name())),
        ("subject".to_owned(), Value::from(URL_SAFE_NO_PAD.encode(bought.subject))),
        ("level".to_owned(), Value::from(level)),
        ("credits".to_owned(), Value::from(bought.price)),
        // What a progress bar counts up to.
        ("most".to_owned(), Value::from(bounds(demand).1 + 1)),
        // Not the field that the library knows: it would look at another clock than ours.
        ("expires".to_owned(), Value::from((now + GOOD_FOR).timestamp())),
    ]);
    let challenge = create_challenge(CreateChallengeOptions {
        algorithm: "ARGON2ID".into(),
        cost: 1,
        memory_cost: Some(MEMORY_KIB),
        parallelism: Some(1),
        counter: Some(work(demand, drawn)),
        data: Some(data),
        hmac_algorithm: HmacAlgorithm::Sha256,
        hmac_signature_secret: Some(signing(secret)),
        hmac_key_signature_secret: Some(key_signing(secret)),
        ..CreateChallengeOptions::default()
    })?;
    Ok(serde_json::to_value(challenge).unwrap_or_default())
}

/// Looks at an answer. `None`: it is not one, or not for this. Comparisons of secrets take the same time whatever
/// they find, and nothing is derived for what was not signed here.
pub(super) fn verify(secrets: &[[u8; 32]], answer: &str, bought: Bought, now: DateTime<Utc>) -> Option<Proven> {
    if answer.len() > LONGEST {
        return None;
    }
    let json = STANDARD.decode(answer).ok()?;
    let mut payload: Payload = serde_json::from_slice(&json).ok()?;
    let parameters = &payload.challenge.parameters;
    let expires_at = DateTime::from_timestamp(parameters.data.as_ref()?.get("expires")?.as_i64()?, 0)?;
    let said = |name: &str| parameters.data.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let (for_purpose, for_subject, level) = (said("purpose")?, said("subject")?, said("level")?);
    let credits = parameters.data.as_ref()?.get("credits")?.as_u64()?;
    let id: [u8; 32] = Sha256::digest(parameters.nonce.as_bytes()).into();
    // Without a key signature the library would derive the key itself: work that a stranger could ask for.
    parameters.key_signature.as_deref().filter(|signature| !signature.is_empty())?;
    let signed = secrets.iter().any(|secret| is_signed(&mut payload, secret));
    let level = match level.as_str() {
        "visible" => Demand::Visible,
        "silent" => Demand::Silent,
        _ => return None,
    };
    let fits = for_purpose == bought.purpose.name()
        && for_subject == URL_SAFE_NO_PAD.encode(bought.subject)
        && u64::from(bought.price) <= credits
        && now < expires_at;
    (signed && fits).then_some(Proven { id, level, expires_at })
}

fn is_signed(payload: &mut Payload, secret: &[u8; 32]) -> bool {
    let Payload { challenge, solution } = payload;
    let options = VerifySolutionOptions {
        hmac_key_signature_secret: Some(key_signing(secret)),
        ..VerifySolutionOptions::new(challenge, solution, signing(secret))
    };
    verify_solution(options).is_ok_and(|result| result.verified)
}

fn signing(secret: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(b"challenge").chain_update(secret).finalize())
}

fn key_signing(secret: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(b"key").chain_update(secret).finalize())
}

/// Answers a challenge, as a browser does. For tests and the simulator of people and bots.
pub fn solve(challenge: &Value) -> Option<String> {
    let challenge: Challenge = serde_json::from_value(challenge.clone()).ok()?;
    let solution = altcha::solve_challenge(altcha::SolveChallengeOptions::new(&challenge)).ok()??;
    serde_json::to_vec(&Payload { challenge, solution }).ok().map(|json| STANDARD.encode(json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    const SECRET: [u8; 32] = [3; 32];
    const HERE: Bought = Bought { purpose: Purpose::Create, subject: [1; 16], price: 4 };

    fn answered(secret: &[u8; 32], now: DateTime<Utc>) -> String {
        let challenge = challenge(secret, HERE, Demand::Silent, 0, now).expect("a challenge");
        solve(&challenge).expect("an answer")
    }

    #[test]
    fn an_answer_is_good_for_what_it_was_made_for_and_nothing_else() {
        let now = SystemClock.now();
        let answer = answered(&SECRET, now);
        let look = |answer: &str, bought, now| verify(&[SECRET], answer, bought, now);
        assert_eq!(look(&answer, HERE, now).map(|proven| proven.level), Some(Demand::Silent));
        assert!(look(&answer, Bought { price: 1, ..HERE }, now).is_some(), "for less than was thought of");
        // Cross-purpose, elsewhere, for more, expired.
        assert_eq!(look(&answer, Bought { purpose: Purpose::Attest, ..HERE }, now), None);
        assert_eq!(look(&answer, Bought { subject: [2; 16], ..HERE }, now), None);
        assert_eq!(look(&answer, Bought { price: 5, ..HERE }, now), None);
        assert_eq!(look(&answer, HERE, now + TimeDelta::minutes(6)), None);
        // Truncated at any place, and not an answer at all.
        for end in (0..answer.len()).step_by(7) {
            assert_eq!(look(&answer[..end], HERE, now), None, "{end}");
        }
        for text in ["", "e30=", "!!!!", &"A".repeat(5_000)] {
            assert_eq!(look(text, HERE, now), None);
        }
    }

    #[test]
    fn what_was_not_signed_here_is_refused() {
        let now = SystemClock.now();
        let answer = answered(&[9; 32], now);
        assert_eq!(verify(&[SECRET], &answer, HERE, now), None);
        // Any changed field breaks the signature: a later end, a higher level, an easier prefix.
        let json: Value =
            serde_json::from_slice(&STANDARD.decode(answered(&SECRET, now)).expect("base64")).expect("json");
        let forge = |path: &str, value: Value| {
            let mut forged = json.clone();
            *forged.pointer_mut(path).expect("a field") = value;
            STANDARD.encode(forged.to_string())
        };
        for (path, value) in [
            ("/challenge/parameters/data/expires", Value::from(now.timestamp() + 99_999)),
            ("/challenge/parameters/data/level", Value::from("visible")),
            ("/challenge/parameters/data/credits", Value::from(50)),
            ("/challenge/parameters/nonce", Value::from("00".repeat(16))),
            ("/challenge/parameters/keySignature", Value::from("00".repeat(32))),
            ("/challenge/parameters/keySignature", Value::from("")),
            ("/challenge/signature", Value::from("00".repeat(32))),
            ("/solution/derivedKey", Value::from("00".repeat(32))),
        ] {
            assert_eq!(verify(&[SECRET], &forge(path, value), HERE, now), None, "{path}");
        }
    }

    #[test]
    fn a_rotation_keeps_answers_that_are_under_way() {
        let now = SystemClock.now();
        let answer = answered(&SECRET, now);
        assert!(verify(&[[8; 32], SECRET], &answer, HERE, now).is_some());
        assert_eq!(verify(&[[8; 32], [7; 32]], &answer, HERE, now), None);
    }

    #[test]
    fn everybody_works_about_equally_long() {
        for drawn in [0, 20, 12_345, u32::MAX] {
            assert!((20..=28).contains(&work(Demand::Silent, drawn)));
            assert!((220..=260).contains(&work(Demand::Visible, drawn)));
        }
    }
}
