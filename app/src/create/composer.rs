use domain::ModelCard;
use leptos::ev::KeyboardEvent;
use leptos::html::Textarea;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlTextAreaElement;

use super::api::{CreatePictures, Facts};
use super::settings::{ASPECTS, ComposerForm};

/// The prompt, its settings, and the button.
#[component]
pub fn Composer(
    create: ServerAction<CreatePictures>,
    prompt: RwSignal<String>,
    prefill: ComposerForm,
    #[prop(into)] facts: Signal<Option<Facts>>,
) -> impl IntoView {
    let first = prompt.get_untracked();
    let chosen = prefill.clone();
    let area = NodeRef::<Textarea>::new();
    // The box is not bound: what somebody typed before the scripts arrived must stay. Only a starting
    // point, chosen later, writes into it.
    Effect::watch(
        move || prompt.get(),
        move |words, _, _| {
            if let Some(area) = area.get_untracked() {
                area.set_value(words);
            }
        },
        false,
    );
    view! {
        <ActionForm action=create attr:class="composer">
            <label class="sr-only" for="prompt">
                "Describe what you would like to see"
            </label>
            <textarea
                id="prompt"
                name="prompt"
                class="words composer-words"
                rows="2"
                maxlength="2000"
                placeholder="Describe what you would like to see"
                node_ref=area
                on:keydown=move |event| submit_on_ctrl_enter(event, create)
            >
                {first}
            </textarea>
            <SizeChips facts chosen=chosen.size.clone() />
            <div class="composer-end">
                <MoreSettings facts prefill=chosen />
                <div class="composer-go">
                    <CreditsLine facts />
                    <button class="button-accent" type="submit" disabled=move || create.pending().get()>
                        {move || if create.pending().get() { "Sending…" } else { "Create" }}
                    </button>
                </div>
            </div>
        </ActionForm>
    }
}

/// Ctrl+Enter, or Cmd+Enter, creates.
fn submit_on_ctrl_enter(event: KeyboardEvent, create: ServerAction<CreatePictures>) {
    if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
        event.prevent_default();
        if create.pending().get_untracked() {
            return;
        }
        let area = event.target().and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
        if let Some(form) = area.and_then(|area| area.form()) {
            let _ = form.request_submit();
        }
    }
}

/// Aspect ratios as large, tappable chips.
#[component]
fn SizeChips(#[prop(into)] facts: Signal<Option<Facts>>, chosen: String) -> impl IntoView {
    let chips = move || {
        let card = facts.get().and_then(|facts| facts.card().cloned());
        let sizes = sizes(card.as_ref());
        let known = sizes.iter().any(|(size, _, _)| *size == chosen);
        let extra = (!known && !chosen.is_empty()).then(|| (chosen.clone(), (1, 1), "As before"));
        sizes
            .into_iter()
            .chain(extra)
            .enumerate()
            .map(|(at, (size, (w, h), name))| {
                let checked = if chosen.is_empty() { at == 0 } else { size == chosen };
                view! {
                    <label class="chip chip-choice">
                        <input class="sr-only" type="radio" name="size" value=size checked=checked />
                        <svg
                            class="h-4 w-4 shrink-0"
                            viewBox=format!("0 0 {} {}", w.max(h), w.max(h))
                            aria-hidden="true"
                        >
                            <rect
                                x=f64::from(w.max(h) - w) / 2.0
                                y=f64::from(w.max(h) - h) / 2.0
                                width=w
                                height=h
                                rx=f64::from(w.max(h)) / 8.0
                                fill="currentColor"
                            />
                        </svg>
                        {name}
                    </label>
                }
            })
            .collect_view()
    };
    view! {
        <fieldset class="scroll-row">
            <legend class="sr-only">"Shape"</legend>
            {chips}
        </fieldset>
    }
}

/// Sizes for the aspect ratios, as the model can make them.
fn sizes(card: Option<&ModelCard>) -> Vec<(String, (u32, u32), &'static str)> {
    ASPECTS
        .into_iter()
        .map(|(w, h, name)| {
            let size = card.map(|card| card.size_for(w, h)).map(|(w, h)| format!("{w}x{h}")).unwrap_or_default();
            (size, (w, h), name)
        })
        .collect()
}

/// What is left today. Nothing is said until it is known.
#[component]
fn CreditsLine(#[prop(into)] facts: Signal<Option<Facts>>) -> impl IntoView {
    move || {
        facts.get().map(|facts| {
            view! {
                <p class="text-muted text-sm whitespace-nowrap" data-credits=facts.credits.credits_left>
                    {format!("{} left today", facts.credits.credits_left)}
                </p>
            }
        })
    }
}

/// Everything most people never need.
#[component]
fn MoreSettings(#[prop(into)] facts: Signal<Option<Facts>>, prefill: ComposerForm) -> impl IntoView {
    let card = move || facts.get().and_then(|facts| facts.card().cloned());
    let hint = move |of: fn(&ModelCard) -> String| card().as_ref().map(of).unwrap_or_default();
    let count = if prefill.count.is_empty() { "4".to_owned() } else { prefill.count.clone() };
    let counts =
        ["1", "2", "4", "8"].map(|number| view! { <option value=number selected=number == count>{number}</option> });
    let open = prefill.has_settings();
    view! {
        <details class="settings" open=open>
            <summary>"Settings"</summary>
            <div class="grid grid-cols-2 gap-4 pt-3 sm:grid-cols-4">
                <label class="field">
                    "Pictures"
                    <select name="count">{counts.to_vec()}</select>
                </label>
                <label class="field">
                    "Seed"
                    <input name="seed" inputmode="numeric" placeholder="random" value=prefill.seed />
                </label>
                <label class="field">
                    "Steps"
                    <input
                        name="steps"
                        inputmode="numeric"
                        placeholder=move || hint(|card| card.default_steps.to_string())
                        value=prefill.steps
                    />
                </label>
                <label class="field">
                    "Guidance"
                    <input
                        name="guidance"
                        inputmode="decimal"
                        placeholder=move || hint(|card| card.default_guidance.to_string())
                        value=prefill.guidance
                    />
                </label>
                <label class="field col-span-2 sm:col-span-4">
                    "Keep away from"
                    <input name="negative" placeholder="for example: people, text" value=prefill.negative />
                </label>
            </div>
        </details>
    }
}
