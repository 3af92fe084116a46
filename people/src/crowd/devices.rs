//! Devices: what their browsers say about themselves.
//!
//! The fingerprint is made of screen, language, platform, time zone, cores and fonts, without canvas, WebGL or audio.
//! So phones of one model in one country are alike, and few models are most of the phones: 40 kinds by Zipf's law, of
//! which the most common is nearly a quarter. Of desktop computers that people set up themselves, more than half are
//! told apart by their fonts and screens (Gómez-Boix, Laperdrix and Baudry, WWW 2018: 36 in a hundred with everything,
//! so this is generous to whoever believes in fingerprints); the others are of 200 common kinds. Machines that one
//! administrator set up are alike.

use domain::Behaviour;
use domain::behaviour::Input;

use crate::chance::Chance;

pub const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36";
pub const SAFARI: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/604.1";
pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
pub const HEADLESS: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/146.0.0.0 Safari/537.36";

/// Kinds of phones and of ordinary computers.
const PHONES: u32 = 40;
const COMPUTERS: u32 = 200;

/// A device and its browser.
#[derive(Clone, Debug)]
pub struct Device {
    pub fingerprint: Option<[u8; 32]>,
    pub agent: &'static str,
    input: Input,
}

/// A fingerprint that everything of one kind has, in one world.
fn of_kind(world: usize, kind: u64) -> [u8; 32] {
    Chance::new(kind.wrapping_mul(1_000_003).wrapping_add(world as u64).wrapping_mul(0x9e37_79b9)).bytes()
}

impl Device {
    pub fn phone(world: usize, chance: &mut Chance) -> Self {
        let kind = u64::from(chance.zipf(PHONES));
        Self { fingerprint: Some(of_kind(world, 1_000 + kind)), agent: SAFARI, input: Input::Touch }
    }

    /// A computer that its owner set up.
    pub fn computer(world: usize, chance: &mut Chance) -> Self {
        let own = chance.bytes();
        let common = of_kind(world, 2_000 + u64::from(chance.zipf(COMPUTERS)));
        let fingerprint = if chance.often(0.55) { own } else { common };
        let agent = if chance.often(0.8) { CHROME } else { FIREFOX };
        Self { fingerprint: Some(fingerprint), agent, input: Input::Mouse }
    }

    /// One of many machines that were set up alike.
    pub fn managed(world: usize, image: u64) -> Self {
        Self { fingerprint: Some(of_kind(world, 1_000_000 + image)), agent: CHROME, input: Input::Mouse }
    }

    /// What somebody has at home: a phone as often as a computer.
    pub fn personal(world: usize, chance: &mut Chance) -> Self {
        if chance.often(0.5) { Self::phone(world, chance) } else { Self::computer(world, chance) }
    }

    /// Sends no fingerprint.
    pub fn private() -> Self {
        Self { fingerprint: None, agent: FIREFOX, input: Input::Mouse }
    }

    /// One visit of a person to the page. Nearly everybody looks around for some seconds; one in a hundred has
    /// reloaded the page and presses Create at once.
    pub fn visit(&self, chance: &mut Chance) -> Behaviour {
        let first_ms = if chance.often(0.01) {
            chance.whole(300, 800)
        } else {
            chance.log_normal(14_000.0, 0.8).clamp(900.0, 3_600_000.0) as u32
        };
        let blurs = chance.below(4) as u16;
        // Some use the keyboard and nothing else.
        let input = if self.input == Input::Mouse && chance.often(0.04) { Input::Keyboard } else { self.input };
        match input {
            Input::Mouse | Input::None => Behaviour {
                input,
                samples: chance.log_normal(180.0, 0.9).clamp(3.0, 9_999.0) as u16,
                entropy: chance.whole(160, 292) as u16,
                first_ms,
                blurs,
                ..Behaviour::default()
            },
            Input::Touch | Input::Keyboard => Behaviour {
                input,
                samples: chance.log_normal(22.0, 0.8).clamp(2.0, 9_999.0) as u16,
                rhythm: chance.log_normal(70.0, 0.4).clamp(15.0, 999.0) as u16,
                first_ms,
                blurs,
                ..Behaviour::default()
            },
        }
    }
}

/// What a script without a pointer says: it moves along straight lines, or not at all.
pub fn mechanical(driven: bool) -> Behaviour {
    Behaviour { input: Input::Mouse, samples: 40, entropy: 0, first_ms: 350, driven, ..Behaviour::default() }
}
