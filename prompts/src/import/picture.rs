//! What tools write into pictures beside the pixels, which are never looked at.

use std::io::Cursor;

use exif::{In, Tag, Value as ExifValue};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde_json::Value;

use crate::entry::{Entry, Field};
use crate::import::collect::Collector;
use crate::import::{Format, ImportError, Imported, NoteKind, Place, automatic, fields, json};

/// Longest text of a picture, in bytes, once it is inflated.
const MAX_TEXT: usize = 1_000_000;
/// Most texts of a picture that are read.
const MAX_TEXTS: usize = 64;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The kind of a picture whose text can be read.
pub(super) fn kind(bytes: &[u8]) -> Option<Format> {
    match bytes {
        _ if bytes.starts_with(PNG) => Some(Format::Png),
        [0xFF, 0xD8, 0xFF, ..] => Some(Format::Jpeg),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        _ => None,
    }
}

/// The prompts in a picture of that kind.
pub(super) fn read(kind: Format, bytes: &[u8]) -> Result<Imported, ImportError> {
    let mut collector = Collector::default();
    let texts = if kind == Format::Png { png_texts(bytes, &mut collector)? } else { exif_texts(bytes) };
    // Each tool writes several; the first of these that says anything says most.
    let readers: [(&str, Reader); 9] = [
        ("parameters", read_parameters),
        ("invokeai_metadata", |text, _, to| read_json(text, "InvokeAI", to)),
        ("sd-metadata", |text, _, to| read_json(text, "InvokeAI", to)),
        ("prompt", |text, _, to| read_json(text, "ComfyUI", to)),
        ("workflow", |text, _, to| read_json(text, "ComfyUI", to)),
        ("UserComment", read_parameters),
        ("Comment", read_novelai),
        ("Description", read_description),
        ("ImageDescription", read_description),
    ];
    for (keyword, reader) in readers {
        if let Some(text) = text_of(&texts, keyword) {
            reader(text, &texts, &mut collector);
        }
        if collector.found() > 0 {
            break;
        }
    }
    collector.finish(kind).map_err(|_| ImportError::NoPromptInPicture)
}

/// A keyword and what it says.
type Text = (String, String);
/// Reads one text, with the others beside it.
type Reader = fn(&str, &[Text], &mut Collector);

fn text_of<'a>(texts: &'a [Text], keyword: &str) -> Option<&'a str> {
    texts.iter().find(|(name, _)| name == keyword).map(|(_, text)| text.as_str())
}

/// What `parameters` says; some tools write JSON there.
fn read_parameters(text: &str, texts: &[Text], collector: &mut Collector) {
    if text.trim_start().starts_with('{') && serde_json::from_str::<Value>(text).is_ok() {
        return read_json(text, "", collector);
    }
    // A comment of a camera is no prompt.
    if !automatic::looks_like_it(text) && text_of(texts, "parameters").is_none() {
        return;
    }
    let (entry, notes) = automatic::read(text);
    notes.into_iter().for_each(|note| collector.note(Place::File, note));
    collector.made(Place::File, entry);
}

fn read_json(text: &str, tool: &str, collector: &mut Collector) {
    // Python's NaN is no JSON, and yet in many workflows.
    let value = serde_json::from_str::<Value>(text).or_else(|_| serde_json::from_str(&text.replace("NaN", "null")));
    if let Ok(value) = value {
        json::read_value(&value, tool, collector);
    }
}

/// NovelAI has the settings in the comment, and the prompt there or in the description.
fn read_novelai(text: &str, texts: &[Text], collector: &mut Collector) {
    let Ok(Value::Object(mut settings)) = serde_json::from_str::<Value>(text) else {
        return read_parameters(text, texts, collector);
    };
    if !settings.contains_key("prompt")
        && let Some(description) = text_of(texts, "Description")
    {
        settings.insert("prompt".into(), description.into());
    }
    if let Some(source) = text_of(texts, "Source") {
        settings.entry("model").or_insert_with(|| source.into());
    }
    json::read_value(&Value::Object(settings), text_of(texts, "Software").unwrap_or_default(), collector);
}

fn read_description(text: &str, texts: &[Text], collector: &mut Collector) {
    if automatic::looks_like_it(text) {
        return read_parameters(text, texts, collector);
    }
    // Cameras and drawing programs describe pictures too; only what names its tool is a prompt.
    let Some(tool) = text_of(texts, "Software").filter(|tool| ["NovelAI", "Midjourney"].contains(tool)) else {
        return;
    };
    let mut entry = Entry { prompt: text.to_owned(), ..Entry::default() };
    if fields::set(&mut entry, Field::Tool, tool).is_ok() {
        collector.written(Place::File, entry);
    }
}

/// The texts of a PNG, chunk by chunk.
fn png_texts(bytes: &[u8], collector: &mut Collector) -> Result<Vec<Text>, ImportError> {
    let mut rest = bytes.get(PNG.len()..).unwrap_or_default();
    let mut texts = Vec::new();
    // Damaged ones count too: each may take the work of a whole text.
    let mut seen = 0;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((kind, behind)) = behind.split_first_chunk::<4>() else { break };
        let Some((data, behind)) = behind.split_at_checked(length) else {
            // Pictures that were cut short still begin with their text.
            break;
        };
        if seen < MAX_TEXTS && [b"tEXt", b"zTXt", b"iTXt"].contains(&kind) {
            seen += 1;
            let (keyword, text) = png_text(*kind, data);
            match text {
                Some(text) => texts.push((keyword, text)),
                None => collector.note(Place::File, NoteKind::BadText { keyword: crate::clean::excerpt(&keyword) }),
            }
        }
        if kind == b"IEND" {
            break;
        }
        // Four bytes of checksum, which nobody needs to trust a text.
        rest = behind.get(4..).unwrap_or_default();
    }
    if rest.len() == bytes.len().saturating_sub(PNG.len()) { Err(ImportError::DamagedPicture) } else { Ok(texts) }
}

/// The keyword of a chunk and its text, unless that is damaged or too long.
fn png_text(kind: [u8; 4], data: &[u8]) -> (String, Option<String>) {
    let Some((keyword, data)) = until_zero(data) else {
        return (String::new(), None);
    };
    let text = match &kind {
        b"tEXt" => plain(data).map(utf8_or_latin1),
        b"zTXt" => data.split_first().and_then(|(_, data)| inflated(data)).map(|text| utf8_or_latin1(&text)),
        _ => international(data),
    };
    (utf8_or_latin1(keyword), text)
}

/// `iTXt`: whether it is compressed, how, the language, the keyword in that language, and then the text.
fn international(data: &[u8]) -> Option<String> {
    let [compressed, _method, rest @ ..] = data else { return None };
    let (_language, rest) = until_zero(rest)?;
    let (_keyword, text) = until_zero(rest)?;
    if *compressed == 0 { plain(text).map(utf8_or_latin1) } else { inflated(text).map(|text| utf8_or_latin1(&text)) }
}

fn plain(data: &[u8]) -> Option<&[u8]> {
    (data.len() <= MAX_TEXT).then_some(data)
}

fn inflated(data: &[u8]) -> Option<Vec<u8>> {
    decompress_to_vec_zlib_with_limit(data, MAX_TEXT).ok()
}

fn until_zero(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = data.iter().position(|byte| *byte == 0)?;
    Some((data.get(..end)?, data.get(end + 1..)?))
}

/// Latin 1 is what the format says, UTF-8 what most tools write.
fn utf8_or_latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned)
}

/// The texts that a JPEG's or a WebP's EXIF has, under the names of their tags.
fn exif_texts(bytes: &[u8]) -> Vec<Text> {
    let read = exif::Reader::new().continue_on_error(true).read_from_container(&mut Cursor::new(bytes));
    let Ok(exif) = read.or_else(|error| error.distill_partial_result(|_| {})) else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    for (tag, name) in [
        (Tag::UserComment, "UserComment"),
        (Tag::ImageDescription, "ImageDescription"),
        (Tag::Software, "Software"),
        (Tag::Make, "Make"),
        (Tag::Model, "Model"),
    ] {
        let text = match exif.get_field(tag, In::PRIMARY).map(|field| &field.value) {
            Some(ExifValue::Undefined(data, _)) => comment(data),
            Some(ExifValue::Ascii(parts)) => parts.first().map(|part| utf8_or_latin1(part)),
            _ => None,
        };
        let Some(text) = text.filter(|text| text.len() <= MAX_TEXT) else { continue };
        // ComfyUI has its workflows in the tags of cameras: "prompt:{…}", "workflow:{…}".
        match text.split_once(':') {
            Some((name @ ("prompt" | "workflow"), value)) => texts.push((name.to_owned(), value.to_owned())),
            _ => texts.push((name.to_owned(), text)),
        }
    }
    texts
}

/// A user comment begins with eight bytes that say how it is written.
fn comment(data: &[u8]) -> Option<String> {
    let (code, text) = data.split_at_checked(8)?;
    if text.len() > 2 * MAX_TEXT {
        return None;
    }
    if !code.starts_with(b"UNICODE") {
        return Some(utf8_or_latin1(text).trim_end_matches('\0').to_owned());
    }
    let (pairs, _) = text.as_chunks::<2>();
    let pairs = match pairs.split_first() {
        Some(([0xFE, 0xFF] | [0xFF, 0xFE], rest)) => rest,
        _ => pairs,
    };
    // Nothing says which byte goes first but the text: most of its letters have a zero for one of the two.
    let zeros = |at: usize| pairs.iter().filter(|pair| pair[at] == 0).count();
    let big = zeros(0) >= zeros(1);
    let units = pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(text.trim_end_matches('\0').to_owned())
}
