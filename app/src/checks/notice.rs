use leptos::html::Button;
use leptos::prelude::*;

use super::{Checks, State};
use crate::error::Check;

/// The check that is under way: a quiet word while it goes by itself, a kind notice with a button where a person has
/// to start it.
#[component]
pub fn CheckNotice() -> impl IntoView {
    let checks = expect_context::<Checks>();
    on_cleanup(move || checks.decline());
    // Whether the same person's button is waiting or at work is told apart inside, so that the button stays the same
    // one and keeps the focus.
    let shown = Memo::new(move |_| match checks.state.get() {
        State::Idle => None,
        State::Silent(check) | State::Asked(check) | State::Started(check) => Some(check),
    });
    view! {
        <div aria-live="polite">
            {move || {
                shown
                    .get()
                    .map(|check| {
                        if check.visible {
                            view! { <Visible check checks /> }.into_any()
                        } else {
                            view! {
                                <p class="checking" lang=check.lang dir=check.dir>
                                    {check.checking}
                                </p>
                            }
                                .into_any()
                        }
                    })
            }}
        </div>
    }
}

#[component]
fn Visible(check: Check, checks: Checks) -> impl IntoView {
    let button = NodeRef::<Button>::new();
    // It answers what was just pressed elsewhere on the page, perhaps out of sight.
    button.on_load(|button| {
        let _ = button.focus();
    });
    let started = Memo::new(move |_| matches!(checks.state.get(), State::Started(_)));
    let Check { title, message, checking, proceed, lang, dir, .. } = check;
    let label = {
        let checking = checking.clone();
        move || if started.get() { checking.clone() } else { proceed.clone() }
    };
    view! {
        <div class="notice" lang=lang dir=dir data-check="visible">
            <p class="font-semibold">{title}</p>
            <p id="check-words">{message}</p>
            <div class="mt-3 flex flex-wrap items-center gap-4">
                <button
                    class="button-accent"
                    type="button"
                    node_ref=button
                    aria-describedby="check-words"
                    aria-disabled=move || started.get().then_some("true")
                    on:click=move |_| checks.agree()
                >
                    {label}
                </button>
                <Show when=move || started.get()>
                    <progress
                        class="check-progress"
                        aria-label=checking.clone()
                        max=move || checks.progress.get().1
                        value=move || checks.progress.get().0
                    ></progress>
                </Show>
            </div>
        </div>
    }
}
