//! What is refused, and what is left of files that are two things at once.

mod corpus;

use corpus::{fixture, gif, jpeg, png, quarters, webp};
use intake::{Foreign, Format, MAX_BYTES, Refusal, take_in};
use png::Header;

fn refusal(bytes: &[u8]) -> Refusal {
    take_in(bytes).map(|photo| photo.pixels.dimensions()).expect_err("it is refused")
}

#[test]
fn no_bytes_and_too_many_bytes_are_refused() {
    assert_eq!(refusal(&[]), Refusal::Empty);
    let bytes = vec![0; MAX_BYTES + 1];
    assert_eq!(refusal(&bytes), Refusal::TooManyBytes { bytes: MAX_BYTES + 1 });
    assert_eq!(refusal(&bytes[1..]), Refusal::Foreign(Foreign::Unknown));
}

#[test]
fn other_files_are_refused_by_name() {
    assert_eq!(refusal(corpus::AVIF), Refusal::Foreign(Foreign::Avif));
    let heic = b"\0\0\0\x24ftypheic\0\0\0\0mif1heicMiHEmiaf\0\0\0\0meta";
    assert_eq!(refusal(heic), Refusal::Foreign(Foreign::Heic));
    assert_eq!(refusal(b"<!doctype html><img src=x onerror=alert(1)>"), Refusal::Foreign(Foreign::Html));
    assert_eq!(refusal(b"<svg onload=alert(1)>"), Refusal::Foreign(Foreign::Svg));
    assert_eq!(refusal(b"PK\x03\x04"), Refusal::Foreign(Foreign::Archive));
}

#[test]
fn every_sentence_says_that_nothing_was_kept_and_what_to_do() {
    let (format, width, height, bytes) = (Format::WebP, 1, 2, 25_000_001);
    let refusals = [
        Refusal::Empty,
        Refusal::TooManyBytes { bytes },
        Refusal::TooManyPixels { width, height },
        Refusal::TooHeavy { format, width, height },
        Refusal::TooSmall { width, height },
        Refusal::TooNarrow { width, height },
        Refusal::Truncated(format),
        Refusal::Damaged(format),
        Refusal::Rare(format),
        Refusal::Foreign(Foreign::Heic),
    ];
    for refusal in refusals {
        let sentence = refusal.to_string();
        let (_, advice) = sentence.split_once("; nothing was kept; ").expect("it says that nothing was kept");
        assert!(advice.len() > 15, "{sentence}");
    }
    assert_eq!(
        Refusal::Foreign(Foreign::Heic).to_string(),
        "this is a HEIC picture, as iPhones save them; nothing was kept; choose “Most Compatible” in \
         Settings → Camera → Formats, or send a screenshot of it"
    );
    assert!(Refusal::TooManyBytes { bytes }.to_string().starts_with("the file has 26 MB, and 25 MB is the most"));
}

#[test]
fn sizes_are_judged_by_the_header_in_every_format() {
    let png = |width, height| png::file(&[(b"IHDR", &Header::rgb(width, height).bytes()), (b"IDAT", b"x")]);
    let webp = |width, height| webp::file(&[(b"VP8X", &webp::extended_header(0, width, height))]);
    let gif = |width: u16, height: u16| {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend([width.to_le_bytes(), height.to_le_bytes(), [0, 0]].concat());
        bytes.extend(b"\0,");
        bytes
    };
    type Expected = fn(u32, u32) -> Refusal;
    let cases: [((u16, u16), Expected); 5] = [
        ((65_535, 65_535), |width, height| Refusal::TooManyPixels { width, height }),
        ((10_000, 5_001), |width, height| Refusal::TooManyPixels { width, height }),
        ((20_000, 10), |width, height| Refusal::TooSmall { width, height }),
        ((1, 1), |width, height| Refusal::TooSmall { width, height }),
        ((300, 33), |width, height| Refusal::TooNarrow { width, height }),
    ];
    for ((width, height), expected) in cases {
        let expected = expected(width.into(), height.into());
        assert_eq!(refusal(&jpeg::header_only(width, height)), expected);
        assert_eq!(refusal(&png(width.into(), height.into())), expected);
        assert_eq!(refusal(&webp(width.into(), height.into())), expected);
        assert_eq!(refusal(&gif(width, height)), expected);
    }
}

#[test]
fn whole_files_of_one_pixel_and_of_thin_strips_are_refused() {
    for (width, height) in [(1, 1), (31, 40), (20_000, 10)] {
        let picture = quarters(width, height);
        for file in [png::small(&picture), jpeg::small(&picture), gif::small(&picture)] {
            assert_eq!(refusal(&file), Refusal::TooSmall { width, height });
        }
    }
    let (width, height) = (400, 40);
    assert_eq!(refusal(&webp::small(&quarters(width, height))), Refusal::TooNarrow { width, height });
}

#[test]
fn files_cut_anywhere_are_refused() {
    for (name, bytes) in corpus::good() {
        for end in (1..bytes.len()).step_by(bytes.len() / 150 + 1) {
            let Err(refusal) = take_in(&bytes[..end]) else {
                // What lacks is behind the pixels of the first frame.
                assert!(name.to_lowercase().contains("gif") && end > 100, "{name} cut at {end} is taken");
                continue;
            };
            let expected = matches!(refusal, Refusal::Truncated(_) | Refusal::Damaged(_));
            assert!(expected || end < 12, "{name} cut at {end}: {refusal}");
        }
    }
}

#[test]
fn the_last_byte_is_missed() {
    for name in ["progressive.jpg", "baseline-422.jpg", "lossy.webp", "lossless.webp", "palette-alpha.png"] {
        let bytes = fixture(name);
        let refusal = refusal(&bytes[..bytes.len() - 1]);
        assert!(matches!(refusal, Refusal::Truncated(_)), "{name}: {refusal}");
    }
}

#[test]
fn a_progressive_jpeg_without_its_last_scans_is_truncated() {
    let bytes = fixture("progressive.jpg");
    let scans: Vec<usize> =
        bytes.windows(2).zip(0..).filter(|(pair, _)| *pair == b"\xff\xda").map(|(_, at)| at).collect();
    for at in &scans[1..] {
        let ended = [&bytes[..*at], &b"\xff\xd9"[..]].concat();
        assert_eq!(refusal(&ended), Refusal::Truncated(Format::Jpeg));
    }
}

#[test]
fn a_palette_that_ends_within_a_colour_is_damaged() {
    let header = Header { colours: 3, ..Header::rgb(40, 32) };
    let data = png::deflated(|out| out.write_all(&[0; 41 * 32]).expect("it writes"));
    let file = |palette: &[u8], alpha: &[u8]| {
        png::file(&[(b"IHDR", &header.bytes()), (b"PLTE", palette), (b"tRNS", alpha), (b"IDAT", &data)])
    };
    assert!(take_in(&file(&[1, 2, 3], &[255])).is_ok());
    assert_eq!(refusal(&file(&[1, 2, 3, 4, 5], &[255])), Refusal::Damaged(Format::Png));
}

#[test]
fn variants_that_nothing_opens_are_called_rare() {
    let file = jpeg::small(&quarters(96, 64));
    let at = file.windows(2).position(|pair| pair == b"\xff\xc0").expect("it has a frame");
    for marker in [0xc3, 0xc9, 0xca, 0xcb] {
        let mut other = file.clone();
        other[at + 1] = marker;
        assert_eq!(refusal(&other), Refusal::Rare(Format::Jpeg));
    }
    let mut deep = file.clone();
    deep[at + 4] = 12;
    assert_eq!(refusal(&deep), Refusal::Rare(Format::Jpeg));
    let mut without_height = file;
    without_height[at + 5..at + 7].fill(0);
    assert_eq!(refusal(&without_height), Refusal::Rare(Format::Jpeg));
}

#[test]
fn a_file_may_be_something_else_too_but_what_comes_out_is_not() {
    const SCRIPT: &[u8] = b"<script>alert('mindseye')</script>";
    const ZIP: &[u8] = b"PK\x03\x04mindseye-payload";
    let picture = quarters(96, 64);
    let payload = [SCRIPT, ZIP, b"%PDF-1.7", b"<?php system($_GET['c']); ?>"].concat();
    let (png, jpeg) = (png::small(&picture), jpeg::small(&picture));
    let (webp, gif) = (webp::small(&picture), gif::small(&picture));
    let commented_gif = [&gif[..gif.len() - 1], &[0x21, 0xfe, SCRIPT.len() as u8], SCRIPT, &[0, 0x3b]].concat();
    let chunk = (b"EVIL", &payload[..]);
    let header = webp::extended_header(0, 96, 64);
    let files = [
        [&png[..], &payload].concat(),
        png::with_chunk(&png, b"tEXt", &[&b"Comment\0"[..], &payload].concat()),
        png::with_chunk(&png, b"evIl", &payload),
        [&jpeg[..], &payload].concat(),
        jpeg::with_segment(&jpeg, 0xfe, &payload),
        jpeg::with_segment(&jpeg, 0xe2, &payload),
        jpeg::with_segment(&jpeg, 0xe1, &[&b"Exif\0\0"[..], &corpus::exif(1), &payload].concat()),
        [&webp[..], &payload].concat(),
        webp::file(&[(b"VP8X", &header), chunk, (b"VP8L", webp::bitstream(&webp)), chunk]),
        [&gif[..], &payload].concat(),
        commented_gif,
    ];
    for (number, file) in files.iter().enumerate() {
        let photo = take_in(file).unwrap_or_else(|refusal| panic!("{number}: {refusal}"));
        assert_eq!(photo.pixels.dimensions(), (96, 64));
        let clean = photo.to_png().expect("it encodes");
        for trace in [&b"script"[..], b"mindseye", b"PK\x03\x04", b"%PDF", b"php", b"EVIL", b"evIl", b"Exif", b"eXIf"] {
            let found = clean.windows(trace.len()).any(|window| window == trace);
            assert!(!found, "{} is left of file {number}", trace.escape_ascii());
        }
    }
}
