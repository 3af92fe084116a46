use domain::source::{FACTORS, may_upscale};
use domain::{OutputId, ValidRequest};
use leptos::prelude::*;

use super::again::Again;
use super::remix::remix_link;
use crate::create::api::CreatePictures;
use crate::create::settings::picture_link;

/// What can be made from a picture.
#[derive(Clone, Debug)]
pub struct Made {
    pub media: OutputId,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub seed: u64,
    pub request: ValidRequest,
}

/// Everything that can be made from a picture, each with a word about what comes of it: one press, and nothing to
/// imagine first.
#[component]
pub fn GoOn(
    made: Made,
    action: ServerAction<CreatePictures>,
    /// Whether pictures can be made larger here.
    #[prop(into)]
    upscales: Signal<bool>,
    /// A link to where a part can be chosen; left out where that is on the page.
    #[prop(optional)]
    links: bool,
) -> impl IntoView {
    let Made { media, width, height, seed, request } = made;
    let remix = remix_link(&request, Some(seed));
    let larger = move || {
        FACTORS
            .into_iter()
            .filter(|factor| upscales.get() && may_upscale(width, height, *factor))
            .map(|factor| {
                let size = format!("{} by {} pixels", width * factor, height * factor);
                view! { <Choice how=format!("{factor}x") name=format!("Upscale {factor}×") told=size /> }
            })
            .collect_view()
    };
    view! {
        <div class="go-on">
            <ActionForm action attr:class="go-on-list">
                <input type="hidden" name="from" value=media.to_string() />
                <Choice how="little" name="Vary a little" told="The same scene, slightly different" />
                <Choice how="lot" name="Vary a lot" told="The idea stays, much else is new" />
                {larger}
            </ActionForm>
            {links
                .then(|| {
                    view! {
                        <a class="go-on-choice" href=format!("{}?how=part", picture_link(media))>
                            <span>"Change a part…"</span>
                            <span class="go-on-told">"The sky, the ground, one side: the rest stays"</span>
                        </a>
                    }
                })}
            <Again request action class="go-on-choice" told="The same words, a new try" />
            <a class="go-on-choice" href=remix>
                <span>"Remix"</span>
                <span class="go-on-told">"Every setting filled in, for you to change"</span>
            </a>
        </div>
    }
}

#[component]
fn Choice(
    /// What the form says when it is pressed.
    #[prop(into)]
    how: String,
    #[prop(into)] name: String,
    /// What comes of it.
    #[prop(into)]
    told: String,
) -> impl IntoView {
    view! {
        <button class="go-on-choice" type="submit" name="how" value=how>
            <span>{name}</span>
            <span class="go-on-told">{told}</span>
        </button>
    }
}
