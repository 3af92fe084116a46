//! What a file is, by its first bytes and never by its name or the type that came with it.

use crate::photo::Format;

/// Files that people commonly send and that are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Foreign {
    Heic,
    Avif,
    JpegXl,
    Jpeg2000,
    /// TIFF, or one of the raw formats of cameras that are built on it.
    Tiff,
    Bmp,
    Icon,
    Photoshop,
    Svg,
    Pdf,
    Video,
    Sound,
    /// ZIP, or another archive. Documents of office programs are ZIP archives too.
    Archive,
    Html,
    Text,
    Unknown,
}

/// What a file is: a format that is taken, or one that is not.
///
/// # Errors
/// The kind of file, if it is none of [`Format`].
pub(crate) fn recognise(bytes: &[u8]) -> Result<Format, Foreign> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok(Format::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Format::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Format::WebP),
        _ => Err(foreign(bytes)),
    }
}

impl Foreign {
    /// What it is, as one would say it: “a BMP picture”.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Foreign::Heic => "a HEIC picture, as iPhones save them",
            Foreign::Avif => "an AVIF picture",
            Foreign::JpegXl => "a JPEG XL picture",
            Foreign::Jpeg2000 => "a JPEG 2000 picture",
            Foreign::Tiff => "a TIFF picture or a camera's raw file",
            Foreign::Bmp => "a BMP picture",
            Foreign::Icon => "an icon file",
            Foreign::Photoshop => "a Photoshop file",
            Foreign::Svg => "an SVG drawing",
            Foreign::Pdf => "a PDF document",
            Foreign::Video => "a video",
            Foreign::Sound => "a sound file",
            Foreign::Archive => "a ZIP file or another archive",
            Foreign::Html => "a web page",
            Foreign::Text => "a text",
            Foreign::Unknown => "no picture of a kind that is known here",
        }
    }

    /// What to do instead, in the imperative.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Foreign::Heic => "choose “Most Compatible” in Settings → Camera → Formats, or send a screenshot of it",
            Foreign::Avif | Foreign::JpegXl | Foreign::Jpeg2000 | Foreign::Bmp | Foreign::Icon | Foreign::Unknown => {
                "save it as JPEG or PNG, or send a screenshot of it"
            }
            Foreign::Tiff | Foreign::Photoshop => "export it as JPEG or PNG and send that",
            Foreign::Svg => "export it as PNG and send that",
            Foreign::Pdf => "send a screenshot of the page you mean",
            Foreign::Video => "pause it where you like it and send a screenshot",
            Foreign::Archive => "take the picture out of it and send that alone",
            Foreign::Html => "save the picture itself, not the page around it, and send that",
            Foreign::Sound | Foreign::Text => "choose a picture: JPEG, PNG, WebP or GIF",
        }
    }
}

fn foreign(bytes: &[u8]) -> Foreign {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => iso_media(bytes),
        // QuickTime before it had a file type box.
        [_, _, _, _, b'm', b'o', b'o', b'v', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => Foreign::Video,
        [_, _, _, _, b'w', b'i', b'd', b'e', ..] | [_, _, _, _, b'p', b'n', b'o', b't', ..] => Foreign::Video,
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Foreign::JpegXl,
        [0xff, 0x4f, 0xff, 0x51, ..] | [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => Foreign::Jpeg2000,
        [b'I', b'I', 0x2a | 0x2b, 0, ..] | [b'M', b'M', 0, 0x2a | 0x2b, ..] => Foreign::Tiff,
        // Two letters alone would make a bitmap of many a text.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Foreign::Bmp,
        [0, 0, 1 | 2, 0, ..] => Foreign::Icon,
        [b'8', b'B', b'P', b'S', ..] => Foreign::Photoshop,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => Foreign::Video,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Foreign::Sound,
        // Matroska and WebM; Flash; MPEG; Windows Media.
        [0x1a, 0x45, 0xdf, 0xa3, ..] | [b'F', b'L', b'V', 1, ..] | [0, 0, 1, 0xba | 0xb3, ..] => Foreign::Video,
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => Foreign::Video,
        [b'I', b'D', b'3', ..] | [b'O', b'g', b'g', b'S', ..] | [b'f', b'L', b'a', b'C', ..] => Foreign::Sound,
        [0xff, 0xfb | 0xf3 | 0xf2 | 0xf1 | 0xf9, ..] => Foreign::Sound,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'R', b'a', b'r', b'!', ..] => Foreign::Archive,
        [b'7', b'z', 0xbc, 0xaf, ..] | [0x1f, 0x8b, 8, ..] | [0xfd, b'7', b'z', b'X', b'Z', ..] => Foreign::Archive,
        // PDF readers look for the mark within the first kilobyte.
        _ if head(bytes, 1024).windows(5).any(|window| window == b"%PDF-") => Foreign::Pdf,
        _ => text(bytes),
    }
}

/// A family of containers, told apart by the brands in its first box.
fn iso_media(bytes: &[u8]) -> Foreign {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize).clamp(12, 256);
    let file_type = head(bytes, length);
    let major = file_type.get(8..12).unwrap_or_default();
    let compatible = file_type.get(16..).unwrap_or_default().chunks_exact(4);
    let brands = || std::iter::once(major).chain(compatible.clone());
    if brands().any(|brand| matches!(brand, b"avif" | b"avis")) {
        Foreign::Avif
    } else if matches!(&major[..major.len().min(3)], b"hei" | b"hev") || matches!(major, b"mif1" | b"mif2" | b"msf1") {
        Foreign::Heic
    } else if major == b"crx " {
        Foreign::Tiff
    } else if matches!(major, b"M4A " | b"M4B ") {
        Foreign::Sound
    } else {
        Foreign::Video
    }
}

fn text(bytes: &[u8]) -> Foreign {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        return Foreign::Text;
    }
    let head = head(bytes, 4096);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The cut may have split a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Foreign::Unknown,
    };
    if text.is_empty() || text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace()) {
        return Foreign::Unknown;
    }
    let start = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if start.starts_with('<') {
        let is_page = start.starts_with("<!doctype html") || start.starts_with("<html");
        if !is_page && start.contains("<svg") { Foreign::Svg } else { Foreign::Html }
    } else {
        Foreign::Text
    }
}

fn head(bytes: &[u8], length: usize) -> &[u8] {
    &bytes[..bytes.len().min(length)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_commonly_send_is_named() {
        let heic = b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEmiafheictmap";
        let heif = b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic";
        let avif = b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiafMA1B";
        let cases: [(&[u8], Foreign); 31] = [
            (heic, Foreign::Heic),
            (heif, Foreign::Heic),
            (avif, Foreign::Avif),
            (b"\0\0\0\x14ftypavis\0\0\0\0msf1", Foreign::Avif),
            (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", Foreign::Video),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Foreign::Video),
            (b"\0\0\0\x14ftyp3gp5\0\0\0\x003gp5", Foreign::Video),
            (b"\0\0\0\x08wide\0\0\0\0mdat", Foreign::Video),
            (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01", Foreign::Video),
            (b"RIFF\0\0\0\0AVI LIST", Foreign::Video),
            (b"RIFF\0\0\0\0WAVEfmt ", Foreign::Sound),
            (b"ID3\x04\0", Foreign::Sound),
            (b"II*\0\x08\0\0\0", Foreign::Tiff),
            (b"MM\0*\0\0\0\x08", Foreign::Tiff),
            (b"BM\x36\0\x01\0\0\0\0\0\x36\0\0\0", Foreign::Bmp),
            (b"BMWs are cars", Foreign::Text),
            (b"\0\0\x01\0\x01\0", Foreign::Icon),
            (b"8BPS\0\x01", Foreign::Photoshop),
            (b"\xff\x0a\x10", Foreign::JpegXl),
            (b"\0\0\0\x0cjP  \r\n\x87\n", Foreign::Jpeg2000),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", Foreign::Svg),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- drawn -->\n<svg>", Foreign::Svg),
            (b"<!DOCTYPE html><html><svg></svg></html>", Foreign::Html),
            (b"  <html><body>", Foreign::Html),
            (b"%PDF-1.7\n", Foreign::Pdf),
            (b"junk before\n%PDF-1.4\n", Foreign::Pdf),
            (b"PK\x03\x04\x14\0", Foreign::Archive),
            (b"\x1f\x8b\x08\0", Foreign::Archive),
            ("Привет, это не картинка".as_bytes(), Foreign::Text),
            (b"\xff\xfeh\0i\0", Foreign::Text),
            (b"\x7fELF\x02\x01\x01\0", Foreign::Unknown),
        ];
        for (bytes, expected) in cases {
            assert_eq!(recognise(bytes), Err(expected), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_text_cut_within_a_character_is_a_text() {
        let long = "ж".repeat(4_000);
        assert_eq!(recognise(&long.as_bytes()[..4_097]), Err(Foreign::Text));
        assert_eq!(recognise(&["x", &long].concat().as_bytes()[..5_000]), Err(Foreign::Text));
    }

    #[test]
    fn every_prefix_has_an_answer() {
        for whole in [&b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"[..], b"RIFF\0\0\0\0WEBPVP8 ", b"\xff\xd8\xff\xe0", b"BM"] {
            for end in 0..whole.len() {
                assert!(recognise(&whole[..end]).is_err() || end >= 3);
            }
        }
    }
}
