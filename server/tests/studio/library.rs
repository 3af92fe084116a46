//! Kept prompts, and everything of somebody's out of one studio and into another, between real processes.

use std::io::{Cursor, Read};

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgPool};

use crate::studio::{Person, Settings, Studio};

/// Sixteen megapixels in fifty kilobytes.
const PHOTO: &[u8] = include_bytes!("../../../intake/tests/fixtures/16-megapixels-alpha.webp");

/// A studio where nobody was before: its own database, its own pictures.
async fn empty_studio(pool: &PgPool, data: &std::path::Path) -> Studio {
    let options = pool.connect_options();
    // The test's own name is as long as a name may be.
    let own = options.get_database().expect("a name");
    let name = format!("other_{}", own.chars().rev().take(40).collect::<String>());
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        sqlx::query(&format!("{statement} \"{name}\"")).execute(pool).await.expect("a database");
    }
    let url = (*options).clone().database(&name).to_url_lossy().to_string();
    Studio::start(&Settings { database_url: Some(url), ..Settings::private(data, "fake:10ms") }).await
}

async fn send(person: &Person, kind: &str, bytes: impl Into<reqwest::Body>) -> Response {
    let request = person.client.post(format!("{}/api/v1/import", person.base)).header(header::CONTENT_TYPE, kind);
    request.body(bytes).send().await.expect("an answer")
}

/// A form as a browser without scripts sends it.
async fn submit(person: &Person, fields: &[(&str, &str, &[u8])]) -> Response {
    let mut body = Vec::new();
    for (name, file, bytes) in fields {
        body.extend_from_slice(
            format!("--sep\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--sep--\r\n");
    let request = person.client.post(format!("{}/library", person.base)).body(body);
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=sep");
    request.header(header::ACCEPT, "text/html").send().await.expect("an answer")
}

async fn export(person: &Person) -> Vec<u8> {
    let answer = person.get("/api/v1/export").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/zip");
    let name = answer.headers()[header::CONTENT_DISPOSITION].to_str().expect("text");
    assert!(name.starts_with("attachment; filename=\"mindseye-20"), "{name}");
    answer.bytes().await.expect("an archive").to_vec()
}

/// Names and contents of an archive's files, by name.
fn unpacked(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
    let mut files: Vec<(String, Vec<u8>)> = (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).expect("a file");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("its bytes");
            (file.name().expect("a name").into_owned(), bytes)
        })
        .collect();
    files.sort();
    files
}

/// What an archive tells, less when it was written, and all its other files.
fn content(archive: &[u8]) -> (Value, Vec<(String, Vec<u8>)>) {
    let (manifest, files): (Vec<_>, Vec<_>) =
        unpacked(archive).into_iter().partition(|(name, _)| name == "mindseye.json");
    let mut told: Value = serde_json::from_slice(&manifest[0].1).expect("json");
    told.as_object_mut().expect("an object").remove("made_at");
    (told, files)
}

#[sqlx::test(migrations = "../migrations")]
async fn everything_moves_to_another_studio_and_is_the_same_there(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    let wish = json!({"prompt": "a sea, “storm” & fog", "negative_prompt": "cars", "count": 2, "width": 128,
        "height": 96, "steps": 8, "seed": 9_007_199_254_740_991_u64, "guidance": 3.7});
    let first = person.submit(&wish).await;
    let first = person.finished(&first).await;
    let media = first["outputs"][0]["id"].as_str().expect("a picture").to_owned();
    let vary =
        json!({"prompt": "at night", "source": {"media": media, "strength": 0.5, "region": ["sky"]}, "count": 1});
    let second = person.submit(&vary).await;
    let second = person.finished(&second).await;
    let id = second["id"].as_str().expect("an id").to_owned();
    let photo = person.client.post(format!("{}/api/v1/photos", person.base)).body(PHOTO).send().await.expect("sent");
    assert_eq!(photo.status(), StatusCode::CREATED);
    let list = send(&person, "text/csv", "prompt,tags,seed\na mill,\"fog, oil\",18446744073709551615\n").await;
    assert_eq!(list.status(), StatusCode::OK);
    let report: Value = list.json().await.expect("json");
    assert_eq!(report["prompts"], json!({"kept": 1, "skipped": 0}), "{report}");

    let archive = export(&person).await;
    let (told, files) = content(&archive);
    assert_eq!(told["jobs"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(told["jobs"][0]["request"], first["request"]);
    assert_eq!(files.len(), 5, "three pictures, a photo and the words");

    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = empty_studio(&pool, elsewhere.path()).await;
    let (newcomer, stranger) = (other.person(), other.person());
    let answer = send(&newcomer, "application/zip", archive.clone()).await;
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
    let report: Value = answer.json().await.expect("json");
    assert_eq!((&report["jobs"]["kept"], &report["pictures"]["kept"]), (&json!(2), &json!(3)), "{report}");
    assert_eq!((&report["photos"]["kept"], &report["prompts"]["kept"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(content(&export(&newcomer).await), (told, files), "the same in content, to the byte");

    // It is like what was made there, and free.
    let job: Value = newcomer.get(&format!("/api/v1/generations/{id}")).await.json().await.expect("json");
    for part in ["request", "outputs", "created_at", "finished_at", "status"] {
        assert_eq!(job[part], second[part], "{part}");
    }
    assert_eq!(job["price"], 0);
    let picture = format!("/media/{media}");
    let (there, here) = (newcomer.get(&picture).await, person.get(&picture).await);
    assert_eq!(there.bytes().await.expect("bytes"), here.bytes().await.expect("bytes"));
    let me: Value = newcomer.get("/api/v1/me").await.json().await.expect("json");
    assert_eq!(me["credits_left"], me["daily"], "{me}");
    let feed: Value = newcomer.get("/api/v1/feed").await.json().await.expect("json");
    assert!(!feed.to_string().contains(&media), "{feed}");
    let page = newcomer.get(&format!("/g/{id}")).await.text().await.expect("a page");
    assert!(page.contains("at night"));

    // And nobody else's.
    for path in [picture, format!("/api/v1/generations/{id}"), format!("/g/{id}")] {
        assert_eq!(stranger.get(&path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let (told, files) = content(&export(&stranger).await);
    assert_eq!((&told["jobs"], &told["prompts"], files.len()), (&json!([]), &json!([]), 1));
    let text = stranger.get("/api/v1/library.md").await.text().await.expect("text");
    assert!(!text.contains("a mill"));
    let text = newcomer.get("/api/v1/library.json").await.text().await.expect("text");
    assert!(text.contains("a mill") && text.contains("18446744073709551615"), "{text}");

    let again: Value = send(&newcomer, "application/zip", archive).await.json().await.expect("json");
    assert_eq!((&again["jobs"], &again["prompts"]["kept"]), (&json!({"kept": 0, "skipped": 2}), &json!(0)), "{again}");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_form_takes_a_file_or_a_list_and_says_what_came_of_it(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    let refused = submit(&person, &[("file", "a.zip", b"PK\x03\x04 and nothing else"), ("text", "", b"")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = refused.text().await.expect("a page");
    assert!(page.contains("nothing of it was kept") && page.contains("type=\"file\""), "{page}");
    assert_eq!(submit(&person, &[("other", "", b"a")]).await.status(), StatusCode::BAD_REQUEST);
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM devices").fetch_one(&pool).await.expect("a count");
    assert_eq!(kept, 0, "nobody is written down");

    let taken =
        submit(&person, &[("file", "", b""), ("text", "", "a mill in fog\na café at night\n".as_bytes())]).await;
    assert_eq!(taken.status(), StatusCode::OK);
    let page = taken.text().await.expect("a page");
    assert!(page.contains("Kept: 2 prompts") && page.contains("a café at night"), "{page}");
    let page = person.get("/library").await.text().await.expect("a page");
    assert!(page.contains("a mill in fog") && !page.contains("Kept: 2 prompts"));
    let page = studio.person().get("/library").await.text().await.expect("a page");
    assert!(!page.contains("a mill in fog"));
}
