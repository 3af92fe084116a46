//! How automated a request looks: a question of its own, which never uses up anybody's allowance.

use domain::Behaviour;
use domain::behaviour::Input;

use super::allowance::{Buckets, Overdraft};
use super::policy::Policy;
use crate::identity::Agent;

/// What is known of a request when it is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// This cookie has not made anything yet.
    pub first: bool,
    pub buckets: Buckets,
    pub behaviour: Option<Behaviour>,
    pub agent: Agent,
    pub edge_score: Option<u8>,
    /// Address ranges that the device was used from today.
    pub ranges: u32,
    /// Jobs of newcomers at this address range with the same words, today.
    pub same_words: i32,
}

/// One observation: what an operator reads, and the points it gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    pub name: &'static str,
    pub points: u32,
}

/// What is asked of a request before it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    Nothing,
    /// A proof of work that nobody notices.
    Silent,
    /// A longer one that a person starts.
    Visible,
}

/// How suspicious, and why.
pub fn risk(evidence: &Evidence, policy: &Policy) -> Vec<Reason> {
    let weights = &policy.weights;
    let mut reasons = Vec::new();
    let mut add = |when: bool, name, points| {
        if when {
            reasons.push(Reason { name, points });
        }
    };
    match evidence.agent {
        Agent::Browser => {}
        Agent::Program => add(true, "program", weights.program),
        Agent::Headless => add(true, "headless", weights.headless),
    }
    if let Some(behaviour) = evidence.behaviour {
        add(behaviour.driven && evidence.agent != Agent::Headless, "headless", weights.headless);
        let mechanical = match behaviour.input {
            Input::Mouse => behaviour.samples >= 20 && behaviour.entropy < 50,
            Input::Touch | Input::Keyboard => behaviour.samples >= 8 && behaviour.rhythm < 10,
            Input::None => false,
        };
        add(mechanical, "mechanical", weights.mechanical);
        // A returning person presses Create at once: only a first request can be hasty.
        add(evidence.first && behaviour.first_ms < 800, "hasty", weights.hasty);
    }
    match evidence.edge_score {
        Some(0 | 1) => add(true, "edge", weights.edge_certain),
        Some(2..=29) => add(true, "edge", weights.edge_likely),
        _ => {}
    }
    let (gaps, steadiness) = evidence.buckets.pair.unwrap_or_default().own.steadiness();
    add(gaps >= 8 && steadiness < 0.15, "steady", weights.steady);
    add(evidence.same_words >= 12, "same_words", weights.same_words);
    add(evidence.ranges > 8, "many_ranges", weights.many_ranges);
    let fingerprint = evidence.buckets.fingerprint.map_or(0, |bucket| bucket.others(policy.vouching()));
    add(fingerprint > policy.fingerprint_turnover, "fingerprint_turnover", weights.fingerprint_turnover);
    reasons
}

/// Everything that spoke against a request, as an operator reads it.
pub fn why(overdrafts: &[Overdraft], risk: &[Reason], policy: &Policy) -> Vec<Reason> {
    let overdrawn = overdrafts.iter().map(|overdraft| Reason {
        name: overdraft.name(),
        points: if overdraft.is_strong() { policy.visible_at } else { policy.silent_at },
    });
    overdrawn.chain(risk.iter().copied()).collect()
}

/// What both answers together ask for.
///
/// A first picture is never asked to prove anything for how it looks; only where new cookies have taken more than
/// any crowd does.
pub fn demand(overdrafts: &[Overdraft], risk: &[Reason], first: bool, policy: &Policy) -> Demand {
    if overdrafts.iter().any(|overdraft| overdraft.is_strong()) {
        return Demand::Visible;
    }
    let points: u32 = risk.iter().map(|reason| reason.points).sum();
    if !first && points >= policy.visible_at {
        return Demand::Visible;
    }
    if !overdrafts.is_empty() || (!first && points >= policy.silent_at) { Demand::Silent } else { Demand::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Evidence {
        let behaviour =
            Behaviour { input: Input::Mouse, samples: 140, entropy: 240, first_ms: 9_000, ..Behaviour::default() };
        Evidence { behaviour: Some(behaviour), ..Evidence::default() }
    }

    fn asked(evidence: &Evidence) -> Demand {
        let policy = Policy::default();
        demand(&[], &risk(evidence, &policy), evidence.first, &policy)
    }

    #[test]
    fn people_see_nothing() {
        assert_eq!(asked(&person()), Demand::Nothing);
        // Without scripts there is no behaviour and no fingerprint.
        assert_eq!(asked(&Evidence::default()), Demand::Nothing);
        // A person with a command line.
        assert_eq!(asked(&Evidence { agent: Agent::Program, ..Evidence::default() }), Demand::Nothing);
    }

    #[test]
    fn a_first_picture_is_free_however_it_looks() {
        let driven = Behaviour { driven: true, first_ms: 10, ..Behaviour::default() };
        let bot = Evidence {
            first: true,
            behaviour: Some(driven),
            agent: Agent::Headless,
            edge_score: Some(1),
            same_words: 99,
            ..Evidence::default()
        };
        assert_eq!(asked(&bot), Demand::Nothing);
        assert_eq!(asked(&Evidence { first: false, ..bot }), Demand::Silent);
    }

    #[test]
    fn no_single_look_is_enough() {
        let policy = Policy::default();
        let mechanical = Behaviour { input: Input::Mouse, samples: 50, ..Behaviour::default() };
        for evidence in [
            Evidence { agent: Agent::Headless, ..person() },
            Evidence { edge_score: Some(1), ..person() },
            Evidence { same_words: 40, ..person() },
            Evidence { ranges: 40, ..person() },
            Evidence { behaviour: Some(mechanical), ..person() },
        ] {
            assert_eq!(risk(&evidence, &policy).len(), 1, "{evidence:?}");
            assert_eq!(asked(&evidence), Demand::Nothing, "{evidence:?}");
        }
    }

    #[test]
    fn suspicion_only_ever_asks_for_more() {
        // The published code let suspicion lower its confidence, and with it the limit.
        let policy = Policy::default();
        let calm = demand(&[Overdraft::Pair], &[], false, &policy);
        let suspicious = demand(&[Overdraft::Pair], &[Reason { name: "edge", points: 200 }], false, &policy);
        assert!(suspicious >= calm && calm == Demand::Silent);
    }
}
