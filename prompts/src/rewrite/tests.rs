use proptest::prelude::*;

use super::*;

/// A one-liner and what should come of it: subject, setting, shot, lens, motion, light, grade, mood, left over.
type Case = (&'static str, [&'static str; 9]);

#[rustfmt::skip]
const CASES: [Case; 50] = [
    ("slow dolly in on an old fisherman mending nets at golden hour, shallow depth of field, teal and orange",
     ["an old fisherman mending nets", "", "", "shallow depth of field", "slow dolly in", "golden hour", "teal and orange", "", ""]),
    ("Close-up of a woman in a red dress, 85mm, soft window light, melancholic mood",
     ["a woman in a red dress", "", "Close-up", "85mm", "", "soft window light", "", "melancholic mood", ""]),
    ("wide shot of a lone rider crossing a desert at sunset",
     ["a lone rider crossing a desert", "", "wide shot", "", "", "sunset", "", "", ""]),
    ("a cat on a windowsill, rim light, 35mm film, nostalgic",
     ["a cat", "on a windowsill", "", "", "", "rim light", "35mm film", "nostalgic", ""]),
    ("Aerial view of a harbour in heavy rain, desaturated",
     ["a harbour", "heavy rain", "Aerial view", "", "", "", "desaturated", "", ""]),
    ("dutch angle, a detective smoking under a street lamp, film noir, black and white",
     ["a detective smoking", "under a street lamp", "dutch angle", "", "", "", "black and white", "film noir", ""]),
    ("over-the-shoulder shot of a chess player in a park, overcast",
     ["a chess player", "in a park", "over-the-shoulder shot", "", "", "overcast", "", "", ""]),
    ("tracking shot following a child running through a wheat field, handheld, golden hour",
     ["a child running", "through a wheat field", "", "", "tracking shot, handheld", "golden hour", "", "", ""]),
    ("low angle of a knight in shining armor, volumetric light, epic",
     ["a knight in shining armor", "", "low angle", "", "", "volumetric light", "", "epic", ""]),
    ("orbit around a lighthouse on a cliff, blue hour, anamorphic",
     ["a lighthouse", "on a cliff", "", "anamorphic", "orbit around", "blue hour", "", "", ""]),
    ("macro photo of a dragonfly on a reed, creamy bokeh, morning mist",
     ["a dragonfly", "on a reed, morning mist", "", "macro photo, creamy bokeh", "", "", "", "", ""]),
    ("In a neon-lit alley, a courier waits for a call, Kodachrome, film grain",
     ["a courier waits for a call", "In a neon-lit alley", "", "", "", "", "Kodachrome, film grain", "", ""]),
    ("crane up from a crowded market to reveal the old town, warm tones",
     ["a crowded market to reveal the old town", "", "", "", "crane up", "", "warm tones", "", ""]),
    ("a black and white cat asleep on a piano", ["a black and white cat asleep", "on a piano", "", "", "", "", "", "", ""]),
    ("a wide river in autumn", ["a wide river", "autumn", "", "", "", "", "", "", ""]),
    ("portrait of an elderly potter with clay on her hands, chiaroscuro, intimate",
     ["an elderly potter with clay on her hands", "", "portrait", "", "", "chiaroscuro", "", "intimate", ""]),
    ("extreme close-up, an eye opening, lens flare, tense",
     ["an eye opening", "", "extreme close-up", "lens flare", "", "", "", "tense", ""]),
    ("slow pan across an abandoned library, dust floating in shafts of light, eerie atmosphere",
     ["an abandoned library", "", "", "", "slow pan", "shafts of light", "", "eerie atmosphere", "dust floating"]),
    ("a ballerina backlit by neon lights, bleach bypass", ["a ballerina", "", "", "", "", "backlit, neon lights", "bleach bypass", "", ""]),
    ("drone shot over a frozen lake at dawn, pastel palette, serene",
     ["a frozen lake", "", "drone shot", "", "", "dawn", "pastel palette", "serene", ""]),
    ("fisheye lens, skateboarder jumping over a fence, VHS look",
     ["skateboarder jumping", "over a fence", "", "fisheye lens", "", "", "VHS look", "", ""]),
    ("time-lapse of clouds over a mountain range", ["clouds", "over a mountain range", "", "", "time-lapse", "", "", "", ""]),
    ("two old friends laughing at a kitchen table, candlelight, cozy",
     ["two old friends laughing at a kitchen table", "", "", "", "", "candlelight", "", "cozy", ""]),
    ("a girl looking at the sea from a train, shot on 35mm, melancholy",
     ["a girl looking at the sea from a train", "", "", "35mm", "", "", "", "melancholy", ""]),
    ("whip pan to a door slamming shut, handheld, frantic energy",
     ["a door slamming shut", "", "", "", "whip pan, handheld", "", "", "frantic energy", ""]),
    ("POV, riding a bicycle down a steep street, motion blur",
     ["riding a bicycle", "down a steep street", "POV", "", "motion blur", "", "", "", ""]),
    ("a robot gardener, greenhouse, highly detailed, soft light",
     ["a robot gardener", "", "", "", "", "soft light", "", "", "greenhouse, highly detailed"]),
    ("an astronaut, wearing a yellow raincoat, in a supermarket, fluorescent light, surreal",
     ["an astronaut, wearing a yellow raincoat", "in a supermarket", "", "", "", "fluorescent light", "", "surreal", ""]),
    ("a moody wide shot of a lighthouse", ["a lighthouse", "", "wide shot", "", "", "", "", "moody", ""]),
    ("a dark and stormy night in London", ["a dark and stormy night", "in London", "", "", "", "", "", "", ""]),
    ("a sunset over the sea", ["a sunset", "over the sea", "", "", "", "", "", "", ""]),
    ("bird's eye view of rice terraces, high contrast", ["rice terraces", "", "bird's eye view", "", "", "", "high contrast", "", ""]),
    ("a fox, mountains in the background, f/1.8, dreamy", ["a fox", "mountains in the background", "", "f/1.8", "", "", "", "dreamy", ""]),
    ("the camera slowly pushes in on a sleeping giant in a cave",
     ["a sleeping giant", "in a cave", "", "", "camera slowly pushes in", "", "", "", ""]),
    ("Wide angle. A market in Lagos. Midday sun. Vibrant colors.",
     ["A market", "in Lagos", "", "Wide angle", "", "Midday sun", "Vibrant colors", "", ""]),
    ("a woman in love walking by the river at dusk", ["a woman in love walking", "by the river", "", "", "", "dusk", "", "", ""]),
    ("a teapot, in the style of a woodcut", ["a teapot", "", "", "", "", "", "", "", "in the style of a woodcut"]),
    ("cyberpunk street at night with neon lights reflecting in puddles, blade runner style, cinematic",
     ["cyberpunk street with neon lights reflecting", "in puddles", "", "", "", "at night", "cinematic", "", "blade runner style"]),
    ("POV of a bird flying over the ocean, night, grain",
     ["a bird flying", "over the ocean", "POV", "", "", "night", "grain", "", ""]),
    ("Wide aerial drone shot pulling back to reveal a village covered in snow",
     ["a village covered in snow", "", "Wide aerial drone shot", "", "pulling back", "", "", "", ""]),
    ("a robot painting a self portrait in a field of grain, desaturated blue palette",
     ["a robot painting a self portrait", "in a field of grain", "", "", "", "", "desaturated blue palette", "", ""]),
    ("a robot painting a self portrait, Rembrandt lighting",
     ["a robot painting a self portrait", "", "", "", "", "Rembrandt lighting", "", "", ""]),
    ("slow push-in on a candle in the dark", ["a candle", "in the dark", "", "", "slow push-in", "", "", "", ""]),
    ("a silhouette of a dancer, lightning", ["a silhouette of a dancer", "", "", "", "", "lightning", "", "", ""]),
    ("camera orbits around a chef in a kitchen lit by candlelight, f/1.4, horror",
     ["a chef", "in a kitchen", "", "f/1.4", "camera orbits", "candlelight", "", "horror", ""]),
    ("golden hour", ["", "", "", "", "", "golden hour", "", "", ""]),
    ("a storm over the sea", ["a storm", "over the sea", "", "", "", "", "", "", ""]),
    ("एक बूढ़ा मछुआरा जाल ठीक करता हुआ, golden hour", ["एक बूढ़ा मछुआरा जाल ठीक करता हुआ", "", "", "", "", "golden hour", "", "", ""]),
    ("", ["", "", "", "", "", "", "", "", ""]),
    ("  , ;  ", ["", "", "", "", "", "", "", "", ""]),
];

fn parts(rewritten: &Rewritten) -> [&str; 9] {
    let mut parts = [""; 9];
    for (at, part) in Part::ALL.iter().filter(|part| **part != Part::Joint).enumerate() {
        parts[at] = rewritten.part(*part);
    }
    parts
}

#[test]
fn one_liners_are_taken_apart() {
    let mut wrong = String::new();
    for (text, expected) in CASES {
        let found = rewrite(text);
        if parts(&found) != expected {
            wrong.push_str(&format!("{text}\n  expected {expected:?}\n  found    {:?}\n", parts(&found)));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_prompt_has_a_good_order() {
    let prompt = |text: &str| rewrite(text).prompt();
    assert_eq!(
        prompt(CASES[0].0),
        "an old fisherman mending nets, shallow depth of field, slow dolly in, golden hour, teal and orange"
    );
    assert_eq!(prompt("rim light, a cat on a windowsill, close-up"), "a cat on a windowsill, close-up, rim light");
    assert_eq!(prompt("a harbour in heavy rain"), "a harbour, heavy rain");
    assert_eq!(prompt(""), "");
}

#[test]
fn a_page_can_mark_the_words() {
    let text = "Close-up of a fox — golden hour";
    let marked: Vec<(Part, &str)> =
        rewrite(text).spans.iter().map(|span| (span.part, &text[span.start..span.end])).collect();
    let expected =
        [(Part::Shot, "Close-up"), (Part::Joint, "of"), (Part::Subject, "a fox"), (Part::Light, "golden hour")];
    assert_eq!(marked, expected);
}

#[test]
fn every_known_phrase_is_found_alone() {
    for (part, phrases) in vocabulary::VOCABULARY {
        for phrase in phrases.iter().filter(|phrase| !vocabulary::is_too_general(phrase)) {
            let found = rewrite(&format!("a quay, {phrase}"));
            assert_eq!((found.subject.as_str(), found.part(part)), ("a quay", *phrase), "{found:?}");
        }
    }
}

fn one_liner() -> impl Strategy<Value = String> {
    let known = vocabulary::VOCABULARY.iter().flat_map(|(_, phrases)| phrases.iter().copied());
    let mut words: Vec<&str> = known.collect();
    words.extend([
        "a",
        "in",
        "on",
        "of",
        "an old man",
        "with",
        "and",
        ",",
        ", ",
        "-",
        "—",
        "\"quoted\"",
        "x-ray",
        "(low)",
        "&",
        ".",
        "é",
        "雨",
    ]);
    let words = prop::collection::vec(prop::sample::select(words), 0..30);
    (words, prop::bool::ANY).prop_map(|(words, spaced)| words.join(if spaced { " " } else { "" }))
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let rewritten = rewrite(text);
    let whole: Vec<&str> = Part::ALL.iter().map(|part| rewritten.part(*part)).collect();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        prop_assert!(whole.iter().any(|part| part.contains(word)), "{word:?} of {text:?} is lost: {rewritten:?}");
    }
    let mut end = 0;
    let mut covered = String::new();
    for span in &rewritten.spans {
        prop_assert!(end <= span.start && span.start < span.end, "{rewritten:?}");
        let Some(words) = text.get(span.start..span.end) else {
            return Err(TestCaseError::fail(format!("{span:?} is no text of {text:?}")));
        };
        covered.push_str(words);
        end = span.end;
    }
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    prop_assert_eq!(letters(&covered), letters(text));
    Ok(())
}

proptest! {
    #[test]
    fn nothing_is_lost_from_known_words(text in one_liner()) {
        check(&text)?;
    }

    #[test]
    fn nothing_is_lost_from_any_text(text in "\\PC{0,120}") {
        check(&text)?;
    }
}
