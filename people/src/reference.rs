//! The published rules that this studio's replace, as a model: what the same traffic would have met there.
//!
//! What is known of them: `effective = max(count × confidence)` over the signals, with confidences 0.30 for the
//! fingerprint, 0.35 for the cookie, 0.25 for the address and 0.10 for behaviour; a hard limit of 50 that needs a
//! confidence of 0.7, and a soft one of 55 that needs none; suspicion lowers the confidence; the count of the cookie
//! is kept in the cookie; the first entry of `X-Forwarded-For` is believed, and so is any fingerprint.
//!
//! What is assumed here: the signal with the largest product decides, by its own count and confidence; behaviour has
//! no count of its own; suspicion is one half where a program says what it is; what is refused is not counted; days
//! end at midnight UTC; requests come one by one (the published code also let through more when they came at once).
//! A refusal at the soft limit is final: there are no challenges.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use services::identity::Agent;

use crate::client::Outcome;
use crate::crowd::{Actor, Ask, Group};
use crate::play::Outcomes;

const FINGERPRINT: f64 = 0.30;
const COOKIE: f64 = 0.35;
const ADDRESS: f64 = 0.25;
const HARD: (u32, f64) = (50, 0.7);
const SOFT: u32 = 55;

/// What clients write into `X-Forwarded-For` themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Nothing: the proxy's entry is the first.
    Honest,
    /// Bots put an invented address before it.
    Forged,
}

#[derive(Debug, Default)]
struct Counts {
    fingerprints: HashMap<[u8; 32], u32>,
    addresses: HashMap<IpAddr, u32>,
    /// By actor and number of the cookie: each carries its own count.
    cookies: HashMap<(usize, u32), u32>,
}

/// The same day under the published rules.
pub fn play(actors: &[Actor], headers: Headers) -> Outcomes {
    let mut queue: Vec<(u64, usize, usize)> = Vec::new();
    for (who, actor) in actors.iter().enumerate() {
        queue.extend(actor.asks.iter().enumerate().map(|(number, ask)| (ask.at_ms, who, number)));
    }
    queue.sort_unstable();
    let mut counts = Counts::default();
    let mut outcomes: Outcomes = actors.iter().map(|actor| vec![Outcome::default(); actor.asks.len()]).collect();
    for (place, (_, who, number)) in queue.into_iter().enumerate() {
        let (actor, ask) = (&actors[who], &actors[who].asks[number]);
        let forges = headers == Headers::Forged && is_bot(actor.group);
        let invented = IpAddr::V4(Ipv4Addr::from_bits(0xf000_0000 | place as u32));
        let address = if forges { invented } else { ask.address };
        let served = counts.serve(who, ask, address);
        let code = (!served).then(|| "limit".to_owned());
        outcomes[who][number] = Outcome { served, code, ..Outcome::default() };
    }
    outcomes
}

fn is_bot(group: Group) -> bool {
    !crate::crowd::PEOPLE.contains(&group)
}

impl Counts {
    fn serve(&mut self, who: usize, ask: &Ask, address: IpAddr) -> bool {
        let program = Agent::of(Some(ask.agent)) != Agent::Browser || ask.behaviour.is_some_and(|b| b.driven);
        let trust = if program { 0.5 } else { 1.0 };
        let fingerprint = ask.fingerprint.map_or(0, |print| self.fingerprints.get(&print).copied().unwrap_or(0));
        let signals = [
            (fingerprint, FINGERPRINT * trust),
            (self.cookies.get(&(who, ask.cookie)).copied().unwrap_or(0), COOKIE * trust),
            (self.addresses.get(&address).copied().unwrap_or(0), ADDRESS * trust),
        ];
        let product = |(count, confidence): &(u32, f64)| f64::from(*count) * confidence;
        let (count, confidence) =
            signals.into_iter().max_by(|a, b| product(a).total_cmp(&product(b))).unwrap_or((0, 0.0));
        let after = count + ask.count;
        if (after > HARD.0 && confidence >= HARD.1) || after > SOFT {
            return false;
        }
        if let Some(print) = ask.fingerprint {
            *self.fingerprints.entry(print).or_default() += ask.count;
        }
        *self.cookies.entry((who, ask.cookie)).or_default() += ask.count;
        *self.addresses.entry(address).or_default() += ask.count;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Pays;

    fn ask(at_ms: u64, address: &str, print: u8, cookie: u32) -> Ask {
        Ask {
            at_ms,
            address: address.parse().expect("an address"),
            fingerprint: Some([print; 32]),
            behaviour: None,
            agent: "Mozilla/5.0",
            prompt: "a boat".into(),
            count: 1,
            cookie,
        }
    }

    fn served(actors: &[Actor], headers: Headers) -> usize {
        play(actors, headers).iter().flatten().filter(|outcome| outcome.served).count()
    }

    #[test]
    fn two_hundred_strangers_with_one_fingerprint_lose_145_first_pictures() {
        let strangers: Vec<Actor> = (0..200_u32)
            .map(|n| Actor {
                group: Group::Homes,
                world: 0,
                pays: Pays::Always,
                asks: vec![ask(u64::from(n), &format!("20.0.{n}.1"), 1, 0)],
            })
            .collect();
        assert_eq!(served(&strangers, Headers::Honest), 55);
    }

    #[test]
    fn invented_headers_pass_without_end() {
        let asks = (0..1_000_u32).map(|n| Ask {
            fingerprint: Some(crate::chance::Chance::new(u64::from(n)).bytes()),
            ..ask(u64::from(n), "20.0.0.1", 0, n)
        });
        let bot = Actor { group: Group::FingerprintRotated, world: 0, pays: Pays::Never, asks: asks.collect() };
        assert_eq!(served(std::slice::from_ref(&bot), Headers::Honest), 55);
        assert_eq!(served(&[bot], Headers::Forged), 1_000);
    }
}
