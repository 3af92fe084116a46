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

/// Words with what changed marked.
#[component]
pub fn ChangedWords(words: Vec<Word>) -> impl IntoView {
    words.into_iter().map(|word| view! { <Run word /> }).collect_view()
}

#[component]
fn Run(word: Word) -> impl IntoView {
    let Word { change, text } = word;
    // The space before a run is not marked with it.
    let space = text.starts_with(' ').then_some(" ");
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
