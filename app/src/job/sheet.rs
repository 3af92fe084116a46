use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::go_on::{GoOn, Made};
use crate::create::api::CreatePictures;

/// What opens a picture's sheet. A popover of the browser's own: it works without scripts, closes by Escape and gives
/// the focus back.
#[component]
pub fn SheetButton(made: Made, number: u32) -> impl IntoView {
    view! {
        <button
            class="tile-action tile-go-on"
            type="button"
            popovertarget=sheet_id(&made)
            aria-label=format!("Go on from picture {number}")
            aria-haspopup="dialog"
        >
            "Go on"
        </button>
    }
}

/// Everything that can be made from a picture, on a sheet: at the bottom of a phone, in the middle of a screen.
#[component]
pub fn Sheet(made: Made, action: ServerAction<CreatePictures>, #[prop(into)] upscales: Signal<bool>) -> impl IntoView {
    let id = sheet_id(&made);
    let title = format!("{id}-title");
    let close = {
        let id = id.clone();
        move |_| hide(&id)
    };
    view! {
        <div class="sheet" id=id.clone() popover="auto" role="dialog" aria-labelledby=title.clone() on:submit=close>
            <div class="sheet-head">
                <img
                    class="sheet-picture"
                    src=format!("/media/{}", made.media)
                    width=made.width
                    height=made.height
                    alt=""
                    loading="lazy"
                    decoding="async"
                />
                <h4 class="words text-xl" id=title.clone()>
                    "Go on from this picture"
                </h4>
                <button class="button-icon" type="button" popovertarget=id.clone() popovertargetaction="hide" aria-label="Close">
                    <svg class="h-5 w-5" viewBox="0 0 24 24" aria-hidden="true">
                        <path d="M6 6l12 12M18 6L6 18" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
                    </svg>
                </button>
            </div>
            <GoOn made action upscales links=true />
        </div>
    }
}

fn sheet_id(made: &Made) -> String {
    format!("go-on-{}", made.media)
}

/// Closes a sheet whose work is done. A browser without popovers shows sheets in their place, and has nothing to close.
fn hide(id: &str) {
    let sheet = document().get_element_by_id(id).and_then(|sheet| sheet.dyn_into::<HtmlElement>().ok());
    if let Some(sheet) = sheet.filter(|sheet| js_sys::Reflect::has(sheet, &"hidePopover".into()).unwrap_or(false)) {
        let _ = sheet.hide_popover();
    }
}
