//! A cinematic one-liner, taken apart by rules into what a camera department would ask for.
//!
//! Known phrases are found by a table, the longest first; what is left becomes subject and setting by the prepositions
//! in it. Nothing is lost: every word of the text is in one of the parts.

use serde::{Deserialize, Serialize};

mod grammar;
mod phrases;
mod vocabulary;
mod words;

#[cfg(test)]
mod tests;

/// A one-liner in its parts: each a short phrase in the words of the text, or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// Who or what it shows, and what they do.
    pub subject: String,
    /// Where that is.
    pub setting: String,
    /// How it is framed: "close-up", "low angle".
    pub shot: String,
    /// "35mm", "shallow depth of field".
    pub lens: String,
    /// How the camera moves: "slow dolly in".
    pub motion: String,
    /// "golden hour", "rim light".
    pub light: String,
    /// Colour and film: "teal and orange".
    pub grade: String,
    pub mood: String,
    /// What no rule knows.
    pub left_over: String,
    /// Words that only joined the parts: "of", "on", "with".
    pub joints: String,
    /// Which words of the text went where, in the order of the text. Together they have all of its words.
    pub spans: Vec<Span>,
}

/// A stretch of the original text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub part: Part,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A part of a one-liner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Subject,
    Setting,
    Shot,
    Lens,
    Motion,
    Light,
    Grade,
    Mood,
    LeftOver,
    Joint,
}

/// Takes a one-liner apart.
pub fn rewrite(text: &str) -> Rewritten {
    let words = words::words(text);
    let matches = phrases::matches(&words);
    let pieces = grammar::pieces(&words, &matches);
    let mut rewritten = Rewritten::default();
    for piece in pieces {
        let (Some(first), Some(last)) = (words.get(piece.from), words.get(piece.to.saturating_sub(1))) else {
            continue;
        };
        let span = Span { part: piece.part, start: first.start, end: last.end };
        let phrase = text.get(span.start..span.end).unwrap_or_default();
        let apart = if piece.part == Part::Joint || piece.goes_on { " " } else { ", " };
        let target = rewritten.part_mut(piece.part);
        if !target.is_empty() {
            target.push_str(apart);
        }
        target.push_str(phrase);
        rewritten.spans.push(span);
    }
    rewritten
}

impl Rewritten {
    /// An ordinary prompt: the subject, where it is and what else there is, then how it is shot, and how it looks.
    pub fn prompt(&self) -> String {
        // "an old fisherman" and "in a harbour" are one phrase, "an old fisherman" and "heavy rain" are two.
        let apart = if grammar::begins_with_place(&self.setting) { " " } else { ", " };
        let mut prompt = self.subject.clone();
        if !prompt.is_empty() && !self.setting.is_empty() {
            prompt.push_str(apart);
        }
        prompt.push_str(&self.setting);
        // What no rule knows is most often one more thing to see.
        for part in [&self.left_over, &self.shot, &self.lens, &self.motion, &self.light, &self.grade, &self.mood] {
            if !prompt.is_empty() && !part.is_empty() {
                prompt.push_str(", ");
            }
            prompt.push_str(part);
        }
        prompt
    }

    /// The words of a part.
    pub fn part(&self, part: Part) -> &str {
        match part {
            Part::Subject => &self.subject,
            Part::Setting => &self.setting,
            Part::Shot => &self.shot,
            Part::Lens => &self.lens,
            Part::Motion => &self.motion,
            Part::Light => &self.light,
            Part::Grade => &self.grade,
            Part::Mood => &self.mood,
            Part::LeftOver => &self.left_over,
            Part::Joint => &self.joints,
        }
    }

    fn part_mut(&mut self, part: Part) -> &mut String {
        match part {
            Part::Subject => &mut self.subject,
            Part::Setting => &mut self.setting,
            Part::Shot => &mut self.shot,
            Part::Lens => &mut self.lens,
            Part::Motion => &mut self.motion,
            Part::Light => &mut self.light,
            Part::Grade => &mut self.grade,
            Part::Mood => &mut self.mood,
            Part::LeftOver => &mut self.left_over,
            Part::Joint => &mut self.joints,
        }
    }
}

impl Part {
    /// All of them, in the order in which a prompt has them; joints last.
    pub const ALL: [Self; 10] = [
        Self::Subject,
        Self::Setting,
        Self::Shot,
        Self::Lens,
        Self::Motion,
        Self::Light,
        Self::Grade,
        Self::Mood,
        Self::LeftOver,
        Self::Joint,
    ];
}
