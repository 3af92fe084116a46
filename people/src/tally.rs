//! What a day came to, for each group: mean over the worlds, and the worst of them.

use crate::client::Outcome;
use crate::crowd::{Actor, Group, Pays};
use crate::play::Outcomes;

/// Pictures that one person may have in a day.
pub const QUOTA: u32 = 50;

/// A share of something in each world, in hundredths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares(pub Vec<f64>);

impl Shares {
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len().max(1) as f64
    }

    pub fn highest(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    pub fn lowest(&self) -> f64 {
        self.0.iter().copied().fold(100.0, f64::min)
    }
}

/// How a group of people fared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PeopleTally {
    /// In all worlds together.
    pub people: usize,
    pub pictures: u32,
    /// Shares of people.
    pub silent: Shares,
    pub visible: Shares,
    /// Challenged in either way.
    pub challenged: Shares,
    /// Before their own 50.
    pub refused: Shares,
    /// So that nothing they could have done would have helped.
    pub hard: Shares,
}

/// How bots fared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BotTally {
    pub pictures: u32,
    pub over_quota: u32,
    /// Share of the pictures over the quota that were not made.
    pub stopped: Shares,
}

/// What one person met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Met {
    silent: bool,
    visible: bool,
    refused: bool,
    hard: bool,
}

pub fn people(groups: &[Group], worlds: usize, actors: &[Actor], outcomes: &Outcomes) -> PeopleTally {
    let mut tally = PeopleTally::default();
    for world in 0..worlds {
        let met: Vec<Met> = actors
            .iter()
            .zip(outcomes)
            .filter(|(actor, _)| actor.world == world && groups.contains(&actor.group))
            .map(|(actor, outcomes)| {
                tally.people += 1;
                tally.pictures += actor.asks.iter().map(|ask| ask.count).sum::<u32>();
                met(actor, outcomes)
            })
            .collect();
        let share = |of: &dyn Fn(&Met) -> bool| {
            100.0 * met.iter().filter(|met| of(met)).count() as f64 / met.len().max(1) as f64
        };
        tally.silent.0.push(share(&|met| met.silent));
        tally.visible.0.push(share(&|met| met.visible));
        tally.challenged.0.push(share(&|met| met.silent || met.visible));
        tally.refused.0.push(share(&|met| met.refused));
        tally.hard.0.push(share(&|met| met.hard));
    }
    tally
}

pub fn bots(group: Group, pays: Pays, worlds: usize, actors: &[Actor], outcomes: &Outcomes) -> BotTally {
    let mut tally = BotTally::default();
    for world in 0..worlds {
        let (mut over, mut made) = (0, 0);
        for (actor, outcomes) in actors.iter().zip(outcomes) {
            if (actor.world, actor.group, actor.pays) != (world, group, pays) {
                continue;
            }
            let asked: u32 = actor.asks.iter().map(|ask| ask.count).sum();
            let presses = actor.asks.iter().zip(outcomes);
            let served: u32 = presses.filter(|(_, outcome)| outcome.served).map(|(ask, _)| ask.count).sum();
            tally.pictures += asked;
            over += asked.saturating_sub(QUOTA);
            made += served.saturating_sub(QUOTA);
        }
        tally.over_quota += over;
        tally.stopped.0.push(100.0 * (1.0 - f64::from(made) / f64::from(over.max(1))));
    }
    tally
}

fn met(actor: &Actor, outcomes: &[Outcome]) -> Met {
    let (mut met, mut served) = (Met::default(), 0);
    for (ask, outcome) in actor.asks.iter().zip(outcomes) {
        met.silent |= outcome.silent;
        met.visible |= outcome.visible;
        if outcome.served {
            served += ask.count;
        } else if served + ask.count <= QUOTA {
            met.refused = true;
            // A challenge is a way on, for whoever has scripts.
            met.hard |= actor.pays == Pays::Never || !(outcome.silent || outcome.visible);
        }
    }
    met
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Ask;

    fn actor(group: Group, pays: Pays, count: u32, number: usize) -> Actor {
        let ask = Ask {
            at_ms: 0,
            address: "20.0.0.1".parse().expect("an address"),
            fingerprint: None,
            behaviour: None,
            agent: "Mozilla/5.0",
            prompt: String::new(),
            count,
            cookie: 0,
        };
        Actor { group, world: 0, pays, asks: vec![ask; number] }
    }

    #[test]
    fn the_fifty_first_picture_is_nobodys_refusal() {
        let person = actor(Group::Homes, Pays::Always, 8, 7);
        let mut outcomes = vec![Outcome { served: true, ..Outcome::default() }; 6];
        outcomes.push(Outcome { code: Some("daily_limit".into()), ..Outcome::default() });
        assert_eq!(met(&person, &outcomes), Met::default());
        outcomes[0].served = false;
        assert!(met(&person, &outcomes).hard, "a refusal before it is");
    }

    #[test]
    fn what_a_bot_gets_beyond_a_persons_day_is_what_counts() {
        let bot = actor(Group::Farm, Pays::Never, 5, 30);
        let outcomes = (0..30).map(|n| Outcome { served: n < 12, ..Outcome::default() }).collect();
        let tally = bots(Group::Farm, Pays::Never, 1, &[bot], &vec![outcomes]);
        assert_eq!((tally.pictures, tally.over_quota), (150, 100));
        assert_eq!(tally.stopped, Shares(vec![90.0]));
    }
}
