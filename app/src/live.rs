//! Following a job in the browser: server-sent events, and polling where those fail.

use std::time::Duration;

use domain::{JobEvent, JobId, JobView, StepProgress};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{EventSource, MessageEvent};

use crate::job::api::read_job;

/// How often a job is asked for when events don't come through.
const POLL: Duration = Duration::from_secs(2);

/// A job as the page follows it.
#[derive(Clone, Copy, Debug)]
pub struct LiveJob {
    pub view: RwSignal<JobView>,
    /// Latest step of each picture that is being made.
    pub steps: RwSignal<Vec<StepProgress>>,
}

impl LiveJob {
    /// Starts from what is known and, in the browser, follows the job until it ends.
    pub fn follow(view: JobView) -> Self {
        let live = Self { view: RwSignal::new(view), steps: RwSignal::new(Vec::new()) };
        // Effects run in the browser only: on the server this does nothing.
        Effect::new(move |_| {
            if !live.view.with_untracked(|view| view.status.is_final()) {
                live.listen();
            }
        });
        live
    }

    fn listen(self) {
        let id = self.view.with_untracked(|view| view.id);
        let Ok(source) = EventSource::new(&format!("/api/v1/generations/{id}/events")) else {
            self.poll(id);
            return;
        };
        let closing = source.clone();
        on_cleanup({
            let source = send_wrapper::SendWrapper::new(source.clone());
            move || source.close()
        });
        let on_state = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(view) = parse::<JobView>(&event) {
                if view.status.is_final() {
                    closing.close();
                }
                self.take(JobEvent::State(Box::new(view)));
            }
        });
        let on_progress = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(progress) = parse::<StepProgress>(&event) {
                self.take(JobEvent::Progress(progress));
            }
        });
        let failed = source.clone();
        let on_error = Closure::<dyn FnMut()>::new(move || {
            // The browser reconnects by itself unless the stream was refused for good.
            if failed.ready_state() == EventSource::CLOSED {
                self.poll(id);
            }
        });
        for (name, callback) in [("state", &on_state), ("progress", &on_progress)] {
            let _ = source.add_event_listener_with_callback(name, callback.as_ref().unchecked_ref());
        }
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // They live as long as the page: there are three per job that was watched.
        on_state.forget();
        on_progress.forget();
        on_error.forget();
    }

    fn poll(self, id: JobId) {
        if self.view.try_with_untracked(|view| view.status.is_final()) != Some(false) {
            return;
        }
        set_timeout(
            move || {
                spawn_local(async move {
                    match read_job(id.to_string()).await {
                        Ok(view) => self.take(JobEvent::State(Box::new(view))),
                        // Gone, or another browser's: asking again will not bring it back.
                        Err(error) if error.code == "not_found" => return,
                        Err(_) => {}
                    }
                    self.poll(id);
                });
            },
            POLL,
        );
    }

    fn take(self, event: JobEvent) {
        match event {
            JobEvent::State(view) => {
                let _ = self.steps.try_update(|steps| {
                    steps.retain(|step| view.outputs.iter().all(|output| output.index != step.index));
                });
                let _ = self.view.try_set(*view);
            }
            JobEvent::Progress(mut progress) => {
                let _ = self.steps.try_update(|steps| {
                    match steps.iter_mut().find(|step| step.index == progress.index) {
                        Some(step) => {
                            // A step without a picture keeps the one before it on the page.
                            progress.preview = progress.preview.or_else(|| step.preview.take());
                            *step = progress;
                        }
                        None => steps.push(progress),
                    }
                });
            }
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(event: &MessageEvent) -> Option<T> {
    serde_json::from_str(&event.data().as_string()?).ok()
}
