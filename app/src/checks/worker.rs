//! The web worker that answers challenges; nothing of it is loaded before one comes. Its program is `proof/`.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::Reflect;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

const SCRIPT: &str = "/proof/worker.js";

/// Ends the worker when nobody waits for it any more.
struct Running(Worker);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.terminate();
    }
}

/// Answers a challenge, given as JSON. `progress` hears how many numbers were tried, of how many at most.
pub async fn solve(altcha: &str, progress: impl Fn(u32, u32) + 'static) -> Option<String> {
    let challenge = js_sys::JSON::parse(altcha).ok()?;
    let most = ["parameters", "data", "most"]
        .into_iter()
        .try_fold(challenge.clone(), |value, name| Reflect::get(&value, &JsValue::from_str(name)).ok())
        .and_then(|most| most.as_f64())
        .map_or(1, |most| most as u32);
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let worker = Running(Worker::new_with_options(SCRIPT, &options).ok()?);
    let (found, answer) = oneshot::channel();
    let found = Rc::new(RefCell::new(Some(found)));
    let end = {
        let found = found.clone();
        move |answer: Option<String>| {
            if let Some(found) = found.borrow_mut().take() {
                let _ = found.send(answer);
            }
        }
    };
    let on_message = {
        let end = end.clone();
        Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let said = |name: &str| Reflect::get(&event.data(), &JsValue::from_str(name)).ok();
            match said("tried").and_then(|tried| tried.as_f64()) {
                Some(tried) => progress(tried as u32, most),
                None => end(said("answer").and_then(|answer| answer.as_string())),
            }
        })
    };
    // Its script or its program could not be loaded.
    let on_error = Closure::<dyn Fn()>::new(move || end(None));
    worker.0.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.0.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    worker.0.post_message(&challenge).ok()?;
    answer.await.ok().flatten()
}
