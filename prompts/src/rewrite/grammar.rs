//! What is left between known phrases: subject, setting, and the small words that joined them.

use crate::rewrite::Part;
use crate::rewrite::phrases::Match;
use crate::rewrite::vocabulary::{DOINGS, is_function_word};
use crate::rewrite::words::Word;

/// Words that are of one part: those from `from` up to, and without, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub part: Part,
    pub from: usize,
    pub to: usize,
    /// Whether it goes on where the part stopped, without a comma.
    pub goes_on: bool,
}

/// Every word of a text in a piece, from left to right.
pub(super) fn pieces(words: &[Word], matches: &[Match]) -> Vec<Piece> {
    let mut sorter = Sorter { words, pieces: Vec::new(), has_subject: false, clause: None };
    let mut at = 0;
    let mut matches = matches.iter().peekable();
    let mut before = None;
    while at < words.len() {
        if let Some(found) = matches.next_if(|found| found.from <= at) {
            sorter.push(found.part, at, found.to, false);
            at = found.to.max(at + 1);
            before = Some(found.part).filter(|_| !sorter.pauses_before(at));
            if sorter.pauses_before(at) {
                sorter.clause = None;
            }
            continue;
        }
        let limit = matches.peek().map_or(words.len(), |found| found.from);
        let pause = (at..limit).find(|at| words.get(*at).is_some_and(|word| word.pauses));
        let to = pause.map_or(limit, |at| at + 1);
        sorter.fragment(at, to, before, pause.is_none() && to < words.len());
        if pause.is_some() {
            sorter.clause = None;
        }
        before = None;
        at = to;
    }
    sorter.finish()
}

/// Whether a setting says where by its first word: "in a harbour".
pub(super) fn begins_with_place(setting: &str) -> bool {
    let first = setting.split_whitespace().next().unwrap_or_default().to_lowercase();
    PLACES.contains(&first.as_str())
}

#[rustfmt::skip]
const PLACES: [&str; 37] = [
    "in", "inside", "on", "at", "under", "underneath", "beneath", "near", "beside", "along", "alongside", "across", "through",
    "over", "above", "below", "between", "among", "amongst", "amid", "against", "behind", "outside", "within", "by", "next",
    "around", "atop", "overlooking", "surrounded", "during", "into", "onto", "toward", "towards", "down", "up",
];

/// What "in", "on" and "over" a person may be before: clothes, and the person's own body.
#[rustfmt::skip]
const WORN: [&str; 49] = [
    "dress", "coat", "raincoat", "trenchcoat", "jacket", "suit", "spacesuit", "hat", "cap", "cloak", "robe", "robes",
    "kimono", "gown", "uniform", "armor", "armour", "sweater", "shirt", "hoodie", "scarf", "veil", "mask", "helmet", "apron",
    "sari", "tuxedo", "jeans", "boots", "clothes", "clothing", "costume", "overalls", "shawl", "shoulder", "shoulders",
    "arms", "hand", "hands", "head", "face", "eyes", "hair", "lap", "neck", "mouth", "chest", "fingers", "glasses",
];

/// Behind "in", "on" and "at" these make a figure of speech.
#[rustfmt::skip]
const FIGURES: [&str; 16] = [
    "love", "motion", "bloom", "flames", "fire", "flight", "half", "progress", "work", "play", "rest", "prayer", "peace",
    "mid", "thought", "tears",
];

/// Small words in front of a known phrase that go with it, and participles before those: "lit by".
const LEADING_IN: [&str; 18] = [
    "in", "at", "on", "of", "with", "and", "&", "under", "by", "during", "a", "an", "the", "its", "from", "as", "to",
    "then",
];
const PARTICIPLES: [&str; 11] = [
    "lit",
    "bathed",
    "shot",
    "filmed",
    "captured",
    "photographed",
    "illuminated",
    "drenched",
    "framed",
    "seen",
    "graded",
];

struct Sorter<'a> {
    words: &'a [Word],
    pieces: Vec<Piece>,
    has_subject: bool,
    /// What the last fragment of this clause was.
    clause: Option<Part>,
}

impl Sorter<'_> {
    /// Words from `from` to `to` that no phrase has, after a phrase of part `before` and, perhaps, ahead of another.
    fn fragment(&mut self, mut from: usize, mut to: usize, before: Option<Part>, leads_in: bool) {
        let start = from;
        while from < to && self.is(from, |word| joins_after(before, word) && (word != "with" || !self.has_subject)) {
            from += 1;
        }
        let end = to;
        while leads_in && to > from && self.is(to - 1, |word| LEADING_IN.contains(&word)) {
            to -= 1;
        }
        while to < end && to > from && self.is(to - 1, |word| PARTICIPLES.contains(&word)) {
            to -= 1;
        }
        if (from..to).all(|at| self.is(at, is_function_word)) {
            return self.push(Part::Joint, start, end, false);
        }
        self.push(Part::Joint, start, from, false);
        self.content(from, to);
        self.push(Part::Joint, to, end, false);
    }

    fn content(&mut self, from: usize, to: usize) {
        let goes_on = self.clause.is_some();
        let style =
            self.is_place(from, to) && self.is(from + 1, |word| word == "the") && self.is(from + 2, |w| w == "style");
        if style {
            return self.push(Part::LeftOver, from, to, false);
        }
        let place = (from..to).find(|at| self.is_place(*at, to)).unwrap_or(to);
        let first = match self.clause {
            _ if !self.has_subject => Part::Subject,
            Some(part) => part,
            None if self.is_about_subject(from, to) => Part::Subject,
            None if (from..to).any(|at| self.is(at, is_far)) => return self.push(Part::Setting, from, to, false),
            None => return self.push(Part::LeftOver, from, to, false),
        };
        self.push(first, from, place, goes_on);
        self.push(Part::Setting, place, to, false);
    }

    fn push(&mut self, part: Part, from: usize, to: usize, goes_on: bool) {
        if from >= to {
            return;
        }
        self.has_subject |= part == Part::Subject;
        if matches!(part, Part::Subject | Part::LeftOver | Part::Setting) {
            self.clause = Some(part);
        }
        // "wide aerial drone shot" is one phrase, though each of its words is known.
        let adjoins = self.pieces.last().is_some_and(|last| last.part == part && last.to == from);
        let goes_on = goes_on || adjoins && !self.pauses_before(from);
        self.pieces.push(Piece { part, from, to, goes_on });
    }

    /// A text without a subject has one in what no rule knew, or in the light: "a sunset over the sea".
    fn finish(mut self) -> Vec<Piece> {
        let has = |part: Part| self.pieces.iter().position(|piece| piece.part == part);
        let light = || has(Part::Setting).and(has(Part::Light));
        if !self.has_subject
            && let Some(piece) = has(Part::LeftOver).or_else(light).and_then(|at| self.pieces.get_mut(at))
        {
            piece.part = Part::Subject;
        }
        self.pieces
    }

    /// Whether a word begins a phrase that says where.
    fn is_place(&self, at: usize, to: usize) -> bool {
        let hyphen = |at: usize| self.words.get(at).is_some_and(|word| word.hyphen);
        if !self.is(at, |word| PLACES.contains(&word)) || at + 1 >= to || hyphen(at) || at > 0 && hyphen(at - 1) {
            return false;
        }
        let article = self.is(at + 1, |word| matches!(word, "a" | "an" | "the"));
        let fits = match self.bare(at) {
            "by" | "down" | "up" => article,
            "next" => self.is(at + 1, |word| word == "to"),
            "surrounded" => self.is(at + 1, |word| word == "by"),
            _ => !self.is(at + 1, |word| FIGURES.contains(&word)),
        };
        let after_doing = at > 0 && self.is(at - 1, |word| DOINGS.contains(&word));
        fits && !after_doing && !self.is_worn(at, to)
    }

    /// "in a long red coat", "on her shoulder".
    fn is_worn(&self, at: usize, to: usize) -> bool {
        let noun_phrase =
            (at + 1..to.min(at + 6)).take_while(|at| !self.is(*at, |word| PLACES.contains(&word) || word == "of"));
        matches!(
            self.bare(at),
            "in" | "on" | "over" | "under" | "around" | "against" | "behind" | "into" | "across" | "through"
        ) && noun_phrase.into_iter().any(|at| self.is(at, |word| WORN.contains(&word)))
    }

    /// Words behind a comma that still say something about the subject.
    fn is_about_subject(&self, from: usize, to: usize) -> bool {
        let first = self.bare(from);
        let known = [
            "with", "wearing", "his", "her", "their", "its", "who", "whose", "dressed", "covered", "clad", "while",
            "as",
        ];
        let nouns = [
            "morning",
            "evening",
            "building",
            "ceiling",
            "lightning",
            "spring",
            "string",
            "painting",
            "clothing",
            "lighting",
            "king",
            "ring",
            "wing",
            "styling",
            "nothing",
            "something",
            "everything",
            "rendering",
            "drawing",
            "trending",
        ];
        known.contains(&first)
            || first.len() > 4 && first.ends_with("ing") && !nouns.contains(&first)
            || PLACES.contains(&first) && self.is_worn(from, to)
            || self.is_place(from, to)
    }

    fn pauses_before(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.words.get(before)).is_some_and(|word| word.pauses)
    }

    fn is(&self, at: usize, test: impl Fn(&str) -> bool) -> bool {
        self.words.get(at).is_some_and(|word| test(&word.bare))
    }

    fn bare(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| word.bare.as_str())
    }
}

/// Small words between a known phrase and what it is of.
fn joins_after(before: Option<Part>, word: &str) -> bool {
    match (before, word) {
        (None, _) => false,
        (_, "of" | "with" | "and" | "&" | "+" | "as" | "then" | "while") => true,
        (
            Some(Part::Motion),
            "on" | "onto" | "to" | "toward" | "towards" | "around" | "past" | "across" | "over" | "along" | "behind"
            | "from" | "into" | "following" | "alongside" | "between" | "reveal" | "revealing",
        ) => true,
        (Some(Part::Shot), "on" | "over" | "showing" | "featuring" | "from" | "looking") => true,
        _ => false,
    }
}

fn is_far(word: &str) -> bool {
    matches!(word, "background" | "foreground" | "distance" | "horizon")
}
