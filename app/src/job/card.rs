use domain::{JobId, JobState, JobView, OutputId, Way};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::again::Again;
use super::api::CancelJob;
use super::from::FromPicture;
use super::remix::remix_link;
use super::tile::{Tile, tally};
use super::time::about;
use crate::create::CreditsReturned;
use crate::create::api::CreatePictures;
use crate::library::KeepButton;
use crate::live::LiveJob;
use crate::notify::TellMe;
use crate::ui::{ErrorNotice, Notice};

/// The first picture of a job that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstPicture {
    pub job: JobId,
    pub picture: OutputId,
}

/// A job: its words, its grid, and what can be done with all of it.
#[component]
pub fn JobCard(
    job: JobView,
    /// Makes more of the same when the visitor asks for it.
    again: ServerAction<CreatePictures>,
    /// Whether pictures can be made larger here.
    #[prop(into)]
    upscales: Signal<bool>,
    /// Words as the page's title rather than one of many.
    #[prop(optional)]
    large: bool,
    /// Told the job's first picture as soon as there is one.
    #[prop(optional)]
    first: Option<WriteSignal<Option<FirstPicture>>>,
) -> impl IntoView {
    let live = LiveJob::follow(job.clone());
    if let Some(first) = first {
        Effect::new(move |_| {
            let made = live.view.with(|view| view.outputs.first().map(|output| (view.id, output.id)));
            if let Some((job, picture)) = made {
                first.set(Some(FirstPicture { job, picture }));
            }
        });
    }
    let cancel = ServerAction::<CancelJob>::new();
    Effect::new(move |_| {
        if let Some(Ok(view)) = cancel.value().get() {
            live.view.set(view);
            if let Some(CreditsReturned(returned)) = use_context() {
                returned.update(|times| *times += 1);
            }
        }
    });
    // What is made from one of its pictures has a page of its own, where the picture stays beside it.
    let go_on = ServerAction::<CreatePictures>::new();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(job)) = go_on.value().get() {
            navigate(&format!("/g/{}", job.id), leptos_router::NavigateOptions::default());
        }
    });
    let (number, id) = (job.id, job.id.to_string());
    let source = job.request.source.clone();
    let beside = if source.is_some() { "with-source" } else { "" };
    let request = StoredValue::new(job.request.clone());
    let columns = if job.request.count == 1 { "grid-one" } else { "grid-many" };
    let words = if large {
        view! { <h1 class="words text-3xl sm:text-4xl">{job.request.prompt.clone()}</h1> }.into_any()
    } else {
        let href = format!("/g/{id}");
        view! {
            <h3 class="words text-xl">
                <a class="hover:underline" href=href>
                    {job.request.prompt.clone()}
                </a>
            </h3>
        }
        .into_any()
    };
    view! {
        <article class="job" data-job=id.clone() data-status=move || live.view.with(|view| view.status.as_str())>
            <header class="mb-3 space-y-1">
                {words} <p class="text-muted text-sm">{move || live.view.with(waiting_line)}</p>
                <p class="sr-only" aria-live="polite">
                    {move || live.view.with(tally)}
                </p>
            </header>
            {move || {
                live.view
                    .with(|view| view.error.clone())
                    .map(|error| view! { <Notice title="The picture could not be made" message=error.message /> })
            }}
            <div class=beside>
                {source.map(|source| view! { <FromPicture source /> })}
                <Show when=move || {
                    live.view.with(|view| view.status != JobState::Failed && view.status != JobState::Cancelled)
                }>
                    <ul class=format!("grid {columns}") aria-label="Pictures">
                        {(0..request.with_value(|request| request.count))
                            .map(|index| view! { <Tile live index go_on upscales /> })
                            .collect_view()}
                    </ul>
                </Show>
            </div>
            {move || {
                let answered = go_on.version().get() > 0;
                go_on
                    .value()
                    .get()
                    .filter(|_| answered)
                    .and_then(Result::err)
                    .map(|error| view! { <ErrorNotice error /> })
            }}
            <div class="mt-3 flex flex-wrap gap-2">
                {
                    let id = id.clone();
                    move || {
                        let id = id.clone();
                        if live.view.with(|view| view.status.is_final()) {
                            view! {
                                <Again request=request.get_value() job=number action=again class="button-quiet" />
                                <a class="button-quiet" href=request.with_value(|request| remix_link(request, number, None))>
                                    "Change the words"
                                </a>
                                <KeepButton job=number />
                            }
                                .into_any()
                        } else {
                            view! {
                                <ActionForm action=cancel>
                                    <input type="hidden" name="id" value=id />
                                    <button class="button-quiet" type="submit">
                                        "Cancel"
                                    </button>
                                </ActionForm>
                            }
                                .into_any()
                        }
                    }
                } <TellMe live />
            </div>
        </article>
    }
    .into_any()
}

/// Place and time while waiting, the recipe afterwards. What is not known is left out.
fn waiting_line(view: &JobView) -> String {
    match view.status {
        JobState::Queued => {
            let place = match view.position {
                Some(0) => "Next in line".to_owned(),
                Some(1) => "1 request is ahead of yours".to_owned(),
                Some(ahead) => format!("{ahead} requests are ahead of yours"),
                None => "Waiting for a place".to_owned(),
            };
            let place = if view.overtaken { format!("{place} (someone with priority is ahead)") } else { place };
            match when(view) {
                Some(when) => format!("{place}, {when}"),
                None => place,
            }
        }
        JobState::Running => match when(view) {
            Some(when) => format!("Being made, {when}"),
            None => "Being made".to_owned(),
        },
        JobState::Succeeded => {
            let request = &view.request;
            if let Some(Way::Upscale { .. }) = request.source.as_ref().map(|source| &source.way) {
                return format!("{}×{} · seed {}", request.width, request.height, request.seed);
            }
            format!("{}×{} · {} steps · seed {}", request.width, request.height, request.steps, request.seed)
        }
        JobState::Failed => "Not made. Your credits are back.".to_owned(),
        JobState::Cancelled => "Cancelled. Your credits are back.".to_owned(),
    }
}

/// The range in which the job is likely done; nothing where too little is known to say.
fn when(view: &JobView) -> Option<String> {
    let [low, high] = view.eta_range_seconds?;
    (high >= 2.0).then(|| about(low, high))
}
