//! Characters that have no business in a prompt.

/// One line: white space collapsed, and what [`is_unwanted`] dropped.
pub(crate) fn line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(8_192));
    for word in text.split_whitespace() {
        let start = clean.len();
        if start > 0 {
            clean.push(' ');
        }
        let before = clean.len();
        clean.extend(word.chars().filter(|c| !is_unwanted(*c)));
        if clean.len() == before {
            clean.truncate(start);
        }
    }
    clean
}

/// Several lines, each as [`line()`] leaves it: no blank ones at the ends, and never two in a row.
pub(crate) fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut clean = String::with_capacity(text.len().min(8_192));
    let mut blank = false;
    for raw in text.split(is_line_break) {
        let line = line(raw);
        if line.is_empty() {
            blank = true;
            continue;
        }
        if !clean.is_empty() {
            clean.push_str(if blank { "\n\n" } else { "\n" });
        }
        clean.push_str(&line);
        blank = false;
    }
    clean
}

/// At most `max` characters of a clean text, and whether there were more.
pub(crate) fn shortened(mut text: String, max: usize) -> (String, bool) {
    let Some((end, _)) = text.char_indices().nth(max) else {
        return (text, false);
    };
    text.truncate(end);
    text.truncate(text.trim_end().len());
    (text, true)
}

/// The beginning of a text on one line, for a sentence about it.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS: usize = 40;
    let start: String = text.chars().take(4 * CHARS).collect();
    let (mut start, cut) = shortened(line(&start), CHARS);
    if cut {
        start.push('…');
    }
    start
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters, which corrupt logs, metadata and pages, and those that reorder the text around them.
///
/// Joiners and the single marks of direction stay: Hindi, Urdu, Thai and many emoji are wrong without them.
fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_go() {
        assert_eq!(line(" a\u{0}b \u{202E}c\t\u{FEFF} d\r\n"), "ab c d");
        assert_eq!(lines("one\r\n\r\n\r\n two \rthree\u{2028}four\n"), "one\n\ntwo\nthree\nfour");
    }

    #[test]
    fn scripts_that_need_joiners_keep_them() {
        for text in ["क्\u{200D}ष और क्\u{200C}ष", "یہ\u{200C}ہے", "ภาพ\u{200B}วาด", "👩\u{200D}🚀"]
        {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn a_cut_counts_characters() {
        assert_eq!(shortened("äöü".into(), 3), ("äöü".into(), false));
        assert_eq!(shortened("ä öü".into(), 2), ("ä".into(), true));
    }
}
