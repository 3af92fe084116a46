//! What a form says, as a request: for the server, and in the browser for the price.

use domain::examples::StylePreset;
use domain::nudge::nudged;
use domain::source::{A_LITTLE, A_LOT, A_PART, A_WORD, Area, Cells, Extend, Place, SourceRequest, UpscaleRequest};
use domain::{AppError, GenerationRequest, OutputId};

use super::room::Side;
use super::settings::ComposerForm;

/// What stands for a part that was painted, where others have a name.
pub const DRAWN: &str = "drawn";

/// Turns a form's text into a request; what is not a number is named.
pub fn request_from_form(form: ComposerForm) -> Result<GenerationRequest, AppError> {
    let (width, height) = match form.size.trim() {
        "" => (None, None),
        size => {
            let (width, height) = size.split_once('x').ok_or_else(|| unreadable("size"))?;
            let side = |text| number("size", text)?.ok_or_else(|| unreadable("size"));
            (Some(side(width)?), Some(side(height)?))
        }
    };
    let (source, upscale) = match from_picture(&form)? {
        None => (None, None),
        Some(From::Varied(source)) => (Some(source), None),
        Some(From::Larger(upscale)) => (None, Some(upscale)),
    };
    let prompt = with_word(form.prompt, &form.how, &form.but)?;
    Ok(GenerationRequest {
        prompt: styled(prompt, &form.style)?,
        negative_prompt: Some(form.negative).filter(|text| !text.trim().is_empty()),
        model: Some(form.model).filter(|name| !name.trim().is_empty()),
        count: number("count", &form.count)?,
        seed: number("seed", &form.seed)?,
        width,
        height,
        steps: number("steps", &form.steps)?,
        guidance: number("guidance", &form.guidance)?,
        source,
        upscale,
        // One that is no id is nobody's, and left out like one that is somebody else's.
        parent: form.parent.trim().parse().ok(),
    })
}

/// A picture's words with those that should change them.
fn with_word(prompt: String, how: &str, but: &str) -> Result<String, AppError> {
    if how.trim() != "but" {
        return Ok(prompt);
    }
    if but.trim().is_empty() {
        return Err(AppError::BadRequest { reason: "nothing was said about what should be different".into() });
    }
    Ok(nudged(&prompt, but))
}

/// The words with those of a style; a box that is empty stays so, to be told.
fn styled(prompt: String, style: &str) -> Result<String, AppError> {
    let style = match style.trim() {
        "" => return Ok(prompt),
        slug => StylePreset::find(slug).ok_or_else(|| unknown_style(slug))?,
    };
    Ok(if prompt.trim().is_empty() { prompt } else { style.applied(&prompt) })
}

fn unknown_style(slug: &str) -> AppError {
    AppError::BadRequest { reason: format!("there is no style called “{slug}”") }
}

enum From {
    Varied(SourceRequest),
    Larger(UpscaleRequest),
}

/// The picture that a form goes on from, if it does.
fn from_picture(form: &ComposerForm) -> Result<Option<From>, AppError> {
    if form.from.trim().is_empty() {
        return Ok(None);
    }
    // One that is no id looks like one that there is not.
    let media: OutputId = form.from.trim().parse().map_err(|_| AppError::SourceGone)?;
    let varied = |strength, region| Some(From::Varied(SourceRequest { media, strength, region, extend: None }));
    let larger = |factor| Some(From::Larger(UpscaleRequest { media, factor }));
    Ok(match form.how.trim() {
        "little" => varied(Some(A_LITTLE), None),
        "lot" => varied(Some(A_LOT), None),
        "but" => varied(Some(A_WORD), None),
        "part" => {
            let unnamed = || AppError::BadRequest { reason: "no part of the picture was chosen".into() };
            varied(Some(A_PART), Some(part(form)?.ok_or_else(unnamed)?))
        }
        "room" => {
            let extend = Some(room(form)?);
            Some(From::Varied(SourceRequest { media, strength: None, region: None, extend }))
        }
        "2x" => larger(2),
        "4x" => larger(4),
        _ => varied(number("strength", &form.strength)?, part(form)?),
    })
}

/// The part that a form names or that was painted, if it does.
fn part(form: &ComposerForm) -> Result<Option<Vec<Area>>, AppError> {
    let area = match form.part.trim() {
        DRAWN => {
            let unreadable = || AppError::BadRequest { reason: "what was painted can’t be read".into() };
            let cells = match form.cells.trim() {
                "" => Cells::NONE,
                cells => Cells::decode(cells).ok_or_else(unreadable)?,
            };
            Some(Area::Cells { cells })
        }
        name => Place::parse(name).map(Area::Place),
    };
    Ok(area.map(|area| vec![area]))
}

/// The room that a form asks for.
fn room(form: &ComposerForm) -> Result<Extend, AppError> {
    let nowhere = || AppError::BadRequest { reason: "nothing was said about where there should be more room".into() };
    let side = Side::parse(&form.room).ok_or_else(nowhere)?;
    Ok(side.room(number("by", &form.by)?.unwrap_or(domain::source::ROOM_UNIT)))
}

fn number<T: std::str::FromStr>(field: &str, text: &str) -> Result<Option<T>, AppError> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| unreadable(field)),
    }
}

fn unreadable(field: &str) -> AppError {
    AppError::BadRequest { reason: format!("“{field}” is not a number that works here") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(size: &str, seed: &str) -> Result<GenerationRequest, AppError> {
        request_from_form(ComposerForm {
            prompt: "a".into(),
            size: size.into(),
            count: "2".into(),
            seed: seed.into(),
            ..ComposerForm::default()
        })
    }

    #[test]
    fn empty_fields_mean_defaults() {
        let request = form("", "").expect("valid");
        assert_eq!((request.width, request.seed, request.count, request.model), (None, None, Some(2), None));
        assert_eq!(form("320x192", "9").map(|r| (r.width, r.height, r.seed)), Ok((Some(320), Some(192), Some(9))));
    }

    #[test]
    fn a_style_adds_its_words() {
        let styled = |prompt: &str, style: &str| {
            let form = ComposerForm { prompt: prompt.into(), style: style.into(), ..ComposerForm::default() };
            request_from_form(form).map(|request| request.prompt)
        };
        assert_eq!(styled("a sea", "ink"), Ok("a sea, ink drawing".into()));
        assert_eq!(styled("a sea", " "), Ok("a sea".into()));
        assert_eq!(styled(" ", "ink"), Ok(" ".into()));
        assert_eq!(styled("a sea", "cubism").expect_err("no such style").code(), "bad_request");
    }

    #[test]
    fn buttons_of_a_picture_are_wishes() {
        let media = OutputId::from_random(3);
        let pressed = |how: &str, part: &str| {
            let form =
                ComposerForm { from: media.to_string(), how: how.into(), part: part.into(), ..ComposerForm::default() };
            request_from_form(form)
        };
        let source = |how, part| pressed(how, part).expect("a wish").source.expect("a source");
        assert_eq!(source("little", ""), SourceRequest { media, strength: Some(A_LITTLE), region: None, extend: None });
        assert_eq!(source("lot", "").strength, Some(A_LOT));
        assert_eq!(source("part", "sky").region, Some(vec![Area::Place(Place::Sky)]));
        assert_eq!(source("", "").strength, None);
        let but = |words: &str| {
            let form = ComposerForm {
                prompt: "a sea.".into(),
                from: media.to_string(),
                how: "but".into(),
                but: words.into(),
                ..ComposerForm::default()
            };
            request_from_form(form).map(|request| request.prompt)
        };
        assert_eq!(but(" but warmer "), Ok("a sea, warmer".into()));
        assert_eq!(but(" ").expect_err("nothing was said").code(), "bad_request");
        assert_eq!(pressed("4x", "").expect("a wish").upscale, Some(UpscaleRequest { media, factor: 4 }));
        assert_eq!(pressed("part", "").expect_err("no part").code(), "bad_request");
        let nowhere = ComposerForm { from: "../..".into(), how: "lot".into(), ..ComposerForm::default() };
        assert!(nowhere.link().starts_with("/?"), "{}", nowhere.link());
        assert_eq!(request_from_form(nowhere).expect_err("no picture").code(), "source_gone");
        let link = ComposerForm { from: media.to_string(), ..ComposerForm::default() }.link();
        assert!(link.starts_with(&format!("/p/{media}?")), "{link}");
    }

    #[test]
    fn what_was_painted_and_more_room_are_wishes_too() {
        let media = OutputId::from_random(3);
        let mut cells = Cells::NONE;
        cells.set(4, 5, true);
        let painted = ComposerForm {
            from: media.to_string(),
            how: "part".into(),
            part: DRAWN.into(),
            cells: cells.encode(),
            ..ComposerForm::default()
        };
        let source = |form: ComposerForm| request_from_form(form).map(|request| request.source.expect("a source"));
        let region = Some(vec![Area::Cells { cells }]);
        assert_eq!(
            source(painted.clone()).map(|source| (source.region, source.strength)),
            Ok((region.clone(), Some(A_PART)))
        );
        // More of the same says the strength, and no way.
        let again = ComposerForm { how: String::new(), strength: "0.5".into(), ..painted.clone() };
        assert_eq!(source(again).map(|source| (source.region, source.strength)), Ok((region, Some(0.5))));
        // A part by its name does not mind what was painted before.
        let named = ComposerForm { part: "sky".into(), ..painted.clone() };
        assert_eq!(source(named).map(|source| source.region), Ok(Some(vec![Area::Place(Place::Sky)])));
        let nonsense = ComposerForm { cells: "AAAA".into(), ..painted.clone() };
        assert_eq!(source(nonsense).expect_err("unreadable").code(), "bad_request");
        assert!(painted.link().contains(&format!("cells={}", cells.encode())), "{}", painted.link());

        let room = |room: &str, by: &str| {
            let (room, by) = (room.to_owned(), by.to_owned());
            let form =
                ComposerForm { from: media.to_string(), how: "room".into(), room, by, ..ComposerForm::default() };
            source(form).map(|source| (source.extend.expect("room"), source.strength, source.region))
        };
        assert_eq!(room("right", "0.5"), Ok((Extend { right: 0.5, ..Extend::default() }, None, None)));
        assert_eq!(room("above", ""), Ok((Extend { top: 0.25, ..Extend::default() }, None, None)));
        let around = Extend { left: 0.25, top: 0.25, right: 0.25, bottom: 0.25 };
        assert_eq!(room("around", "0.25").map(|room| room.0), Ok(around));
        for (side, by) in [("", "0.5"), ("up", "0.5"), ("left", "half")] {
            assert_eq!(room(side, by).expect_err("refused").code(), "bad_request", "{side} {by}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_named() {
        for (size, seed) in [("wide", ""), ("1x", ""), ("", "-1"), ("", "1e9"), ("", "seed")] {
            assert_eq!(form(size, seed).expect_err("refused").code(), "bad_request");
        }
    }
}
