//! A page of ours where there is no connection; without it the browser shows its own.

use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ServiceWorkerContainer;

/// Asks the browser to keep it. To be called in the browser.
pub fn keep_page() {
    // Browsers have none of it on plain HTTP, in some apps, and in some private windows.
    let container = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("serviceWorker"));
    let Some(container) = container.ok().filter(JsValue::is_object) else { return };
    let registered = container.unchecked_into::<ServiceWorkerContainer>().register("/sw.js");
    spawn_local(async move {
        // Refused is as good as absent.
        let _ = JsFuture::from(registered).await;
    });
}
