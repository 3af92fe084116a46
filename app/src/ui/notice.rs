use leptos::prelude::*;

use crate::error::PageError;

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

/// The same about an error, in the visitor's language.
#[component]
pub fn ErrorNotice(error: PageError) -> impl IntoView {
    let PageError { title, message, lang, dir, credits_link, .. } = error;
    view! {
        <div class="notice" role="status" lang=lang dir=dir>
            <p class="font-semibold">{title}</p>
            <p>{message}</p>
            {credits_link
                .map(|name| {
                    view! {
                        <p>
                            <a class="notice-link" href="/credits">
                                {name}
                            </a>
                        </p>
                    }
                })}
        </div>
    }
}
