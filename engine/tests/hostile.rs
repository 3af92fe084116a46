//! Model directories as an attacker or a bad disk would leave them: whatever stands in a configuration or at the
//! beginning of a weights file, loading says so in a typed error, and nothing panics.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use common::{copy, fixture, params};
use engine::{Device, Params, Pipeline};
use serde_json::{Value, json};

/// Damages of each model: enough to touch every file many times, in some seconds.
const ROUNDS: u64 = 300;

/// Numbers that look random and are the same in every run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

#[test]
fn nothing_that_a_file_says_is_a_panic() {
    for model in ["tiny_first", "tiny_second", "tiny_starter", "tiny_xl"] {
        let (mut loaded, mut refused) = (0, 0);
        for round in 0..ROUNDS {
            let dir = tempfile::tempdir().expect("a temporary folder");
            copy(&fixture(model), dir.path());
            let what = damage(dir.path(), &mut Chance(round));
            let tried = catch_unwind(AssertUnwindSafe(|| attempt(dir.path())));
            match tried {
                Ok(true) => loaded += 1,
                Ok(false) => refused += 1,
                Err(_) => panic!("{model}, round {round}: {what}"),
            }
        }
        assert!(loaded > 0 && refused > ROUNDS as usize / 4, "{model}: {loaded} loaded, {refused} refused");
    }
}

/// Loads, and where that works draws: a setting that only matters then must not panic either.
fn attempt(dir: &Path) -> bool {
    let pipeline = match Pipeline::load(dir, &Device::cpu()) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            eprintln!("{error}");
            return false;
        }
    };
    let wanted = Params { steps: 2, width: 32, height: 32, ..params("a red boat", 1) };
    if let Ok(mut session) = pipeline.open(&wanted) {
        while !session.is_done() && pipeline.step(&mut [&mut session]).is_ok() {}
        let _ = pipeline.finish(&session);
    }
    true
}

/// Does something to one file; says what.
fn damage(dir: &Path, chance: &mut Chance) -> String {
    let mut files = Vec::new();
    list(dir, &mut files);
    files.sort();
    let file = files[chance.below(files.len())].clone();
    let name = file.strip_prefix(dir).unwrap_or(&file).display().to_string();
    let bytes = std::fs::read(&file).expect("a file");
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    if is_json && let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) {
        let change = change(&mut value, chance, 0);
        std::fs::write(&file, value.to_string()).expect("it writes");
        return format!("{name}: {change}");
    }
    match chance.below(3) {
        0 if bytes.len() > 8 && bytes[8] == b'{' => {
            // A header that is JSON and says something else.
            let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
            let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
            let change = change(&mut header, chance, 0);
            let header = header.to_string().into_bytes();
            let whole = [&(header.len() as u64).to_le_bytes(), header.as_slice(), &bytes[8 + length..]].concat();
            std::fs::write(&file, whole).expect("it writes");
            format!("{name}, header: {change}")
        }
        1 => {
            let end = chance.below(bytes.len());
            std::fs::write(&file, &bytes[..end]).expect("it writes");
            format!("{name}: cut off after {end} bytes")
        }
        _ => {
            let mut bytes = bytes;
            let at = chance.below(bytes.len().min(2_048));
            bytes[at] = chance.below(256) as u8;
            std::fs::write(&file, &bytes).expect("it writes");
            format!("{name}: byte {at} is {}", bytes[at])
        }
    }
}

/// Puts something else in place of one value, somewhere within; says what.
fn change(value: &mut Value, chance: &mut Chance, depth: usize) -> String {
    let children: Vec<String> = match &*value {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::Array(entries) => (0..entries.len()).map(|at| at.to_string()).collect(),
        _ => Vec::new(),
    };
    if !children.is_empty() && (depth == 0 || chance.below(6) != 0) {
        let child = &children[chance.below(children.len())];
        if let Value::Object(fields) = value {
            if chance.below(8) == 0 {
                fields.remove(child);
                return format!("{child} is missing");
            }
            let inner = fields.get_mut(child).expect("a field");
            return format!("{child}.{}", change(inner, chance, depth + 1));
        }
        let at: usize = child.parse().expect("a number");
        return format!("{child}.{}", change(&mut value[at], chance, depth + 1));
    }
    let hostile = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(3),
        json!(-1),
        json!(7),
        json!(1_000_000),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.5),
        json!(1e308),
        json!(-1e-320),
        json!(""),
        json!("../../etc/passwd"),
        json!("\u{0}\u{202e}"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([1, 2, 3]),
        json!([-5, u64::MAX]),
        json!({}),
        json!({ "a": { "b": [] } }),
    ];
    *value = hostile[chance.below(hostile.len())].clone();
    let text = value.to_string();
    format!("= {}", text.chars().take(60).collect::<String>())
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}
