use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

/// Copies a text. Not there where the browser keeps its clipboard from pages: without scripts, or over plain HTTP.
#[component]
pub fn CopyButton(
    #[prop(into)] text: String,
    /// What it copies, as in "Copy the words".
    name: &'static str,
) -> impl IntoView {
    let allowed = RwSignal::new(true);
    let copied = RwSignal::new(false);
    Effect::new(move |_| allowed.set(window().is_secure_context()));
    let copy = move |_| {
        let writing = window().navigator().clipboard().write_text(&text);
        spawn_local(async move {
            let _ = copied.try_set(JsFuture::from(writing).await.is_ok());
        });
    };
    view! {
        <button class="button-quiet needs-script" type="button" hidden=move || !allowed.get() on:click=copy>
            {move || if copied.get() { "Copied" } else { name }}
        </button>
        <span class="sr-only" role="status">
            {move || copied.get().then_some("Copied")}
        </span>
    }
}
