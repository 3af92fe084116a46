use leptos::prelude::*;

use crate::keys::KeyList;

/// What this is, in one line, and the pages about it.
#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer class="text-muted mx-auto flex w-full max-w-5xl flex-wrap items-center justify-between gap-x-6 gap-y-2 px-4 py-8 text-sm sm:px-6">
            <p>
                "Free, without an account. Pictures are made by AI on this machine and are only yours to see."
            </p>
            <nav aria-label="About this studio">
                <ul class="flex flex-wrap gap-x-4">
                    <li>
                        <a class="footer-link" href="/credits">
                            "Your credits"
                        </a>
                    </li>
                    <li>
                        <a class="footer-link" href="/library">
                            "Your prompts"
                        </a>
                    </li>
                    <li>
                        <a class="footer-link" href="/minds-eye">
                            "Mind’s Eye"
                        </a>
                    </li>
                    <li>
                        <KeyList />
                    </li>
                </ul>
            </nav>
        </footer>
    }
}
