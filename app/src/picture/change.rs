use domain::OutputId;
use domain::source::Place;
use leptos::prelude::*;

use super::paint::{PaintTools, Painting};
use crate::create::api::CreatePictures;
use crate::create::request::DRAWN;
use crate::ui::busy;

/// What the places are called.
fn label(place: Place) -> &'static str {
    match place {
        Place::Sky => "Sky",
        Place::Ground => "Ground",
        Place::Left => "Left side",
        Place::Right => "Right side",
        Place::Top => "Top",
        Place::Bottom => "Bottom",
        Place::Middle => "Middle",
    }
}

/// Describe what should be different, and where: the rest stays as it is. A part has a name, or is painted. The page
/// shows the part that is chosen on the picture, by its style alone, so that it does before and without scripts, too.
#[component]
pub fn ChangeForm(
    media: OutputId,
    action: ServerAction<CreatePictures>,
    /// The part that is chosen, if it was before.
    part: String,
    painting: Painting,
    prompt: String,
    /// Whether words are needed: a photo has none of its own.
    required: bool,
    open: bool,
) -> impl IntoView {
    let drawn = part.trim() == DRAWN;
    let first = Place::parse(&part).unwrap_or(Place::Sky);
    let places = Place::ALL.map(|place| {
        view! {
            <label class="chip chip-choice">
                <input class="sr-only" type="radio" name="part" value=place.name() checked=!drawn && place == first />
                {label(place)}
            </label>
        }
    });
    view! {
        <details class="change" id="change" open=open>
            <summary>
                <span>"Change a part…"</span>
                <span class="go-on-told">"The sky, one side, or what you paint: the rest stays"</span>
            </summary>
            <ActionForm action attr:aria-busy=busy(action) attr:class="change-form">
                <input type="hidden" name="from" value=media.to_string() />
                <input type="hidden" name="how" value="part" />
                <fieldset class="flex flex-wrap gap-2">
                    <legend class="text-muted mb-2 text-sm">"Which part?"</legend>
                    {places.into_iter().collect_view()}
                    <label class="chip chip-choice needs-script">
                        <input class="sr-only" type="radio" name="part" value=DRAWN checked=drawn />
                        "Draw it"
                    </label>
                </fieldset>
                <PaintTools painting />
                <label class="field">
                    "What should be there?"
                    <input
                        name="prompt"
                        required=required
                        maxlength="2000"
                        placeholder="for example: dark storm clouds"
                        autocomplete="off"
                        value=prompt
                    />
                </label>
                <button class="button-accent" type="submit">
                    {move || if action.pending().get() { "Sending…" } else { "Change it" }}
                </button>
            </ActionForm>
        </details>
    }
}
