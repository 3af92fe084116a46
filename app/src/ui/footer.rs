use leptos::prelude::*;

/// What this is, in one line.
#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer class="text-muted mx-auto w-full max-w-5xl px-4 py-8 text-sm sm:px-6">
            <p>
                "Free, without an account. Pictures are made by AI on this machine and are only yours to see."
            </p>
        </footer>
    }
}
