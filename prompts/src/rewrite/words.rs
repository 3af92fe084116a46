//! A text as words, with the places where it pauses.

/// A word, or a piece of one between hyphens.
#[derive(Debug)]
pub(super) struct Word {
    /// In lower case, without quotes and brackets around it.
    pub bare: String,
    /// Where it is in the text, with those quotes and brackets, and with a hyphen behind it.
    pub start: usize,
    pub end: usize,
    /// The text pauses after it: at a comma, a full stop, the end of a line.
    pub pauses: bool,
    /// A hyphen joins it to the next.
    pub hyphen: bool,
}

pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() || is_pause(text, at, c) {
            push(text, start.take(), at, &mut words);
            if (!c.is_whitespace() || c == '\n')
                && let Some(word) = words.last_mut()
            {
                word.pauses = true;
            }
        } else if c == '-' && joins(text, at) {
            push(text, start.take(), at + 1, &mut words);
            if let Some(word) = words.last_mut() {
                word.hyphen = true;
            }
        } else if start.is_none() {
            start = Some(at);
        }
    }
    push(text, start, text.len(), &mut words);
    words
}

fn push(text: &str, start: Option<usize>, end: usize, words: &mut Vec<Word>) {
    let Some(word) = start.and_then(|start| text.get(start..end)) else { return };
    let inside = word.trim_matches(|c: char| !c.is_alphanumeric());
    // "&" is a word too.
    let bare = if inside.is_empty() { word } else { inside };
    let start = start.unwrap_or(end);
    words.push(Word { bare: bare.to_lowercase().replace('’', "'"), start, end, pauses: false, hyphen: false });
}

/// Commas pause unless they are in a number; points and colons do at the end of a word; long dashes always do.
fn is_pause(text: &str, at: usize, c: char) -> bool {
    let next = text.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
    let before = text.get(..at).and_then(|rest| rest.chars().next_back());
    let ends = next.is_none_or(|next| next.is_whitespace() || next == ',');
    match c {
        ',' => !(before.is_some_and(|c| c.is_ascii_digit()) && next.is_some_and(|c| c.is_ascii_digit())),
        ';' | '|' | '—' | '–' | '…' | '，' | '。' | '、' => true,
        '.' | ':' | '!' | '?' => ends || next == Some('.'),
        // Between spaces it is a dash.
        '-' => ends && before.is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// Whether a hyphen is between two letters or digits.
fn joins(text: &str, at: usize) -> bool {
    let next = text.get(at + 1..).and_then(|rest| rest.chars().next());
    let before = text.get(..at).and_then(|rest| rest.chars().next_back());
    before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_and_hyphens_are_seen() {
        let text = "A \"close-up\", f/1.8 at 1,000 - done. yes";
        let read: Vec<(String, bool, bool)> =
            words(text).into_iter().map(|word| (word.bare, word.pauses, word.hyphen)).collect();
        let expected = [
            ("a", false, false),
            ("close", false, true),
            ("up", true, false),
            ("f/1.8", false, false),
            ("at", false, false),
            ("1,000", true, false),
            ("done", true, false),
            ("yes", false, false),
        ];
        assert_eq!(read, expected.map(|(bare, pauses, hyphen)| (bare.to_owned(), pauses, hyphen)));
    }
}
