use domain::source::{A_LITTLE, A_LOT, Area};
use domain::{Source, Way};
use leptos::prelude::*;

use crate::create::room::Side;
use crate::create::settings::picture_link;

/// The picture that others were made from, beside them.
#[component]
pub fn FromPicture(source: Source) -> impl IntoView {
    let told = told(&source.way);
    let link = picture_link(source.media);
    view! {
        <figure class="from">
            <a class="from-link" href=link aria-label="The picture that these were made from">
                <img
                    class="from-picture"
                    src=format!("/media/{}", source.media)
                    width=source.width
                    height=source.height
                    alt=""
                    decoding="async"
                />
            </a>
            <figcaption>
                <span class="block">"From this picture"</span>
                <span class="text-muted block text-sm">{told}</span>
            </figcaption>
        </figure>
    }
}

/// What became of it, in a few words.
pub(crate) fn told(way: &Way) -> String {
    match way {
        Way::Extend { extend, .. } => match Side::of(*extend) {
            Some((Side::Around, _)) => "more room all around".to_owned(),
            Some((Side::Left, _)) => "more room to the left".to_owned(),
            Some((Side::Right, _)) => "more room to the right".to_owned(),
            Some((Side::Above, _)) => "more room above".to_owned(),
            Some((Side::Below, _)) => "more room below".to_owned(),
            None => "more room around it".to_owned(),
        },
        Way::Upscale { factor } => format!("{factor}× larger"),
        Way::Vary { region, .. } if !region.is_empty() => {
            let name = |area: &Area| match area {
                Area::Place(place) => Some(place.name()),
                Area::Rectangle(_) | Area::Cells { .. } => None,
            };
            match region.iter().map(name).collect::<Option<Vec<_>>>().as_deref() {
                Some([one]) => format!("only the {one} is new"),
                Some([first @ .., last]) => format!("only the {} and {last} are new", first.join(", ")),
                None if matches!(region.as_slice(), [Area::Cells { .. }]) => "only what was painted is new".to_owned(),
                _ => "only a part is new".to_owned(),
            }
        }
        Way::Vary { strength, .. } if *strength <= A_LITTLE => "varied a little".to_owned(),
        Way::Vary { strength, .. } if *strength >= A_LOT => "varied a lot".to_owned(),
        Way::Vary { .. } => "varied".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::source::{Cells, Extend, Place, Placed};

    use super::*;

    #[test]
    fn it_says_what_became_of_it() {
        let vary = |strength, region: &[Area]| told(&Way::Vary { strength, region: region.to_vec() });
        let sky = Area::Place(Place::Sky);
        assert_eq!(told(&Way::Upscale { factor: 2 }), "2× larger");
        assert_eq!(vary(A_LITTLE, &[]), "varied a little");
        assert_eq!(vary(A_LOT, &[]), "varied a lot");
        assert_eq!(vary(0.6, &[]), "varied");
        assert_eq!(vary(0.9, &[sky]), "only the sky is new");
        assert_eq!(vary(0.9, &[sky, Area::Place(Place::Left)]), "only the sky and left are new");
        assert_eq!(vary(0.9, &[sky, Area::Rectangle([0.0, 0.0, 0.5, 0.5])]), "only a part is new");
        assert_eq!(vary(0.9, &[Area::Cells { cells: Cells::ALL }]), "only what was painted is new");
        assert_eq!(vary(0.9, &[sky, Area::Cells { cells: Cells::ALL }]), "only a part is new");
        let placed = Placed { left: 0, top: 0, width: 256, height: 256 };
        let room = |extend| told(&Way::Extend { extend, placed });
        assert_eq!(room(Side::Around.room(0.25)), "more room all around");
        assert_eq!(room(Side::Above.room(0.5)), "more room above");
        assert_eq!(room(Extend { left: 0.25, right: 1.0, ..Extend::default() }), "more room around it");
    }
}
