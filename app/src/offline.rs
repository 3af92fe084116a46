//! A page of ours where there is no connection; without it the browser shows its own.

use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ServiceWorkerContainer;

/// Asks the browser to keep it. To be called in the browser.
pub fn keep_page() {
    let Some(container) = service_worker() else { return };
    let registered = container.register("/sw.js");
    spawn_local(async move {
        // Refused is as good as absent.
        let _ = JsFuture::from(registered).await;
    });
}

/// The page's way to its service worker. Browsers have none of it on plain HTTP, in some apps, and in some private
/// windows.
pub fn service_worker() -> Option<ServiceWorkerContainer> {
    let container = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("serviceWorker"));
    Some(container.ok().filter(JsValue::is_object)?.unchecked_into())
}
