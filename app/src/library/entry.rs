use leptos::prelude::*;

use super::api::{ChangeEntry, DeleteEntry, KeptWords};
use crate::ui::{ErrorNotice, busy};

/// A kept prompt: its words, what is said about it, and what can be done with it.
#[component]
pub fn Entry(
    kept: KeptWords,
    /// The query of the page that it stands on.
    back: String,
) -> impl IntoView {
    let change = ServerAction::<ChangeEntry>::new();
    let delete = ServerAction::<DeleteEntry>::new();
    let KeptWords { id, prompt, negative, title, facts, link, link_with_seed, .. } = kept.clone();
    let said = RwSignal::new((kept.tags, kept.notes, kept.pinned));
    Effect::new(move |_| {
        if let Some(Ok(now)) = change.value().get() {
            said.set((now.tags, now.notes, now.pinned));
        }
    });
    let gone = move || delete.value().with(|value| matches!(value, Some(Ok(()))));
    let name = prompt.chars().take(60).collect::<String>();
    let written = said.get_untracked();
    view! {
        <li class="kept">
            <p class="text-muted" role="status">
                {move || gone().then_some("Deleted from your library.")}
            </p>
            <div hidden=gone>
                {(!title.is_empty()).then(|| view! { <p class="text-muted text-sm">{title}</p> })}
                <h2 class="words text-xl whitespace-pre-line">{prompt}</h2>
                {(!negative.is_empty()).then(|| view! { <p class="text-muted mt-1 text-sm">"Without: " {negative}</p> })}
                <p class="text-muted mt-1 text-sm">{facts}</p>
                {move || {
                    said.with(|(tags, notes, pinned)| {
                        let tags = tags
                            .iter()
                            .map(|tag| {
                                let href = format!("/library{}", super::tag_query(tag));
                                view! {
                                    <li>
                                        <a class="chip" href=href>
                                            {tag.clone()}
                                        </a>
                                    </li>
                                }
                            })
                            .collect_view();
                        view! {
                            {(!notes.is_empty()).then(|| view! { <p class="mt-2 whitespace-pre-line">{notes.clone()}</p> })}
                            <ul class="mt-2 flex flex-wrap gap-2 empty:hidden" aria-label="Tags">
                                {pinned.then(|| view! { <li class="badge">"Pinned"</li> })}
                                {tags}
                            </ul>
                        }
                    })
                }}
                <div class="mt-3 flex flex-wrap items-start gap-2">
                    <a class="button-quiet" href=link aria-label=format!("Use these words: {name}")>
                        "Use these words"
                    </a>
                    {link_with_seed
                        .map(|link| {
                            view! {
                                <a class="button-quiet" href=link aria-label=format!("With the same seed: {name}")>
                                    "With the same seed"
                                </a>
                            }
                        })}
                    <details class="kept-change">
                        <summary class="button-quiet" aria-label=format!("Tags, note, pin: {name}")>
                            "Tags, note, pin"
                        </summary>
                        <ChangeForm id=id.clone() back=back.clone() tags=written.0.join(", ") notes=written.1 pinned=written.2 change />
                        <DeleteForm id back name=name.clone() delete />
                        {move || change.value().get().and_then(Result::err).map(|error| view! { <ErrorNotice error /> })}
                        {move || delete.value().get().and_then(Result::err).map(|error| view! { <ErrorNotice error /> })}
                    </details>
                </div>
            </div>
        </li>
    }
}

/// What is said about an entry, to be changed.
#[component]
fn ChangeForm(
    id: String,
    back: String,
    tags: String,
    notes: String,
    pinned: bool,
    change: ServerAction<ChangeEntry>,
) -> impl IntoView {
    let saved = move || change.value().with(|value| matches!(value, Some(Ok(_))));
    view! {
        <ActionForm action=change attr:aria-busy=busy(change) attr:class="mt-3 grid gap-3">
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="back" value=back />
            <label class="field">
                "Tags, with commas between them"
                <input name="tags" maxlength="1000" autocomplete="off" value=tags />
            </label>
            <label class="field">
                "Note"
                <textarea name="notes" rows="3" maxlength="4000">
                    {notes}
                </textarea>
            </label>
            <label class="flex min-h-11 items-center gap-3">
                <input class="h-5 w-5" type="checkbox" name="pinned" value="true" checked=pinned />
                "Pinned"
            </label>
            <div class="flex flex-wrap items-center gap-3">
                <button class="button-quiet" type="submit">
                    "Save"
                </button>
                <span class="text-muted" role="status">
                    {move || saved().then_some("Saved.")}
                </span>
            </div>
        </ActionForm>
    }
}

#[component]
fn DeleteForm(id: String, back: String, name: String, delete: ServerAction<DeleteEntry>) -> impl IntoView {
    view! {
        <ActionForm action=delete attr:aria-busy=busy(delete) attr:class="mt-3">
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="back" value=back />
            <button class="button-quiet" type="submit" aria-label=format!("Delete from the library: {name}")>
                "Delete from the library"
            </button>
        </ActionForm>
    }
}
