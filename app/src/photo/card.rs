use domain::OutputId;
use leptos::ev::{DragEvent, Event};
use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, DataTransfer, File};

use super::upload::{Outcome, Upload};
use crate::create::settings::picture_link;
use crate::error::PageError;
use crate::ui::ErrorNotice;

/// What the file chooser offers first; what a file is, the server sees by itself.
const ACCEPTED: &str = "image/jpeg,image/png,image/webp,image/gif,image/*";

/// How the card stands.
#[derive(Clone, Debug)]
enum Standing {
    Idle,
    /// On its way: how much of it, from 0 to 1; after that it is being looked at.
    Sending(f64),
    Refused(Box<PageError>),
}

/// A large card to tap: camera or gallery on a phone; on a desktop a photo may also be dropped on it, or pasted. Without
/// scripts it is a form.
#[component]
pub fn PhotoCard() -> impl IntoView {
    let standing = RwSignal::new(Standing::Idle);
    let dragged = RwSignal::new(false);
    // Nothing of the browser's is made on the server, where another thread may drop it.
    let upload = StoredValue::new(None::<SendWrapper<Upload>>);
    let taken = RwSignal::new(None::<OutputId>);
    let input = NodeRef::<Input>::new();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(photo) = taken.get() {
            navigate(&picture_link(photo), leptos_router::NavigateOptions::default());
        }
    });
    let send = move |file: File| {
        upload.set_value(None);
        standing.set(Standing::Sending(0.0));
        let started = Upload::start(
            &file,
            move |part| standing.set(Standing::Sending(part)),
            move |outcome| match outcome {
                Outcome::Taken(photo) => taken.set(Some(photo)),
                Outcome::Refused(error) => standing.set(Standing::Refused(error)),
            },
        );
        upload.set_value(started.map(SendWrapper::new));
    };
    let take = move |file: Option<File>| {
        if let Some(file) = file {
            send(file);
        }
    };
    // A photo pasted anywhere on the page; text that is pasted goes where it should.
    let pasting = window_event_listener(leptos::ev::paste, move |event: ClipboardEvent| {
        if let Some(file) = event.clipboard_data().and_then(|data| first_picture(&data)) {
            event.prevent_default();
            take(Some(file));
        }
    });
    on_cleanup(move || pasting.remove());
    let cancel = move |_| {
        upload.set_value(None);
        standing.set(Standing::Idle);
        // The same file may be chosen again.
        if let Some(input) = input.get_untracked() {
            input.set_value("");
        }
    };
    // Apart from each other, so that the button stays the same one while the number grows.
    let part = Memo::new(move |_| if let Standing::Sending(part) = standing.get() { part } else { 0.0 });
    let sending = Memo::new(move |_| matches!(standing.get(), Standing::Sending(_)));
    view! {
        <form
            class="photo-card"
            class:photo-over=move || dragged.get()
            method="post"
            action="/photo"
            enctype="multipart/form-data"
            on:dragover=move |event: DragEvent| {
                event.prevent_default();
                dragged.set(true);
            }
            on:dragleave=move |_| dragged.set(false)
            on:drop=move |event: DragEvent| {
                event.prevent_default();
                dragged.set(false);
                take(event.data_transfer().and_then(|data| first_picture(&data)));
            }
        >
            <label class="photo-label">
                <svg class="h-8 w-8 shrink-0" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" aria-hidden="true">
                    <path d="M4 8h3l1.6-2.4h6.8L17 8h3v11H4Z" stroke-linejoin="round" />
                    <circle cx="12" cy="13" r="3.4" />
                </svg>
                <span>
                    <span class="block text-lg">"Begin from a photo"</span>
                    <span class="text-muted block text-sm photo-touch">"Camera or gallery"</span>
                    <span class="text-muted block text-sm photo-mouse">"Choose one, drop it here, or paste it"</span>
                </span>
                <input
                    class="photo-input"
                    data-sends=""
                    type="file"
                    name="photo"
                    accept=ACCEPTED
                    node_ref=input
                    on:change=move |event: Event| {
                        let input = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
                        take(input.and_then(|input| input.files()).and_then(|files| files.get(0)));
                    }
                />
            </label>
            <button class="button-accent no-script-only" type="submit">
                "Use this photo"
            </button>
            <Show when=move || sending.get()>
                <div class="photo-progress">
                    <progress class="check-progress" max="1" value=part aria-label="Sending the photo"></progress>
                    <span class="text-muted text-sm">
                        {move || if part.get() < 1.0 { format!("Sending, {:.0} %", part.get() * 100.0) } else { "Looking at it…".to_owned() }}
                    </span>
                    <button class="button-quiet" type="button" on:click=cancel>
                        "Cancel"
                    </button>
                </div>
            </Show>
            {move || match standing.get() {
                Standing::Refused(error) => Some(view! { <ErrorNotice error=*error /> }),
                Standing::Idle | Standing::Sending(_) => None,
            }}
        </form>
    }
}

/// The first picture among what was dropped or pasted.
fn first_picture(data: &DataTransfer) -> Option<File> {
    let files = data.files()?;
    (0..files.length()).filter_map(|at| files.get(at)).find(|file| file.type_().starts_with("image/"))
}
