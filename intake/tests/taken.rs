//! What is taken, and what it looks like afterwards.

mod corpus;

use corpus::{BLUE, GREEN, RED, WHITE, YELLOW, alike, corners, fixture, gif, jpeg, png, quarters, webp};
use image::{Rgb, RgbImage};
use intake::{Format, MAX_KEPT_SIDE, Photo, take_in};
use png_library::{BitDepth, ColorType};
use {::gif as gif_library, ::png as png_library};

fn take(bytes: &[u8]) -> Photo {
    take_in(bytes).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// What the fixtures show.
const QUARTERS: [[u8; 3]; 4] = [RED, GREEN, BLUE, YELLOW];

#[test]
fn every_format_is_taken_by_its_content() {
    for (name, bytes) in corpus::good() {
        let photo = take(bytes);
        let expected = match &bytes[..2] {
            b"\xff\xd8" => Format::Jpeg,
            b"\x89P" => Format::Png,
            b"RI" => Format::WebP,
            _ => Format::Gif,
        };
        assert_eq!(photo.format, expected, "{name}");
        let on_its_side = photo.original == (64, 96);
        assert!(on_its_side || photo.original == (96, 64), "{name}: {:?}", photo.original);
        assert_eq!(photo.pixels.dimensions(), photo.original, "{name}");
        let shown = match name.as_str() {
            "grey.jpg" => [76, 150, 29, 226].map(|level| [level; 3]),
            "lossy-alpha.webp" | "lossless-alpha.webp" | "palette-alpha.png" => [RED, GREEN, BLUE, WHITE],
            "baseline-422.jpg" | "lossy.webp" => [BLUE, RED, YELLOW, GREEN],
            _ => QUARTERS,
        };
        assert!(alike(corners(&photo.pixels), shown), "{name}: {:?}", corners(&photo.pixels));
    }
}

#[test]
fn lossless_formats_keep_every_pixel() {
    let picture = quarters(130, 77);
    let files = [png::small(&picture), png::interlaced(&picture), webp::small(&picture), gif::small(&picture)];
    for file in files {
        let photo = take(&file);
        assert!(photo.pixels == picture, "{:?}", photo.format);
        assert_eq!(photo.original, (130, 77));
    }
}

#[test]
fn lossless_webp_with_many_codes_is_taken() {
    let photo = take(corpus::SWIRLS);
    assert_eq!(photo.pixels.dimensions(), (384, 256));
    // The checksum is of the pixels that libwebp unpacks.
    let mut checksum = flate2::Crc::new();
    checksum.update(photo.pixels.as_raw());
    assert_eq!(checksum.sum(), 2_959_119_200);
}

#[test]
fn every_kind_of_png_becomes_rgb() {
    let size = (40, 32);
    let pixels = 40 * 32;
    let every = |pixel: &[u8]| pixel.repeat(pixels);
    type Case = (&'static str, ColorType, BitDepth, Vec<u8>, [u8; 3]);
    let cases: [Case; 9] = [
        ("grey", ColorType::Grayscale, BitDepth::Eight, every(&[77]), [77; 3]),
        ("grey, 16 bits", ColorType::Grayscale, BitDepth::Sixteen, every(&[77, 200]), [77; 3]),
        ("grey, 1 bit", ColorType::Grayscale, BitDepth::One, vec![0xff; 5 * 32], WHITE),
        ("grey, 4 bits", ColorType::Grayscale, BitDepth::Four, vec![0x88; 20 * 32], [0x88; 3]),
        ("grey and alpha", ColorType::GrayscaleAlpha, BitDepth::Eight, every(&[0, 51]), [204; 3]),
        ("grey and alpha, 16 bits", ColorType::GrayscaleAlpha, BitDepth::Sixteen, every(&[0, 0, 51, 51]), [204; 3]),
        ("RGB, 16 bits", ColorType::Rgb, BitDepth::Sixteen, every(&[10, 0, 20, 0, 30, 0]), [10, 20, 30]),
        ("RGB and alpha", ColorType::Rgba, BitDepth::Eight, every(&[255, 0, 0, 102]), [255, 153, 153]),
        ("RGB and alpha, 16 bits", ColorType::Rgba, BitDepth::Sixteen, every(&[9, 9, 9, 9, 9, 9, 0, 0]), WHITE),
    ];
    for (name, colours, depth, samples, expected) in cases {
        let photo = take(&png::encoded(size, colours, depth, &samples, |_| {}));
        assert_eq!(photo.pixels, RgbImage::from_pixel(40, 32, Rgb(expected)), "{name}");
    }
}

#[test]
fn a_palette_becomes_rgb_and_its_transparent_colour_white() {
    let file = png::encoded((40, 32), ColorType::Indexed, BitDepth::Two, &[0x1b; 10 * 32], |encoder| {
        encoder.set_palette([RED, GREEN, BLUE, YELLOW].concat());
        encoder.set_trns(&[255, 255, 0][..]);
    });
    let photo = take(&file);
    let row: Vec<_> = (0..4).map(|x| photo.pixels.get_pixel(x, 0).0).collect();
    assert_eq!(row, [RED, GREEN, WHITE, YELLOW]);
}

#[test]
fn an_animated_png_is_its_first_picture() {
    let (first, later) = (quarters(40, 32), RgbImage::new(40, 32));
    let mut bytes = Vec::new();
    let mut encoder = png_library::Encoder::new(&mut bytes, 40, 32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_animated(2, 0).expect("it is animated");
    let mut writer = encoder.write_header().expect("it begins");
    writer.write_image_data(first.as_raw()).expect("it encodes");
    writer.write_image_data(later.as_raw()).expect("it encodes");
    writer.finish().expect("it ends");
    assert_eq!(take(&bytes).pixels, first);
}

#[test]
fn four_inks_become_rgb() {
    // As Adobe writes them: 255 is no ink. Cyan, magenta, yellow, black.
    let levels: [fn(usize, u32, u32) -> u8; 3] = [
        |component, _, _| [255, 0, 0, 255][component],
        |component, _, _| [255, 255, 255, 128][component],
        |_, _, _| 255,
    ];
    for (level, expected) in levels.into_iter().zip([RED, [128; 3], WHITE]) {
        let file = jpeg::Jpeg { sampling: jpeg::FOUR, adobe: Some(0), level, detail: 0, ..Default::default() }.write();
        assert!(alike(corners(&take(&file).pixels), [expected; 4]), "{expected:?}");
    }
}

#[test]
fn the_written_jpegs_agree_however_they_are_packed() {
    for sampling in [jpeg::WHOLE, jpeg::HALVED, jpeg::GREY] {
        let picture = |progressive| {
            let file = jpeg::Jpeg { sampling, progressive, size: (133, 71), ..Default::default() }.write();
            take(&file).pixels
        };
        assert!(picture(false) == picture(true), "{sampling:?}");
    }
}

/// Where a pixel that is shown at `x, y` lies in a file, by the orientation that the file states.
fn stored_at(orientation: u8, (x, y): (u32, u32), (width, height): (u32, u32)) -> (u32, u32) {
    let (right, bottom) = (width - 1, height - 1);
    match orientation {
        1 => (x, y),
        2 => (right - x, y),
        3 => (right - x, bottom - y),
        4 => (x, bottom - y),
        5 => (y, x),
        6 => (y, bottom - x),
        7 => (right - y, bottom - x),
        _ => (right - y, x),
    }
}

#[test]
fn all_eight_orientations_are_set_upright_pixel_by_pixel() {
    let size = (48, 33);
    let stored = RgbImage::from_fn(size.0, size.1, |x, y| Rgb([x as u8 * 5, y as u8 * 7, (x * y) as u8]));
    for orientation in 1..=8 {
        let files = [
            png::with_chunk(&png::small(&stored), b"eXIf", &corpus::exif(orientation)),
            webp::with_exif(&webp::small(&stored), size, orientation),
        ];
        for file in files {
            let photo = take(&file);
            let upright = if orientation > 4 { (size.1, size.0) } else { size };
            assert_eq!((photo.original, photo.pixels.dimensions()), (upright, upright), "{orientation}");
            for (x, y, pixel) in photo.pixels.enumerate_pixels() {
                let (stored_x, stored_y) = stored_at(orientation, (x, y), size);
                assert_eq!(pixel, stored.get_pixel(stored_x, stored_y), "{orientation} at {x}, {y}");
            }
        }
    }
}

#[test]
fn all_eight_orientations_of_a_jpeg_are_set_upright() {
    let file = jpeg::small(&quarters(96, 64));
    let [a, b, c, d] = QUARTERS;
    let shown = [
        [a, b, c, d],
        [b, a, d, c],
        [d, c, b, a],
        [c, d, a, b],
        [a, c, b, d],
        [c, a, d, b],
        [d, b, c, a],
        [b, d, a, c],
    ];
    for (orientation, expected) in (1..).zip(shown) {
        let photo = take(&jpeg::with_exif(&file, orientation));
        assert!(alike(corners(&photo.pixels), expected), "{orientation}: {:?}", corners(&photo.pixels));
        assert_eq!(photo.original, if orientation > 4 { (64, 96) } else { (96, 64) });
    }
    for nonsense in [0, 9, 255] {
        assert!(alike(corners(&take(&jpeg::with_exif(&file, nonsense)).pixels), QUARTERS));
    }
}

#[test]
fn exif_data_behind_the_pixels_of_a_png_count_too() {
    let file = png::small(&quarters(48, 32));
    let late = png::with_chunk(&file, b"eXIf", &corpus::exif(3));
    let chunk = &late[33..33 + 12 + corpus::exif(3).len()];
    let (before, end) = file.split_at(file.len() - 12);
    let photo = take(&[before, chunk, end].concat());
    assert_eq!(corners(&photo.pixels), [YELLOW, BLUE, GREEN, RED]);
}

#[test]
fn large_pictures_are_shrunk_and_keep_their_shape_and_colours() {
    let files = [
        png::small(&quarters(3_000, 2_100)),
        png::interlaced(&quarters(2_600, 4_400)),
        jpeg::small(&quarters(5_001, 2_503)),
        webp::small(&quarters(4_200, 2_000)),
        gif::small(&quarters(700, 4_500)),
    ];
    for file in files {
        let photo = take(&file);
        let (width, height) = photo.pixels.dimensions();
        assert_eq!(width.max(height), MAX_KEPT_SIDE, "{:?}", photo.format);
        let shape = |(width, height): (u32, u32)| f64::from(width) / f64::from(height);
        assert!((shape((width, height)) / shape(photo.original) - 1.0).abs() < 0.002, "{:?}", photo.format);
        assert!(alike(corners(&photo.pixels), QUARTERS), "{:?}", photo.format);
        // The edges between the quarters are still in the middle.
        let middle = photo.pixels.get_pixel(width / 2 - 4, height / 2 - 4).0;
        assert!(alike([middle], [RED]), "{:?}: {middle:?}", photo.format);
        let middle = photo.pixels.get_pixel(width / 2 + 3, height / 2 + 3).0;
        assert!(alike([middle], [YELLOW]), "{:?}: {middle:?}", photo.format);
    }
}

#[test]
fn a_frame_smaller_than_its_canvas_lies_on_white() {
    let frame = quarters(40, 32);
    let moving = webp::animation(&webp::small(&frame), (20, 10), (40, 32), (100, 80));
    let mut still = gif_library::Frame::from_indexed_pixels(40, 32, vec![0; 40 * 32], None);
    (still.left, still.top) = (20, 10);
    for file in [moving, gif::framed((100, 80), &still)] {
        let photo = take(&file);
        assert_eq!(photo.pixels.dimensions(), (100, 80));
        assert_eq!(photo.pixels.get_pixel(19, 10).0, WHITE);
        assert_eq!(photo.pixels.get_pixel(20, 10).0, RED);
        assert_eq!(photo.pixels.get_pixel(20, 9).0, WHITE);
        assert_eq!(photo.pixels.get_pixel(60, 42).0, WHITE);
    }
}

#[test]
fn a_frame_that_sticks_out_of_its_screen_is_cut() {
    let mut frame = gif_library::Frame::from_indexed_pixels(90, 90, vec![1; 8_100], None);
    (frame.left, frame.top) = (30, 40);
    let photo = take(&gif::framed((64, 64), &frame));
    assert_eq!(photo.pixels.dimensions(), (64, 64));
    assert_eq!([photo.pixels.get_pixel(29, 50).0, photo.pixels.get_pixel(63, 63).0], [WHITE, GREEN]);
}

#[test]
fn what_is_transparent_in_a_gif_is_white() {
    let mut frame = gif_library::Frame::from_indexed_pixels(40, 40, vec![2; 1_600], None);
    frame.transparent = Some(2);
    assert_eq!(corners(&take(&gif::framed((40, 40), &frame)).pixels), [WHITE; 4]);
}

#[test]
fn a_fresh_png_shows_the_same_and_is_taken_again() {
    let photo = take(fixture("lossless.webp"));
    let png = photo.to_png().expect("it encodes");
    assert_eq!(take(&png).pixels, photo.pixels);
}
