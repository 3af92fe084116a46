//! Words for somebody who has none in mind: an ordinary sentence out of what the built-in model draws.

/// A prompt, which may name a style or may not. Equal numbers give equal words; among 2⁶⁴ of them, every combination
/// comes up about as often as another of its scene.
pub fn surprise(random: u64, may_name_style: bool) -> String {
    let mut dice = Dice(random);
    let scene = &SCENES[dice.roll(SCENES.len())];
    let mut words = Vec::new();
    for part in scene.words {
        words.push(match part {
            Part::Said(text) => text,
            Part::Color => dice.pick(&COLORS),
            Part::OneOf(choices) => dice.pick(choices),
        });
    }
    let mut prompt = words.join(" ").replace("a orange", "an orange");
    for extra in [scene.times, scene.skies, if may_name_style { STYLES } else { NOTHING }] {
        let chosen = dice.pick(extra);
        if !chosen.is_empty() {
            prompt.push_str(chosen);
        }
    }
    prompt
}

struct Scene {
    words: &'static [Part],
    /// What may follow; an empty one is nothing.
    times: &'static [&'static str],
    skies: &'static [&'static str],
}

enum Part {
    Said(&'static str),
    Color,
    OneOf(&'static [&'static str]),
}

use Part::{Color, OneOf, Said};

const COLORS: [&str; 9] = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black"];
const TIMES: &[&str] = &["", " at dawn", " at noon", " at sunset", " at sunset", " at night"];
const NOTHING: &[&str] = &[""];
const SKIES: &[&str] = &[
    "",
    "",
    ", a few clouds",
    ", mist",
    ", a red sun",
    ", a full moon",
    ", stars",
    ", northern lights",
    ", mountains in the distance",
    ", a rainbow",
];
const SPACE: &[&str] = &["", ", many stars", ", purple nebula", ", two moons"];
const STYLES: &[&str] = &[
    "",
    "",
    "",
    "",
    ", photo",
    ", oil painting",
    ", watercolor",
    ", ink drawing",
    ", pixel art",
    ", paper cut",
    ", neon",
    ", woodcut",
];

const SCENES: [Scene; 11] = [
    Scene {
        words: &[
            Said("a"),
            Color,
            Said("boat on"),
            OneOf(&["the sea", "a calm turquoise sea", "a green lake", "a lake"]),
        ],
        times: TIMES,
        skies: SKIES,
    },
    Scene {
        words: &[Said("a"), Color, Said("lighthouse by the"), OneOf(&["sea", "rough sea"])],
        times: TIMES,
        skies: SKIES,
    },
    Scene {
        words: &[OneOf(&["two", "three", "four"]), Color, Said("balloons over"), OneOf(LANDS)],
        times: TIMES,
        skies: SKIES,
    },
    Scene {
        words: &[OneOf(&["two", "three", "four"]), Color, Said("birds flying over"), OneOf(LANDS)],
        times: TIMES,
        skies: SKIES,
    },
    Scene {
        words: &[
            Said("a"),
            Color,
            Said("house"),
            OneOf(&["in the snow", "by a lake", "in a meadow", "at the edge of a forest"]),
        ],
        times: TIMES,
        skies: SKIES,
    },
    Scene {
        words: &[Said("a"), Color, Said("tree in"), OneOf(&["a meadow", "a meadow full of white flowers", "the snow"])],
        times: TIMES,
        skies: SKIES,
    },
    Scene { words: &[Said("a"), Color, Said("windmill in a wheat field")], times: TIMES, skies: SKIES },
    Scene { words: &[Said("a"), Color, Said("cactus in the desert")], times: TIMES, skies: SKIES },
    Scene {
        words: &[
            OneOf(&["two", "three", "four"]),
            Color,
            OneOf(&["apples", "cups", "bottles", "candles"]),
            Said("on a table"),
        ],
        times: NOTHING,
        skies: &["", ", a green wall", ", a blue wall", ", a purple wall"],
    },
    Scene {
        words: &[Said("a"), Color, OneOf(&["planet", "planet with a ring"]), Said("in space")],
        times: NOTHING,
        skies: SPACE,
    },
    Scene { words: &[Said("a"), Color, Said("rocket flying through space")], times: NOTHING, skies: SPACE },
];
const LANDS: &[&str] = &["the sea", "a lake", "the desert", "a meadow", "a wheat field", "a city"];

/// Choices out of one number, by the remainder and what is left.
struct Dice(u64);

impl Dice {
    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[self.roll(of.len())]
    }

    /// From 0 to one less than `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        let sides = sides as u64;
        let rolled = self.0 % sides;
        self.0 /= sides;
        rolled as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Spreads small numbers over all of them.
    fn spread(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn it_is_an_ordinary_sentence() {
        for number in 0..5_000 {
            let prompt = surprise(spread(number), true);
            let well_formed = !prompt.contains("  ") && prompt.trim() == prompt && prompt.split(' ').count() >= 4;
            assert!(well_formed && !prompt.contains(" ,"), "{prompt}");
        }
        assert!((0..5_000).all(|number| !surprise(spread(number), true).contains("a orange")));
        assert_eq!(surprise(7, true), surprise(7, true));
        let styled = (0..1_000).map(|number| surprise(spread(number), false)).filter(|prompt| prompt.contains("paint"));
        assert_eq!(styled.count(), 0);
    }

    #[test]
    fn it_is_seldom_the_same() {
        let prompts: HashSet<String> = (0..1_000).map(|number| surprise(spread(number), true)).collect();
        assert!(prompts.len() > 900, "{}", prompts.len());
    }
}
