//! Files as other tools leave them behind, and what is read from them.

#![expect(clippy::unwrap_used, reason = "tests may take the short way")]

use prompts::{Entry, Format, ImportError, Imported, import};

fn read(name: &str) -> Imported {
    let bytes = bytes(name);
    let named = import(Some(name), &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    // Names are hints only. A list in JSON line by line says itself what it is.
    if name != "notes.md" {
        let unnamed = import(None, &bytes).unwrap_or_else(|error| panic!("{name} without its name: {error}"));
        assert_eq!(unnamed, named, "{name} without its name");
    }
    named
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn prompts(imported: &Imported) -> Vec<&str> {
    imported.entries.iter().map(|entry| entry.prompt.as_str()).collect()
}

fn notes(imported: &Imported) -> Vec<String> {
    imported.notes.iter().map(ToString::to_string).collect()
}

fn only(name: &str) -> Entry {
    let imported = read(name);
    assert_eq!((imported.entries.len(), notes(&imported)), (1, vec![]), "{name}");
    imported.entries.into_iter().next().unwrap()
}

#[test]
fn midjourney_as_it_is_typed() {
    let read = read("midjourney.txt");
    assert_eq!(read.format, Format::Text);
    assert_eq!(
        prompts(&read),
        [
            "a paper boat on a flooded street, soft rain",
            "a glass greenhouse on a sea cliff, watercolour",
            "an owl made of folded maps",
            "a brass telescope in a wheat field",
        ]
    );
    let boat = &read.entries[0];
    assert_eq!((boat.seed, boat.negative.as_str(), boat.tool.as_str()), (Some(77), "people, cars", "Midjourney"));
    assert_eq!(boat.tags, ["16:9"]);
    assert_eq!(read.entries[1].model, "Midjourney 6.1");
    assert_eq!(read.entries[3].notes, "Image: https://example.org/reference.png");
    assert_eq!(
        notes(&read),
        [
            "Line 1: \"--stylize 300\" was left out: it means nothing here.",
            "Line 4: \"--iw 1.5\" was left out: it means nothing here.",
            "Line 4: \"--chaos 12\" was left out: it means nothing here.",
            "Line 5: a link alone is no prompt, so it was left out: https://example.org/alone.png",
            "Line 6: the same prompt was there before, so it was left out.",
        ]
    );
}

#[test]
fn wrapped_text() {
    let read = read("wrapped.txt");
    assert_eq!(read.entries.len(), 3, "{:?}", prompts(&read));
    assert!(read.entries[0].prompt.starts_with("a keeper of an old lighthouse writes a letter by the light"));
    assert!(read.entries[2].prompt.ends_with("and one lit window, ink and wash"));
}

#[test]
fn recipes_as_automatic1111_writes_them() {
    let read = read("recipes.txt");
    assert_eq!(read.entries.len(), 2);
    let desk = &read.entries[0];
    assert_eq!(desk.prompt, "a cartographer's desk, (candle light:1.2), <lora:ink_wash:0.7>\ndetailed, muted colours");
    assert_eq!(desk.negative, "blurry, text,\nwatermark");
    assert_eq!((desk.seed, desk.steps, desk.guidance), (Some(3_141_592_653), Some(28), Some(6.5)));
    assert_eq!((desk.width, desk.height, desk.model.as_str()), (Some(768), Some(512), "paperworld_v3"));
    assert_eq!((desk.tool.as_str(), read.entries[1].tool.as_str()), ("Automatic1111", "Forge"));
    assert_eq!(desk.notes, "Sampler: DPM++ 2M, Schedule type: Karras");
}

#[test]
fn tables() {
    let styles = read("styles.csv");
    assert_eq!(styles.format, Format::Csv);
    assert_eq!(
        prompts(&styles),
        ["{prompt}, ink wash, wide brush, rice paper", "{prompt} at a night market, \"neon\" signs"]
    );
    assert_eq!((styles.entries[0].title.as_str(), styles.entries[0].tool.as_str()), ("Ink wash", "Automatic1111"));
    assert_eq!(notes(&styles), ["Line 4: there is no prompt here, so it was left out."]);

    let library = read("library.csv");
    assert_eq!(prompts(&library), ["a stone bridge; moss, fog", "a kettle on a stove"]);
    let bridge = &library.entries[0];
    assert_eq!((bridge.seed, bridge.guidance, bridge.height), (Some(42), Some(7.5), Some(768)));
    assert_eq!(bridge.tags, ["bridge", "fog"]);
    assert_eq!((library.entries[1].seed, library.entries[1].width), (None, Some(640)));
    assert_eq!(notes(&library), ["Line 1: the column \"Rating\" was left out: its name is not known here."]);

    let library = read("library.tsv");
    assert_eq!(library.format, Format::Tsv);
    assert_eq!(library.entries[0].prompt, "a clock without hands, in a hall of mirrors");
    assert_eq!(library.entries[0].made_at.unwrap().to_rfc3339(), "2024-03-01T12:00:00+00:00");
    assert_eq!(notes(&library), ["Line 3: the number of steps was left out: \"many\" can't be read as one."]);
}

#[test]
fn json_under_other_names() {
    let library = read("library.json");
    assert_eq!(prompts(&library), ["a ferry leaving at dawn", "a shelf of blue bottles", "a letter under a door"]);
    let ferry = &library.entries[0];
    assert_eq!((ferry.steps, ferry.guidance, ferry.model.as_str()), (Some(25), Some(5.5), "paperworld"));
    assert_eq!((ferry.width, ferry.height), (Some(1024), Some(576)));
    assert_eq!(ferry.tags, ["sea", "morning"]);
    assert_eq!((library.entries[1].notes.as_str(), library.entries[1].pinned), ("for the kitchen", true));

    assert_eq!(notes(&library), ["Item 3: there is no prompt here, so it was left out."]);

    let nested = read("nested.json");
    assert_eq!(prompts(&nested), ["a train in the clouds", "a well in a desert"]);
    assert_eq!((nested.entries[0].guidance, nested.entries[1].steps), (Some(4.0), Some(12)));

    let lines = read("lines.jsonl");
    assert_eq!((lines.format, prompts(&lines)), (Format::JsonLines, vec!["a harp in the reeds", "a pear and a knife"]));
    assert_eq!(notes(&lines), ["Line 3: this line is not valid JSON, so it was left out."]);
}

#[test]
fn workflows_of_comfyui() {
    let sent = only("comfy_sent.json");
    assert_eq!((sent.prompt.as_str(), sent.negative.as_str()), ("a moth on a paper lantern, macro", "blurry"));
    assert_eq!((sent.seed, sent.steps, sent.guidance), (Some(887_766_554_433_221_100), Some(24), Some(6.5)));
    assert_eq!((sent.model.as_str(), sent.width, sent.height), ("paperworld_v3", Some(832), Some(1216)));
    let saved = only("comfy_saved.json");
    assert_eq!((saved.prompt.as_str(), saved.negative.as_str()), ("a fox asleep in a bookshop window", ""));
    assert_eq!((saved.seed, saved.steps, saved.guidance), (Some(4242), Some(18), Some(3.5)));
    assert_eq!((saved.model.as_str(), saved.width, saved.height), ("paperworld_flow", Some(1024), Some(768)));
    assert_eq!(read("comfy_saved.json").format, Format::ComfyUi);
}

#[test]
fn notes_in_markdown() {
    let read = read("notes.md");
    assert_eq!(read.format, Format::Markdown);
    assert_eq!(
        prompts(&read),
        [
            "a crane lifting a piano from a ship, see the first try",
            "a fish market before sunrise, wet stone",
            "an attic full of clocks, dust in the light",
            "a ladder to the moon | paper cut",
            "a tea set for giants",
            "a violin made of ice",
            "a gate in a hedge",
        ]
    );
    let [crane, market, attic, ladder, _, violin, gate] = read.entries.as_slice() else { panic!("seven") };
    assert_eq!(crane.tags, ["Harbour"]);
    assert_eq!((market.negative.as_str(), market.seed), ("people", Some(31)));
    assert_eq!((attic.title.as_str(), attic.negative.as_str(), attic.seed), ("Attic", "cobwebs", Some(6)));
    assert!(attic.notes.ends_with("Found in an old notebook."), "{}", attic.notes);
    assert_eq!((ladder.seed, ladder.tags.as_slice()), (Some(5), ["Table".to_owned()].as_slice()));
    assert_eq!((violin.tags.as_slice(), gate.negative.as_str()), (["Quotes".to_owned()].as_slice(), "cars"));
    assert_eq!(
        notes(&read),
        [
            "Line 7: this was not taken for a prompt: \"Some talk about what is in here.\"",
            "Line 26: a block of python was left out.",
            "Line 32: the column \"Mood\" was left out: its name is not known here.",
        ]
    );
}

#[test]
fn encodings() {
    assert_eq!(prompts(&read("utf16.txt")), ["ein Käfer aus Glas", "ein stiller See"]);
    let guessed = read("windows1252.txt");
    assert_eq!(prompts(&guessed), ["un café sous la pluie, “néon”", "une forêt d’automne"]);
    assert_eq!(guessed.notes.len(), 1);
    assert_eq!(prompts(&read("hindi_urdu.txt")), ["एक पुरानी नाव, क्\u{200D}ष", "ایک پرانی کشتی، می\u{200C}خواہم neon"]);
}

#[test]
fn pictures() {
    let recipe = only("automatic.png");
    assert_eq!((recipe.prompt.as_str(), recipe.negative.as_str()), ("a weather station on a cliff", "people"));
    assert_eq!((recipe.seed, recipe.steps, recipe.width), (Some(55), Some(30), Some(640)));
    assert_eq!(only("comment.jpg"), recipe);
    assert_eq!(only("comment.webp"), recipe);
    assert_eq!(only("comfy.png"), only("comfy_sent.json"));
    let invoke = only("invoke.png");
    assert_eq!((invoke.prompt.as_str(), invoke.model.as_str()), ("a café on the moon", "paperworld_v3"));
    assert_eq!((invoke.tool.as_str(), invoke.guidance, invoke.height), ("InvokeAI", Some(7.5), Some(768)));
    let older = only("sd_metadata.png");
    assert_eq!((older.prompt.as_str(), older.steps), ("a snail racing a tram", Some(50)));
    let novel = only("novelai.png");
    assert_eq!((novel.prompt.as_str(), novel.negative.as_str()), ("a girl with a paper umbrella, rain", "lowres"));
    assert_eq!((novel.tool.as_str(), novel.model.as_str(), novel.seed), ("NovelAI", "Some Model V3", Some(123)));
}

#[test]
fn pictures_without_prompts_and_bombs() {
    for name in ["nothing.png", "bomb.png"] {
        assert_eq!(import(None, &bytes(name)), Err(ImportError::NoPromptInPicture), "{name}");
    }
    assert_eq!(import(None, b"\x89PNG\r\n\x1a\n"), Err(ImportError::DamagedPicture));
}

fn document(text: &str) -> Vec<(String, String)> {
    let imported = import(None, text.as_bytes()).unwrap();
    assert_eq!(imported.format, Format::Markdown, "{text}");
    imported.entries.into_iter().map(|entry| (entry.title, entry.prompt)).collect()
}

fn titled(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(title, prompt)| ((*title).to_owned(), (*prompt).to_owned())).collect()
}

#[test]
fn titles_in_markdown() {
    let bold =
        "My prompts\n==========\n\n1. **Boat**: a boat at rest\n2. **Mill:** a mill in fog\n3. **bold** words first\n";
    let read = titled(&[("Boat", "a boat at rest"), ("Mill", "a mill in fog"), ("", "bold words first")]);
    assert_eq!(document(bold), read);
    let linked = "# [Boats](https://example.org)\n\n- a boat\n";
    assert_eq!(document(linked), titled(&[("Boats", "a boat")]));
    let paragraphs = "# Boats\n\na boat at rest\n\n# Mills\n\na mill in fog";
    assert_eq!(document(paragraphs), titled(&[("Boats", "a boat at rest"), ("Mills", "a mill in fog")]));
    let named = "- Title: Boat\n- Prompt: a boat at rest\n- Seed: 5\n\n> x\n";
    assert_eq!(document(named), titled(&[("Boat", "a boat at rest"), ("", "x")]));
}

#[test]
fn code_with_labels_above_it() {
    let text = "**Prompt:**\n\n```\na cat\n```\n\n**Negative prompt:**\n\n```\nfog\n```\n\nSeed: 5\n";
    let imported = import(None, text.as_bytes()).unwrap();
    let [entry] = imported.entries.as_slice() else { panic!("{imported:?}") };
    assert_eq!((entry.prompt.as_str(), entry.negative.as_str(), entry.seed), ("a cat", "fog", Some(5)));
}

#[test]
fn links_alone_are_told() {
    let read = import(Some("a.md"), b"- [a tool](https://example.org)\n- [a boat at rest](https://x.y)\n").unwrap();
    assert_eq!(prompts(&read), ["a boat at rest"]);
    assert_eq!(notes(&read), ["Line 1: a link alone is no prompt, so it was left out: https://example.org"]);
}

#[test]
fn files_that_hold_no_prompts_say_what_to_do() {
    let error = |name: Option<&str>, bytes: &[u8]| import(name, bytes).unwrap_err();
    assert_eq!(error(None, b" \n\t"), ImportError::Empty);
    assert_eq!(error(None, b"%PDF-1.4"), ImportError::Unsupported { kind: "a PDF".into() });
    assert_eq!(error(None, &[0, 1, 2, 3]), ImportError::NotText);
    assert_eq!(error(Some("a.json"), b"{oops"), ImportError::BadJson { line: 1, column: 2 });
    assert_eq!(error(None, b"{\"prompts\": [}"), ImportError::BadJson { line: 1, column: 14 });
    assert_eq!(error(None, b"https://example.org\n"), ImportError::NoPrompts);
    let sentence = error(Some("a.csv"), b"id,value\n1,2\n").to_string();
    assert_eq!(
        sentence,
        "None of the columns is a prompt (id, value). Name the column with the prompts \"prompt\", and try again."
    );
}
