//! Sending a file with word of how far it is. `fetch` can't say that about what it sends.

use domain::{OutputId, Problem};
use serde::Deserialize;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{File, ProgressEvent, XmlHttpRequest};

use crate::error::PageError;

/// What came of it.
pub enum Outcome {
    Taken(OutputId),
    Refused(Box<PageError>),
}

/// A file on its way. Dropping it stops it: nobody would hear the answer, and nothing of it is kept.
pub struct Upload {
    request: XmlHttpRequest,
    _sent: Closure<dyn FnMut(ProgressEvent)>,
    _answered: Closure<dyn FnMut()>,
    _failed: Closure<dyn FnMut()>,
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Ok(upload) = self.request.upload() {
            upload.set_onprogress(None);
        }
        self.request.set_onload(None);
        self.request.set_onerror(None);
        let _ = self.request.abort();
    }
}

#[derive(Deserialize)]
struct Photo {
    id: OutputId,
}

impl Upload {
    /// Starts to send; `None` where the browser won't. `progress`: the part that was sent, from 0 to 1.
    pub fn start(
        file: &File,
        progress: impl Fn(f64) + 'static,
        done: impl Fn(Outcome) + Clone + 'static,
    ) -> Option<Self> {
        let request = XmlHttpRequest::new().ok()?;
        request.open("POST", "/api/v1/photos").ok()?;
        let sent = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
            if event.length_computable() && event.total() > 0.0 {
                progress(event.loaded() / event.total());
            }
        });
        let answered = {
            let (request, done) = (request.clone(), done.clone());
            Closure::<dyn FnMut()>::new(move || done(outcome(&request)))
        };
        let failed = Closure::<dyn FnMut()>::new(move || done(Outcome::Refused(Box::new(PageError::offline()))));
        request.upload().ok()?.set_onprogress(Some(sent.as_ref().unchecked_ref()));
        request.set_onload(Some(answered.as_ref().unchecked_ref()));
        request.set_onerror(Some(failed.as_ref().unchecked_ref()));
        request.send_with_opt_blob(Some(file)).ok()?;
        Some(Self { request, _sent: sent, _answered: answered, _failed: failed })
    }
}

fn outcome(request: &XmlHttpRequest) -> Outcome {
    let body = request.response_text().ok().flatten().unwrap_or_default();
    if request.status().is_ok_and(|status| status == 201)
        && let Ok(photo) = serde_json::from_str::<Photo>(&body)
    {
        return Outcome::Taken(photo.id);
    }
    let problem = serde_json::from_str::<Problem>(&body);
    Outcome::Refused(Box::new(problem.map_or_else(|_| PageError::offline(), |problem| PageError::told(&problem))))
}
