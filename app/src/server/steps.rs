//! A trail as its page shows it.

use std::time::Duration;

use domain::{JobView, OutputId};
use services::jobs::Trail;
use similar::{ChangeTag, TextDiff};

use crate::trail::words::Change;
use crate::trail::{Place, Step, Word};

/// How long two prompts are compared; what is left by then counts as different. Two of the longest that have nothing in
/// common would take a tenth of a second, and a trail has dozens.
const LONGEST_LOOK: Duration = Duration::from_millis(2);
/// Characters of a prompt that stand below a small picture.
const CAPTION_CHARS: usize = 120;

/// The steps of a trail, in its order.
pub(crate) fn steps(trail: Trail) -> Vec<Step> {
    let Trail { before, job, after } = trail;
    let chosen = |next: Option<&JobView>| next.and_then(|next| next.request.source.as_ref()).map(|source| source.media);
    let line: Vec<&JobView> = before.iter().chain([&job]).collect();
    let mut steps = Vec::with_capacity(line.len() + after.len());
    for (at, view) in line.iter().enumerate() {
        let place = if at + 1 == line.len() { Place::Here } else { Place::Before };
        let earlier = at.checked_sub(1).map(|earlier| line[earlier]);
        steps.push(step(view, earlier, chosen(line.get(at + 1).copied()), place));
    }
    steps.extend(after.iter().map(|view| step(view, Some(&job), None, Place::After)));
    steps
}

/// The words of `after`, and those of `before` that are gone, each where it stands or stood.
pub(crate) fn changed_words(before: &str, after: &str) -> Vec<Word> {
    let (before, after) = (pieces(before), pieces(after));
    let mut words: Vec<Word> = Vec::new();
    for change in TextDiff::configure().timeout(LONGEST_LOOK).diff_slices(&before, &after).iter_all_changes() {
        let tag = match change.tag() {
            ChangeTag::Equal => Change::Same,
            ChangeTag::Insert => Change::Added,
            ChangeTag::Delete => Change::Removed,
        };
        let space = if words.is_empty() || is_mark(change.value()) { "" } else { " " };
        match words.last_mut() {
            Some(last) if last.change == tag => last.text.push_str(&format!("{space}{}", change.value())),
            _ => words.push(Word { change: tag, text: format!("{space}{}", change.value()) }),
        }
    }
    words
}

/// Words, and the marks behind them on their own: a comma that comes or goes leaves its word as it was.
fn pieces(text: &str) -> Vec<&str> {
    let split = |word| {
        let bare: &str = str::trim_end_matches(word, [',', '.', ';', ':', '!', '?']);
        [bare, &word[bare.len()..]]
    };
    text.split_whitespace().flat_map(split).filter(|piece| !piece.is_empty()).collect()
}

fn is_mark(piece: &str) -> bool {
    piece.starts_with([',', '.', ';', ':', '!', '?'])
}

fn step(view: &JobView, earlier: Option<&JobView>, chosen: Option<OutputId>, place: Place) -> Step {
    // What was chosen may be of another job where a link was followed to an older picture.
    let chosen = chosen.filter(|chosen| view.outputs.iter().any(|output| output.id == *chosen));
    Step {
        job: view.id,
        prompt: view.request.prompt.chars().take(CAPTION_CHARS).collect(),
        words: earlier.map(|earlier| changes(&earlier.request.prompt, &view.request.prompt)),
        picture: chosen.or(view.outputs.first().map(|output| output.id)),
        place,
    }
}

/// Only what came and went, each without the comma that joined it to the rest.
fn changes(before: &str, after: &str) -> Vec<Word> {
    let mut left = CAPTION_CHARS;
    let mut changes = Vec::new();
    for Word { change, text } in changed_words(before, after) {
        if change == Change::Same || left == 0 {
            continue;
        }
        let bare = text.trim_start_matches([',', '.', ';', ' ']);
        let text: String = bare.chars().take(left).collect();
        left -= text.chars().count();
        if !text.is_empty() {
            changes.push(Word { change, text: format!(" {text}") });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every run with what became of it, its space before it.
    fn told(before: &str, after: &str) -> String {
        let sign = |change| match change {
            Change::Same => "",
            Change::Added => "+",
            Change::Removed => "-",
        };
        let words = changed_words(before, after);
        words.iter().map(|word| format!("{}[{}]", sign(word.change), word.text)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_changed_stands_where_it_is() {
        assert_eq!(told("a red boat at noon", "a blue boat at noon"), "[a] -[ red] +[ blue] [ boat at noon]");
        assert_eq!(told("a boat", "a boat, at night"), "[a boat] +[, at night]");
        assert_eq!(told("a boat, calm", "a boat"), "[a boat] -[, calm]");
        assert_eq!(told("a sea", "a sea"), "[a sea]");
        assert_eq!(told("", "a sea"), "+[a sea]");
        let changes = changes("a calm lake", "a calm lake, stars");
        assert_eq!(changes, [Word { change: Change::Added, text: " stars".into() }]);
        let long: String = (0..600).map(|at| format!("w{at} ")).collect();
        assert!(super::changes("a", &long).iter().map(|word| word.text.chars().count()).sum::<usize>() <= 130);
    }
}
