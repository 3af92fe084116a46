//! The crowds of people. Everybody is new to the studio on this day, with no cookie from an earlier one: the hardest day
//! for the rules, since a kept cookie would vouch for them.

use std::net::IpAddr;

use super::day::{self, AT_COLLEGE, AT_HOME, AT_WORK, Appetite, ON_THE_WAY, Words};
use super::devices::Device;
use super::places::{Place, Places};
use super::{Actor, Ask, Group, Pays};
use crate::chance::Chance;

/// How one person uses the studio.
struct Way<'a> {
    group: Group,
    world: usize,
    pays: Pays,
    hours: day::Hours,
    device: &'a Device,
    /// Sends what scripts would send.
    scripts: bool,
    loses_cookies: bool,
}

pub fn all(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let mut actors = homes(world, 110, places, &mut chance.branch());
    actors.extend(families(world, places, &mut chance.branch()));
    actors.extend(offices(world, places, &mut chance.branch()));
    actors.extend(campus(world, places, &mut chance.branch()));
    actors.extend(lab(world, places, &mut chance.branch()));
    actors.extend(mobile(world, places, &mut chance.branch()));
    actors.extend(privacy(world, places, &mut chance.branch()));
    actors.extend(no_script(world, places, &mut chance.branch()));
    actors.extend(heavy(world, places, &mut chance.branch()));
    actors
}

/// One to four people, each with a device of their own. A provider's /24 holds many homes: three in ten share theirs
/// with another home that uses the studio.
pub fn homes(world: usize, number: u32, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let mut actors = Vec::new();
    let mut place = places.home(chance);
    for home in 0..number {
        if place.is_v6() || !chance.often(0.3) {
            place = places.home(chance);
        }
        for _ in 0..chance.weighted(&[(1_u32, 0.35), (2, 0.35), (3, 0.18), (4, 0.12)]) {
            let device = Device::personal(world, chance);
            actors.push(ordinary(Group::Homes, world, AT_HOME, &device, place.host(home), chance));
        }
    }
    actors
}

/// Two to four people with a user each on one laptop: the same fingerprint at the same address.
fn families(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let mut actors = Vec::new();
    for _ in 0..45 {
        let (place, device) = (places.home(chance), Device::computer(world, chance));
        for _ in 0..chance.weighted(&[(2_u32, 0.4), (3, 0.35), (4, 0.25)]) {
            actors.push(ordinary(Group::Families, world, AT_HOME, &device, place.host(1), chance));
        }
    }
    actors
}

/// Forty people behind one address; seven in ten work on machines of one of two images, the others on their own.
fn offices(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let mut actors = Vec::new();
    for office in 0..3 {
        let place = places.v4();
        for _ in 0..40 {
            let device = match chance.often(0.7) {
                true => Device::managed(world, office * 2 + u64::from(chance.often(0.3))),
                false => Device::personal(world, chance),
            };
            actors.push(ordinary(Group::Offices, world, AT_WORK, &device, place.host(1), chance));
        }
    }
    actors
}

/// Two hundred people behind one address: phones, computers of their own, and machines of the library.
fn campus(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let place = places.v4();
    (0..200)
        .map(|_| {
            let device = match chance.share() {
                share if share < 0.45 => Device::phone(world, chance),
                share if share < 0.85 => Device::computer(world, chance),
                _ => Device::managed(world, 100),
            };
            ordinary(Group::Campus, world, AT_COLLEGE, &device, place.host(1), chance)
        })
        .collect()
}

/// Four classes of fifteen, one after another on the same identical machines, each beginning within ten minutes. Four in
/// ten have a guest's profile, which forgets its cookies when they leave.
fn lab(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    const CLASSES: [day::Hours; 4] =
        [&[((9.0, 9.17), 1.0)], &[((11.0, 11.17), 1.0)], &[((14.0, 14.17), 1.0)], &[((16.0, 16.17), 1.0)]];
    let (place, device) = (places.v4(), Device::managed(world, 200));
    let mut actors = Vec::new();
    for hours in CLASSES {
        for _ in 0..15 {
            let loses_cookies = chance.often(0.4);
            let way = Way {
                group: Group::Lab,
                world,
                pays: Pays::Always,
                hours,
                device: &device,
                scripts: true,
                loses_cookies,
            };
            actors.push(way.day(Appetite::draw(chance), chance, |_, _| place.host(1)));
        }
    }
    actors
}

/// Two networks, each with four ranges of shared public addresses for 120 people: an address for each sitting, and in
/// one of ten requests another one meanwhile (carrier-grade NAT with small address pools: Richter and others, IMC 2016).
fn mobile(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let mut actors = Vec::new();
    for _ in 0..2 {
        let pool: Vec<Place> = (0..4).map(|_| places.v4()).collect();
        for _ in 0..120 {
            let device = Device::phone(world, chance);
            let way = Way {
                group: Group::Mobile,
                world,
                pays: Pays::Always,
                hours: ON_THE_WAY,
                device: &device,
                scripts: true,
                loses_cookies: false,
            };
            let mut at: Option<(u32, IpAddr)> = None;
            actors.push(way.day(Appetite::draw(chance), chance, |sitting, chance| {
                let stays = at.filter(|(during, _)| *during == sitting && !chance.often(0.1));
                let (_, address) =
                    stays.unwrap_or_else(|| (sitting, pool[chance.below(4) as usize].host(chance.below(16))));
                at = Some((sitting, address));
                address
            }));
        }
    }
    actors
}

/// Browsers that send no fingerprint, and in half of the cases nothing about behaviour either. Six in ten lose their
/// cookies with the end of a sitting. Six in ten are at home, the others behind one of three exits of a VPN.
fn privacy(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let exits: Vec<Place> = (0..3).map(|_| places.v4()).collect();
    (0..100)
        .map(|_| {
            let device = Device::private();
            let place = if chance.often(0.6) { places.home(chance) } else { exits[chance.below(3) as usize] };
            let (scripts, loses_cookies) = (chance.often(0.5), chance.often(0.6));
            let way = Way {
                group: Group::Privacy,
                world,
                pays: Pays::Always,
                hours: AT_HOME,
                device: &device,
                scripts,
                loses_cookies,
            };
            let host = chance.below(20);
            way.day(Appetite::draw(chance), chance, |_, _| place.host(host))
        })
        .collect()
}

/// People without scripts, at home: no fingerprint, no behaviour, and nothing that could answer a challenge.
fn no_script(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    (0..50)
        .map(|_| {
            let (device, place) = (Device::private(), places.home(chance));
            let way = Way {
                group: Group::NoScript,
                world,
                pays: Pays::Never,
                hours: AT_HOME,
                device: &device,
                scripts: false,
                loses_cookies: false,
            };
            way.day(Appetite::draw(chance), chance, |_, _| place.host(1))
        })
        .collect()
}

/// People who use all of their 50: at home, at work behind a shared address, and on the way.
fn heavy(world: usize, places: &mut Places, chance: &mut Chance) -> Vec<Actor> {
    let office = places.v4();
    (0..110)
        .map(|number| {
            let device = Device::personal(world, chance);
            let (place, hours) = match number % 10 {
                0..=6 => (places.home(chance), AT_HOME),
                7 | 8 => (office, AT_WORK),
                _ => (places.v4(), ON_THE_WAY),
            };
            let way = Way {
                group: Group::Heavy,
                world,
                pays: Pays::Always,
                hours,
                device: &device,
                scripts: true,
                loses_cookies: false,
            };
            way.day(Appetite::Everything, chance, |_, _| place.host(1))
        })
        .collect()
}

/// Somebody with scripts and a cookie that stays, at one address.
fn ordinary(
    group: Group,
    world: usize,
    hours: day::Hours,
    device: &Device,
    address: IpAddr,
    chance: &mut Chance,
) -> Actor {
    let way = Way { group, world, pays: Pays::Always, hours, device, scripts: true, loses_cookies: false };
    way.day(Appetite::draw(chance), chance, |_, _| address)
}

impl Way<'_> {
    fn day(
        &self,
        appetite: Appetite,
        chance: &mut Chance,
        mut address: impl FnMut(u32, &mut Chance) -> IpAddr,
    ) -> Actor {
        let mut asks = Vec::new();
        let (mut words, mut visit, mut during) = (Words::default(), None, u32::MAX);
        for press in day::day(appetite, self.hours, chance) {
            // Each sitting opens the page anew.
            if press.sitting != during {
                (visit, during) = (self.scripts.then(|| self.device.visit(chance)), press.sitting);
            }
            asks.push(Ask {
                at_ms: press.at_ms,
                address: address(press.sitting, chance),
                fingerprint: self.device.fingerprint.filter(|_| self.scripts),
                behaviour: visit,
                agent: self.device.agent,
                prompt: words.next(chance),
                count: press.count,
                cookie: if self.loses_cookies { press.sitting } else { 0 },
            });
        }
        Actor { group: self.group, world: self.world, pays: self.pays, asks }
    }
}
