//! A photo to begin from: chosen, dropped or pasted.

mod card;
mod upload;

pub use card::PhotoCard;

use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use crate::error::PageError;
use crate::ui::ErrorNotice;

/// Why the photo that a form without scripts sent is not taken: put into the page's context by whoever answers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhotoProblem(pub PageError);

/// `/photo`
#[component]
pub fn PhotoPage() -> impl IntoView {
    // Known on the server only, and travels with the page.
    let problem = SharedValue::new(|| use_context::<PhotoProblem>().map(|PhotoProblem(error)| error)).into_inner();
    view! {
        <Title text="Begin from a photo" />
        <section class="max-w-2xl pt-8 sm:pt-14">
            <h1 class="words mb-3 text-3xl sm:text-5xl">"Begin from a photo"</h1>
            <p class="text-muted mb-6">
                "Only you can see it. Where and when it was taken is removed at once, and the photo is deleted after three days."
            </p>
            <PhotoCard />
            {problem.map(|error| view! { <ErrorNotice error /> })}
        </section>
    }
}
