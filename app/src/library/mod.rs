//! Prompts that somebody keeps: searched, tagged, pinned, used again; and the way in and out for everything of theirs.

pub mod api;
mod bring_in;
mod entry;
mod keep;

pub use keep::KeepButton;

use domain::ImportReport;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use serde::{Deserialize, Serialize};

use self::api::{LibraryPageData, read_library};
use self::bring_in::{BringIn, Outcome};
use self::entry::Entry;
use crate::error::PageError;
use crate::ui::ErrorNotice;

/// What came of the file that a form sent: put into the page's context by whoever answers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportOutcome(pub Result<ImportReport, Box<PageError>>);

/// `/library`
#[component]
pub fn LibraryPage() -> impl IntoView {
    // Known on the server only, and travels with the page.
    let outcome =
        SharedValue::new(|| use_context::<ImportOutcome>().map(|ImportOutcome(outcome)| outcome)).into_inner();
    let query = use_query_map();
    let asked = move || query.with(Asked::from_query);
    let found =
        Resource::new_blocking(asked, |Asked { words, tag, pinned, before }| read_library(words, tag, pinned, before));
    view! {
        <Title text="Your prompts" />
        <section class="pt-8 sm:pt-14">
            <h1 class="words mb-3 text-3xl sm:text-5xl">"Your prompts"</h1>
            <p class="text-muted max-w-2xl">
                "Words that are worth keeping, with your tags and notes. For you alone."
            </p>
            <p class="mb-5">
                <a class="notice-link" href="/history">
                    "Everything you made is in the history"
                </a>
            </p>
            {outcome.map(|outcome| view! { <Outcome outcome /> })}
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
            <BringIn />
        </section>
    }
}

/// The query that asks for what has a tag.
fn tag_query(tag: &str) -> String {
    Asked { tag: tag.to_owned(), ..Asked::default() }.query()
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    words: String,
    tag: String,
    pinned: bool,
    before: String,
}

impl Asked {
    fn from_query(query: &ParamsMap) -> Self {
        Self {
            words: query.get("q").unwrap_or_default(),
            tag: query.get("tag").unwrap_or_default(),
            pinned: query.get("pinned").is_some_and(|pinned| pinned == "true"),
            before: query.get("before").unwrap_or_default(),
        }
    }

    /// The query that asks for it.
    fn query(&self) -> String {
        let mut query = ParamsMap::new();
        for (name, value) in [("q", &self.words), ("tag", &self.tag), ("before", &self.before)] {
            if !value.is_empty() {
                query.insert(name, value.clone());
            }
        }
        if self.pinned {
            query.insert("pinned", "true".to_owned());
        }
        query.to_query_string()
    }
}

/// Words to look for, and tags. Ordinary forms and links: they work without scripts, and can be bookmarked.
#[component]
fn SearchForm(asked: Asked, tags: Vec<String>) -> impl IntoView {
    let all = Asked { words: asked.words.clone(), ..Asked::default() };
    let pinned = Asked { pinned: true, ..all.clone() };
    let current = |here: bool| here.then_some("true");
    let everything = asked.tag.is_empty() && !asked.pinned;
    let chips = tags
        .into_iter()
        .map(|tag| {
            let href = format!("/library{}", Asked { tag: tag.clone(), ..all.clone() }.query());
            let here = current(asked.tag == tag);
            view! {
                <a class="chip" href=href aria-current=here>
                    {tag}
                </a>
            }
        })
        .collect_view();
    view! {
        <form class="search" role="search" method="get" action="/library">
            <label class="sr-only" for="words">
                "Words to look for"
            </label>
            <input id="words" name="q" type="search" placeholder="Words to look for" autocomplete="off" value=asked.words.clone() />
            {(!asked.tag.is_empty()).then(|| view! { <input type="hidden" name="tag" value=asked.tag.clone() /> })}
            {asked.pinned.then(|| view! { <input type="hidden" name="pinned" value="true" /> })}
            <button class="button-quiet" type="submit">
                "Search"
            </button>
        </form>
        <nav class="mt-3 mb-6 flex flex-wrap gap-2" aria-label="Which ones">
            <a class="chip" href=format!("/library{}", all.query()) aria-current=current(everything)>
                "All"
            </a>
            <a class="chip" href=format!("/library{}", pinned.query()) aria-current=current(asked.pinned)>
                "Pinned"
            </a>
            {chips}
        </nav>
    }
}

#[component]
fn Found(page: LibraryPageData, asked: Asked) -> impl IntoView {
    let LibraryPageData { kept, next, count, tags } = page;
    if count == 0 {
        return view! { <NothingYet /> }.into_any();
    }
    let back = asked.query();
    let search = view! { <SearchForm asked=asked.clone() tags /> };
    if kept.is_empty() {
        return view! {
            {search}
            <div class="panel text-center">
                <p class="words text-xl">"Nothing is like that"</p>
                <p class="text-muted mt-1 mb-4">"Fewer words find more."</p>
                <a class="button-quiet" href="/library">
                    "Show all"
                </a>
            </div>
        }
        .into_any();
    }
    let older = next.map(|next| Asked { before: next, ..asked.clone() }.query());
    let newest = (!asked.before.is_empty()).then(|| Asked { before: String::new(), ..asked }.query());
    let page = |query: Option<String>, name: &'static str| {
        query.map(|query| {
            view! {
                <a class="button-quiet" href=format!("/library{query}")>
                    {name}
                </a>
            }
        })
    };
    view! {
        {search}
        <ul class="history">{kept.into_iter().map(|kept| view! { <Entry kept back=back.clone() /> }).collect_view()}</ul>
        <nav class="mt-8 flex flex-wrap gap-2 empty:hidden" aria-label="Pages of the library">
            {page(older, "Older ones")}
            {page(newest, "The newest")}
        </nav>
    }
    .into_any()
}

/// What to do where nothing is kept.
#[component]
fn NothingYet() -> impl IntoView {
    view! {
        <div class="panel text-center">
            <p class="words text-xl">"Nothing is kept yet"</p>
            <p class="text-muted mt-1 mb-4">
                "Press “Keep these words” under anything you made, or bring in a list from another tool below."
            </p>
            <a class="button-quiet" href="/history">
                "To what you made"
            </a>
        </div>
    }
}
