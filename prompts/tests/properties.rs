//! What must hold for any bytes and for any entries.

#![expect(clippy::unwrap_used, reason = "tests may take the short way")]

use prompts::entry::{MAX_NOTES_CHARS, MAX_TAG_CHARS, MAX_TAGS};
use prompts::import::{MAX_BYTES, MAX_ENTRIES, MAX_LINES, MAX_MARKDOWN_BYTES};
use prompts::{Entry, ImportError, NoteKind, export, import};
use proptest::prelude::*;

/// Every example file, by name.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files.retain(|(name, _)| !name.starts_with('.'));
    assert!(files.len() > 15);
    files
}

fn name() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some("a.md"),
        Some("a.csv"),
        Some("a.TSV"),
        Some("a.json"),
        Some("a.jsonl"),
        Some("é"),
    ])
}

/// Whatever comes of bytes is within bounds, and can be said.
fn check(name: Option<&str>, bytes: &[u8]) -> Result<(), TestCaseError> {
    match import(name, bytes) {
        Ok(imported) => {
            prop_assert!(!imported.entries.is_empty() && imported.entries.len() <= MAX_ENTRIES);
            for entry in imported.entries {
                prop_assert!(!entry.prompt.is_empty());
                prop_assert!(entry.tags.len() <= MAX_TAGS && entry.notes.chars().count() <= MAX_NOTES_CHARS);
                prop_assert!(entry.tags.iter().all(|tag| tag.chars().count() <= MAX_TAG_CHARS));
                prop_assert_eq!(entry.clone().tidied(), (entry, vec![]));
            }
            for note in imported.notes {
                prop_assert!(!note.to_string().is_empty());
            }
        }
        Err(error) => prop_assert!(!error.to_string().is_empty()),
    }
    Ok(())
}

/// Text with what means something to the readers.
fn markup() -> impl Strategy<Value = String> {
    let pieces = [
        "a sea",
        "# ",
        "## ",
        "- ",
        "  - ",
        "1. ",
        "> ",
        "```",
        "```prompt",
        "\n",
        "\n\n",
        "\t",
        "|",
        "---",
        "|---|",
        "prompt",
        ",",
        ";",
        "seed: 5",
        "Prompt: ",
        "Negative prompt: ",
        "Title: x",
        "Steps: 20, Sampler: x, Seed: 5",
        " --ar 16:9",
        " --no ",
        "--",
        "[",
        "]",
        "{",
        "}",
        "\"",
        ":",
        "\"prompt\"",
        "null",
        "1e999",
        "**",
        "__",
        "<lora:x:1>",
        "<b>",
        "\\",
        "(",
        "é",
        "\u{202E}",
        "https://x.y ",
        "[ ] ",
        "**Prompt:**",
        "sep=;",
        "notes",
        "&amp;",
        "\u{200D}",
        "🎨",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.concat())
}

/// Text as people might write it, and worse.
fn words(max: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        markup(),
        prop::string::string_regex(&format!("\\PC{{0,{max}}}")).unwrap(),
        prop::string::string_regex(&format!("[a-z`~#*_|<>\\[\\]\\\\&;:.,!\\n\\r -]{{0,{max}}}")).unwrap(),
        prop::collection::vec(any::<char>(), 0..max).prop_map(|chars| chars.into_iter().collect()),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let texts =
        (words(60), words(60), words(30), words(60), prop::collection::vec(words(12), 0..5), words(12), words(12));
    let numbers = (any::<bool>(), any::<Option<u64>>(), any::<Option<u32>>(), any::<Option<f32>>());
    let sizes = (prop::option::of(0..20_000_u32), prop::option::of(0..20_000_u32), any::<Option<i64>>());
    (texts, numbers, sizes).prop_map(|(texts, numbers, sizes)| {
        let (prompt, negative, title, notes, tags, tool, model) = texts;
        let (pinned, seed, steps, guidance) = numbers;
        let (width, height, made) = sizes;
        Entry {
            prompt: format!("p{prompt}"),
            negative,
            title,
            notes,
            tags,
            pinned,
            tool,
            model,
            seed,
            steps: steps.map(|steps| steps % 2_000),
            guidance: guidance.map(|scale| scale % 200.0),
            width,
            height,
            made_at: made.and_then(|micros| chrono::DateTime::from_timestamp_micros(micros / 30)),
        }
    })
}

proptest! {
    #[test]
    fn any_bytes(name in name(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check(name, &bytes)?;
    }

    #[test]
    fn any_markup(name in name(), text in markup()) {
        check(name, text.as_bytes())?;
    }

    #[test]
    fn any_change_to_a_real_file(
        name in name(),
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..12),
    ) {
        let files = fixtures();
        let mut bytes = files[which.index(files.len())].1.clone();
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => bytes.truncate(at.max(8)),
            }
        }
        check(name, &bytes)?;
    }

    #[test]
    fn any_entry_survives_both_exports(entries in prop::collection::vec(entry(), 1..4)) {
        let tidy: Vec<Entry> = entries.iter().map(|entry| entry.clone().tidied().0).collect();
        for tidy in &tidy {
            prop_assert_eq!(&tidy.clone().tidied(), &(tidy.clone(), vec![]));
        }
        for text in [export::markdown(&entries), export::json(&entries)] {
            let back = import(None, text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
            prop_assert_eq!(&back.entries, &tidy, "{}", text);
            prop_assert_eq!(back.notes, vec![], "{}", text);
        }
    }
}

#[test]
fn files_that_are_too_large_are_refused_and_long_lists_cut() {
    assert_eq!(import(None, &vec![b'a'; MAX_BYTES + 1]), Err(ImportError::TooLarge { max_megabytes: 10 }));
    let lines = "a\n".repeat(MAX_LINES + 1);
    assert_eq!(import(None, lines.as_bytes()), Err(ImportError::TooManyLines { max: MAX_LINES }));
    let document = format!("# a\n{}", "a".repeat(MAX_MARKDOWN_BYTES));
    assert_eq!(import(None, document.as_bytes()), Err(ImportError::TooLarge { max_megabytes: 5 }));
    let list: String = (0..MAX_ENTRIES + 7).map(|n| format!("a sea with {n} boats\n")).collect();
    let imported = import(None, list.as_bytes()).unwrap();
    assert_eq!(imported.entries.len(), MAX_ENTRIES);
    let last = &imported.notes.last().unwrap().kind;
    assert_eq!(last, &NoteKind::TooManyEntries { dropped: 7, max: MAX_ENTRIES });
}
