//! Prompts as they are typed to Midjourney: switches behind, images and a command in front.

use domain::request::MAX_PROMPT_CHARS;

use crate::entry::Entry;
use crate::import::NoteKind;
use crate::import::fields;

/// Takes a prompt's switches out of it: what they say goes into the entry, the rest is told.
///
/// `--seed` and `--no` become seed and negative prompt, the shape a tag, the version the model's name. A prompt without
/// any of this stays as it is, but for bold type around it.
pub(super) fn understand(entry: &mut Entry) -> Vec<NoteKind> {
    let mut notes = Vec::new();
    // Only its beginning will be kept; no prompt for Midjourney is as long.
    if entry.prompt.len() > 16 * MAX_PROMPT_CHARS {
        return notes;
    }
    let whole = std::mem::take(&mut entry.prompt);
    let text = without_frame(&whole);
    let (text, command) = without_command(text);
    let images: Vec<&str> = text.split_whitespace().take_while(|word| is_link(word)).collect();
    if !command && images.is_empty() && !text.split_whitespace().any(|word| switch(word).is_some()) {
        entry.prompt = text.to_owned();
        return notes;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_only_links = images.len() == words.len();
    let mut prompt = Vec::new();
    let mut midjourney = command;
    let mut rest = words.get(images.len()..).unwrap_or_default();
    while let [word, behind @ ..] = rest {
        rest = behind;
        let Some(name) = switch(word) else {
            prompt.push(*word);
            continue;
        };
        let taken = values(&name, behind);
        let (value, behind) = behind.split_at(taken.min(behind.len()));
        rest = behind;
        midjourney |= is_known(&name);
        let value = value.join(" ");
        if !apply(entry, &name, &value) {
            notes.push(NoteKind::Flag { flag: format!("{word} {value}").trim_end().to_owned() });
        }
    }
    if midjourney && entry.tool.is_empty() {
        entry.tool = "Midjourney".into();
    }
    entry.prompt = prompt.join(" ");
    for image in images {
        if is_only_links {
            notes.push(NoteKind::Link { link: crate::clean::excerpt(image) });
        } else {
            fields::remark(&mut entry.notes, &format!("Image: {image}"));
        }
    }
    notes
}

/// Copied from Discord, a prompt comes as "**a sea** - @someone (fast)".
fn without_frame(text: &str) -> &str {
    let inside = text.trim().strip_prefix("**").and_then(|rest| rest.rsplit_once("**"));
    match inside {
        Some((inside, behind)) if behind.is_empty() || behind.trim_start().starts_with(['-', '(']) => inside.trim(),
        _ => text.trim(),
    }
}

/// Without "/imagine prompt:", and whether that was there.
fn without_command(text: &str) -> (&str, bool) {
    let Some(rest) = without_prefix(text, "/imagine") else {
        return (text, false);
    };
    let rest = rest.trim_start();
    let rest = without_prefix(rest, "prompt").map_or(rest, |behind| behind.trim_start().trim_start_matches(':'));
    (rest.trim_start(), true)
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    let rest = text.get(prefix.len()..)?;
    let ends = !rest.starts_with(char::is_alphanumeric);
    (start.eq_ignore_ascii_case(prefix) && ends).then_some(rest)
}

/// The name of a switch. Word processors make one long dash of two short ones.
fn switch(word: &str) -> Option<String> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix(['—', '–']))?;
    let mut chars = name.chars();
    let good = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    let good = good && name.len() <= 20 && chars.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    good.then(|| name.to_ascii_lowercase())
}

/// How many of the words behind a switch belong to it.
fn values(name: &str, behind: &[&str]) -> usize {
    let until_next = behind.iter().position(|word| switch(word).is_some()).unwrap_or(behind.len());
    match name {
        "no" => until_next,
        "tile" | "fast" | "relax" | "turbo" | "video" | "hd" | "draft" | "upbeta" | "uplight" | "test" | "testp"
        | "creative" | "stealth" | "public" | "loop" | "raw" => 0,
        "sref" | "cref" | "oref" | "image" => behind[..until_next].iter().take_while(|word| is_value(word)).count(),
        "style" | "motion" | "mode" => until_next.min(1),
        _ => usize::from(behind.first().is_some_and(|word| is_value(word)) && until_next > 0),
    }
}

/// What is a number, a shape, an address or a code, and not a word of the prompt.
fn is_value(word: &str) -> bool {
    is_link(word) || word == "random" || word.chars().any(|c| c.is_ascii_digit())
}

fn is_link(word: &str) -> bool {
    let word = word.trim_start_matches('<');
    word.starts_with("https://") || word.starts_with("http://")
}

/// Whether it was understood.
fn apply(entry: &mut Entry, name: &str, value: &str) -> bool {
    match name {
        "seed" | "sameseed" => value.parse().is_ok_and(|seed| {
            entry.seed = Some(seed);
            true
        }),
        "no" if !value.is_empty() => {
            if !entry.negative.is_empty() {
                entry.negative.push_str(", ");
            }
            entry.negative.push_str(value);
            true
        }
        "ar" | "aspect" => fields::ratio(value).is_some_and(|shape| {
            entry.tags.push(shape);
            true
        }),
        "v" | "version" | "niji" if entry.model.is_empty() => {
            let family = if name == "niji" { "Niji" } else { "Midjourney" };
            entry.model = format!("{family} {value}").trim_end().to_owned();
            true
        }
        _ => false,
    }
}

fn is_known(name: &str) -> bool {
    matches!(
        name,
        "ar" | "aspect"
            | "no"
            | "v"
            | "version"
            | "niji"
            | "s"
            | "stylize"
            | "c"
            | "chaos"
            | "w"
            | "weird"
            | "q"
            | "quality"
            | "iw"
            | "tile"
            | "style"
            | "sref"
            | "cref"
            | "oref"
            | "p"
            | "profile"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(prompt: &str) -> (Entry, Vec<String>) {
        let mut entry = Entry { prompt: prompt.into(), ..Entry::default() };
        let notes = understand(&mut entry);
        (entry, notes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn switches_become_what_they_mean() {
        let (entry, notes) =
            read("/imagine prompt: a stormy sea, oil --ar 16:9 --seed 5 --no text, boats --stylize 250 --tile --v 6.1");
        assert_eq!(entry.prompt, "a stormy sea, oil");
        assert_eq!((entry.seed, entry.negative.as_str()), (Some(5), "text, boats"));
        assert_eq!(entry.tags, ["16:9"]);
        assert_eq!((entry.tool.as_str(), entry.model.as_str()), ("Midjourney", "Midjourney 6.1"));
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert_eq!(notes[0], "\"--stylize 250\" was left out: it means nothing here.");
    }

    #[test]
    fn long_dashes_and_unknown_switches() {
        let (entry, notes) = read("a fox —ar 3:2 --foo bar --bar 3 in snow");
        assert_eq!(entry.prompt, "a fox bar in snow");
        assert_eq!(entry.tags, ["3:2"]);
        assert_eq!(notes.len(), 2);
    }

    #[test]
    fn images_in_front_are_remembered() {
        let (entry, notes) = read("https://example.org/a.png a fox --iw 2");
        assert_eq!((entry.prompt.as_str(), entry.notes.as_str()), ("a fox", "Image: https://example.org/a.png"));
        assert_eq!(notes.len(), 1);
        let (entry, notes) = read("https://example.org/a.png");
        assert_eq!(entry.prompt, "");
        assert_eq!(notes, ["a link alone is no prompt, so it was left out: https://example.org/a.png"]);
    }

    #[test]
    fn other_prompts_stay_as_they_are() {
        for text in ["a sun-kissed field -- wide", "two  spaces\nand lines", "a — b", "**bold** and plain", "--", "—"]
        {
            let (entry, notes) = read(text);
            assert_eq!((entry.prompt.as_str(), entry.tool.as_str(), notes.len()), (text, "", 0));
        }
        assert_eq!(read("**a sea** - @someone (fast)").0.prompt, "a sea");
        assert_eq!(read("/imagine a sea").0.prompt, "a sea");
        assert_eq!(read("/imaginel a sea").0.prompt, "/imaginel a sea");
    }
}
