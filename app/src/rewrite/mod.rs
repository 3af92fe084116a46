//! A sentence as a film crew would say it, taken apart: what is seen, where, in which light, through which lens.

pub mod api;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::api::{Apart, take_apart};
use crate::create::settings::ComposerForm;
use crate::ui::ErrorNotice;

/// What the box holds at first.
const EXAMPLE: &str =
    "slow dolly in on an old lighthouse by the sea at golden hour, shallow depth of field, teal and orange";

/// `/rewrite`
#[component]
pub fn RewritePage() -> impl IntoView {
    let query = use_query_map();
    let text = move || query.with(|query| query.get("text").filter(|text| !text.trim().is_empty()));
    let apart = Resource::new_blocking(move || text().unwrap_or_else(|| EXAMPLE.to_owned()), take_apart);
    view! {
        <Title text="A sentence, taken apart" />
        <section class="pt-8 sm:pt-14">
            <h1 class="words mb-3 text-3xl sm:text-5xl">"A sentence, taken apart"</h1>
            <p class="text-muted mb-5 max-w-2xl">
                "Paste a line from a script, a shot list or another tool. You see what each word is about, and get an ordinary prompt of it. Nothing is kept here; the sentence stands in the address, so that you can come back to it."
            </p>
            <form class="composer max-w-3xl" method="get" action="/rewrite">
                <label class="sr-only" for="text">
                    "A sentence"
                </label>
                <textarea id="text" name="text" class="words composer-words" rows="2" maxlength="2000">
                    {move || text().unwrap_or_else(|| EXAMPLE.to_owned())}
                </textarea>
                <div class="flex justify-end">
                    <button class="button-accent" type="submit">
                        "Take it apart"
                    </button>
                </div>
            </form>
            <Transition>
                {move || {
                    apart
                        .get()
                        .map(|apart| match apart {
                            Ok(apart) => view! { <Parts apart /> }.into_any(),
                            Err(error) => view! { <ErrorNotice error /> }.into_any(),
                        })
                }}
            </Transition>
        </section>
    }
}

#[component]
fn Parts(apart: Apart) -> impl IntoView {
    let Apart { runs, parts, prompt } = apart;
    let marked = runs
        .into_iter()
        .map(|(run, part)| match part {
            None => run.into_any(),
            Some(part) => view! { <span data-part=part>{run}</span> }.into_any(),
        })
        .collect_view();
    let rows = parts
        .into_iter()
        .map(|(name, said)| {
            let part = name.clone();
            view! {
                <div class="part-row" data-part=part>
                    <dt>{name}</dt>
                    <dd class="words text-lg">{said}</dd>
                </div>
            }
        })
        .collect_view();
    let link = ComposerForm { prompt: prompt.clone(), ..ComposerForm::default() }.link();
    view! {
        <div class="apart mt-8 max-w-3xl">
            <p class="words mb-6 text-xl" aria-hidden="true">
                {marked}
            </p>
            <dl class="mb-8">{rows}</dl>
            <h2 class="text-muted mb-2 text-sm tracking-wide uppercase">"As a prompt"</h2>
            <p class="words mb-4 text-xl" id="rewritten">
                {prompt}
            </p>
            <a class="button-accent inline-flex items-center" href=link>
                "Use these words"
            </a>
        </div>
    }
}
