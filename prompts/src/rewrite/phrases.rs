//! Known phrases in a text.

use crate::rewrite::Part;
use crate::rewrite::vocabulary::{self, VOCABULARY};
use crate::rewrite::words::Word;

/// Words that are one phrase of a part: those from `from` up to, and without, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub part: Part,
    pub from: usize,
    pub to: usize,
}

/// The phrases of a text from left to right: the longest at each place, with the words that qualify it.
pub(super) fn matches(words: &[Word]) -> Vec<Match> {
    let mut found: Vec<Match> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some(mut found_here) = longest(words, at) else {
            at += 1;
            continue;
        };
        found_here.to = with_noun(words, found_here);
        let earliest = found.last().map_or(0, |last| last.to);
        found_here.from = with_qualifiers(words, found_here, earliest);
        at = found_here.to;
        // "soft light" says something, "light" alone does not.
        let is_bare = found_here.to - found_here.from == 1;
        if !is_bare || words.get(found_here.from).is_none_or(|word| !vocabulary::is_too_general(&word.bare)) {
            found.push(found_here);
        }
    }
    drop_adjectives(words, found)
}

fn longest(words: &[Word], from: usize) -> Option<Match> {
    let first = words.get(from)?;
    // Half of a word with a hyphen says something else: "neon-lit".
    if from > 0 && words.get(from - 1).is_some_and(|before| before.hyphen) {
        return None;
    }
    let known = VOCABULARY.iter().flat_map(|(part, phrases)| phrases.iter().map(move |phrase| (*part, *phrase)));
    let lengths = known.filter_map(|(part, phrase)| {
        let length = length(words, from, phrase)?;
        Some((length, part))
    });
    let best = lengths.max_by_key(|(length, _)| *length);
    let best = best.or_else(|| vocabulary::is_focal_length(&first.bare).then_some((1, Part::Lens)))?;
    Some(Match { part: best.1, from, to: from + best.0 })
}

/// How many words of the text a phrase is, if it stands there without a pause in it.
fn length(words: &[Word], from: usize, phrase: &str) -> Option<usize> {
    // Most phrases end here, and this runs at every word while somebody types.
    if !words.get(from).is_some_and(|word| phrase.starts_with(word.bare.as_str())) {
        return None;
    }
    let mut count = 0;
    for expected in phrase.split(' ') {
        let word = words.get(from + count)?;
        if word.bare != expected || count > 0 && words.get(from + count - 1)?.pauses {
            return None;
        }
        count += 1;
    }
    let last = words.get(from + count - 1)?;
    (!last.hyphen).then_some(count)
}

/// With a noun behind that says only what kind of thing it is: "melancholic" and "mood", "35mm" and "lens".
fn with_noun(words: &[Word], found: Match) -> usize {
    let mut to = found.to;
    while let (Some(last), Some(next)) = (words.get(to - 1), words.get(to))
        && !last.pauses
        && !next.hyphen
        && vocabulary::nouns(found.part).contains(&next.bare.as_str())
    {
        to += 1;
    }
    to
}

/// With the words in front that say how: "slow" and "dolly in", "soft" and "rim light".
fn with_qualifiers(words: &[Word], found: Match, earliest: usize) -> usize {
    let mut from = found.from;
    while from > earliest
        && let Some(before) = words.get(from - 1)
        && !before.pauses
        && (before.hyphen || vocabulary::qualifiers(found.part).contains(&before.bare.as_str()))
    {
        from -= 1;
    }
    from
}

/// A word before a noun belongs to it: a "black and white" cat is no film, and a "wide" river no shot.
fn drop_adjectives(words: &[Word], found: Vec<Match>) -> Vec<Match> {
    let mut kept = Vec::new();
    // From the end, because what follows may be a phrase that does not stay itself.
    let mut next = None;
    for this in found.into_iter().rev() {
        if is_of_the_trade(words, this, next) {
            next = Some(this.from);
            kept.push(this);
        }
    }
    kept.reverse();
    kept
}

/// Whether a phrase says here what it says in the table; `next` is where the next phrase begins.
fn is_of_the_trade(words: &[Word], this: Match, next: Option<usize>) -> bool {
    let before = this.from.checked_sub(1).and_then(|before| words.get(before)).filter(|word| !word.pauses);
    let article = before.is_some_and(|word| matches!(word.bare.as_str(), "a" | "an" | "the"));
    let is_word = this.to - this.from == 1;
    let followed = next == Some(this.to) && words.get(this.to - 1).is_some_and(|last| !last.pauses);
    if is_word && words.get(this.from).is_some_and(|word| vocabulary::is_only_alone(&word.bare)) {
        return before.is_none() && ends(words, this, next);
    }
    match this.part {
        Part::Shot | Part::Lens | Part::Motion if !is_word => true,
        // "a self portrait" is no portrait of anybody.
        Part::Shot => (before.is_none() || followed || is_joined(before)) && stands_alone(words, this, next),
        Part::Setting => stands_alone(words, this, next) && is_about_place(words, this),
        // "in the dark"
        Part::Mood if article && !followed => false,
        // "a sunset over the sea"
        Part::Light if article && !followed && begins_clause(words, this.from - 1) => false,
        _ => stands_alone(words, this, next),
    }
}

fn is_joined(before: Option<&Word>) -> bool {
    before.is_some_and(|word| vocabulary::is_function_word(&word.bare))
}

fn begins_clause(words: &[Word], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| words.get(before)).is_none_or(|word| word.pauses)
}

fn ends(words: &[Word], this: Match, next: Option<usize>) -> bool {
    words.get(this.to - 1).is_none_or(|last| last.pauses) || this.to == words.len() || next == Some(this.to)
}

/// Whether no noun follows.
fn stands_alone(words: &[Word], this: Match, next: Option<usize>) -> bool {
    let Some(word) = words.get(this.to) else { return true };
    // "dark and stormy night"
    let joins_another = || matches!(word.bare.as_str(), "and" | "&" | "or");
    let ends_after = || next == Some(this.to + 1) || words.get(this.to + 1).is_none();
    ends(words, this, next) || vocabulary::is_function_word(&word.bare) && (!joins_another() || ends_after())
}

/// Weather is a setting in "in heavy rain" and between commas; "a storm over the sea" is what one sees.
fn is_about_place(words: &[Word], this: Match) -> bool {
    match this.from.checked_sub(1).and_then(|before| words.get(before)) {
        None => ends(words, this, None),
        Some(before) if before.pauses => true,
        Some(before) => {
            // "covered in snow"
            let doing = this.from.checked_sub(2).and_then(|at| words.get(at));
            matches!(before.bare.as_str(), "in" | "during" | "with" | "through")
                && doing.is_none_or(|word| !vocabulary::DOINGS.contains(&word.bare.as_str()))
        }
    }
}
