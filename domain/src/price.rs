//! Prices and cost estimates: pure functions of the request.

use crate::model::ModelCard;
use crate::request::ValidRequest;
use crate::source::Way;

/// Work of one picture relative to a standard one (native size, default steps), as a ratio.
///
/// Denoising grows with pixels times the steps that are taken; decoding and encoding, about a
/// fifth of a standard picture, grow with pixels alone, and so does taking in a picture to go on from.
pub fn relative_cost(request: &ValidRequest, card: &ModelCard) -> f64 {
    let pixels = f64::from(request.width) * f64::from(request.height);
    let native = f64::from(card.native_size) * f64::from(card.native_size);
    let steps = f64::from(request.passes()) / f64::from(card.default_steps.max(1));
    let taking_in = match request.source.as_ref().map(|source| &source.way) {
        Some(Way::Vary { .. } | Way::Extend { .. }) => 0.1,
        // A model that makes pictures larger does nothing else: all of its time is in its measure.
        Some(Way::Upscale { .. }) | None => 0.0,
    };
    (pixels / native) * (0.8 * steps + 0.2 + taking_in)
}

/// Credits for the whole request. One standard picture costs one credit, and no picture costs less.
///
/// A tolerance of a quarter keeps the aspect-ratio chips, whose areas differ
/// slightly from the square, at the price of the square.
pub fn price(request: &ValidRequest, card: &ModelCard) -> u32 {
    let each = (relative_cost(request, card) - 0.25).ceil().max(1.0);
    request.count.saturating_mul(each as u32)
}

/// Expected milliseconds of device time for one picture, given what a standard one takes.
pub fn estimate_ms(request: &ValidRequest, card: &ModelCard, standard_ms: f64) -> f64 {
    relative_cost(request, card) * standard_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OutputId;
    use crate::model::starter_card;
    use crate::request::GenerationRequest;
    use crate::source::Source;

    fn priced(width: u32, height: u32, steps: u32, count: u32) -> u32 {
        let request = GenerationRequest {
            prompt: "a".into(),
            width: Some(width),
            height: Some(height),
            steps: Some(steps),
            count: Some(count),
            ..GenerationRequest::default()
        };
        let card = starter_card();
        price(&request.validate(std::slice::from_ref(&card), 0).expect("valid"), &card)
    }

    #[test]
    fn one_standard_picture_is_one_credit() {
        assert_eq!(priced(256, 256, 12, 1), 1);
        assert_eq!(priced(256, 256, 12, 4), 4);
        assert_eq!(priced(320, 224, 12, 1), 1);
        assert_eq!(priced(64, 64, 1, 1), 1);
    }

    #[test]
    fn more_work_costs_more() {
        assert_eq!(priced(512, 512, 12, 1), 4);
        assert_eq!(priced(256, 256, 24, 1), 2);
        assert!(priced(512, 512, 50, 1) > priced(512, 512, 25, 1));
    }

    #[test]
    fn going_on_costs_the_steps_that_are_taken() {
        let made = |way, side, steps| {
            let request = GenerationRequest {
                prompt: "a".into(),
                width: Some(side),
                steps: Some(steps),
                count: Some(1),
                ..GenerationRequest::default()
            };
            let card = starter_card();
            let mut valid = request.validate(std::slice::from_ref(&card), 0).expect("valid");
            let source = |way| Source { media: OutputId::from_random(1), width: side, height: side, way };
            valid.source = Option::map(way, source);
            (relative_cost(&valid, &card), price(&valid, &card))
        };
        let vary = |strength| Some(Way::Vary { strength, region: Vec::new() });
        assert_eq!(made(None, 512, 24).1, 7);
        assert_eq!(made(vary(0.35), 512, 24).1, 4, "8 of 24 steps");
        assert!(made(vary(1.0), 256, 12).0 > made(None, 256, 12).0, "the picture has to be taken in");
        assert_eq!(made(vary(1.0), 256, 12).1, 1, "and that is in the tolerance");
        assert_eq!(made(vary(0.05), 256, 12).1, 1, "no picture costs less");
    }
}
