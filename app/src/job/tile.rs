use domain::{JobView, OutputView, StepProgress};
use leptos::prelude::*;

use super::go_on::Made;
use super::sheet::{Sheet, SheetButton};
use crate::create::api::CreatePictures;
use crate::create::settings::picture_link;
use crate::live::LiveJob;

/// One place in the grid: waiting, forming, or done.
#[component]
pub fn Tile(
    live: LiveJob,
    index: u32,
    /// Makes something from this picture.
    go_on: ServerAction<CreatePictures>,
    upscales: Signal<bool>,
) -> impl IntoView {
    let output =
        Memo::new(move |_| live.view.with(|view| view.outputs.iter().find(|output| output.index == index).cloned()));
    let forming = move || live.steps.with(|steps| steps.iter().find(|step| step.index == index).cloned());
    view! {
        <li class="tile" data-index=index>
            {move || match output.get() {
                Some(output) => view! { <Done live output go_on upscales /> }.into_any(),
                None => {
                    let over = live.view.with(|view| view.status.is_final());
                    view! {
                        <div class="tile-frame">
                            <Place live over />
                            <Forming index forming=Signal::derive(forming) />
                        </div>
                        // As tall as what will stand below the picture: nothing moves when it comes.
                        <div class="tile-bar"></div>
                    }
                        .into_any()
                }
            }}
        </li>
    }
}

/// A finished picture and what can be done with it.
#[component]
fn Done(
    live: LiveJob,
    output: OutputView,
    go_on: ServerAction<CreatePictures>,
    upscales: Signal<bool>,
) -> impl IntoView {
    let (job, request) = live.view.with_untracked(|view| (view.id, view.request.clone()));
    let words = request.prompt.clone();
    let number = output.index + 1;
    let made = Made { media: output.id, width: output.width, height: output.height, seed: output.seed, job, request };
    view! {
        <a class="block" href=picture_link(output.id) aria-label=format!("Picture {number}: {words}")>
            <img
                class="block h-auto w-full"
                src=output.url.clone()
                width=output.width
                height=output.height
                alt=words.clone()
                decoding="async"
            />
        </a>
        <div class="tile-bar">
            <SheetButton made=made.clone() number />
            <a
                class="tile-action"
                href=output.url.clone()
                download=format!("mindseye-{}.png", output.seed)
                aria-label=format!("Download picture {number}")
            >
                "Download"
            </a>
        </div>
        <Sheet made action=go_on upscales />
    }
}

/// Keeps the place of a picture that is not there yet, in its exact proportions.
#[component]
fn Place(live: LiveJob, over: bool) -> impl IntoView {
    let (width, height) = live.view.with_untracked(|view| (view.request.width, view.request.height));
    view! {
        <svg
            class=if over { "tile-place" } else { "tile-place tile-waiting" }
            viewBox=format!("0 0 {width} {height}")
            aria-hidden="true"
        ></svg>
    }
}

/// The picture as it forms, with how far it is.
#[component]
fn Forming(index: u32, #[prop(into)] forming: Signal<Option<StepProgress>>) -> impl IntoView {
    let label = format!("Picture {}", index + 1);
    move || {
        forming.get().map(|step| {
            let label = label.clone();
            view! {
                {step.preview.map(|preview| view! { <img class="tile-preview" src=preview alt="" /> })}
                <progress class="tile-progress" max=step.steps value=step.step aria-label=label></progress>
            }
        })
    }
}

/// How many pictures of a job are there, for the live region.
pub fn tally(view: &JobView) -> String {
    let (done, all) = (view.outputs.len(), view.request.count);
    match (done, all) {
        (0, _) => String::new(),
        (1, 1) => "The picture is ready.".into(),
        (done, all) if done as u32 == all => format!("All {all} pictures are ready."),
        (done, all) => format!("{done} of {all} pictures are ready."),
    }
}
