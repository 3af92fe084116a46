//! "That one, but …": a picture's words with a few that change them.

use crate::examples::STYLES;

/// Words for times of day, of which a sentence has one.
const TIMES: [&str; 18] = [
    "in the early morning",
    "in the morning",
    "in the evening",
    "in the daytime",
    "during the day",
    "in daylight",
    "at midnight",
    "at sunrise",
    "at twilight",
    "at sunset",
    "at midday",
    "at night",
    "at dawn",
    "at dusk",
    "at noon",
    "by night",
    "by day",
    "at golden hour",
];

/// The words of a picture and what should be different. Where that names a time of day or a style, it takes the place
/// of the one that was there: "a lake at sunset, at night" is nothing to look at.
pub fn nudged(prompt: &str, but: &str) -> String {
    let but = but.trim();
    let but = but.strip_prefix("but ").unwrap_or(but).trim();
    let mut kept = prompt.trim().to_owned();
    let mut parts: Vec<&str> = but.split(',').collect();
    // A time that is all there is between commas stands where the other one stood, so that the rest stays as it was.
    let time = parts.iter().position(|part| TIMES.iter().any(|time| part.trim().eq_ignore_ascii_case(time)));
    let stood = TIMES.iter().filter_map(|time| Some((find(&kept, time)?, time.len()))).min();
    if let (Some(time), Some((at, length))) = (time, stood) {
        let (before, after) = (&kept[..at], &kept[at + length..]);
        let rest = TIMES.iter().fold(after.to_owned(), |rest, time| without(rest, time));
        kept = format!("{before}{}{rest}", parts.remove(time).trim());
    } else if TIMES.iter().any(|time| find(but, time).is_some()) {
        kept = TIMES.iter().fold(kept, |kept, time| without(kept, time));
    }
    // A style is one only where it stands between commas: a city may well have neon signs.
    if parts.iter().any(|part| is_style(part)) {
        kept = kept.split(',').filter(|part| !is_style(part)).collect::<Vec<_>>().join(",");
    }
    let kept = kept.trim_matches([',', '.', ' ']);
    let but = parts.join(",").trim_matches([',', ' ']).to_owned();
    match (kept.is_empty(), but.is_empty()) {
        (true, _) => but,
        (_, true) => kept.to_owned(),
        _ => format!("{kept}, {but}"),
    }
}

fn is_style(part: &str) -> bool {
    let part = part.trim().to_lowercase();
    let bare = ["as a ", "as an ", "as "].iter().find_map(|lead| part.strip_prefix(lead)).unwrap_or(&part);
    STYLES.iter().any(|style| style.words == bare)
}

/// Where these words stand on their own in a text, in bytes; upper and lower case are the same.
pub(crate) fn find(text: &str, words: &str) -> Option<usize> {
    // Only ASCII changes, so every place stays what it was.
    let text = text.to_ascii_lowercase();
    let alone = |at: usize| {
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + words.len()..].chars().next())
    };
    text.match_indices(words).map(|(at, _)| at).find(|at| alone(*at))
}

/// A text without these words, and without the comma or space that led to them.
fn without(mut text: String, words: &str) -> String {
    while let Some(at) = find(&text, words) {
        let before = text[..at].trim_end_matches([',', ' ']);
        text = format!("{before}{}", &text[at + words.len()..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_words_are_added() {
        assert_eq!(nudged("a sea.", " but warmer "), "a sea, warmer");
        assert_eq!(nudged("a sea", "with a second boat"), "a sea, with a second boat");
        assert_eq!((nudged("", "warmer").as_str(), nudged("a sea", " ").as_str()), ("warmer", "a sea"));
    }

    #[test]
    fn a_time_or_a_style_takes_the_place_of_another() {
        assert_eq!(nudged("a calm lake at sunset, stars", "at night"), "a calm lake at night, stars");
        assert_eq!(nudged("a lake in the Morning", "at night, stars"), "a lake at night, stars");
        assert_eq!(nudged("a lake, ink drawing", "as watercolor"), "a lake, as watercolor");
        assert_eq!(nudged("a boat at sunset, a boat at sunset", "at night"), "a boat at night, a boat");
        assert_eq!(nudged("a photo of a lake", "as watercolor"), "a photo of a lake, as watercolor");
        assert_eq!(nudged("a street, oil painting", "with a neon sign"), "a street, oil painting, with a neon sign");
        assert_eq!(nudged("a city with neon signs, neon", "ink drawing"), "a city with neon signs, ink drawing");
        assert_eq!(nudged("at dusk, a lake", "at dawn"), "at dawn, a lake");
        assert_eq!(
            nudged("a lake at dusk, stars", "mist, At Dawn, 1,000 birds,"),
            "a lake At Dawn, stars, mist, 1,000 birds"
        );
        assert_eq!(nudged("a lake", "1,000 birds"), "a lake, 1,000 birds");
        assert_eq!(nudged("a lake at dusk", "like at dawn"), "a lake, like at dawn");
        // "photo" within another word is not the style, and what merely begins like a time is none.
        assert_eq!(nudged("a photographer at noonday", "photo, at dawn"), "a photographer at noonday, photo, at dawn");
        assert_eq!(nudged("ein See am Abend, ärmlich", "at night"), "ein See am Abend, ärmlich, at night");
    }
}
