//! Photos that people send in, to begin from.

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::studio::{Person, Settings, Studio, until};

/// Sixteen megapixels in fifty kilobytes.
const LARGE: &[u8] = include_bytes!("../../../intake/tests/fixtures/16-megapixels-alpha.webp");

async fn send(person: &Person, bytes: impl Into<reqwest::Body>) -> Response {
    let request = person.client.post(format!("{}/api/v1/photos", person.base)).body(bytes);
    request.send().await.expect("an answer")
}

/// A form as a browser without scripts sends it.
async fn submit(person: &Person, field: &str, bytes: &[u8]) -> Response {
    let mut body =
        format!("--sep\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"a.jpg\"\r\n\r\n").into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--sep--\r\n");
    let request = person.client.post(format!("{}/photo", person.base)).body(body);
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=sep");
    request.header(header::ACCEPT, "text/html").send().await.expect("an answer")
}

#[sqlx::test(migrations = "../migrations")]
async fn a_photo_is_ones_own_and_becomes_pictures(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let (person, stranger) = (studio.person(), studio.person());
    let answer = send(&person, LARGE).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let photo: Value = answer.json().await.expect("json");
    let (id, url) = (photo["id"].as_str().expect("an id"), photo["url"].as_str().expect("an address"));
    let longer = photo["width"].as_u64().max(photo["height"].as_u64());
    assert_eq!(longer, Some(1_024), "{photo}");

    let seen = person.get(url).await;
    assert_eq!(seen.headers()[header::CONTENT_TYPE], "image/png");
    assert!(seen.bytes().await.expect("bytes").starts_with(b"\x89PNG"));
    assert_eq!(stranger.get(url).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(stranger.get(&format!("/p/{id}")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(person.get(&format!("/p/{id}")).await.status(), StatusCode::OK);

    let wish = json!({"prompt": "a watercolor", "source": {"media": id, "strength": 0.5}, "count": 1});
    assert_eq!(stranger.post("/api/v1/generations", &wish).await.status(), StatusCode::NOT_FOUND);
    let job = person.submit(&wish).await;
    let done = person.finished(&job).await;
    assert_eq!((&done["status"], &done["request"]["source"]["media"]), (&json!("succeeded"), &json!(id)), "{done}");
    let wordless = json!({"source": {"media": id}, "count": 1});
    let problem: Value = person.post("/api/v1/generations", &wordless).await.json().await.expect("json");
    assert_eq!(problem["code"], "empty_prompt");
}

/// What somebody may have, many at once see room for; there is a fortieth and no forty-first.
#[sqlx::test(migrations = "../migrations")]
async fn photos_that_come_together_are_no_more_than_allowed(pool: PgPool) {
    const SMALL: &[u8] = include_bytes!("../../../intake/tests/fixtures/grey.jpg");
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    // The first one brings the cookie that makes the rest the same person's.
    let mut taken = usize::from(send(&person, SMALL).await.status() == StatusCode::CREATED);
    for _ in 0..4 {
        let answers = futures::future::join_all((0..12).map(|_| send(&person, SMALL))).await;
        taken += answers.iter().filter(|answer| answer.status() == StatusCode::CREATED).count();
    }
    assert_eq!(taken, 40);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM photos").fetch_one(&pool).await.expect("a number");
    assert_eq!((rows, walk(&data.path().join("media"))), (40, 40));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_no_picture_is_refused_by_name_and_nothing_is_kept(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    for (bytes, said) in [
        (b"%PDF-1.7 ...".to_vec(), "a PDF"),
        (b"<html><script>alert(1)</script></html>".to_vec(), "nothing was kept"),
        (Vec::new(), "empty"),
        (LARGE[..LARGE.len() / 2].to_vec(), "nothing was kept"),
    ] {
        let answer = send(&person, bytes).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        let problem: Value = answer.json().await.expect("json");
        assert_eq!(problem["code"], "photo_refused");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(said)), "{problem}");
    }
    let large = send(&person, vec![0_u8; 26_000_000]).await;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let kept: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM photos) + (SELECT count(*) FROM devices)")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(kept, 0, "neither a photo nor anybody");

    let page = submit(&person, "photo", b"%PDF-1.7 ...").await;
    assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = page.text().await.expect("a page");
    assert!(page.contains("a PDF") && page.contains("type=\"file\""), "{page}");
    assert_eq!(submit(&person, "other", LARGE).await.status(), StatusCode::BAD_REQUEST);
    let done = submit(&person, "photo", LARGE).await;
    assert!(done.status().is_success() && done.url().path().starts_with("/p/"), "{}", done.url());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_photo_goes_after_three_days_file_and_all(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    let photo: Value = send(&person, LARGE).await.json().await.expect("json");
    let url = photo["url"].as_str().expect("an address").to_owned();
    let files = || walk(&data.path().join("media"));
    assert_eq!(files(), 1);
    sqlx::query("UPDATE photos SET created_at = now() - interval '73 hours'").execute(&pool).await.expect("moved");
    // What is outdated goes at the start, and every few minutes after it.
    let _studio = studio.kill_and_restart().await;
    until("the photo has gone", || async { (person.get(&url).await.status() == StatusCode::NOT_FOUND).then_some(()) })
        .await;
    assert_eq!(files(), 0);
}

/// Files below a folder.
fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { 1 }).sum()
}
