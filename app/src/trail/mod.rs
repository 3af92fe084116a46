//! How somebody got to a picture: every step, one tap from another.

pub mod api;
pub mod words;

use domain::{JobId, OutputId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::job::FirstPicture;
pub use words::{ChangedWords, Word};

/// A job among those that a person went through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub job: JobId,
    /// Its words, or the first of them.
    pub prompt: String,
    /// What came and went since the step before it, if there is one.
    pub words: Option<Vec<Word>>,
    /// The picture that was chosen of it, or its first one, if there is one by now.
    pub picture: Option<OutputId>,
    /// Where it stands to the job that is shown.
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    Before,
    Here,
    After,
}

/// The steps, as a row of pictures. Nothing where there is only one.
#[component]
pub fn TrailRow(
    steps: Vec<Step>,
    /// A picture that came after the steps were read.
    #[prop(into)]
    first: Signal<Option<FirstPicture>>,
) -> impl IntoView {
    (steps.len() > 1).then(|| {
        let steps = steps.into_iter().map(|step| view! { <TrailStep step first /> }).collect_view();
        view! {
            <nav class="mt-10" aria-labelledby="trail">
                <h2 class="text-muted mb-3 text-sm tracking-wide uppercase" id="trail">
                    "How you got here"
                </h2>
                <ol class="trail">{steps}</ol>
            </nav>
        }
    })
}

#[component]
fn TrailStep(step: Step, first: Signal<Option<FirstPicture>>) -> impl IntoView {
    let Step { job, prompt, words, picture, place } = step;
    let current = (place == Place::Here).then_some("step");
    let shown = move || picture.or_else(|| first.get().filter(|first| first.job == job).map(|first| first.picture));
    let picture = move || {
        shown().map(|picture| {
            view! { <img class="trail-picture" src=format!("/media/{picture}") alt="" loading="lazy" decoding="async" /> }
        })
    };
    let caption = match words {
        None => prompt.into_any(),
        Some(words) if words.is_empty() => view! { <span class="italic">"The same words"</span> }.into_any(),
        Some(words) => view! { <ChangedWords words /> }.into_any(),
    };
    view! {
        <li class="trail-step" class:trail-after=place == Place::After>
            <a class="trail-link" href=format!("/g/{job}") aria-current=current>
                <span class="trail-frame">{picture}</span>
                <span class="trail-words">{caption}</span>
            </a>
        </li>
    }
}
