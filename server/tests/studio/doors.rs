//! The doors that stay stable.

use futures::StreamExt;
use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::studio::{Settings, Studio, WORKER_KEY, until};

fn sea() -> Value {
    json!({"prompt": "a red sun over a dark sea", "count": 2, "seed": 5, "width": 128, "height": 96, "steps": 3})
}

#[sqlx::test(migrations = "../migrations")]
async fn a_stranger_gets_pictures_that_are_theirs_alone(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let (person, stranger) = (studio.person(), studio.person());

    let before: Value = person.get("/api/v1/me").await.json().await.expect("json");
    assert_eq!((before["credits_left"].as_u64(), before["owner"].is_null()), (Some(50), true));
    let quote: Value = person.post("/api/v1/quote", &sea()).await.json().await.expect("json");
    assert_eq!(quote["price"], 2);

    let accepted = person.post("/api/v1/generations", &sea()).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let job: Value = accepted.json().await.expect("json");
    assert_eq!((&job["status"], &job["price"]), (&json!("queued"), &json!(2)));
    let id = job["id"].as_str().expect("an id");
    let done = person.finished(id).await;
    assert_eq!(done["status"], "succeeded");
    let outputs = done["outputs"].as_array().expect("outputs");
    assert_eq!(outputs.iter().map(|o| o["seed"].as_u64()).collect::<Vec<_>>(), [Some(5), Some(6)]);

    let mut pictures = Vec::new();
    for output in outputs {
        let url = output["url"].as_str().expect("a url");
        let answer = person.get(url).await;
        assert_eq!(answer.headers()[CONTENT_TYPE], "image/png");
        assert!(answer.headers()[CACHE_CONTROL].to_str().expect("text").starts_with("private"));
        let bytes = answer.bytes().await.expect("bytes");
        // Width and height stand in the header chunk of a PNG.
        assert_eq!((&bytes[1..4], &bytes[16..24]), (b"PNG".as_slice(), [0, 0, 0, 128, 0, 0, 0, 96].as_slice()));
        pictures.push(bytes);
        let (theirs, nothing) =
            (stranger.get(url).await, stranger.get("/media/00000000-0000-4000-8000-000000000000").await);
        assert_eq!((theirs.status(), nothing.status()), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
        assert_eq!(theirs.bytes().await.expect("bytes"), nothing.bytes().await.expect("bytes"));
    }
    assert_ne!(pictures[0], pictures[1]);

    let again = person.submit(&sea()).await;
    let again = person.finished(&again).await;
    let same = person.get(again["outputs"][0]["url"].as_str().expect("a url")).await.bytes().await.expect("bytes");
    assert_eq!(same, pictures[0], "same seed, same picture");
    let after: Value = person.get("/api/v1/me").await.json().await.expect("json");
    assert_eq!(after["credits_left"], 46);
}

#[sqlx::test(migrations = "../migrations")]
async fn events_tell_of_every_picture_and_a_second_stream_resumes(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:200ms")).await;
    let person = studio.person();
    let id = person.submit(&sea()).await;
    let path = format!("/api/v1/generations/{id}/events");
    let stream = person.get(&path).await;
    assert_eq!(stream.headers()[CONTENT_TYPE], "text/event-stream");
    let text = stream.text().await.expect("the stream ends by itself");
    assert!(text.contains("event: state") && text.contains("event: progress"), "{text}");
    assert!(text.contains("data:image/png;base64,"), "a preview was sent");
    let last = text.rsplit("data: ").next().expect("an event");
    assert!(last.contains(r#""status":"succeeded""#), "{last}");
    assert!(text.contains("\nid: "), "events carry ids");

    let resumed = person.client.get(format!("{}{path}", studio.base)).header("Last-Event-ID", "1").send().await;
    let resumed = resumed.expect("an answer").text().await.expect("text");
    assert!(resumed.contains(r#""status":"succeeded""#), "{resumed}");
    assert_eq!(studio.person().get(&path).await.status(), StatusCode::NOT_FOUND);
}

#[sqlx::test(migrations = "../migrations")]
async fn wrong_input_gets_a_problem_with_a_stable_code(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:1ms")).await;
    let person = studio.person();
    let cases = [
        (json!({"prompt": ""}), 422, "empty_prompt"),
        (json!({}), 422, "empty_prompt"),
        (json!({"prompt": "x".repeat(10_000)}), 422, "prompt_too_long"),
        (json!({"prompt": "a", "width": 7, "height": 99_999}), 422, "invalid_size"),
        (json!({"prompt": "a", "model": "no-such-model"}), 422, "unknown_model"),
        (json!({"prompt": "a", "count": 1000}), 422, "out_of_range"),
        (json!({"prompt": "a", "steps": 0}), 422, "out_of_range"),
        (json!({"prompt": "a", "count": "four"}), 400, "bad_request"),
        (json!(["a"]), 400, "bad_request"),
        (json!({"prompt": "a", "seed": -1}), 400, "bad_request"),
    ];
    for (body, status, code) in cases {
        let answer = person.post("/api/v1/generations", &body).await;
        assert_problem(answer, status, code).await;
    }
    let url = format!("{}/api/v1/generations", studio.base);
    let broken = person.client.post(&url).header(CONTENT_TYPE, "application/json").body("{\"prompt\": ").send().await;
    assert_problem(broken.expect("an answer"), 400, "bad_request").await;
    let huge = person.client.post(&url).header(CONTENT_TYPE, "application/json").body(vec![b' '; 1 << 20]).send().await;
    assert_problem(huge.expect("an answer"), 413, "too_large").await;
    for path in [
        "/api/v1/generations/nonsense",
        "/api/v1/generations/00000000-0000-4000-8000-000000000000",
        "/nowhere/at/all",
        "/media/../secret",
    ] {
        assert_problem(person.get(path).await, 404, "not_found").await;
    }
    assert_problem(person.client.put(&url).send().await.expect("an answer"), 405, "method_not_allowed").await;
    let elsewhere = person.client.post(&url).header("Sec-Fetch-Site", "cross-site").json(&sea()).send().await;
    assert_problem(elsewhere.expect("an answer"), 403, "cross_site").await;
    let dear = json!({"prompt": "a", "count": 8, "steps": 50, "width": 512, "height": 512});
    assert_problem(person.post("/api/v1/generations", &dear).await, 422, "too_expensive").await;
    let bad_key = person.get("/api/v1/feed?after=nonsense").await;
    assert_problem(bad_key, 400, "bad_request").await;
    // None of it left a trace: nobody was written down for it.
    let devices: i64 = sqlx::query_scalar("SELECT count(*) FROM devices").fetch_one(&pool).await.expect("a count");
    assert_eq!(devices, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_fifty_first_credit_is_refused_kindly(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:1ms")).await;
    let person = studio.person();
    for count in [8, 8, 8, 8, 8, 8, 2] {
        person.submit(&json!({"prompt": "a", "count": count, "width": 64, "height": 64})).await;
    }
    let refused = person.post("/api/v1/generations", &json!({"prompt": "a", "count": 1})).await;
    assert!(refused.headers().contains_key("retry-after"));
    let problem = assert_problem(refused, 429, "daily_limit").await;
    assert!(problem["resets_at"].is_string() && problem["credits_left"] == 0);
    assert!(problem["detail"].as_str().expect("a sentence").contains("00:00 UTC"));
}

#[sqlx::test(migrations = "../migrations")]
async fn every_answer_says_how_it_may_be_kept_and_what_may_run(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:1ms")).await;
    let person = studio.person();
    let page = person.get("/").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()[CACHE_CONTROL].to_str().expect("text").contains("no-cache"));
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
    let html = page.text().await.expect("html");
    for script in html.split("<script").skip(1) {
        assert!(
            script.starts_with(&format!(" nonce=\"{nonce}\"")) || script.contains(&format!("nonce=\"{nonce}\"")),
            "{script}"
        );
    }
    for path in ["/healthz", "/api/v1/me", "/api/v1/feed", "/nowhere"] {
        let answer = person.get(path).await;
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{path}");
        for header in ["x-content-type-options", "content-security-policy", "referrer-policy", "x-frame-options"] {
            assert!(answer.headers().contains_key(header), "{path} lacks {header}");
        }
    }
    let feed: Value = person.get("/api/v1/feed?limit=5").await.json().await.expect("json");
    assert_eq!(feed["items"], json!([]));
    let metrics = person.get("/metrics").await.text().await.expect("text");
    assert!(metrics.contains("mindseye_workers 1"), "{metrics}");
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_without_the_key_speaks_to_the_gateway(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:1ms")).await;
    let person = studio.person();
    assert_problem(person.get("/internal/worker").await, 404, "not_found").await;
    let url = format!("{}/internal/results/00000000-0000-4000-8000-000000000000/1/0", studio.base);
    // The answer comes before the body is read: one that never ends gets it too.
    let endless = futures::stream::iter([Ok::<_, std::io::Error>(vec![0; 1024])]).chain(futures::stream::pending());
    let answer = person.client.post(&url).body(reqwest::Body::wrap_stream(endless)).send().await;
    assert_problem(answer.expect("an answer"), 404, "not_found").await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_picture_that_nobody_waits_for_is_not_read(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:1ms")).await;
    let url = format!("{}/internal/results/00000000-0000-4000-8000-000000000000/1/0", studio.base);
    let endless = futures::stream::iter([Ok::<_, std::io::Error>(vec![0; 1024])]).chain(futures::stream::pending());
    let post = studio.person().client.post(&url).bearer_auth(WORKER_KEY).body(reqwest::Body::wrap_stream(endless));
    let answer = tokio::time::timeout(std::time::Duration::from_secs(20), post.send()).await;
    assert_eq!(answer.expect("in time").expect("an answer").status(), StatusCode::CONFLICT);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_told_of_a_worker_goes_with_it(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:1ms")).await;
    let person = studio.person();
    let told = || async {
        let metrics = person.get("/metrics").await.text().await.expect("text");
        (metrics.contains("mindseye_worker_jobs{worker=\"guest\"}"), metrics)
    };
    let guest = studio.guest("guest", "fake:1ms");
    let metrics = until("the guest is there", || async {
        let (there, metrics) = told().await;
        there.then_some(metrics)
    })
    .await;
    assert!(metrics.contains("mindseye_worker_model{worker=\"guest\",model=\"starter\"} 1"), "{metrics}");
    drop(guest);
    let metrics = until("the guest is gone", || async {
        let (there, metrics) = told().await;
        (!there).then_some(metrics)
    })
    .await;
    assert!(metrics.contains("mindseye_worker_jobs{worker=\"local-"), "the others are still told of: {metrics}");
}

async fn assert_problem(answer: reqwest::Response, status: u16, code: &str) -> Value {
    assert_eq!(answer.status().as_u16(), status, "{code}");
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json", "{code}");
    let problem: Value = answer.json().await.expect("json");
    assert_eq!(problem["code"], code);
    let sentence = problem["detail"].as_str().expect("a sentence");
    assert!(sentence.len() > 20 && sentence.ends_with(['.', '”']), "{sentence}");
    problem
}
