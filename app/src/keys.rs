//! Single keys that do something: whatever says so itself, by `aria-keyshortcuts`, is pressed by its key.

use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, HtmlTextAreaElement, KeyboardEvent, NodeList};

/// Where the choice is kept that single keys do nothing here.
const OFF: &str = "keys-off";
/// What takes letters as text, or keys of its own.
const TYPED_INTO: &str = "input, textarea, select, [contenteditable], [role=application]";

/// What each key does, for people.
const KEYS: [(&str, &str); 8] = [
    ("/", "To the prompt"),
    ("Ctrl + Enter", "Create"),
    ("← →", "From picture to picture"),
    ("v", "Vary a little"),
    ("Shift + V", "Vary a lot"),
    ("u", "Upscale"),
    ("d", "Download"),
    ("?", "This list"),
];

/// The button that opens the list, and the list.
#[component]
pub fn KeyList() -> impl IntoView {
    let rows = KEYS.map(|(key, told)| {
        view! {
            <div class="flex items-baseline justify-between gap-6 py-1.5">
                <dt>
                    <kbd class="key">{key}</kbd>
                </dt>
                <dd>{told}</dd>
            </div>
        }
    });
    let on = RwSignal::new(true);
    Effect::new(move |_| on.set(are_on()));
    view! {
        <button class="footer-link needs-script" type="button" popovertarget="keys" aria-haspopup="dialog" aria-keyshortcuts="?">
            "Keyboard"
        </button>
        <div class="sheet text-ink" id="keys" popover="auto" role="dialog" aria-labelledby="keys-title">
            <div class="px-3 pt-1 pb-3">
                <h2 class="words mb-3 text-xl" id="keys-title">
                    "Keys"
                </h2>
                <dl class="mb-3">{rows.into_iter().collect_view()}</dl>
                <label class="flex min-h-[44px] items-center gap-3">
                    <input
                        class="h-5 w-5"
                        type="checkbox"
                        autofocus
                        prop:checked=move || on.get()
                        on:change=move |event| {
                            on.set(event_target_checked(&event));
                            turn(on.get_untracked());
                        }
                    />
                    "Single keys do something"
                </label>
            </div>
        </div>
    }
}

/// Starts to listen. To be called in the browser, once.
pub fn watch() {
    let callback = Closure::<dyn Fn(KeyboardEvent)>::new(|event: KeyboardEvent| {
        if let Some(name) = shortcut(&event)
            && are_on()
            && press(&name)
        {
            event.prevent_default();
        }
    });
    let _ = document().add_event_listener_with_callback("keydown", callback.as_ref().unchecked_ref());
    // For as long as the page is open.
    callback.forget();
}

/// The key as `aria-keyshortcuts` would name it, unless it is meant for something else.
fn shortcut(event: &KeyboardEvent) -> Option<String> {
    let taken = event.default_prevented() || event.is_composing() || event.repeat();
    if taken || event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    if target.is_some_and(|target| target.matches(TYPED_INTO).unwrap_or(false)) {
        return None;
    }
    let key = event.key();
    match key.as_str() {
        "/" | "?" | "ArrowLeft" | "ArrowRight" => Some(key),
        letter if letter.len() == 1 && letter.chars().all(|c| c.is_ascii_alphabetic()) => {
            Some(if event.shift_key() { format!("Shift+{}", letter.to_uppercase()) } else { letter.to_lowercase() })
        }
        _ => None,
    }
}

/// Presses the first thing on the screen that names this key; a box to type into gets the focus.
fn press(name: &str) -> bool {
    // A sheet that is open is all there is; a browser without sheets knows no such selector.
    let within = document().query_selector(":popover-open").ok().flatten().map_or(":root", |_| ":popover-open");
    let named = format!("{within} [aria-keyshortcuts='{name}']");
    let Ok(found) = document().query_selector_all(&named) else { return false };
    let Some(element) = elements(&found).find(|element| element.get_client_rects().length() > 0) else {
        return false;
    };
    if element.matches(TYPED_INTO).unwrap_or(false) {
        let _ = element.focus();
        // What is typed next goes on from what is there.
        if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
            let end = area.value().encode_utf16().count() as u32;
            let _ = area.set_selection_range(end, end);
        }
    } else {
        element.click();
    }
    true
}

fn elements(list: &NodeList) -> impl Iterator<Item = HtmlElement> + '_ {
    (0..list.length()).filter_map(|at| list.get(at)).filter_map(|node| node.dyn_into().ok())
}

fn are_on() -> bool {
    let storage = window().local_storage().ok().flatten();
    storage.and_then(|storage| storage.get_item(OFF).ok().flatten()).is_none()
}

fn turn(on: bool) {
    let Ok(Some(storage)) = window().local_storage() else { return };
    let _: Result<(), JsValue> = if on { storage.remove_item(OFF) } else { storage.set_item(OFF, "1") };
}
