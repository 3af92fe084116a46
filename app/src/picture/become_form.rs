use domain::OutputId;
use domain::source::{A_LITTLE, A_LOT, DEFAULT_STRENGTH, FACTORS, may_upscale};
use leptos::prelude::*;

use crate::create::api::CreatePictures;
use crate::ui::busy;

/// How much of a photo changes, and what that is called.
const STRENGTHS: [(f64, &str); 3] = [(A_LITTLE, "A little"), (DEFAULT_STRENGTH, "Half"), (A_LOT, "A lot")];

/// What a photo should become, in words, and how much of it.
#[component]
pub fn BecomeForm(
    media: OutputId,
    /// Pixels.
    size: (u32, u32),
    action: ServerAction<CreatePictures>,
    /// Whether pictures can be made larger here.
    upscales: bool,
    /// What was said before, where it was sent back.
    told: String,
    strength: String,
) -> impl IntoView {
    let chosen = strength.parse().unwrap_or(DEFAULT_STRENGTH);
    let strengths = STRENGTHS.map(|(strength, name)| {
        view! {
            <label class="chip chip-choice">
                <input class="sr-only" type="radio" name="strength" value=strength.to_string() checked=strength == chosen />
                {name}
            </label>
        }
    });
    let larger = FACTORS
        .into_iter()
        .filter(|factor| upscales && may_upscale(size.0, size.1, *factor))
        .map(|factor| {
            view! {
                <button class="go-on-choice" type="submit" name="how" value=format!("{factor}x")>
                    <span>{format!("Upscale {factor}×")}</span>
                    <span class="go-on-told">{format!("{} by {} pixels", size.0 * factor, size.1 * factor)}</span>
                </button>
            }
        })
        .collect_view();
    view! {
        <ActionForm action attr:aria-busy=busy(action) attr:class="change-form become">
            <input type="hidden" name="from" value=media.to_string() />
            <label class="field">
                "What should it become?"
                <input
                    name="prompt"
                    required
                    maxlength="2000"
                    placeholder="for example: a watercolor of it at sunset"
                    autocomplete="off"
                    value=told
                />
            </label>
            <fieldset class="flex flex-wrap gap-2">
                <legend class="text-muted mb-2 text-sm">"How much changes?"</legend>
                {strengths.into_iter().collect_view()}
            </fieldset>
            <button class="button-accent" type="submit">
                {move || if action.pending().get() { "Sending…" } else { "Make it" }}
            </button>
        </ActionForm>
        <ActionForm action attr:aria-busy=busy(action) attr:class="go-on-list">
            <input type="hidden" name="from" value=media.to_string() />
            {larger}
        </ActionForm>
    }
}
