//! Two pictures side by side, with what differs marked: nobody has to remember one to judge the other.

mod api;

use domain::OutputId;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use self::api::{Side, compare};
use crate::create::settings::picture_link;
use crate::job::from::told;
use crate::trail::ChangedWords;
use crate::ui::{ErrorNotice, NotFoundPage};

/// The page that shows these two.
pub fn compare_link(left: OutputId, right: OutputId) -> String {
    format!("/compare/{left}/{right}")
}

/// `/compare/{left}/{right}`
#[component]
pub fn ComparePage() -> impl IntoView {
    let params = use_params_map();
    let asked =
        move || params.with(|params| (params.get("left").unwrap_or_default(), params.get("right").unwrap_or_default()));
    let sides = Resource::new_blocking(asked, |(left, right)| compare(left, right));
    view! {
        <section class="pt-8 sm:pt-12">
            <Transition>
                {move || {
                    sides
                        .get()
                        .map(|sides| match sides {
                            Ok((left, right)) => view! { <Both left right /> }.into_any(),
                            Err(error) if error.code == "not_found" => view! { <NotFoundPage /> }.into_any(),
                            Err(error) => view! { <ErrorNotice error /> }.into_any(),
                        })
                }}
            </Transition>
        </section>
    }
}

#[component]
fn Both(left: Side, right: Side) -> impl IntoView {
    let rows = differences(&left, &right);
    let swapped = compare_link(right.media, left.media);
    let said = |side: &Side| side.making.as_ref().map(|(_, _, request)| request.prompt.clone());
    // A photo has no words to be the same as others.
    let same_words = said(&left).is_some() && said(&left) == said(&right);
    let table = (!rows.is_empty()).then(|| {
        let rows = rows
            .into_iter()
            .map(|(name, left, right)| {
                view! {
                    <tr>
                        <th scope="row" class="text-muted">
                            {name}
                        </th>
                        <td>{left}</td>
                        <td>{right}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <table class="ledger compare-table mt-6">
                <caption class="sr-only">"Settings that differ"</caption>
                <thead>
                    <tr>
                        <th scope="col">"What differs"</th>
                        <th scope="col">"Left"</th>
                        <th scope="col">"Right"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
    });
    view! {
        <Title text="Side by side" />
        <h1 class="words mb-4 text-3xl sm:text-4xl">"Side by side"</h1>
        <div class="compare">
            <OneSide side=left name="Left" />
            <OneSide side=right name="Right" />
        </div>
        {same_words.then(|| view! { <p class="text-muted mt-4 text-sm">"Both have the same words."</p> })}
        {table}
        <p class="mt-6">
            <a class="button-quiet" href=swapped>
                "Swap sides"
            </a>
        </p>
    }
}

#[component]
fn OneSide(side: Side, name: &'static str) -> impl IntoView {
    let Side { media, width, height, making, words } = side;
    let (job, alt) = match making {
        Some((job, _, request)) => (Some(job), request.prompt),
        None => (None, "Your photo".to_owned()),
    };
    let said = if words.is_empty() { alt.clone().into_any() } else { view! { <ChangedWords words /> }.into_any() };
    view! {
        <figure class="min-w-0">
            <a class="block" href=format!("/media/{media}") target="_blank" rel="noopener" aria-label=format!("{name}: open the picture alone")>
                <img class="compare-picture" src=format!("/media/{media}") width=width height=height alt=alt />
            </a>
            <figcaption class="words mt-3">
                <span class="sr-only">{name} ": "</span>
                {said}
            </figcaption>
            <div class="mt-3 flex flex-wrap gap-2">
                <a class="button-quiet" href=picture_link(media) aria-label=format!("Go on from the {} picture", name.to_lowercase())>
                    "Go on"
                </a>
                {job
                    .map(|job| {
                        view! {
                            <a class="button-quiet" href=format!("/g/{job}") aria-label=format!("All of these, {}", name.to_lowercase())>
                                "All of these"
                            </a>
                        }
                    })}
            </div>
        </figure>
    }
}

/// Settings that are not the same: their name, and what they are on either side.
fn differences(left: &Side, right: &Side) -> Vec<(&'static str, String, String)> {
    let told = |side: &Side| {
        let nothing = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        let size = ("Size", format!("{}×{}", side.width, side.height));
        // What a photo has not is nothing that differs.
        let Some((_, seed, request)) = &side.making else { return vec![size] };
        vec![
            size,
            ("Seed", seed.to_string()),
            ("Steps", request.steps.to_string()),
            ("Guidance", request.guidance.to_string()),
            ("Model", request.model.clone()),
            ("Kept away from", nothing(&request.negative_prompt)),
            ("Made", request.source.as_ref().map_or_else(|| "from words alone".to_owned(), |source| told(&source.way))),
        ]
    };
    let rows = told(left).into_iter().zip(told(right));
    rows.filter(|(left, right)| left != right).map(|((name, left), (_, right))| (name, left, right)).collect()
}
