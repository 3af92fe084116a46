//! The names that tools give to the parts of an entry, and their values.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::clean;
use crate::entry::{Entry, Field};
use crate::import::NoteKind;

/// What a column, a key or a label stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Is(Field),
    /// The prompt where nothing else is, as "description" often is; otherwise notes. Lower numbers go first.
    MayBePrompt(u8),
}

/// What a name stands for, whatever its case, its spaces and its underscores.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    // No known name is longer.
    if name.len() > 64 {
        return None;
    }
    let bare: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let field = match bare.as_str() {
        "prompt" | "prompts" | "positive" | "positiveprompt" | "prompttext" | "textprompt" | "fullprompt"
        | "promptpositive" | "inputprompt" | "originalprompt" => Field::Prompt,
        "negative" | "negativeprompt" | "neg" | "negprompt" | "uc" | "undesiredcontent" | "promptnegative"
        | "negativeprompts" => Field::Negative,
        "title" | "name" | "label" | "heading" | "stylename" => Field::Title,
        "notes" | "note" | "comment" | "comments" | "remark" | "remarks" => Field::Notes,
        "tags" | "tag" | "keywords" | "keyword" | "labels" | "categories" | "category" | "folder" | "collection" => {
            Field::Tags
        }
        "pinned" | "pin" | "favorite" | "favourite" | "starred" | "liked" | "isfavorite" => Field::Pinned,
        "tool" | "app" | "software" | "platform" | "service" | "generator" => Field::Tool,
        "model" | "checkpoint" | "ckpt" | "ckptname" | "modelname" | "sdmodel" | "sdmodelname"
        | "sdmodelcheckpoint" | "basemodel" | "modelid" | "modelweights" => Field::Model,
        "seed" | "noiseseed" | "randomseed" => Field::Seed,
        "steps" | "numinferencesteps" | "numsteps" | "samplingsteps" | "inferencesteps" => Field::Steps,
        "cfg" | "cfgscale" | "guidance" | "guidancescale" | "scale" | "promptguidance" => Field::Guidance,
        "width" | "w" | "imagewidth" => Field::Width,
        "height" | "h" | "imageheight" => Field::Height,
        "size" | "dimensions" | "resolution" | "imagesize" => Field::Size,
        "aspectratio" | "ar" | "aspect" | "ratio" => Field::AspectRatio,
        "created" | "createdat" | "date" | "madeat" | "made" | "timestamp" | "datetime" | "createdtime"
        | "creationdate" | "createddate" | "generatedat" => Field::MadeAt,
        "text" => return Some(Meaning::MayBePrompt(0)),
        "caption" => return Some(Meaning::MayBePrompt(1)),
        "description" | "desc" => return Some(Meaning::MayBePrompt(2)),
        "content" | "body" => return Some(Meaning::MayBePrompt(3)),
        _ => return None,
    };
    Some(Meaning::Is(field))
}

/// Which of several names is the prompt's, if any.
pub(super) fn prompt_among<'a>(names: impl Iterator<Item = &'a str>) -> Option<usize> {
    let ranked = names.enumerate().filter_map(|(at, name)| match meaning(name)? {
        Meaning::Is(Field::Prompt) => Some((0, at)),
        Meaning::MayBePrompt(rank) => Some((rank.saturating_add(1), at)),
        Meaning::Is(_) => None,
    });
    ranked.min().map(|(_, at)| at)
}

/// What a name that is not the prompt's stands for.
pub(super) fn beside_prompt(name: &str) -> Option<Field> {
    match meaning(name)? {
        Meaning::Is(field) => Some(field),
        Meaning::MayBePrompt(_) => Some(Field::Notes),
    }
}

/// "Seed: 5" taken apart, where the name is known. A "text" is none: it is a word like any other before a colon.
pub(super) fn labelled(line: &str) -> Option<(Field, &str)> {
    let (name, value) = line.split_once([':', '：'])?;
    // "Prompt 1:", "Prompt #2:"
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '#' || c == ' ');
    match meaning(name)? {
        Meaning::Is(field) => Some((field, value.trim())),
        Meaning::MayBePrompt(_) => None,
    }
}

/// Puts a value, as text, into its place. Nothing comes of an empty one.
///
/// # Errors
///
/// A note about a value that can't be read.
pub(super) fn set(entry: &mut Entry, field: Field, value: &str) -> Result<(), NoteKind> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(());
    }
    let unread = || NoteKind::BadValue { field, value: clean::excerpt(value) };
    match field {
        Field::Prompt => once(&mut entry.prompt, &mut entry.notes, value),
        Field::Negative => once(&mut entry.negative, &mut entry.notes, value),
        Field::Title => once(&mut entry.title, &mut entry.notes, value),
        Field::Tool => once(&mut entry.tool, &mut entry.notes, value),
        Field::Model => once(&mut entry.model, &mut entry.notes, value),
        Field::Notes => remark(&mut entry.notes, value),
        Field::Tags if value.starts_with('#') => entry.tags.extend(value.split('#').map(str::to_owned)),
        // Commas in it are for `Entry::tidied`.
        Field::Tags => entry.tags.push(value.to_owned()),
        _ if is_nothing(value) => {}
        Field::Pinned => entry.pinned = truth(value).ok_or_else(unread)?,
        // Many tools write -1 for "another one each time".
        Field::Seed if value.starts_with('-') || value.eq_ignore_ascii_case("random") => {}
        Field::Seed => entry.seed = Some(whole(value).ok_or_else(unread)?),
        Field::Steps => entry.steps = Some(small(value).ok_or_else(unread)?),
        Field::Width => entry.width = Some(small(value).ok_or_else(unread)?),
        Field::Height => entry.height = Some(small(value).ok_or_else(unread)?),
        Field::Guidance => entry.guidance = Some(value.replace(',', ".").parse().map_err(|_| unread())?),
        Field::Size => {
            let (width, height) = size(value).ok_or_else(unread)?;
            (entry.width, entry.height) = (Some(width), Some(height));
        }
        Field::AspectRatio => entry.tags.push(ratio(value).ok_or_else(unread)?),
        Field::MadeAt => entry.made_at = Some(time(value).ok_or_else(unread)?),
    }
    Ok(())
}

/// Adds a line to notes.
pub(super) fn remark(notes: &mut String, line: &str) {
    // Nothing beyond the bounds would be kept; this only keeps it from being copied about.
    if notes.len() > 8 * crate::entry::MAX_NOTES_CHARS {
        return;
    }
    if !notes.is_empty() {
        notes.push('\n');
    }
    notes.push_str(line);
}

/// A shape, "16:9".
pub(super) fn ratio(text: &str) -> Option<String> {
    let (across, down) = text.trim().split_once([':', '/', 'x'])?;
    let good = |side: &str| {
        side.len() <= 6 && side.parse::<f32>().is_ok_and(|n| n > 0.0 && n.is_finite()) && !side.starts_with('+')
    };
    let (across, down) = (across.trim(), down.trim());
    (good(across) && good(down)).then(|| format!("{across}:{down}"))
}

/// The first value stays; another one is not lost, but becomes a note.
fn once(target: &mut String, notes: &mut String, value: &str) {
    if target.is_empty() {
        value.clone_into(target);
    } else if target != value {
        remark(notes, value);
    }
}

fn is_nothing(value: &str) -> bool {
    ["null", "none", "nan", "n/a", "-"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "x" | "on" | "★" | "✓" => Some(true),
        "false" | "no" | "n" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// A whole number; spreadsheets and scripts write it as "5.0".
fn whole(value: &str) -> Option<u64> {
    let digits = match value.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|b| b == b'0') => digits,
        _ => value,
    };
    digits.parse().ok()
}

fn small(value: &str) -> Option<u32> {
    whole(value.trim_end_matches("px").trim_end()).and_then(|n| u32::try_from(n).ok())
}

/// "512x768", "512 × 768", "(512, 768)".
fn size(value: &str) -> Option<(u32, u32)> {
    let bare = value.trim_matches(['(', ')', '[', ']', ' ']);
    let (width, height) = bare.split_once(['x', 'X', '×', '*', ','])?;
    Some((small(width.trim())?, small(height.trim())?))
}

fn time(value: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(value).or_else(|_| DateTime::parse_from_rfc2822(value)) {
        return Some(time.with_timezone(&Utc));
    }
    if let Some(time) = since_1970(value) {
        return Some(time);
    }
    let bare = value.trim_end_matches("UTC").trim_end_matches('Z').trim_end();
    let clocks =
        ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d-%H-%M-%S"];
    let days = ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y"];
    let clock = clocks.iter().find_map(|form| NaiveDateTime::parse_from_str(bare, form).ok());
    let day = || days.iter().find_map(|form| NaiveDate::parse_from_str(bare, form).ok()?.and_hms_opt(0, 0, 0));
    clock.or_else(day).map(|time| time.and_utc())
}

/// Seconds since 1970, or thousandths or millionths of them: how many digits there are says which.
fn since_1970(value: &str) -> Option<DateTime<Utc>> {
    let digits = value.split('.').next()?;
    let number: i64 = digits.parse().ok()?;
    match digits.len() {
        9..=10 => DateTime::from_timestamp(number, 0),
        12..=13 => DateTime::from_timestamp_millis(number),
        15..=16 => DateTime::from_timestamp_micros(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_of(pairs: &[(&str, &str)]) -> Entry {
        let mut entry = Entry::default();
        for (name, value) in pairs {
            let field = beside_prompt(name).unwrap_or_else(|| panic!("{name} is unknown"));
            set(&mut entry, field, value).unwrap();
        }
        entry
    }

    #[test]
    fn names_and_values_of_other_tools_are_understood() {
        let entry = entry_of(&[
            ("Negative Prompt", "fog"),
            ("num_inference_steps", "20.0"),
            ("cfgScale", "7,5"),
            ("Size", "512 × 768"),
            ("seed", "18446744073709551615"),
            ("favourite", "Yes"),
            ("keywords", "sea; storm"),
            ("ar", "16:9"),
            ("created_at", "1700000000"),
        ]);
        assert_eq!((entry.negative.as_str(), entry.steps, entry.guidance), ("fog", Some(20), Some(7.5)));
        assert_eq!((entry.width, entry.height, entry.seed), (Some(512), Some(768), Some(u64::MAX)));
        assert!(entry.pinned);
        assert_eq!(entry.tags, ["sea; storm", "16:9"]);
        assert_eq!(entry.made_at.unwrap().to_rfc3339(), "2023-11-14T22:13:20+00:00");
    }

    #[test]
    fn times_are_read_in_usual_forms() {
        for text in ["2024-02-03T04:05:06Z", "2024-02-03 04:05:06", "2024-02-03T05:05:06+01:00", "1706933106000"] {
            assert_eq!(time(text).unwrap().to_rfc3339(), "2024-02-03T04:05:06+00:00", "{text}");
        }
        assert_eq!(time("03.02.2024").unwrap().to_rfc3339(), "2024-02-03T00:00:00+00:00");
        assert_eq!((time("yesterday"), time("31.02.2024"), time("12")), (None, None, None));
    }

    #[test]
    fn what_can_not_be_read_is_told() {
        let mut entry = Entry::default();
        let note = set(&mut entry, Field::Seed, "lots").unwrap_err();
        assert_eq!(note.to_string(), "the seed was left out: \"lots\" can't be read as one.");
        for (field, value) in [(Field::Size, "big"), (Field::Steps, "4.5"), (Field::AspectRatio, "wide")] {
            assert!(set(&mut entry, field, value).is_err(), "{value}");
        }
        assert_eq!(set(&mut entry, Field::Seed, "-1"), Ok(()));
        assert_eq!(entry, Entry::default());
    }

    #[test]
    fn the_surest_name_is_the_prompt() {
        assert_eq!(prompt_among(["description", "Prompt"].into_iter()), Some(1));
        assert_eq!(prompt_among(["id", "description", "text"].into_iter()), Some(2));
        assert_eq!(prompt_among(["id", "seed"].into_iter()), None);
        assert_eq!(labelled("Seed: 5"), Some((Field::Seed, "5")));
        assert_eq!(labelled("a sign: closed"), None);
    }
}
