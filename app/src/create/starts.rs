use domain::examples::{STARTS, StartingPoint, example_picture};
use leptos::html::Textarea;
use leptos::prelude::*;

use super::api::CreatePictures;
use super::settings::ComposerForm;
use crate::ui::busy;

/// The prompt that a first visit finds in the box.
pub const FIRST_PROMPT: &str = STARTS[0].prompt;

/// A wall of starting points, as the built-in model draws them: nobody has to face an empty box. Links, so that they
/// work before and without scripts; with them, the words go into `area`.
#[component]
pub fn StartingPoints(
    prompt: RwSignal<String>,
    area: NodeRef<Textarea>,
    create: ServerAction<CreatePictures>,
) -> impl IntoView {
    let choose = move |words: &'static str| {
        prompt.set(words.to_owned());
        // Chosen twice, the words come back even where they were written over in between.
        if let Some(area) = area.get_untracked() {
            area.set_value(words);
            area.scroll_into_view_with_bool(false);
            let _ = area.focus();
        }
    };
    let cards = STARTS.map(|StartingPoint { slug, prompt: words, .. }| {
        let href = ComposerForm { prompt: words.to_owned(), ..ComposerForm::default() }.link();
        view! {
            <li class="start">
                <a
                    class="start-link"
                    href=href
                    on:click=move |event| {
                        // A new tab is a new tab.
                        if event.ctrl_key() || event.meta_key() || event.shift_key() {
                            return;
                        }
                        event.prevent_default();
                        choose(words);
                    }
                >
                    <img
                        class="start-picture"
                        src=example_picture(slug)
                        width="256"
                        height="256"
                        alt=""
                        loading="lazy"
                        decoding="async"
                    />
                    <span class="start-words">{words}</span>
                </a>
            </li>
        }
    });
    view! {
        <nav aria-labelledby="starts">
            <div class="mb-3 flex items-center justify-between gap-3">
                <h2 class="text-muted text-sm tracking-wide uppercase" id="starts">
                    "Or start from one of these"
                </h2>
                <ActionForm action=create attr:aria-busy=busy(create)>
                    <button
                        class="button-quiet whitespace-nowrap"
                        type="submit"
                        name="how"
                        value="surprise"
                    >
                        "Surprise me"
                    </button>
                </ActionForm>
            </div>
            <ul class="starts">{cards.into_iter().collect_view()}</ul>
        </nav>
    }
}
