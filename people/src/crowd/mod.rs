//! Who comes in a day and what each sends, as plain data: pure functions of a seed. Nothing here knows how the service
//! decides, and nothing here was changed to suit it; the distributions and the reasons for them are in `day`, `devices`
//! and in the comment of each crowd.

mod bots;
mod day;
mod devices;
mod people;
mod places;

use std::net::IpAddr;

use domain::Behaviour;

use crate::chance::Chance;

#[cfg(test)]
use day::DAY_MS;

/// What an actor is: the label that no service sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Homes,
    Families,
    Offices,
    Campus,
    Lab,
    Mobile,
    Privacy,
    NoScript,
    Heavy,
    ClearedPerJob,
    ClearedWhenUsedUp,
    FingerprintRotated,
    AddressRotated,
    Farm,
    Repeater,
    Mimic,
    EverythingRotated,
}

/// Groups of people, in the order of the table.
pub const PEOPLE: [Group; 9] = [
    Group::Homes,
    Group::Families,
    Group::Offices,
    Group::Campus,
    Group::Lab,
    Group::Mobile,
    Group::Privacy,
    Group::NoScript,
    Group::Heavy,
];

/// Groups of bots that come with the people of an ordinary day.
pub const BOTS: [Group; 6] = [
    Group::ClearedPerJob,
    Group::ClearedWhenUsedUp,
    Group::FingerprintRotated,
    Group::AddressRotated,
    Group::Farm,
    Group::Repeater,
];

/// A bot that does as a crowd of people does: whatever stops it stops the crowd. It is shown, and compared with nothing.
pub const LOOKALIKE: Group = Group::Mimic;

impl Group {
    pub fn name(self) -> &'static str {
        match self {
            Self::Homes => "homes",
            Self::Families => "families, each on one laptop",
            Self::Offices => "offices of 40 at one address",
            Self::Campus => "a campus of 200 at one address",
            Self::Lab => "a lab of 60 on identical machines",
            Self::Mobile => "mobile networks, shared addresses",
            Self::Privacy => "privacy browsers",
            Self::NoScript => "no JavaScript",
            Self::Heavy => "heavy users, all 50",
            Self::ClearedPerJob => "cookies cleared after each job",
            Self::ClearedWhenUsedUp => "cookies cleared when used up",
            Self::FingerprintRotated => "fingerprint and cookie rotated, one address",
            Self::AddressRotated => "address rotated, one cookie",
            Self::Farm => "headless farm, 20 cookies at once",
            Self::Repeater => "prompt repeater, cookies cleared",
            Self::Mimic => "campus mimic, 60 cookies kept",
            Self::EverythingRotated => "everything rotated",
        }
    }
}

/// What somebody answers when a proof is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pays {
    /// Nothing: it takes scripts, or work that this bot does not do.
    Never,
    /// Silent challenges, all of them.
    Silent,
    /// Also visible ones: a person presses the button.
    Always,
}

/// One person, or one bot with everything that it drives.
#[derive(Clone, Debug)]
pub struct Actor {
    pub group: Group,
    /// The world it lives in, one for each seed. Worlds share nothing but the service.
    pub world: usize,
    pub pays: Pays,
    /// In the order of time.
    pub asks: Vec<Ask>,
}

/// One press of Create.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Milliseconds from the start of the day.
    pub at_ms: u64,
    pub address: IpAddr,
    pub fingerprint: Option<[u8; 32]>,
    pub behaviour: Option<Behaviour>,
    pub agent: &'static str,
    pub prompt: String,
    pub count: u32,
    /// Which of the actor's cookies comes along: one that was not given yet is none.
    pub cookie: u32,
}

/// Everybody of an ordinary day, in each world.
pub fn ordinary_day(seeds: &[u64]) -> Vec<Actor> {
    let mut actors = Vec::new();
    for (world, seed) in seeds.iter().enumerate() {
        let mut chance = Chance::new(*seed);
        let mut places = places::Places::new(world);
        actors.extend(people::all(world, &mut places, &mut chance.branch()));
        actors.extend(bots::all(world, &mut places, &mut chance.branch()));
    }
    actors
}

/// A day on which somebody with a proxy network rotates everything, and people come as well.
pub fn day_of_the_proxy_network(seed: u64) -> Vec<Actor> {
    let mut chance = Chance::new(seed);
    let mut places = places::Places::new(0);
    let mut actors = people::homes(0, 60, &mut places, &mut chance.branch());
    actors.push(bots::everything_rotated(0, &mut places, &mut chance.branch()));
    actors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_a_crowd() {
        let asks = |seed| ordinary_day(&[seed]).into_iter().map(|actor| actor.asks).collect::<Vec<_>>();
        assert_eq!(asks(1), asks(1));
        assert_ne!(asks(1), asks(2));
    }

    #[test]
    fn everybody_asks_within_the_day_and_in_order() {
        for actor in ordinary_day(&[1, 2]).iter().chain(&day_of_the_proxy_network(3)) {
            assert!(!actor.asks.is_empty(), "{:?}", actor.group);
            assert!(actor.asks.is_sorted_by_key(|ask| ask.at_ms), "{:?}", actor.group);
            assert!(actor.asks.iter().all(|ask| ask.at_ms < DAY_MS && (1..=8).contains(&ask.count)));
        }
    }

    #[test]
    fn worlds_share_no_place_and_no_fingerprint() {
        let actors = ordinary_day(&[1, 2]);
        let of = |world: usize| {
            let asks = actors.iter().filter(move |actor| actor.world == world).flat_map(|actor| &actor.asks);
            asks.map(|ask| (services::identity::range(ask.address), ask.fingerprint))
        };
        let first: std::collections::HashSet<_> = of(0).map(|(range, _)| range).collect();
        let prints: std::collections::HashSet<_> = of(0).filter_map(|(_, print)| print).collect();
        assert!(of(1).all(|(range, print)| !first.contains(&range) && print.is_none_or(|p| !prints.contains(&p))));
    }

    #[test]
    fn a_campus_is_200_people_at_one_address() {
        let actors = ordinary_day(&[5]);
        let campus: Vec<_> = actors.iter().filter(|actor| actor.group == Group::Campus).collect();
        let addresses: std::collections::HashSet<_> =
            campus.iter().flat_map(|actor| actor.asks.iter().map(|ask| ask.address)).collect();
        assert_eq!((campus.len(), addresses.len()), (200, 1));
    }
}
