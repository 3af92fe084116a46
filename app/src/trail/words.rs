use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What became of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    Same,
    Added,
    Removed,
}

/// Words in a row to which the same happened, with the space before them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    pub change: Change,
    pub text: String,
}

/// Words with what changed marked. `brief`: only the changes, where there are any.
#[component]
pub fn ChangedWords(words: Vec<Word>, #[prop(optional)] brief: bool) -> impl IntoView {
    let changed = words.iter().any(|word| word.change != Change::Same);
    if brief && !changed {
        return view! { <span class="italic">"The same words"</span> }.into_any();
    }
    let shown = words.into_iter().filter(|word| !(brief && word.change == Change::Same));
    shown.map(|word| if brief { bare(word) } else { word }).map(|word| view! { <Run word /> }).collect_view().into_any()
}

/// Without the mark that joins it to words that are not shown.
fn bare(word: Word) -> Word {
    let text = format!(" {}", word.text.trim_start_matches([',', '.', ';', ' ']));
    Word { text, ..word }
}

#[component]
fn Run(word: Word) -> impl IntoView {
    let Word { change, text } = word;
    // The space before a run is not marked with it.
    let space = if text.starts_with(' ') { " " } else { "" };
    let text = text.trim_start().to_owned();
    match change {
        Change::Same => view! { {space} <span>{text}</span> }.into_any(),
        Change::Added => view! {
            {space}
            <ins class="word-added">
                <span class="sr-only">"new: "</span>
                {text}
            </ins>
        }
        .into_any(),
        Change::Removed => view! {
            {space}
            <del class="word-removed">
                <span class="sr-only">"gone: "</span>
                {text}
            </del>
        }
        .into_any(),
    }
}
