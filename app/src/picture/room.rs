use domain::OutputId;
use leptos::prelude::*;

use crate::create::api::CreatePictures;
use crate::create::room::{AMOUNTS, Side};
use crate::ui::busy;

/// More of the scene beyond a picture's edges, by one choice and one press; words only for those who have some. A small
/// drawing of it follows the choice, by its style alone.
#[component]
pub fn RoomForm(
    media: OutputId,
    /// Pixels.
    size: (u32, u32),
    action: ServerAction<CreatePictures>,
    /// What was chosen before.
    room: String,
    by: String,
    prompt: String,
    /// Whether words are needed: a photo has none of its own.
    required: bool,
    open: bool,
) -> impl IntoView {
    let first = Side::parse(&room).unwrap_or(Side::Around);
    let sides = Side::ALL.map(|side| {
        view! {
            <label class="chip chip-choice">
                <input class="sr-only" type="radio" name="room" value=side.name() checked=side == first />
                {side.label()}
            </label>
        }
    });
    let first = AMOUNTS.iter().find(|(amount, _)| *amount == by.trim()).unwrap_or(&AMOUNTS[0]).0;
    let amounts = AMOUNTS.map(|(amount, name)| {
        view! {
            <label class="chip chip-choice">
                <input class="sr-only" type="radio" name="by" value=amount checked=amount == first />
                {name}
            </label>
        }
    });
    let words = if required {
        "What is there, beyond the edges?"
    } else {
        "What is there, beyond the edges? (The picture’s own words do.)"
    };
    view! {
        <details class="change" id="room" open=open>
            <summary>
                <span>"Make room…"</span>
                <span class="go-on-told">"More of the scene, beyond the edges"</span>
            </summary>
            <ActionForm action attr:aria-busy=busy(action) attr:class="change-form">
                <input type="hidden" name="from" value=media.to_string() />
                <input type="hidden" name="how" value="room" />
                <fieldset class="flex flex-wrap gap-2">
                    <legend class="text-muted mb-2 text-sm">"Where?"</legend>
                    {sides.into_iter().collect_view()}
                </fieldset>
                <fieldset class="flex flex-wrap gap-2">
                    <legend class="text-muted mb-2 text-sm">"By how much of the picture?"</legend>
                    {amounts.into_iter().collect_view()}
                </fieldset>
                <div class="room-drawn" aria-hidden="true">
                    <div class="room-frame">
                        <img src=format!("/media/{media}") width=size.0 height=size.1 alt="" loading="lazy" decoding="async" />
                    </div>
                </div>
                <label class="field">
                    {words}
                    <input
                        name="prompt"
                        required=required
                        maxlength="2000"
                        placeholder="for example: the sea, and a far shore"
                        autocomplete="off"
                        value=prompt
                    />
                </label>
                <button class="button-accent" type="submit">
                    {move || if action.pending().get() { "Sending…" } else { "Make room" }}
                </button>
            </ActionForm>
        </details>
    }
}
