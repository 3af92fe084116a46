//! Hydrates the pages, and nothing else.

#![recursion_limit = "512"]

use leptos::prelude::document;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the WebAssembly has arrived. Waits for the code of the page's own route, where that comes
/// in a file of its own.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let Some(body) = document().body() else { return };
    leptos::mount::hydrate_from_async(body, app::App).await.forget();
    // Says that the page now answers at once; tests wait for it.
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}
