//! One picture on a page of its own, with everything that can be made from it.

mod api;
mod become_form;
mod change;
mod paint;
mod room;

use domain::OutputId;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};

use self::api::{Picture, read_picture};
use self::become_form::BecomeForm;
use self::change::ChangeForm;
use self::paint::{PaintSheet, Painting};
use self::room::RoomForm;
use crate::checks::CheckNotice;
use crate::compare::compare_link;
use crate::create::api::CreatePictures;
use crate::create::settings::{ComposerForm, picture_link};
use crate::job::go_on::{GoOn, Made};
use crate::ui::{ErrorNotice, NotFoundPage};

/// `/p/{id}`
#[component]
pub fn PicturePage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = move || {
        let id = params.with(|params| params.get("id").unwrap_or_default());
        let form = query.with(ComposerForm::from_query);
        (ComposerForm { from: id.clone(), ..form }, query.with(|query| query.get("notice").unwrap_or_default()), id)
    };
    let picture = Resource::new_blocking(asked, |(form, code, id)| read_picture(id, form, code));
    let action = ServerAction::<CreatePictures>::new();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(job)) = action.value().get() {
            navigate(&format!("/g/{}", job.id), leptos_router::NavigateOptions::default());
        }
    });
    view! {
        <section class="pt-8 sm:pt-12">
            <Transition>
                {move || {
                    picture
                        .get()
                        .map(|picture| match picture {
                            Ok(picture) => {
                                let form = query.with_untracked(ComposerForm::from_query);
                                view! { <Shown picture form action /> }.into_any()
                            }
                            Err(error) if error.code == "not_found" => view! { <NotFoundPage /> }.into_any(),
                            Err(error) => view! { <ErrorNotice error /> }.into_any(),
                        })
                }}
            </Transition>
            {move || {
                let answered = action.version().get() > 0;
                action
                    .value()
                    .get()
                    .filter(|_| answered)
                    .and_then(Result::err)
                    .map(|error| view! { <ErrorNotice error /> })
            }}
            <CheckNotice />
        </section>
    }
}

#[component]
fn Shown(picture: Picture, form: ComposerForm, action: ServerAction<CreatePictures>) -> impl IntoView {
    let Picture { media, width, height, making, grid, upscales, notice } = picture;
    let words = making.as_ref().map_or_else(|| "Your photo".to_owned(), |(_, _, request)| request.prompt.clone());
    let facts = match &making {
        Some((_, seed, _)) => format!("{width}×{height} · seed {seed}"),
        None => format!("{width}×{height} · yours alone, and gone after three days"),
    };
    let url = format!("/media/{media}");
    let name = making.as_ref().map_or_else(|| "photo".to_owned(), |(_, seed, _)| seed.to_string());
    let back = making.as_ref().map(|(job, _, _)| format!("/g/{job}"));
    let (open, roomy) = (form.how == "part", form.how == "room");
    let required = making.is_none();
    let painting = Painting::new(&form.cells);
    // A form that was sent back stays filled in; the picture's own words are not what a part should become.
    let told = if notice.is_some() { form.prompt.clone() } else { String::new() };
    let go_on = match making {
        Some((job, seed, request)) => {
            let made = Made { media, width, height, seed, job, request };
            view! { <GoOn made action upscales but=form.but /> }.into_any()
        }
        None => {
            let told = if open || roomy { String::new() } else { told.clone() };
            view! { <BecomeForm media size=(width, height) action upscales told strength=form.strength /> }.into_any()
        }
    };
    let said = |here: bool| if here { told.clone() } else { String::new() };
    let (part_words, room_words) = (said(open), said(roomy));
    view! {
        <Title text=words.clone() />
        <h1 class="words mb-1 text-3xl sm:text-4xl">{words.clone()}</h1>
        <p class="text-muted mb-4 text-sm">{facts}</p>
        <div class="picture-page">
            <figure class="picture-frame">
                <a class="block" href=url.clone() target="_blank" rel="noopener" aria-label="Open the picture alone">
                    <img class="block h-auto w-full" src=url.clone() width=width height=height alt=words />
                </a>
                <span class="picture-part" aria-hidden="true"></span>
                <PaintSheet painting />
            </figure>
            <div class="min-w-0">
                {notice.map(|error| view! { <ErrorNotice error /> })}
                <ChangeForm media action part=form.part painting prompt=part_words required open />
                <RoomForm media size=(width, height) action room=form.room by=form.by prompt=room_words required open=roomy />
                {go_on}
                <div class="mt-4 flex flex-wrap gap-2">
                    <a class="button-quiet" href=url download=format!("mindseye-{name}.png") aria-keyshortcuts="d">
                        "Download"
                    </a>
                    {back
                        .map(|back| {
                            view! {
                                <a class="button-quiet" href=back>
                                    "Back to all of these"
                                </a>
                            }
                        })}
                </div>
                <Siblings media grid />
            </div>
        </div>
    }
}

/// The other pictures of the same grid: the next one a key away, each a tap away from standing beside this one.
#[component]
fn Siblings(media: OutputId, grid: Vec<OutputId>) -> impl IntoView {
    let here = grid.iter().position(|picture| *picture == media).unwrap_or(0);
    // Around and around, so that neither link ever goes away under a finger or the focus.
    let turn = |by: usize, key, name: &'static str| {
        let to = grid.get((here + by) % grid.len().max(1)).copied();
        to.map(|to| {
            view! {
                <a class="button-quiet" href=picture_link(to) aria-keyshortcuts=key>
                    {name}
                </a>
            }
        })
    };
    let (before, after) = (turn(grid.len().saturating_sub(1), "ArrowLeft", "Previous"), turn(1, "ArrowRight", "Next"));
    let links = grid
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != here)
        .map(|(at, sibling)| {
            view! {
                <li>
                    <a class="sibling" href=compare_link(media, *sibling)>
                        <img
                            src=format!("/media/{sibling}")
                            alt=format!("Compare with picture {}", at + 1)
                            loading="lazy"
                            decoding="async"
                        />
                    </a>
                </li>
            }
        })
        .collect_view();
    (grid.len() > 1).then(|| {
        view! {
            <nav class="mt-6" aria-labelledby="siblings">
                <div class="mb-4 flex flex-wrap gap-2">{before} {after}</div>
                <h2 class="text-muted mb-2 text-sm" id="siblings">
                    "Compare with another of these"
                </h2>
                <ul class="siblings">{links}</ul>
            </nav>
        }
    })
}
