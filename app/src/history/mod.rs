//! Everything somebody made: searched, pinned, and gone on from.

pub mod api;

use domain::{JobId, JobState};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use self::api::{HistoryPageData, Made, PinJob, read_history};
use crate::library::KeepButton;
use crate::ui::{ErrorNotice, busy};

/// `/history`
#[component]
pub fn HistoryPage() -> impl IntoView {
    let query = use_query_map();
    let asked = move || query.with(Asked::from_query);
    let found = Resource::new_blocking(asked, |Asked { words, pinned, before }| read_history(words, pinned, before));
    view! {
        <Title text="Your history" />
        <section class="pt-8 sm:pt-14">
            <h1 class="words mb-2 text-3xl sm:text-5xl">"Your history"</h1>
            <p class="mb-4">
                <a class="notice-link" href="/library">
                    "Kept prompts, and everything as one file"
                </a>
            </p>
            {move || {
                let asked = query.with(Asked::from_query);
                view! { <SearchForm asked /> }
            }}
            <Transition>
                {move || {
                    let asked = query.with_untracked(Asked::from_query);
                    found
                        .get()
                        .map(|found| match found {
                            Ok(page) => view! { <Found page asked /> }.into_any(),
                            Err(error) => view! { <ErrorNotice error /> }.into_any(),
                        })
                }}
            </Transition>
        </section>
    }
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    words: String,
    pinned: bool,
    before: String,
}

impl Asked {
    fn from_query(query: &ParamsMap) -> Self {
        Self {
            words: query.get("q").unwrap_or_default(),
            pinned: query.get("pinned").is_some_and(|pinned| pinned == "true"),
            before: query.get("before").unwrap_or_default(),
        }
    }

    /// The query that asks for it.
    fn query(&self) -> String {
        let mut query = ParamsMap::new();
        if !self.words.is_empty() {
            query.insert("q", self.words.clone());
        }
        if self.pinned {
            query.insert("pinned", "true".to_owned());
        }
        if !self.before.is_empty() {
            query.insert("before", self.before.clone());
        }
        query.to_query_string()
    }
}

/// Words to look for. An ordinary form: it works without scripts, and its answer can be bookmarked.
#[component]
fn SearchForm(asked: Asked) -> impl IntoView {
    let all = Asked { pinned: false, before: String::new(), ..asked.clone() };
    let pinned = Asked { pinned: true, ..all.clone() };
    let current = |here: bool| here.then_some("true");
    view! {
        <form class="search" role="search" method="get" action="/history">
            <label class="sr-only" for="words">
                "Words to look for"
            </label>
            <input id="words" name="q" type="search" placeholder="Words to look for" autocomplete="off" value=asked.words.clone() />
            {asked.pinned.then(|| view! { <input type="hidden" name="pinned" value="true" /> })}
            <button class="button-quiet" type="submit">
                "Search"
            </button>
        </form>
        <nav class="mt-3 mb-6 flex gap-2" aria-label="Which ones">
            <a class="chip" href=format!("/history{}", all.query()) aria-current=current(!asked.pinned)>
                "All"
            </a>
            <a class="chip" href=format!("/history{}", pinned.query()) aria-current=current(asked.pinned)>
                "Pinned"
            </a>
        </nav>
    }
}

#[component]
fn Found(page: HistoryPageData, asked: Asked) -> impl IntoView {
    let HistoryPageData { made, next } = page;
    let back = asked.query();
    if made.is_empty() {
        return view! { <Nothing asked /> }.into_any();
    }
    let older = next.map(|next| Asked { before: next.to_string(), ..asked.clone() }.query());
    let newest = (!asked.before.is_empty()).then(|| Asked { before: String::new(), ..asked }.query());
    view! {
        <ul class="history">
            {made.into_iter().map(|made| view! { <MadeRow made back=back.clone() /> }).collect_view()}
        </ul>
        <nav class="mt-8 flex flex-wrap gap-2" aria-label="Pages of the history">
            {older
                .map(|query| {
                    view! {
                        <a class="button-quiet" href=format!("/history{query}")>
                            "Older ones"
                        </a>
                    }
                })}
            {newest
                .map(|query| {
                    view! {
                        <a class="button-quiet" href=format!("/history{query}")>
                            "The newest"
                        </a>
                    }
                })}
        </nav>
    }
    .into_any()
}

#[component]
fn MadeRow(made: Made, back: String) -> impl IntoView {
    let Made { job, prompt, pictures, status, ago, pinned, again } = made;
    let told = match status {
        JobState::Queued | JobState::Running => format!("{ago} · being made"),
        JobState::Failed => format!("{ago} · not made, credits returned"),
        JobState::Cancelled => format!("{ago} · cancelled"),
        JobState::Succeeded => ago,
    };
    let thumbs = pictures
        .into_iter()
        .take(4)
        .map(|picture| view! { <img src=format!("/media/{picture}") alt="" loading="lazy" decoding="async" /> })
        .collect_view();
    view! {
        <li class="history-row" data-job=job.to_string()>
            <a class="history-pictures" href=format!("/g/{job}") tabindex="-1" aria-hidden="true">
                {thumbs}
            </a>
            <div class="min-w-0">
                <h2 class="words text-xl">
                    <a class="hover:underline" href=format!("/g/{job}")>
                        {prompt.clone()}
                    </a>
                </h2>
                <p class="text-muted mt-1 text-sm">{told}</p>
                <div class="mt-2 flex flex-wrap gap-2">
                    <a class="button-quiet" href=again aria-label=format!("Use again: {prompt}")>
                        "Use again"
                    </a>
                    <PinButton job pinned prompt=prompt.clone() back />
                    <KeepButton job prompt=Some(prompt) />
                </div>
            </div>
        </li>
    }
}

/// Puts a job at hand, or back. It stays where it is and keeps the focus.
#[component]
fn PinButton(job: JobId, pinned: bool, prompt: String, back: String) -> impl IntoView {
    let pin = ServerAction::<PinJob>::new();
    let pinned = RwSignal::new(pinned);
    Effect::new(move |_| {
        if let Some(Ok(now)) = pin.value().get() {
            pinned.set(now);
        }
    });
    let name = move || if pinned.get() { "Pinned" } else { "Pin" };
    view! {
        <ActionForm action=pin attr:aria-busy=busy(pin)>
            <input type="hidden" name="id" value=job.to_string() />
            <input type="hidden" name="pinned" prop:value=move || (!pinned.get()).to_string() value=(!pinned.get_untracked()).to_string() />
            <input type="hidden" name="back" value=back />
            <button
                class="button-quiet"
                class:is-pinned=move || pinned.get()
                type="submit"
                aria-label=move || format!("{}: {prompt}", name())
                aria-pressed=move || pinned.get().to_string()
            >
                {name}
            </button>
        </ActionForm>
        {move || pin.value().get().and_then(Result::err).map(|error| view! { <ErrorNotice error /> })}
    }
}

/// What to do where nothing was found.
#[component]
fn Nothing(asked: Asked) -> impl IntoView {
    let (title, told, link, name) = if asked == Asked::default() {
        ("Nothing here yet", "What you make is listed here, for you alone.", "/", "To the studio")
    } else if asked.pinned && asked.words.is_empty() {
        ("Nothing is pinned", "Pin what you want at hand.", "/history", "Show all")
    } else {
        ("Nothing has these words", "Fewer words find more.", "/history", "Show all")
    };
    view! {
        <div class="panel text-center">
            <p class="words text-xl">{title}</p>
            <p class="text-muted mt-1 mb-4">{told}</p>
            <a class="button-quiet" href=link>
                {name}
            </a>
        </div>
    }
}
