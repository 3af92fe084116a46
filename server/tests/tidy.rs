//! The invariants of `docs/ARCHITECTURE.md` that a test can check.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every Rust source file of a room, with its text.
fn sources(room: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(room)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty(), "{room} has no sources");
    files
}

const ROOMS: [&str; 12] = [
    "intake/src",
    "domain/src",
    "prompts/src",
    "dispatch/src",
    "services/src",
    "engine/src",
    "worker/src",
    "app/src",
    "frontend/src",
    "proof/src",
    "server/src",
    "people/src",
];

/// Packages below `package`, by name.
fn dependencies(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "-f", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn sql_lives_in_stores_only() {
    for room in ROOMS {
        for (path, text) in sources(room) {
            let allowed = path.ends_with("store.rs") || path.ends_with("services/src/db.rs");
            let has_sql = ["sqlx::query", "query_as(", "query_scalar("].iter().any(|call| text.contains(call));
            assert!(allowed || !has_sql, "{} holds SQL: move it to the room's store.rs", path.display());
        }
    }
}

#[test]
fn the_app_has_one_server_side_module() {
    let needle = concat!("cfg(feature = ", "\"ssr\")");
    let places: usize = sources("app/src").iter().map(|(_, text)| text.matches(needle).count()).sum();
    assert_eq!(places, 1, "cfg(ssr) stands once, in app/src/lib.rs");
}

#[test]
fn pure_rooms_know_no_runtime_database_or_clock() {
    for room in ["domain/src", "dispatch/src"] {
        for (path, text) in sources(room) {
            for forbidden in ["tokio", "sqlx", "SystemTime", "Instant", "Utc::now", "rand::rng", "rand::random"] {
                assert!(!text.contains(forbidden), "{} mentions {forbidden}", path.display());
            }
        }
    }
}

#[test]
fn dependencies_point_the_right_way() {
    let forbidden = [
        ("domain", &["tokio", "sqlx", "candle-core", "rand"][..]),
        ("dispatch", &["tokio", "sqlx", "candle-core"]),
        ("engine", &["domain", "dispatch", "services", "tokio", "sqlx"]),
        ("worker", &["sqlx", "redis", "services", "app"]),
        ("services", &["app", "engine", "candle-core", "axum"]),
        ("server", &["engine", "candle-core", "cudarc"]),
    ];
    for (package, names) in forbidden {
        let tree = dependencies(package);
        for name in names {
            assert!(!tree.iter().any(|dependency| dependency == name), "{package} depends on {name}");
        }
    }
}

#[test]
fn files_stay_small() {
    for room in ROOMS {
        for (path, text) in sources(room) {
            let lines = text.lines().count();
            assert!(lines <= 450, "{} has {lines} lines: is it one idea?", path.display());
        }
    }
}

#[test]
fn nothing_is_left_unwritten() {
    let markers = [concat!("tod", "o!("), concat!("unimple", "mented!("), concat!("FIX", "ME")];
    for room in ROOMS {
        for (path, text) in sources(room) {
            for marker in markers {
                assert!(!text.contains(marker), "{} has {marker}", path.display());
            }
        }
    }
}
