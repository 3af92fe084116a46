//! One job on a page of its own: what a form without scripts leads to, and what a link opens.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_params_map};

use crate::checks::CheckNotice;
use crate::create::api::{CreatePictures, studio_facts};
use crate::job::api::read_job;
use crate::job::{FirstPicture, JobCard};
use crate::trail::TrailRow;
use crate::trail::api::read_trail;
use crate::ui::{ErrorNotice, NotFoundPage};

/// Without scripts the page asks again by itself. Written as text: with scripts on, browsers parse
/// what is inside `noscript` as text, and hydration would not find its elements.
const REFRESH: &str = r#"<meta http-equiv="refresh" content="2">"#;

/// `/g/{id}`
#[component]
pub fn ResultPage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.with(|params| params.get("id").unwrap_or_default());
    let job = Resource::new_blocking(id, read_job);
    let trail = Resource::new_blocking(id, read_trail);
    let facts = Resource::new_blocking(|| (), |()| studio_facts());
    let upscales = Signal::derive(move || facts.get().is_some_and(|facts| facts.is_ok_and(|facts| facts.upscales())));
    let (first, tell_first) = signal(None::<FirstPicture>);
    let again = ServerAction::<CreatePictures>::new();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(job)) = again.value().get() {
            navigate(&format!("/g/{}", job.id), leptos_router::NavigateOptions::default());
        }
    });
    view! {
        <section class="pt-8 sm:pt-12">
            <Transition>
                {move || {
                    job.get()
                        .map(|job| match job {
                            Ok(job) => {
                                let unfinished = !job.status.is_final();
                                view! {
                                    <Title text=job.request.prompt.clone() />
                                    {unfinished.then(|| view! { <noscript inner_html=REFRESH></noscript> })}
                                    <JobCard job again upscales large=true first=tell_first />
                                }
                                    .into_any()
                            }
                            Err(error) if error.code == "not_found" => view! { <NotFoundPage /> }.into_any(),
                            Err(error) => view! { <ErrorNotice error /> }.into_any(),
                        })
                }}
            </Transition>
            {move || {
                let answered = again.version().get() > 0;
                again
                    .value()
                    .get()
                    .filter(|_| answered)
                    .and_then(Result::err)
                    .map(|error| view! { <ErrorNotice error /> })
            }}
            <CheckNotice />
            <Transition>
                {move || trail.get().and_then(Result::ok).map(|steps| view! { <TrailRow steps first /> })}
            </Transition>
            <p class="mt-10">
                <a class="button-quiet" href="/">
                    "Back to the studio"
                </a>
            </p>
        </section>
    }
}
