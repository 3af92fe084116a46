use domain::examples::{STYLES, StylePreset, example_picture};
use domain::{ModelCard, price};
use leptos::ev::KeyboardEvent;
use leptos::html::Textarea;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement, HtmlTextAreaElement};

use super::api::{CreatePictures, Facts};
use super::request::request_from_form;
use super::settings::{ASPECTS, ComposerForm};
use crate::job::time::about;
use crate::ui::busy;

/// The prompt, its settings, and the button.
#[component]
pub fn Composer(
    create: ServerAction<CreatePictures>,
    prompt: RwSignal<String>,
    prefill: ComposerForm,
    /// The box. It is not bound: what somebody typed before the scripts arrived must stay.
    area: NodeRef<Textarea>,
    #[prop(into)] facts: Signal<Option<Facts>>,
) -> impl IntoView {
    let first = prompt.get_untracked();
    let chosen = prefill.clone();
    // What the form says now, for its price; what was chosen before the scripts came is read when they have.
    let asked = RwSignal::new(Some(ComposerForm { prompt: first.clone(), ..prefill.clone() }));
    Effect::new(move |_| {
        if let Some(form) = area.get().and_then(|area| area.form()) {
            asked.set(said_by(&form));
        }
    });
    // Each job made here is a step on from the one before it.
    let parent = RwSignal::new(prefill.parent.clone());
    let follow = Effect::watch(
        move || create.value().get(),
        move |made, _, _| {
            if let Some(Ok(job)) = made {
                parent.set(job.id.to_string());
            }
        },
        false,
    );
    on_cleanup(move || follow.stop());
    view! {
        <ActionForm action=create attr:aria-busy=busy(create) attr:class="composer" on:input=move |event| asked.set(form_of(&event))>
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
                aria-keyshortcuts="/"
                node_ref=area
                on:keydown=move |event| submit_on_ctrl_enter(event, create)
            >
                {first}
            </textarea>
            <input type="hidden" name="parent" value=chosen.parent.clone() prop:value=move || parent.get() />
            <SizeChips facts chosen=chosen.size.clone() />
            <StyleChips chosen=chosen.style.clone() />
            <div class="composer-end">
                <MoreSettings facts prefill=chosen />
                <div class="composer-go">
                    <CreditsLine facts asked />
                    <button class="button-accent" type="submit">
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

/// Manners to draw in, each with a picture of what it does to the same scene.
#[component]
fn StyleChips(chosen: String) -> impl IntoView {
    let none = StylePreset::find(&chosen).is_none();
    let chips = STYLES.map(|StylePreset { slug, title, .. }| {
        view! {
            <label class="chip chip-choice chip-picture">
                <input class="sr-only" type="radio" name="style" value=slug checked=slug == chosen />
                <img src=example_picture(slug) width="128" height="128" alt="" loading="lazy" decoding="async" />
                {title}
            </label>
        }
    });
    view! {
        <fieldset class="scroll-row">
            <legend class="sr-only">"Style"</legend>
            <label class="chip chip-choice">
                <input class="sr-only" type="radio" name="style" value="" checked=none />
                "Any style"
            </label>
            {chips.into_iter().collect_view()}
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

/// What it costs, and what is left today. Nothing is said until it is known.
#[component]
fn CreditsLine(#[prop(into)] facts: Signal<Option<Facts>>, asked: RwSignal<Option<ComposerForm>>) -> impl IntoView {
    move || {
        facts.get().map(|facts| {
            let price = asked.get().and_then(|form| price_of(form, &facts.models));
            let form = asked.get();
            let model = form.map(|form| form.model).filter(|model| !model.is_empty());
            let model = model.or_else(|| facts.card().map(|card| card.name.clone()));
            let wait =
                model.and_then(|model| facts.wait(&model)).map(|[low, high]| format!("lately {} · ", about(low, high)));
            let cost = price.map(|price| view! { <span data-price=price>{credits(price)} " · "</span> });
            view! {
                <p class="text-muted text-sm text-balance text-end" data-credits=facts.credits.credits_left>
                    {cost} {wait}
                    {format!("{} left today", facts.credits.credits_left)}
                </p>
            }
        })
    }
}

fn credits(price: u32) -> String {
    if price == 1 { "1 credit".to_owned() } else { format!("{price} credits") }
}

/// What the form would cost, by the rules that the server goes by. `None` where it would be refused.
fn price_of(form: ComposerForm, models: &[ModelCard]) -> Option<u32> {
    // An empty box has a price, too: what it costs does not hang on the words.
    let prompt = if form.prompt.trim().is_empty() { "words".to_owned() } else { form.prompt };
    let request = request_from_form(ComposerForm { prompt, ..form }).ok()?.validate(models, 0).ok()?;
    let card = models.iter().find(|card| card.name == request.model)?;
    Some(price::price(&request, card))
}

/// What a form's fields say. `None` where the event is of no form.
fn form_of(event: &web_sys::Event) -> Option<ComposerForm> {
    let target = event.current_target().or_else(|| event.target())?;
    said_by(&target.dyn_into::<HtmlFormElement>().ok()?)
}

/// What a form's fields say, as far as its price hangs on them.
fn said_by(form: &HtmlFormElement) -> Option<ComposerForm> {
    let data = FormData::new_with_form(form).ok()?;
    let said = |name: &str| data.get(name).as_string().unwrap_or_default();
    Some(ComposerForm {
        prompt: said("prompt"),
        model: said("model"),
        size: said("size"),
        count: said("count"),
        steps: said("steps"),
        guidance: said("guidance"),
        ..ComposerForm::default()
    })
}

/// Which model draws, where there are several.
#[component]
fn ModelChoice(#[prop(into)] facts: Signal<Option<Facts>>, chosen: String) -> impl IntoView {
    move || {
        let facts = facts.get();
        let wait = |name: &str| facts.as_ref().and_then(|facts| facts.wait(name));
        let cards = facts.as_ref().map(|facts| facts.models.as_slice()).unwrap_or_default();
        let drawing: Vec<&ModelCard> = cards.iter().filter(|card| !card.upscales()).collect();
        let options = drawing
            .iter()
            .map(|card| {
                let selected = card.name == chosen;
                let lately = wait(&card.name).map(|[low, high]| format!(" (lately {})", about(low, high)));
                view! {
                    <option value=card.name.clone() selected=selected>
                        {card.title.clone()}
                        {lately}
                    </option>
                }
            })
            .collect_view();
        (drawing.len() > 1).then(|| {
            view! {
                <label class="field col-span-2">"Model" <select name="model">{options}</select></label>
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
    let usual = ["1", "2", "4", "8"];
    let extra = (!usual.contains(&count.as_str()) && count.parse::<u32>().is_ok()).then(|| count.clone());
    let counts = usual.into_iter().map(str::to_owned).chain(extra);
    let counts = counts
        .map(|number| {
            let selected = number == count;
            let name = number.clone();
            view! { <option value=number selected=selected>{name}</option> }
        })
        .collect_view();
    let open = prefill.has_settings();
    view! {
        <details class="settings" open=open>
            <summary>"Settings"</summary>
            <div class="grid grid-cols-2 gap-4 pt-3 sm:grid-cols-4">
                <ModelChoice facts chosen=prefill.model.clone() />
                <label class="field">
                    "Pictures"
                    <select name="count">{counts}</select>
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
                <p class="col-span-2 text-sm sm:col-span-4">
                    <a class="footer-link" href="/rewrite">
                        "Take a sentence from a script apart"
                    </a>
                </p>
            </div>
        </details>
    }
}
