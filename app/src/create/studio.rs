use domain::JobView;
use leptos::html::{Section, Textarea};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::api::{CreatePictures, form_notice, recent_jobs, studio_facts};
use super::composer::Composer;
use super::settings::ComposerForm;
use super::starts::{FIRST_PROMPT, StartingPoints};
use crate::checks::CheckNotice;
use crate::job::JobCard;
use crate::photo::PhotoCard;
use crate::ui::{ErrorNotice, Notice};

/// Tells the studio that a job has given its credits back.
#[derive(Clone, Copy, Debug)]
pub struct CreditsReturned(pub RwSignal<u32>);

/// The first page: it *is* the studio.
#[component]
pub fn StudioPage() -> impl IntoView {
    let create = ServerAction::<CreatePictures>::new();
    let returned = RwSignal::new(0);
    provide_context(CreditsReturned(returned));
    let facts = Resource::new_blocking(move || (create.version().get(), returned.get()), |_| studio_facts());
    // Another tab may have spent some of the credits meanwhile.
    Effect::new(move |_| {
        let looked_at = window_event_listener_untyped("visibilitychange", move |_| {
            if !document().hidden() {
                facts.refetch();
            }
        });
        on_cleanup(move || looked_at.remove());
    });
    let recent = Resource::new_blocking(|| (), |()| recent_jobs());
    let prompt = RwSignal::new(FIRST_PROMPT.to_owned());
    let area = NodeRef::<Textarea>::new();
    let made = RwSignal::new(Vec::<JobView>::new());
    let newest = NodeRef::<Section>::new();
    Effect::new(move |_| {
        if let Some(Ok(job)) = create.value().get() {
            made.update(|made| made.insert(0, job));
            // What was asked for is seen, wherever on the page it was asked.
            request_animation_frame(move || {
                if let Some(section) = newest.get_untracked() {
                    let nearest = ScrollIntoViewOptions::new();
                    nearest.set_block(ScrollLogicalPosition::Nearest);
                    section.scroll_into_view_with_scroll_into_view_options(&nearest);
                }
            });
        }
    });
    let upscales = Signal::derive(move || facts.get().is_some_and(|facts| facts.is_ok_and(|facts| facts.upscales())));
    let query = use_query_map();
    // Where a form without scripts was sent back to.
    let told = Resource::new_blocking(
        move || query.with(|query| query.get("notice").map(|code| (ComposerForm::from_query(query), code))),
        |told| async move {
            match told {
                Some((form, code)) => form_notice(form, code).await.ok().flatten(),
                None => None,
            }
        },
    );
    // A new address is a new form: what was typed into the one before must not stay in fields that it fills in.
    let composer = move |prefill: ComposerForm| {
        if !prefill.prompt.trim().is_empty() {
            prompt.set(prefill.prompt.clone());
        }
        let facts = Signal::derive(move || facts.get().and_then(Result::ok));
        view! { <Composer create prompt prefill area facts /> }
    };
    view! {
        <Title text="" />
        <section class="pt-8 pb-6 sm:pt-14">
            <h1 class="words mb-5 text-3xl sm:text-5xl">"What would you like to see?"</h1>
            <Transition>
                <For
                    each=move || std::iter::once(query.with(ComposerForm::from_query))
                    key=ComposerForm::link
                    children=composer
                />
            </Transition>
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
                    .map(|error| view! { <ErrorNotice error /> })
            }}
            <CheckNotice />
            <Transition>
                {move || {
                    let answered = create.version().get() > 0 || create.pending().get();
                    told.get().flatten().filter(|_| !answered).map(|error| view! { <ErrorNotice error /> })
                }}
            </Transition>
        </section>
        <section class="studio-made" aria-label="What you make now" node_ref=newest>
            <For each=move || made.get() key=|job| job.id let:job>
                <JobCard job again=create upscales />
            </For>
        </section>
        <section class="pb-6">
            <div class="mt-6">
                <PhotoCard />
            </div>
            <div class="mt-8">
                <StartingPoints prompt area create />
            </div>
        </section>
        <section class="space-y-12" aria-label="What you made">
            <Transition>
                {move || {
                    recent
                        .get()
                        .and_then(Result::ok)
                        .filter(|jobs| !jobs.is_empty())
                        .map(|jobs| {
                            view! {
                                <h2 class="text-muted pt-2 text-sm tracking-wide uppercase">"Made before"</h2>
                                {jobs.into_iter().map(|job| view! { <JobCard job again=create upscales /> }).collect_view()}
                                <p>
                                    <a class="button-quiet" href="/history">
                                        "All you made"
                                    </a>
                                </p>
                            }
                        })
                }}
            </Transition>
        </section>
    }
}
