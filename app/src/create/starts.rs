use leptos::prelude::*;

use super::settings::ComposerForm;

/// Starting points: nobody has to face an empty box. Each is something the built-in model draws well.
const STARTS: [&str; 8] = [
    "a green meadow at noon, white clouds",
    "a pine forest in the mist",
    "desert dunes at dawn",
    "a calm lake at sunset",
    "a dark sea at night",
    "a snow field, mountains behind",
    "watercolor of a meadow",
    "ink drawing of a forest",
];

/// The prompt that a first visit finds in the box.
pub const FIRST_PROMPT: &str = "a green meadow at noon, white clouds";

/// A row of starting points. Links, so that they work before and without scripts.
#[component]
pub fn StartingPoints(prompt: RwSignal<String>) -> impl IntoView {
    let starts = STARTS.map(|words| {
        let href = ComposerForm { prompt: words.to_owned(), ..ComposerForm::default() }.link();
        view! {
            <li>
                <a
                    class="chip"
                    href=href
                    on:click=move |event| {
                        event.prevent_default();
                        prompt.set(words.to_owned());
                    }
                >
                    {words}
                </a>
            </li>
        }
    });
    view! {
        <nav aria-label="Starting points">
            <ul class="scroll-row">{starts.to_vec()}</ul>
        </nav>
    }
}
