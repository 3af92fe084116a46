//! Archives that somebody made to do harm, or that were damaged: refused, and nothing of them kept.

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use sqlx::PgPool;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::desk::{Desk, nobody, packed, png, unpacked};

type Files = Vec<(String, Vec<u8>)>;

async fn files(desk: &Desk) -> Files {
    let (me, owner) = desk.somebody().await;
    desk.made(owner, "a sea", 2, None).await;
    let files = unpacked(&desk.export(&me).await);
    desk.forget_everything().await;
    files
}

/// The archive with what it tells changed.
fn telling(files: &Files, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut files = files.clone();
    let (_, manifest) = files.iter_mut().find(|(name, _)| name == "mindseye.json").expect("a manifest");
    let mut told: Value = serde_json::from_slice(manifest).expect("json");
    change(&mut told);
    *manifest = serde_json::to_vec(&told).expect("json");
    packed(&files)
}

/// The archive with another first picture, and its hash and size as they are.
fn showing(files: &Files, picture: &[u8]) -> Vec<u8> {
    let mut files = files.clone();
    let told: Value = serde_json::from_slice(&files.last().expect("files").1).expect("json");
    let id = told["jobs"][0]["outputs"][0]["id"].as_str().expect("an id").to_owned();
    files.iter_mut().find(|(name, _)| name.contains(&id)).expect("a picture").1 = picture.to_vec();
    telling(&files, |told| {
        let output = &mut told["jobs"][0]["outputs"][0];
        output["bytes"] = json!(picture.len());
        output["sha256"] = json!(hex(picture));
    })
}

fn hex(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_kept_of_what_is_not_what_it_says(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let good = files(&desk).await;
    let whole = packed(&good);
    let mut changed = good.clone();
    let last = changed[0].1.len() - 1;
    changed[0].1[last] ^= 1;
    let hostile: Vec<(&str, Vec<u8>)> = vec![
        ("cut", whole[..whole.len() - 30].to_vec()),
        ("only its beginning", b"PK\x03\x04".to_vec()),
        ("no list of what it holds", packed(&good[..1])),
        ("changed bytes", packed(&changed)),
        ("another version", telling(&good, |told| told["version"] = json!(99))),
        ("no JSON", packed(&[("mindseye.json".into(), b"{".to_vec())])),
        ("a path for an id", telling(&good, |told| told["jobs"][0]["outputs"][0]["id"] = json!("../../etc/passwd"))),
        ("a path for a job", telling(&good, |told| told["jobs"][0]["id"] = json!("../x"))),
        ("a waiting job", telling(&good, |told| told["jobs"][0]["status"] = json!("queued"))),
        ("another size", telling(&good, |told| told["jobs"][0]["outputs"][0]["width"] = json!(65))),
        (
            "a huge size",
            telling(&good, |told| {
                for at in ["/jobs/0/request", "/jobs/0/outputs/0", "/jobs/0/outputs/1"] {
                    told.pointer_mut(at).expect("a part")["width"] = json!(16_384);
                    told.pointer_mut(at).expect("a part")["height"] = json!(16_384);
                }
            }),
        ),
        (
            "the same picture twice",
            telling(&good, |told| {
                told["jobs"][0]["outputs"][1]["id"] = told["jobs"][0]["outputs"][0]["id"].clone();
            }),
        ),
        (
            "a photo that is a picture, too",
            telling(&good, |told| {
                let output = told["jobs"][0]["outputs"][0].clone();
                told["photos"] = json!([output]);
            }),
        ),
        ("a picture that is none", showing(&good, b"<html><script>")),
        ("a picture of another size", showing(&good, &png(48, 64, 0))),
        ("a picture that was cut", showing(&good, &png(64, 48, 0)[..200])),
        (
            "a prompt with signs that are none",
            telling(&good, |told| {
                told["jobs"][0]["request"]["prompt"] = json!("a\u{202E}b");
            }),
        ),
    ];
    for (what, archive) in hostile {
        let error = desk.import(&nobody(), &archive, None).await.expect_err(what);
        assert_eq!(error.code(), "import_refused", "{what}: {error}");
        assert!(error.to_string().contains("nothing of it was kept"), "{what}: {error}");
    }
    for table in ["devices", "jobs", "outputs", "photos", "library_entries", "imports"] {
        assert_eq!(desk.rows(table).await, 0, "{table}");
    }
    assert_eq!(desk.files(), 0);
    assert!(desk.import(&nobody(), &whole, None).await.is_ok(), "the archive itself is fine");
}

#[sqlx::test(migrations = "../migrations")]
async fn bombs_do_not_go_off(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let good = files(&desk).await;
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let bomb = |name: &str, megabytes: usize| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (other, bytes) in good.iter().filter(|(other, _)| other != name) {
            zip.start_file(other.as_str(), deflated).expect("a file");
            zip.write_all(bytes).expect("written");
        }
        zip.start_file(name, deflated).expect("a file");
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..megabytes {
            zip.write_all(&zeros).expect("written");
        }
        zip.finish().expect("an archive").into_inner()
    };
    let picture = good[0].0.clone();
    for archive in [bomb("mindseye.json", 80), bomb(&picture, 80)] {
        assert!(archive.len() < 1 << 20, "small on its way");
        let error = desk.import(&nobody(), &archive, None).await.expect_err("refused");
        assert!(error.to_string().contains("larger than it can be"), "{error}");
    }
    // A list of files that is longer than all of ours could be.
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..500 {
        let name = format!("{number}{}", "n".repeat(65_000));
        zip.start_file(name, SimpleFileOptions::default()).expect("a file");
    }
    let archive = zip.finish().expect("an archive").into_inner();
    let error = desk.import(&nobody(), &archive, None).await.expect_err("refused");
    assert_eq!(error.code(), "import_refused", "{error}");
    assert_eq!((desk.rows("devices").await, desk.files()), (0, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn names_with_paths_in_them_are_nothing_but_names(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut files = files(&desk).await;
    for name in ["../../evil.png", "/tmp/evil.png", "media/../../evil.png", "media/00.png/x"] {
        files.push((name.into(), png(64, 48, 0)));
    }
    let report = desk.import(&nobody(), &packed(&files), None).await.expect("taken").report;
    assert_eq!((report.jobs.kept, report.pictures.kept, desk.files()), (1, 2, 2));
}
