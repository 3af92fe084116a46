//! Listens to the page: passively, so that nothing it does can make scrolling or typing slower.

use std::cell::RefCell;

use domain::Behaviour;
use leptos::prelude::{document, window};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AddEventListenerOptions, Event, EventTarget, KeyboardEvent, PointerEvent};

use super::behaviour::Tally;

thread_local! {
    static TALLY: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// Starts to count. To be called in the browser; again does nothing.
pub fn watch() {
    if TALLY.with_borrow(Option::is_some) {
        return;
    }
    TALLY.set(Some(Tally::default()));
    let (window, page) = (window(), document());
    listen(&page, "pointermove", |event: PointerEvent| {
        if event.pointer_type() == "mouse" {
            count(|tally| tally.moved(event.client_x().into(), event.client_y().into()));
        }
    });
    listen(&page, "pointerdown", |event: PointerEvent| {
        if event.pointer_type() == "touch" {
            count(|tally| tally.touched(event.time_stamp()));
        }
    });
    listen(&page, "keydown", |event: KeyboardEvent| {
        // A key that is held down repeats like a machine, and is none.
        if !event.repeat() {
            count(|tally| tally.pressed(event.time_stamp()));
        }
    });
    listen(&window, "blur", |_: Event| count(Tally::blurred));
}

/// All of it until now, for a request that is being sent.
pub fn summary() -> Behaviour {
    let since_opened = window().performance().map_or(0.0, |performance| performance.now());
    let driven = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("webdriver"));
    let driven = driven.is_ok_and(|value| value.is_truthy());
    TALLY.with_borrow_mut(|tally| tally.get_or_insert_default().summary(since_opened, driven))
}

fn count(add: impl FnOnce(&mut Tally)) {
    TALLY.with_borrow_mut(|tally| tally.as_mut().map(add));
}

fn listen<E: JsCast + 'static>(target: &EventTarget, name: &str, heard: impl Fn(E) + 'static) {
    let callback = Closure::<dyn Fn(Event)>::new(move |event: Event| heard(event.unchecked_into()));
    let options = AddEventListenerOptions::new();
    options.set_passive(true);
    let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
        name,
        callback.as_ref().unchecked_ref(),
        &options,
    );
    // For as long as the page is open.
    callback.forget();
}
