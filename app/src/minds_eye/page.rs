use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::{Attest, Standing, minds_eye};
use crate::checks::CheckNotice;
use crate::create::api::form_notice;
use crate::create::settings::ComposerForm;
use crate::ui::ErrorNotice;

/// `/minds-eye`
#[component]
pub fn MindsEyePage() -> impl IntoView {
    let attest = ServerAction::<Attest>::new();
    let standing = Resource::new_blocking(move || attest.version().get(), |_| minds_eye());
    let query = use_query_map();
    let told = Resource::new_blocking(
        move || query.with(|query| query.get("notice")),
        |code| async move {
            match code {
                Some(code) => form_notice(ComposerForm::default(), code).await.ok().flatten(),
                None => None,
            }
        },
    );
    view! {
        <Title text="Mind’s Eye" />
        <article class="max-w-2xl pt-8 sm:pt-14">
            <h1 class="words mb-5 text-3xl sm:text-5xl">"A mind’s eye, to keep"</h1>
            <div class="space-y-4 text-lg">
                <p>
                    "Close your eyes and think of an apple. Many people see one. Some see nothing at all, and always have: \
                     that is called aphantasia. Others lost their pictures to a brain injury, or live with a condition that \
                     makes seeing hard work."
                </p>
                <p>
                    "If that is you, this studio can be where your pictures are. Everything in it is yours, free and for good. \
                     We take your word for it: no documents, no questions, nothing to prove."
                </p>
            </div>
            <div aria-live="polite">
                <Transition>
                    {move || {
                        standing
                            .get()
                            .map(|standing| match standing {
                                Ok(standing) if standing.given => view! { <Given standing /> }.into_any(),
                                Ok(standing) => view! { <Offered standing attest /> }.into_any(),
                                Err(error) => view! { <ErrorNotice error /> }.into_any(),
                            })
                    }}
                </Transition>
            </div>
            {move || {
                let answered = attest.version().get() > 0;
                attest
                    .value()
                    .get()
                    .filter(|_| answered)
                    .and_then(Result::err)
                    .map(|error| view! { <ErrorNotice error /> })
            }}
            <CheckNotice />
            <Transition>
                {move || {
                    let answered = attest.version().get() > 0;
                    told.get().flatten().filter(|_| !answered).map(|error| view! { <ErrorNotice error /> })
                }}
            </Transition>
        </article>
    }
}

#[component]
fn Offered(standing: Standing, attest: ServerAction<Attest>) -> impl IntoView {
    let Standing { ultra, visitor, .. } = standing;
    view! {
        <section class="panel mt-8" aria-label="Begin">
            <ActionForm action=attest>
                <button class="button-accent" type="submit" disabled=move || attest.pending().get()>
                    "That is me"
                </button>
            </ActionForm>
            <p class="text-muted mt-4">
                {format!("It begins at once, with {ultra} credits a day instead of {visitor}.")}
                " For now it belongs to this browser: somewhere else, or after its cookies are deleted, just press again."
            </p>
        </section>
    }
}

#[component]
fn Given(standing: Standing) -> impl IntoView {
    view! {
        <section class="panel mt-8" aria-label="Yours" data-given="">
            <p class="words text-2xl">"It is yours."</p>
            <p class="text-muted mt-2 mb-4">
                {format!("You have {} credits a day, and everything is open to you.", standing.ultra)}
                " For now it belongs to this browser: somewhere else, or after its cookies are deleted, just press again."
            </p>
            <div class="flex flex-wrap gap-2">
                <a class="button-quiet" href="/">
                    "To the studio"
                </a>
                <a class="button-quiet" href="/credits">
                    "Your credits"
                </a>
            </div>
        </section>
    }
}
