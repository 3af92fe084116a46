//! Word from the browser that something is done, for people who have gone to another tab: only where they asked for it.

use domain::JobState;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationOptions, NotificationPermission, ServiceWorkerRegistration};

use crate::live::LiveJob;

/// Waits shorter than this are not worth a question, in seconds.
const WORTH_ASKING: f64 = 15.0;

/// A button beside a job that takes long. Nobody is asked for a permission before they press it.
#[component]
pub fn TellMe(live: LiveJob) -> impl IntoView {
    let can = RwSignal::new(false);
    let wanted = RwSignal::new(false);
    Effect::new(move |_| can.set(is_supported() && Notification::permission() != NotificationPermission::Denied));
    let long = Memo::new(move |_| {
        live.view.with(|view| {
            !view.status.is_final() && view.eta_range_seconds.is_some_and(|[_, high]| high >= WORTH_ASKING)
        })
    });
    // Asked for once, it stays until the end, however short the rest becomes.
    Effect::new(move |_| {
        let (status, words) = live.view.with(|view| (view.status, view.request.prompt.clone()));
        let address = live.view.with_untracked(|view| format!("/g/{}", view.id));
        if status.is_final() && status != JobState::Cancelled && wanted.get_untracked() && document().hidden() {
            wanted.set(false);
            spawn_local(tell(status, words, address));
        }
    });
    let ask = move |_| {
        spawn_local(async move {
            let Ok(asked) = Notification::request_permission() else { return };
            let answer = JsFuture::from(asked).await;
            let granted = answer.is_ok_and(|answer| answer.as_string().as_deref() == Some("granted"));
            let _ = wanted.try_set(granted);
            let _ = can.try_set(granted);
        });
    };
    view! {
        <Show when=move || can.get() && (long.get() || wanted.get())>
            <button class="button-quiet" type="button" aria-pressed=move || wanted.get().to_string() on:click=ask>
                {move || if wanted.get() { "You will be told" } else { "Tell me when it is done" }}
            </button>
        </Show>
    }
}

fn is_supported() -> bool {
    js_sys::Reflect::has(&window(), &JsValue::from_str("Notification")).unwrap_or(false)
}

/// Phones take it from a service worker only, some desktops have none: whichever works.
async fn tell(status: JobState, words: String, address: String) {
    let title = if status == JobState::Succeeded {
        "Your pictures are ready"
    } else {
        "It could not be made. Your credits are back."
    };
    let options = NotificationOptions::new();
    options.set_body(&words);
    options.set_icon("/icon-192.png");
    options.set_tag(&address);
    options.set_data(&JsValue::from_str(&address));
    if let Some(worker) = registration().await {
        let shown = worker.show_notification_with_options(title, &options);
        if let Ok(shown) = shown
            && JsFuture::from(shown).await.is_ok()
        {
            return;
        }
    }
    let _ = Notification::new_with_options(title, &options);
}

async fn registration() -> Option<ServiceWorkerRegistration> {
    let container = crate::offline::service_worker()?;
    let found = JsFuture::from(container.get_registration()).await.ok()?;
    found.is_object().then(|| wasm_bindgen::JsCast::unchecked_into(found))
}
