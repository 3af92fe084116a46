use domain::source::Area;
use domain::{JobId, ValidRequest, Way};
use leptos::prelude::*;

use crate::create::api::CreatePictures;
use crate::create::request::DRAWN;
use crate::create::room::Side;
use crate::ui::busy;

/// The same words and settings with a new seed; nothing where that would be the same picture again.
#[component]
pub fn Again(
    request: ValidRequest,
    /// The job that it was made by.
    job: JobId,
    action: ServerAction<CreatePictures>,
    /// How the button looks.
    class: &'static str,
    /// A word about what comes of it.
    #[prop(optional)]
    told: Option<&'static str>,
) -> impl IntoView {
    fields(&request, job).map(|fields| {
        let field = |(name, value): (&'static str, String)| view! { <input type="hidden" name=name value=value /> };
        view! {
            <ActionForm action attr:aria-busy=busy(action)>
                {fields.into_iter().map(field).collect_view()}
                <button class=class type="submit">
                    <span>"More like this"</span>
                    {told.map(|told| view! { <span class="go-on-told">{told}</span> })}
                </button>
            </ActionForm>
        }
    })
}

/// What a form says to make a request again. `None` for one that has no other outcome, or can't be said in a form.
fn fields(request: &ValidRequest, job: JobId) -> Option<Vec<(&'static str, String)>> {
    let mut fields = vec![
        ("size", format!("{}x{}", request.width, request.height)),
        ("steps", request.steps.to_string()),
        ("guidance", request.guidance.to_string()),
        ("count", request.count.to_string()),
        ("prompt", request.prompt.clone()),
        ("negative", request.negative_prompt.clone()),
        ("parent", job.to_string()),
    ];
    let Some(source) = &request.source else { return Some(fields) };
    fields.push(("from", source.media.to_string()));
    match &source.way {
        Way::Upscale { .. } => return None,
        Way::Extend { extend, .. } => {
            let (side, by) = Side::of(*extend)?;
            // The room decides the size, also where another model makes it.
            fields.retain(|(name, _)| *name != "size");
            fields.extend([("how", "room".into()), ("room", side.name().into()), ("by", by.to_string())]);
        }
        Way::Vary { strength, region } => {
            fields.push(("strength", strength.to_string()));
            match region.as_slice() {
                [] => {}
                [Area::Place(place)] => fields.push(("part", place.name().to_owned())),
                [Area::Cells { cells }] => fields.extend([("part", DRAWN.into()), ("cells", cells.encode())]),
                _ => return None,
            }
        }
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use domain::source::{Cells, Extend, Place, Placed};
    use domain::{OutputId, Source};

    use super::*;

    #[test]
    fn what_was_made_from_a_picture_is_made_from_it_again() {
        let request = |way: Option<Way>| ValidRequest {
            prompt: "a sea".into(),
            negative_prompt: String::new(),
            model: "starter".into(),
            capability: "image.fast".into(),
            count: 4,
            seed: 1,
            width: 256,
            height: 256,
            steps: 12,
            guidance: 3.0,
            source: way.map(|way| Source { media: OutputId::from_random(1), width: 256, height: 256, way }),
        };
        let vary = |region: &[Area]| Some(Way::Vary { strength: 0.9, region: region.to_vec() });
        let said = |way, name: &str| {
            let fields = fields(&request(way), JobId::from_random(2)).expect("fields");
            fields.into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
        };
        assert_eq!(said(None, "from"), None);
        assert_eq!(said(vary(&[]), "strength"), Some("0.9".into()));
        assert_eq!(said(vary(&[Area::Place(Place::Sky)]), "part"), Some("sky".into()));
        let painted = || vary(&[Area::Cells { cells: Cells::ALL }]);
        assert_eq!(
            (said(painted(), "part"), said(painted(), "cells")),
            (Some("drawn".into()), Some(Cells::ALL.encode()))
        );
        let placed = Placed { left: 0, top: 0, width: 256, height: 256 };
        let room = |extend| Some(Way::Extend { extend, placed });
        let right = || room(Side::Right.room(0.5));
        let room_said = ["how", "room", "by", "size"].map(|name| said(right(), name));
        assert_eq!(room_said, [Some("room".into()), Some("right".into()), Some("0.5".into()), None]);
        let none = |way| fields(&request(way), JobId::from_random(2));
        assert_eq!(none(vary(&[Area::Rectangle([0.0, 0.0, 0.5, 0.5])])), None);
        assert_eq!(none(room(Extend { left: 0.25, right: 0.5, ..Extend::default() })), None);
        assert_eq!(none(Some(Way::Upscale { factor: 2 })), None);
    }
}
