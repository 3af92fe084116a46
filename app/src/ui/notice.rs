use leptos::prelude::*;

/// Something the visitor should know: what happened, that nothing was lost, what to do now.
#[component]
pub fn Notice(#[prop(into)] title: String, #[prop(into)] message: String) -> impl IntoView {
    view! {
        <div class="notice" role="status">
            <p class="font-semibold">{title}</p>
            <p>{message}</p>
        </div>
    }
}
