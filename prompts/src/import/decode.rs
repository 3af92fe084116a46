//! Bytes into text.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};

use crate::import::ImportError;

/// The text that bytes are, and whether that is a guess.
///
/// What begins with a mark of UTF-8 or UTF-16 is that; what is valid UTF-8 is that; everything else is taken for
/// Windows-1252, in which every byte is a character.
pub(super) fn text(bytes: &[u8]) -> Result<(Cow<'_, str>, bool), ImportError> {
    let (text, guessed) = if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        (encoding.decode_without_bom_handling(rest).0, false)
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        (Cow::Borrowed(text), false)
    } else {
        (WINDOWS_1252.decode_without_bom_handling(bytes).0, true)
    };
    if is_noise(&text) { Err(ImportError::NotText) } else { Ok((text, guessed)) }
}

/// What bytes are, where they begin like something that is no text and is often taken for it.
pub(super) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(usize, &[u8], &'static str); 8] = [
        (0, b"%PDF-", "a PDF"),
        (0, b"PK\x03\x04", "a ZIP archive or an office document"),
        (0, b"GIF8", "a GIF"),
        (0, b"\x1f\x8b", "a compressed file"),
        (0, b"{\\rtf", "a rich text document"),
        (0, b"\xd0\xcf\x11\xe0", "an office document"),
        (4, b"ftyp", "a video or a picture without prompts"),
        (0, b"SQLite format 3", "a database"),
    ];
    let found = kinds.iter().find(|(at, start, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(start)));
    found.map(|(.., kind)| *kind)
}

/// Text has no zero bytes, and hardly any control characters.
fn is_noise(text: &str) -> bool {
    let mut all = 0_usize;
    let mut control = 0_usize;
    for c in text.chars() {
        all += 1;
        match c {
            '\0' => return true,
            c if c.is_control() && !c.is_whitespace() => control += 1,
            _ => {}
        }
    }
    control * 20 > all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_encoding_is_read() {
        let utf16 = |little: bool| -> Vec<u8> {
            let units = "\u{FEFF}Käse".encode_utf16();
            units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
        };
        assert_eq!(text("Käse".as_bytes()).unwrap(), ("Käse".into(), false));
        assert_eq!(text("\u{FEFF}Käse".as_bytes()).unwrap(), ("Käse".into(), false));
        assert_eq!(text(&utf16(true)).unwrap(), ("Käse".into(), false));
        assert_eq!(text(&utf16(false)).unwrap(), ("Käse".into(), false));
        assert_eq!(text(b"K\xe4se \x96 \x93warm\x94").unwrap(), ("Käse – “warm”".into(), true));
        assert_eq!(text(b"a\0b"), Err(ImportError::NotText));
        assert_eq!(text(&[1, 2, 3, 4, b'a']), Err(ImportError::NotText));
    }

    #[test]
    fn other_files_are_named() {
        assert_eq!(foreign(b"%PDF-1.7\n"), Some("a PDF"));
        assert_eq!(foreign(b"\0\0\0\x20ftypisom"), Some("a video or a picture without prompts"));
        assert_eq!(foreign(b"a cat"), None);
    }
}
