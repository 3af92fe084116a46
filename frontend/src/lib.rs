//! Hydrates the pages, and nothing else.

#![recursion_limit = "512"]

use leptos::prelude::{document, window};
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the WebAssembly has arrived. Waits for the code of the page's own route, where that comes
/// in a file of its own.
#[wasm_bindgen]
pub async fn hydrate() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        fall_back(&panic.to_string());
    }));
    let Some(body) = document().body() else { return };
    leptos::mount::hydrate_from_async(body, app::App).await.forget();
    // Says that the page now answers at once; tests wait for it.
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}

/// What an expectation says when the code of a page could not be loaded: a flaky network, or a deployment that has taken
/// it away.
const NOT_LOADED: &str = "load callback should succeed";

/// From here on the page is one without scripts, which all pages are written for: `app/src/early.js` leaves links and
/// forms to the browser. Where only the next page's code did not come, the server is asked for that page.
fn fall_back(panic: &str) {
    let Some(root) = document().document_element() else { return };
    let was_alive = root.has_attribute("data-hydrated");
    let _ = root.set_attribute("data-broken", "");
    let _ = root.remove_attribute("data-hydrated");
    // A page that could not begin would only begin again.
    if was_alive && panic.contains(NOT_LOADED) {
        let _ = match root.get_attribute("data-going") {
            Some(address) => window().location().assign(&address),
            None => window().location().reload(),
        };
    }
}
