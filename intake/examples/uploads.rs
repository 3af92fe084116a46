//! Writes a folder of uploads, good and bad, for `scripts/uploads.sh` to send to a studio, and prints what each of them
//! has to be answered with: `taken` or `refused`, the name of its file, and what it is.
//!
//!     cargo run --release -p intake --example uploads -- FOLDER

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::fs;
use std::io;
use std::path::Path;

use corpus::{jpeg, quarters};

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        return Err(io::Error::other("say the folder to write to"));
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let mut count = 0;
    let mut write = |taken: bool, name: &str, bytes: &[u8]| {
        let file = format!("{count:03}");
        count += 1;
        println!("{} {file} {name}", if taken { "taken" } else { "refused" });
        fs::write(folder.join(file), bytes)
    };
    for member in corpus::large::MEMBERS {
        write(member.taken, member.name, &(member.make)())?;
    }
    for (name, bytes) in corpus::good() {
        write(true, name, bytes)?;
        write(false, &format!("{name}, half of it"), &bytes[..bytes.len() / 2])?;
        // A picture for those who look at its beginning, a page or an archive for those who don't.
        let page = [bytes, &b"<script>alert(1)</script>PK\x03\x04"[..]].concat();
        write(true, &format!("{name}, with a page and an archive behind it"), &page)?;
    }
    let upright = jpeg::small(&quarters(96, 64));
    for orientation in 1..=8 {
        let name = format!("JPEG stored in orientation {orientation}");
        write(true, &name, &jpeg::with_exif(&upright, orientation))?;
    }
    for (name, bytes) in others() {
        write(false, name, &bytes)?;
    }
    Ok(())
}

/// What is no picture of a kind that is taken.
fn others() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("AVIF", corpus::AVIF.to_vec()),
        ("HEIC", b"\0\0\0\x24ftypheic\0\0\0\0mif1heicMiHEmiaf\0\0\0\0meta".to_vec()),
        ("SVG", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec()),
        ("a page", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("an archive", b"PK\x03\x04".to_vec()),
        ("a program", b"\x7fELF\x02\x01\x01".to_vec()),
        ("a video", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".to_vec()),
        ("text", b"a red boat".repeat(100)),
        ("25 MB of zeros", vec![0; intake::MAX_BYTES]),
        ("a page that calls itself GIF", b"GIF89a=1;/*<script>alert(1)</script>".to_vec()),
    ]
}
