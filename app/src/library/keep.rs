use domain::JobId;
use leptos::prelude::*;

use super::api::KeepWords;
use crate::ui::{ErrorNotice, busy};

/// Keeps a job's words in the library. It stays where it is and keeps the focus.
#[component]
pub fn KeepButton(
    job: JobId,
    /// What several of them on a page are told apart by.
    #[prop(optional_no_strip)]
    prompt: Option<String>,
) -> impl IntoView {
    let keep = ServerAction::<KeepWords>::new();
    let kept = move || keep.value().with(|value| matches!(value, Some(Ok(_))));
    let name = move || if kept() { "Words kept" } else { "Keep these words" };
    let label = move || prompt.as_ref().map(|prompt| format!("{}: {prompt}", name()));
    view! {
        <ActionForm action=keep attr:aria-busy=busy(keep)>
            <input type="hidden" name="id" value=job.to_string() />
            <button class="button-quiet" class:is-pinned=kept type="submit" aria-label=label>
                {name}
            </button>
            {move || keep.value().get().and_then(Result::err).map(|error| view! { <ErrorNotice error /> })}
        </ActionForm>
    }
}
