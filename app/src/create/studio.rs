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

/// The first page: it *is* the studio.
#[component]
pub fn StudioPage() -> impl IntoView {
    let create = ServerAction::<CreatePictures>::new();
    let facts = Resource::new_blocking(move || create.version().get(), |_| studio_facts());
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
                create
                    .value()
                    .get()
                    .and_then(Result::err)
                    .map(|error| view! { <Notice title=error.title message=error.message /> })
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
