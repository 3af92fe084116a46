//! Ways to begin without an idea: words that the built-in model draws well, and manners to draw in.
//!
//! `make examples` draws the pictures that stand beside them, with that model.

use crate::nudge::find;

/// Words to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartingPoint {
    /// Its picture's file is called like this.
    pub slug: &'static str,
    pub prompt: &'static str,
    /// Of its picture.
    pub seed: u64,
}

/// A manner to draw in, and the words that ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StylePreset {
    /// Its picture's file is called like this, and so is its value in forms and links.
    pub slug: &'static str,
    pub title: &'static str,
    /// What is added to a prompt.
    pub words: &'static str,
    /// Of its picture.
    pub seed: u64,
}

impl StylePreset {
    /// The preset of that slug.
    pub fn find(slug: &str) -> Option<&'static StylePreset> {
        STYLES.iter().find(|style| style.slug == slug)
    }

    /// A prompt in this manner. Words that ask for it already are left as they are.
    pub fn applied(&self, prompt: &str) -> String {
        let prompt = prompt.trim().trim_end_matches([',', '.']);
        if find(prompt, self.words).is_some() {
            return prompt.to_owned();
        }
        if prompt.is_empty() { self.words.to_owned() } else { format!("{prompt}, {}", self.words) }
    }
}

/// A prompt without the style that [`StylePreset::applied`] put at its end, and that style.
pub fn without_style(prompt: &str) -> (&str, Option<&'static StylePreset>) {
    let styled =
        STYLES.iter().find_map(|style| Some((prompt.strip_suffix(style.words)?.strip_suffix(", ")?, Some(style))));
    styled.unwrap_or((prompt, None))
}

/// Where the picture of a starting point or a style is served from.
pub fn example_picture(slug: &str) -> String {
    format!("/examples/{slug}.webp")
}

/// What the styles' pictures show: the same for all, so that they can be compared.
pub const STYLE_SAMPLE: &str = "a red boat on the sea, a sun, mountains in the distance";

pub const STARTS: [StartingPoint; 12] = [
    StartingPoint { slug: "boat", prompt: "a red boat on a calm turquoise sea at sunset", seed: 23 },
    StartingPoint { slug: "balloons", prompt: "three red balloons over a lake at dawn, mountains behind", seed: 25 },
    StartingPoint { slug: "aurora", prompt: "a yellow house in the snow at night, northern lights", seed: 27 },
    StartingPoint { slug: "windmill", prompt: "a white windmill in a wheat field, a few clouds", seed: 27 },
    StartingPoint { slug: "forest", prompt: "a pine forest in the fog at dawn", seed: 28 },
    StartingPoint { slug: "lighthouse", prompt: "a white lighthouse by the sea at night, stars", seed: 23 },
    StartingPoint { slug: "planet", prompt: "a turquoise planet over a purple nebula, stars", seed: 26 },
    StartingPoint { slug: "cactus", prompt: "a green cactus in the desert under a red sun", seed: 22 },
    StartingPoint { slug: "city", prompt: "a city at night under a full moon", seed: 25 },
    StartingPoint { slug: "apples", prompt: "two red apples on a table, a green wall", seed: 24 },
    StartingPoint { slug: "tree", prompt: "a purple tree in a meadow full of white flowers", seed: 24 },
    StartingPoint { slug: "rocket", prompt: "a red rocket flying through space, purple nebula", seed: 28 },
];

pub const STYLES: [StylePreset; 8] = [
    StylePreset { slug: "photo", title: "Photo", words: "photo", seed: 23 },
    StylePreset { slug: "oil", title: "Oil", words: "oil painting", seed: 23 },
    StylePreset { slug: "watercolor", title: "Watercolor", words: "watercolor", seed: 23 },
    StylePreset { slug: "ink", title: "Ink", words: "ink drawing", seed: 23 },
    StylePreset { slug: "pixel", title: "Pixel art", words: "pixel art", seed: 23 },
    StylePreset { slug: "papercut", title: "Paper cut", words: "paper cut", seed: 23 },
    StylePreset { slug: "neon", title: "Neon", words: "neon", seed: 23 },
    StylePreset { slug: "woodcut", title: "Woodcut", words: "woodcut", seed: 23 },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_adds_its_words_once() {
        let ink = StylePreset::find("ink").expect("there is ink");
        assert_eq!(ink.applied("a boat on the sea."), "a boat on the sea, ink drawing");
        let photo = StylePreset::find("photo").expect("there is photo");
        assert_eq!(photo.applied("a photographer"), "a photographer, photo");
        assert_eq!(ink.applied("An Ink Drawing of a boat"), "An Ink Drawing of a boat");
        assert_eq!(ink.applied("  "), "ink drawing");
        assert_eq!(StylePreset::find("crayon"), None);
        for style in &STYLES {
            assert_eq!(without_style(&style.applied("a sea, stars")), ("a sea, stars", Some(style)));
        }
        assert_eq!(without_style("oil painting"), ("oil painting", None));
    }

    #[test]
    fn no_two_pictures_share_a_file() {
        let mut slugs: Vec<&str> = STARTS.iter().map(|s| s.slug).chain(STYLES.iter().map(|s| s.slug)).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), STARTS.len() + STYLES.len());
    }
}
