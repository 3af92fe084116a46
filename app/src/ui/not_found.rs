use leptos::prelude::*;
use leptos_meta::Title;

/// Nothing here, or not yours: the two look the same.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text="Not found" />
        <section class="py-16">
            <h1 class="words mb-3 text-3xl">"There is nothing here"</h1>
            <p class="text-muted mb-6">"It may have been deleted, or it belongs to another browser."</p>
            <a class="button-quiet" href="/">
                "To the studio"
            </a>
        </section>
    }
}
