use domain::JobView;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::{CreatePictures, recent_jobs, studio_facts};
use super::composer::Composer;
use super::settings::ComposerForm;
use super::starts::{FIRST_PROMPT, StartingPoints};
use crate::job::JobCard;
use crate::ui::Notice;

/// Tells the studio that a job has given its credits back.
#[derive(Clone, Copy, Debug)]
pub struct CreditsReturned(pub RwSignal<u32>);

/// What a form without scripts is told, by the code of the error. Only our own words: the code comes
/// from the address, which anybody can write.
fn notice(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "empty_prompt" => ("The prompt is empty", "Describe what you would like to see. A few words are enough."),
        "prompt_too_long" => ("The prompt is too long", "Nothing was charged. Please shorten it a little."),
        "invalid_size" | "unknown_model" | "out_of_range" | "bad_request" => {
            ("A setting can't be used", "Nothing was charged. Please look at the settings below the words.")
        }
        "daily_limit" => (
            "Today's credits don't reach for this",
            "Nothing was charged. Ask for fewer pictures, or come back after 00:00 UTC, when new credits arrive.",
        ),
        "too_expensive" => ("More than a day's credits", "Nothing was charged. Ask for fewer or smaller pictures."),
        "no_model" | "busy" | "unavailable" => {
            ("Back in a moment", "Nothing was lost or charged. Please press Create again in a few seconds.")
        }
        "internal" => ("Something went wrong on our side", "Nothing was charged. Please try again."),
        _ => return None,
    })
}

/// The first page: it *is* the studio.
#[component]
pub fn StudioPage() -> impl IntoView {
    let create = ServerAction::<CreatePictures>::new();
    let returned = RwSignal::new(0);
    provide_context(CreditsReturned(returned));
    let facts = Resource::new_blocking(move || (create.version().get(), returned.get()), |_| studio_facts());
    let recent = Resource::new_blocking(|| (), |()| recent_jobs());
    let prompt = RwSignal::new(FIRST_PROMPT.to_owned());
    let made = RwSignal::new(Vec::<JobView>::new());
    Effect::new(move |_| {
        if let Some(Ok(job)) = create.value().get() {
            made.update(|made| made.insert(0, job));
        }
    });
    let query = use_query_map();
    let composer = move || {
        let prefill = query.with(ComposerForm::from_query);
        if !prefill.prompt.trim().is_empty() {
            prompt.set(prefill.prompt.clone());
        }
        let facts = Signal::derive(move || facts.get().and_then(Result::ok));
        view! { <Composer create prompt prefill facts /> }
    };
    view! {
        <Title text="" />
        <section class="pt-8 pb-6 sm:pt-14">
            <h1 class="words mb-5 text-3xl sm:text-5xl">"What would you like to see?"</h1>
            <Transition>{composer}</Transition>
            <Transition>
                {move || {
                    let warming = facts.get().is_some_and(|facts| facts.is_ok_and(|facts| facts.models.is_empty()));
                    warming
                        .then(|| {
                            view! {
                                <Notice
                                    title="Warming up"
                                    message="The first pictures can be made in a few seconds, when the model is loaded."
                                />
                            }
                        })
                }}
            </Transition>
            {move || {
                // Only what this page asked for: a link could claim an answer of anybody's making.
                let answered = create.version().get() > 0;
                create
                    .value()
                    .get()
                    .filter(|_| answered)
                    .and_then(Result::err)
                    .map(|error| view! { <Notice title=error.title message=error.message /> })
            }}
            {move || {
                let answered = create.version().get() > 0;
                query
                    .with(|query| query.get("notice"))
                    .filter(|_| !answered)
                    .and_then(|code| notice(&code))
                    .map(|(title, message)| view! { <Notice title message /> })
            }}
            <div class="mt-4">
                <StartingPoints prompt />
            </div>
        </section>
        <section class="space-y-12" aria-label="What you made">
            <For each=move || made.get() key=|job| job.id let:job>
                <JobCard job again=create />
            </For>
            <Transition>
                {move || {
                    recent
                        .get()
                        .and_then(Result::ok)
                        .filter(|jobs| !jobs.is_empty())
                        .map(|jobs| {
                            view! {
                                <h2 class="text-muted pt-2 text-sm tracking-wide uppercase">"Made before"</h2>
                                {jobs.into_iter().map(|job| view! { <JobCard job again=create /> }).collect_view()}
                            }
                        })
                }}
            </Transition>
        </section>
    }
}
