//! The crowds of bots. Each wants as much as it can get in seven hours, four pictures about every minute: 1,600 pictures
//! a day, 32 times what a person may have. Each comes twice, in different places: one that does no work for challenges,
//! and one that answers every silent one.

use super::day::DAY_MS;
use super::devices::{CHROME, Device, HEADLESS, mechanical};
use super::places::{Place, Places};
use super::{Actor, Ask, Group, Pays};
use crate::chance::Chance;

/// Jobs of a bot's day, and pictures in each.
const JOBS: u32 = 400;
const PICTURES: u32 = 4;
/// Jobs that one cookie's 50 credits pay for.
const JOBS_OF_A_COOKIE: u32 = 12;
/// Seconds between a bot's jobs, on average.
const PACE: f64 = 60.0;
/// Ranges that a proxy network has.
const PROXIES: u32 = 3_000;

pub fn all(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let mut actors = Vec::new();
    for pays in [Pays::Never, Pays::Silent] {
        for group in super::BOTS.into_iter().chain([super::LOOKALIKE]) {
            actors.push(bot(group, world, pays, places, &mut chance.branch()));
        }
    }
    actors
}

fn bot(group: Group, world: usize, pays: Pays, places: &mut Places, chance: &mut Chance) -> Actor {
    let home = places.v4();
    let device = Device::computer(world, chance);
    let begins = chance.between(1.0, 12.0) * 3_600.0;
    // A plausible script: a browser's name, and a recorded visit that is sent again and again.
    let plausible = device.visit(chance);
    let mimic = Mimic::new(world, chance);
    let asks = (0..JOBS).map(|number| {
        // Up to a third of the pace earlier or later, as scripts do that know of checks for steadiness; the repeater
        // and the farm are metronomes.
        let jitter = if matches!(group, Group::Farm | Group::Repeater) { 0.0 } else { chance.between(-0.3, 0.3) };
        let ask = Ask {
            at_ms: ((begins + PACE * (f64::from(number) + jitter)).max(0.0) * 1_000.0) as u64,
            address: home.host(1),
            fingerprint: device.fingerprint,
            behaviour: Some(plausible),
            agent: CHROME,
            prompt: format!("stock picture {}", chance.below(1_000_000)),
            count: PICTURES,
            cookie: number / JOBS_OF_A_COOKIE,
        };
        match group {
            Group::ClearedPerJob => Ask { cookie: number, ..ask },
            Group::FingerprintRotated => Ask { cookie: number, fingerprint: Some(chance.bytes()), ..ask },
            Group::AddressRotated => Ask { cookie: 0, address: proxy(places, chance), ..ask },
            // Browsers of one image that take turns, at 20 addresses of one hoster.
            Group::Farm => {
                let browser = number % 20;
                Ask {
                    cookie: browser + 20 * (number / (20 * JOBS_OF_A_COOKIE)),
                    address: home.host(browser),
                    behaviour: Some(mechanical(true)),
                    agent: HEADLESS,
                    ..ask
                }
            }
            Group::Repeater => {
                Ask { prompt: "a picture of a product on white".into(), behaviour: Some(mechanical(false)), ..ask }
            }
            Group::Mimic => mimic.ask(ask, chance),
            _ => ask,
        }
    });
    let mut asks: Vec<Ask> = asks.filter(|ask| ask.at_ms < DAY_MS).collect();
    asks.sort_by_key(|ask| ask.at_ms);
    Actor { group, world, pays, asks }
}

/// An address of a residential proxy network that was not used before.
fn proxy(places: &mut Places, chance: &mut Chance) -> std::net::IpAddr {
    places.v4().host(chance.below(250))
}

/// Somebody who knows the rules: 60 cookies that are kept and take turns, with as many devices as a campus has.
struct Mimic(Vec<Device>);

impl Mimic {
    const COOKIES: u32 = 60;

    fn new(world: usize, chance: &mut Chance) -> Self {
        Self((0..Self::COOKIES).map(|_| Device::personal(world, chance)).collect())
    }

    fn ask(&self, ask: Ask, chance: &mut Chance) -> Ask {
        let cookie = chance.below(Self::COOKIES);
        let device = &self.0[cookie as usize];
        Ask {
            cookie,
            fingerprint: device.fingerprint,
            behaviour: Some(device.visit(chance)),
            agent: device.agent,
            ..ask
        }
    }
}

/// A network of proxies: another address, fingerprint and cookie for each job, 2,400 jobs in two hours, and nothing
/// about any of them that looks like a program.
pub fn everything_rotated(world: usize, places: &mut Places, chance: &mut Chance) -> Actor {
    let proxies: Vec<Place> = (0..PROXIES).map(|_| places.v4()).collect();
    let asks = (0..2_400_u32)
        .map(|number| {
            let device = Device::personal(world, chance);
            Ask {
                at_ms: (19 * 3_600 + u64::from(number) * 3) * 1_000,
                address: proxies[chance.below(PROXIES) as usize].host(chance.below(250)),
                fingerprint: Some(chance.bytes()),
                behaviour: Some(device.visit(chance)),
                agent: device.agent,
                prompt: format!("stock picture {}", chance.below(1_000_000)),
                count: PICTURES,
                cookie: number,
            }
        })
        .collect();
    Actor { group: Group::EverythingRotated, world, pays: Pays::Silent, asks }
}
