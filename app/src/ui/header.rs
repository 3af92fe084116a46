use leptos::prelude::*;

/// The name, and the choice of light.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="mx-auto flex w-full max-w-5xl items-center justify-between px-4 py-3 sm:px-6">
            <a class="wordmark" href="/">
                <svg class="h-6 w-6" viewBox="0 0 32 32" aria-hidden="true">
                    <path d="M2 16C7 8 12 5 16 5s9 3 14 11c-5 8-10 11-14 11S7 24 2 16Z" class="mark-lid" />
                    <circle cx="16" cy="16" r="6" class="mark-iris" />
                </svg>
                "Mindseye"
            </a>
            <nav class="flex items-center gap-1" aria-label="Studio">
            <a class="header-link" href="/history">
                "History"
            </a>
            <a class="header-link max-sm:hidden" href="/library">
                "Prompts"
            </a>
            <button class="button-icon needs-script" type="button" aria-label="Switch between dark and light" on:click=|_| switch_theme()>
                <svg class="h-5 w-5" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M12 3a9 9 0 1 0 0 18V3Z" fill="currentColor" />
                    <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="2" />
                </svg>
            </button>
            </nav>
        </header>
    }
}

/// Flips the theme and remembers the choice; `early.js` applies it at the next visit.
fn switch_theme() {
    let Some(root) = document().document_element() else { return };
    let dark_now = match root.get_attribute("data-theme").as_deref() {
        Some(theme) => theme == "dark",
        None => {
            !window().match_media("(prefers-color-scheme: light)").ok().flatten().is_some_and(|query| query.matches())
        }
    };
    let theme = if dark_now { "light" } else { "dark" };
    let _ = root.set_attribute("data-theme", theme);
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item("theme", theme);
    }
}
