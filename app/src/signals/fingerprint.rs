//! A fingerprint of the browser: a hash of a few things it tells every page. No canvas, no WebGL, no sound, and never
//! the things themselves: only the hash leaves the browser.

use std::cell::OnceCell;

use leptos::prelude::{document, window};
use sha2::{Digest, Sha256};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

/// Fonts that some systems have and others don't.
const FONTS: [&str; 12] = [
    "Arial",
    "Calibri",
    "Cantarell",
    "DejaVu Sans",
    "Helvetica Neue",
    "Liberation Sans",
    "Noto Sans",
    "Roboto",
    "SF Pro Text",
    "Segoe UI",
    "Tahoma",
    "Ubuntu",
];
/// Wide and narrow letters: two fonts seldom agree about all of them.
const SAMPLE: &str = "mmmwwwiiilll0Oo@";

thread_local! {
    static MADE: OnceCell<String> = const { OnceCell::new() };
}

/// 64 hexadecimal digits; none where the browser asks not to be tracked (Global Privacy Control) or the operator has
/// switched fingerprints off.
pub fn fingerprint() -> Option<String> {
    wanted().then(|| MADE.with(|made| made.get_or_init(|| digest(&facts())).clone()))
}

fn wanted() -> bool {
    let switch = document().document_element().and_then(|root| root.get_attribute("data-fingerprints"));
    switch.as_deref() == Some("on") && !of_navigator("globalPrivacyControl").is_truthy()
}

fn of_navigator(name: &str) -> JsValue {
    js_sys::Reflect::get(&window().navigator(), &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn facts() -> Vec<String> {
    let navigator = window().navigator();
    let screen = window().screen().ok();
    let side = |of: fn(&web_sys::Screen) -> Result<i32, JsValue>| screen.as_ref().and_then(|s| of(s).ok()).unwrap_or(0);
    let (width, height) = (side(web_sys::Screen::width), side(web_sys::Screen::height));
    let languages: Vec<String> = navigator.languages().iter().filter_map(|language| language.as_string()).collect();
    vec![
        // Turning a phone makes no other browser of it.
        format!("{}x{}", width.max(height), width.min(height)),
        side(web_sys::Screen::color_depth).to_string(),
        languages.join(","),
        navigator.platform().unwrap_or_default(),
        time_zone(),
        navigator.hardware_concurrency().to_string(),
        fonts().unwrap_or_default(),
    ]
}

fn time_zone() -> String {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    js_sys::Reflect::get(&format.resolved_options(), &JsValue::from_str("timeZone"))
        .ok()
        .and_then(|zone| zone.as_string())
        .unwrap_or_default()
}

/// Which of the fonts are here, as ones and zeros: text set in one that is not has the width of the font behind it.
fn fonts() -> Option<String> {
    let page = document();
    let probe: HtmlElement = page.create_element("span").ok()?.dyn_into().ok()?;
    probe.set_text_content(Some(SAMPLE));
    probe.set_attribute("aria-hidden", "true").ok()?;
    let style = probe.style();
    for (name, value) in
        [("position", "absolute"), ("left", "-9999px"), ("white-space", "nowrap"), ("font-size", "72px")]
    {
        style.set_property(name, value).ok()?;
    }
    page.body()?.append_child(&probe).ok()?;
    let width = |family: &str| {
        let _ = style.set_property("font-family", family);
        probe.offset_width()
    };
    let behind = ["monospace", "serif"].map(|family| (family, width(family)));
    let here = |font: &str| behind.iter().any(|(family, plain)| width(&format!("'{font}', {family}")) != *plain);
    let found = FONTS.iter().map(|font| if here(font) { '1' } else { '0' }).collect();
    probe.remove();
    Some(found)
}

/// The hash of these, each with its length, so that no two lists are the same bytes.
fn digest(facts: &[String]) -> String {
    let mut hash = Sha256::new_with_prefix(b"mindseye fingerprint 1");
    for fact in facts {
        hash.update((fact.len() as u64).to_be_bytes());
        hash.update(fact);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn a_fingerprint_is_64_digits_and_depends_on_everything() {
        let list = |facts: &[&str]| digest(&facts.iter().map(|fact| (*fact).to_owned()).collect::<Vec<_>>());
        let one = list(&["1920x1080", "24"]);
        assert!(one.len() == 64 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
        assert_eq!(one, list(&["1920x1080", "24"]));
        assert_ne!(one, list(&["1920x1080", "30"]));
        assert_ne!(one, list(&["1920x10802", "4"]));
    }
}
