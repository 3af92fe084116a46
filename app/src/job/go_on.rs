use domain::source::{FACTORS, may_upscale};
use domain::{JobId, OutputId, ValidRequest};
use leptos::prelude::*;

use super::again::Again;
use super::remix::remix_link;
use crate::compare::compare_link;
use crate::create::api::CreatePictures;
use crate::create::settings::picture_link;
use crate::ui::{CopyButton, busy};

/// What can be made from a picture.
#[derive(Clone, Debug)]
pub struct Made {
    pub media: OutputId,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub seed: u64,
    pub job: JobId,
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
    /// What was said before about what should be different.
    #[prop(optional)]
    but: String,
) -> impl IntoView {
    let Made { media, width, height, seed, job, request } = made;
    let beside = request.source.as_ref().map(|source| compare_link(source.media, media));
    let (words, request_words) = (request.prompt.clone(), request.prompt.clone());
    let remix = remix_link(&request, job, Some(seed));
    let larger = move || {
        FACTORS
            .into_iter()
            .filter(|factor| upscales.get() && may_upscale(width, height, *factor))
            .map(|factor| {
                let size = format!("{} by {} pixels", width * factor, height * factor);
                view! { <Choice how=format!("{factor}x") name=format!("Upscale {factor}×") told=size key=if factor == FACTORS[0] { "u" } else { "" } /> }
            })
            .collect_view()
    };
    view! {
        <div class="go-on">
            <ActionForm action attr:aria-busy=busy(action) attr:class="but">
                <input type="hidden" name="from" value=media.to_string() />
                <input type="hidden" name="how" value="but" />
                <input type="hidden" name="prompt" value=words />
                <label class="field grow">
                    "That one, but …"
                    <input name="but" required maxlength="500" placeholder="warmer, at night" autocomplete="off" value=but />
                </label>
                <button class="button-accent" type="submit">
                    "Make it"
                </button>
            </ActionForm>
            <ActionForm action attr:aria-busy=busy(action) attr:class="go-on-list">
                <input type="hidden" name="from" value=media.to_string() />
                <Choice how="little" name="Vary a little" told="The same scene, slightly different" key="v" />
                <Choice how="lot" name="Vary a lot" told="The idea stays, much else is new" key="Shift+V" />
                {larger}
            </ActionForm>
            {links
                .then(|| {
                    view! {
                        <a class="go-on-choice" href=format!("{}?how=part", picture_link(media))>
                            <span>"Change a part…"</span>
                            <span class="go-on-told">"The sky, one side, or what you paint: the rest stays"</span>
                        </a>
                        <a class="go-on-choice" href=format!("{}?how=room", picture_link(media))>
                            <span>"Make room…"</span>
                            <span class="go-on-told">"More of the scene, beyond the edges"</span>
                        </a>
                    }
                })}
            <Again request job action class="go-on-choice" told="The same words, a new try" />
            {beside
                .map(|beside| {
                    view! {
                        <a class="go-on-choice" href=beside>
                            <span>"Compare"</span>
                            <span class="go-on-told">"Beside the picture it was made from"</span>
                        </a>
                    }
                })}
            <a class="go-on-choice" href=remix>
                <span>"Remix"</span>
                <span class="go-on-told">"Every setting filled in, for you to change"</span>
            </a>
            <div class="mt-3 flex flex-wrap gap-2 px-2">
                <CopyButton text=request_words name="Copy the words" />
                <CopyButton text=seed.to_string() name="Copy the seed" />
            </div>
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
    /// The key that presses it; none where that is empty.
    key: &'static str,
) -> impl IntoView {
    let key = (!key.is_empty()).then_some(key);
    view! {
        <button class="go-on-choice" type="submit" name="how" value=how aria-keyshortcuts=key>
            <span>{name}</span>
            <span class="go-on-told">{told}</span>
        </button>
    }
}
