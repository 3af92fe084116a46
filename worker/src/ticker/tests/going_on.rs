//! Pictures that are made from a picture.

use domain::source::{A_LITTLE, A_LOT, Area, Cells, Extend, Place, Placed};
use domain::{OutputId, Source, Way};
use image::RgbImage;

use super::*;
use crate::backend::{DeviceSpec, EngineBackend, FakeBackend};

fn from(way: Way, request: ValidRequest) -> ValidRequest {
    let (width, height) = (request.width, request.height);
    let source = Source { media: OutputId::from_random(1), width, height, way };
    ValidRequest { source: Some(source), ..request }
}

fn vary(strength: f64, region: &[Place]) -> Way {
    Way::Vary { strength, region: region.iter().copied().map(Area::Place).collect() }
}

/// The picture that comes of a request and the picture it goes on from, and how many steps it took.
fn made<B: Backend>(rig: &mut Rig<B>, request: &ValidRequest, start: Option<&[u8]>) -> (Vec<u8>, u32) {
    let start = start.map(|png| Arc::new(StartPicture::read(png, request).expect("a start")));
    let given = Given { start, ..Given::default() };
    rig.bench.take(Order::StartWith(assignment(1, request.clone()), given));
    let mut taken = 0;
    loop {
        match rig.next() {
            Event::Step { .. } => taken += 1,
            Event::Picture { png, .. } => return (png, taken),
            Event::Failed { failure, .. } => panic!("{}", failure.reason),
            _ => {}
        }
    }
}

fn decoded(png: &[u8]) -> RgbImage {
    image::load_from_memory(png).expect("a PNG").to_rgb8()
}

/// Mean difference of two pictures' pixels, over the rows that are asked for.
fn difference(a: &RgbImage, b: &RgbImage, rows: impl Fn(u32) -> bool) -> f64 {
    let pairs =
        a.enumerate_pixels().filter(|(_, y, _)| rows(*y)).zip(b.enumerate_pixels().filter(|(_, y, _)| rows(*y)));
    let each = pairs.flat_map(|((_, _, a), (_, _, b))| a.0.into_iter().zip(b.0)).map(|(a, b)| f64::from(a.abs_diff(b)));
    let (count, sum) = each.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    sum / f64::max(count, 1.0)
}

/// What holds of everything that makes pictures: the more may change the more does, fewer steps are taken, and what
/// is outside of a region stays as it is.
fn goes_on<B: Backend>(rig: &mut Rig<B>, words: &ValidRequest, others: &ValidRequest) {
    let (first, all) = made(rig, words, None);
    let original = decoded(&first);
    let mut changed = |way| {
        let request = from(way, others.clone());
        let (png, taken) = made(rig, &request, Some(&first));
        assert_eq!(taken, request.passes());
        decoded(&png)
    };
    let everywhere = |_| true;
    let little = difference(&original, &changed(vary(A_LITTLE, &[])), everywhere);
    let lot = difference(&original, &changed(vary(A_LOT, &[])), everywhere);
    assert!(0.0 < little && little < lot, "{little} {lot}");

    let half = original.height() / 2;
    let sky = changed(vary(1.0, &[Place::Sky]));
    assert_eq!(difference(&original, &sky, |y| y >= half), 0.0);
    assert!(difference(&original, &sky, |y| y < half) > 1.0);
    assert_eq!(all, others.steps);
    // A part that is painted is one like any other.
    let mut cells = Cells::NONE;
    (0..32).for_each(|column| (0..16).for_each(|row| cells.set(column, row, true)));
    assert_eq!(sky, changed(Way::Vary { strength: 1.0, region: vec![Area::Cells { cells }] }));
    // The same again is the same: nothing but the request decides.
    assert_eq!(sky, changed(vary(1.0, &[Place::Sky])));
}

/// What holds of everything that gives pictures more room: every step is taken, what was there stays but for the seam,
/// and beside it there is something new.
fn grows<B: Backend>(rig: &mut Rig<B>, words: &ValidRequest, others: &ValidRequest) {
    let original = decoded(&made(rig, words, None).0);
    let (width, height) = original.dimensions();
    let placed = Placed { left: width / 2, top: 0, width, height };
    let way = Way::Extend { extend: Extend { left: 0.5, ..Extend::default() }, placed };
    let source = Source { media: OutputId::from_random(1), width, height, way };
    let request = ValidRequest { width: width / 2 * 3, source: Some(source), ..others.clone() };
    let png = engine::encode_png(&original, None).expect("a PNG");
    let (grown, taken) = made(rig, &request, Some(&png));
    let grown = decoded(&grown);
    assert_eq!((grown.dimensions(), taken), ((width / 2 * 3, height), request.steps));
    let changed = |x: u32, y: u32, at: u32| {
        let (new, old) = (grown.get_pixel(x, y).0, original.get_pixel(at, y).0);
        new.into_iter().zip(old).map(|(new, old)| f64::from(new.abs_diff(old))).sum::<f64>()
    };
    let rows = || (0..height).step_by(3);
    let kept =
        rows().flat_map(|y| (8..width).map(move |x| (x, y))).map(|(x, y)| changed(x + width / 2, y, x)).sum::<f64>();
    let mirror = |x: u32| width / 2 - 1 - x;
    let new =
        rows().flat_map(|y| (0..width / 2).map(move |x| (x, y))).map(|(x, y)| changed(x, y, mirror(x))).sum::<f64>();
    assert_eq!(kept, 0.0);
    assert!(new / f64::from(height / 3 * width / 2) > 3.0, "{new}");
}

#[test]
fn test_cards_get_more_room() {
    let mut rig = Rig::ready(FakeBackend::new(Duration::ZERO, 1), "starter", Sharing::Never);
    let words = ValidRequest { steps: 12, ..request("a card") };
    grows(&mut rig, &words, &ValidRequest { prompt: "another".into(), seed: 77, ..words.clone() });
}

#[test]
fn the_starter_draws_beyond_the_edge() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let backend = EngineBackend::new(&DeviceSpec::Cpu, &folder, 0).expect("a processor");
    let mut rig = Rig::ready(backend, "starter", Sharing::Never);
    let words = ValidRequest { steps: 6, width: 128, height: 128, ..request("a green meadow at noon, white clouds") };
    grows(&mut rig, &words, &ValidRequest { seed: 77, ..words.clone() });
}

#[test]
fn test_cards_go_on() {
    let mut rig = Rig::ready(FakeBackend::new(Duration::ZERO, 1), "starter", Sharing::Never);
    let words = ValidRequest { steps: 12, ..request("a card") };
    goes_on(&mut rig, &words, &ValidRequest { prompt: "another".into(), seed: 77, ..words.clone() });
}

#[test]
fn the_starter_goes_on() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let backend = EngineBackend::new(&DeviceSpec::Cpu, &folder, 0).expect("a processor");
    let mut rig = Rig::ready(backend, "starter", Sharing::Never);
    let words = ValidRequest { steps: 8, width: 128, height: 128, ..request("a green meadow at noon, white clouds") };
    goes_on(&mut rig, &words, &ValidRequest { prompt: "a dark sea at night".into(), seed: 77, ..words.clone() });
}

#[test]
fn test_cards_become_larger() {
    let names = ["starter".to_owned(), "upscale".to_owned()];
    let mut rig = Rig::new(FakeBackend::new(Duration::ZERO, 1).with_models(&names), Settings::default());
    rig.bench.take(Order::Stock(names.to_vec()));
    rig.models();
    let (first, _) = made(&mut rig, &request("a card"), None);
    let larger = from(Way::Upscale { factor: 2 }, request("a card"));
    let larger = ValidRequest { model: "upscale".into(), width: 128, height: 128, steps: 1, ..larger };
    let (png, taken) = made(&mut rig, &larger, Some(&first));
    let (small, large) = (decoded(&first), decoded(&png));
    assert_eq!((large.dimensions(), taken), ((128, 128), 1));
    assert_eq!(small.get_pixel(10, 20), large.get_pixel(21, 41));
}

#[test]
fn a_model_that_comes_with_an_upscaler_offers_it_as_one_of_its_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/fixtures");
    let backend = EngineBackend::new(&DeviceSpec::Cpu, &folder, 0).expect("a processor");
    let offered = backend.catalogue().into_iter().find(|offer| offer.card.name == "tiny_starter-upscaler");
    let card = offered.expect("an offer").card;
    assert!(card.upscales() && card.check().is_ok());
    let mut rig = Rig::ready(backend, "tiny_starter-upscaler", Sharing::Never);
    let small = RgbImage::from_fn(64, 64, |x, y| image::Rgb([x as u8 * 4, y as u8 * 4, 90]));
    let png = engine::encode_png(&small, None).expect("a PNG");
    for factor in [2, 4] {
        let larger = from(Way::Upscale { factor }, request("a card"));
        let (width, height) = (64 * factor, 64 * factor);
        let larger = ValidRequest { model: card.name.clone(), width, height, steps: 1, ..larger };
        let (large, taken) = made(&mut rig, &larger, Some(&png));
        assert_eq!(decoded(&large).dimensions(), (width, height));
        assert!(taken >= 1);
    }
    // Words alone are nothing to make larger.
    rig.start(2, ValidRequest { model: card.name, ..request("a card") });
    let events = rig.finish();
    let [Event::Failed { failure, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert!(!failure.retryable);
}

#[test]
fn without_its_picture_nothing_begins() {
    let mut rig = Rig::ready(FakeBackend::new(Duration::ZERO, 1), "starter", Sharing::Never);
    rig.start(1, from(vary(0.5, &[]), request("a card")));
    let events = rig.finish();
    let [Event::Failed { failure, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert!(failure.retryable, "whoever has the picture can do it");
}
