//! Whatever the bytes are, there is an answer.

mod corpus;

use intake::{MAX_KEPT_SIDE, take_in};
use proptest::prelude::*;
use proptest::sample::Index;

/// What every answer holds to.
fn check(bytes: &[u8]) {
    if let Ok(photo) = take_in(bytes) {
        let (width, height) = photo.pixels.dimensions();
        assert!((1..=MAX_KEPT_SIDE).contains(&width) && (1..=MAX_KEPT_SIDE).contains(&height));
        assert!(photo.original.0 >= width && photo.original.1 >= height);
        photo.to_png().expect("it encodes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..4_000)) {
        check(&bytes);
    }

    #[test]
    fn random_bytes_behind_the_start_of_a_picture_have_an_answer(
        which in any::<Index>(),
        kept in 3..200_usize,
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let start = &which.get(corpus::good()).1;
        check(&[&start[..kept.min(start.len())], &bytes].concat());
    }

    #[test]
    fn changed_pictures_have_an_answer(
        which in any::<Index>(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = which.get(corpus::good()).1.clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if bytes.starts_with(b"\x89PNG") {
            corpus::png::correct_checksums(&mut bytes);
        }
        check(&bytes);
    }

    #[test]
    fn pictures_with_parts_moved_about_have_an_answer(
        which in any::<Index>(),
        from in any::<Index>(),
        to in any::<Index>(),
        length in 1..64_usize,
        cut in any::<bool>(),
    ) {
        let bytes = &which.get(corpus::good()).1;
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let part = &bytes[from..(from + length).min(bytes.len())];
        let after = if cut { (to + part.len()).min(bytes.len()) } else { to };
        check(&[&bytes[..to], part, &bytes[after..]].concat());
    }
}
