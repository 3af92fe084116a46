//! Pictures that are made from a picture, between real processes.

use domain::source::Cells;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::studio::{Settings, Studio, until};

#[sqlx::test(migrations = "../migrations")]
async fn a_picture_is_made_from_ones_own_and_from_nobody_elses(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let (person, stranger) = (studio.person(), studio.person());
    let job = person.submit(&json!({"prompt": "a sea", "count": 1, "width": 128, "height": 96, "steps": 8})).await;
    let first = person.finished(&job).await;
    let media = first["outputs"][0]["id"].as_str().expect("a picture").to_owned();

    let vary = json!({"source": {"media": media, "strength": 0.5, "region": ["sky"]}, "count": 2});
    let quote: Value = person.post("/api/v1/quote", &vary).await.json().await.expect("json");
    assert_eq!((&quote["price"], &quote["request"]["steps"]), (&json!(2), &json!(8)));
    let varied = person.submit(&vary).await;
    let varied = person.finished(&varied).await;
    assert_eq!((&varied["status"], varied["outputs"].as_array().map(Vec::len)), (&json!("succeeded"), Some(2)));
    let source = json!({"media": media, "width": 128, "height": 96, "strength": 0.5, "region": ["sky"]});
    assert_eq!((&varied["request"]["prompt"], &varied["request"]["source"]), (&json!("a sea"), &source));

    // Whose it is not and which there is not look the same, to the byte.
    let nobodys = "00000000-0000-4000-8000-000000000000";
    let mut answers = Vec::new();
    for media in [media.as_str(), nobodys] {
        for wish in [json!({"source": {"media": media}}), json!({"upscale": {"media": media, "factor": 2}})] {
            for door in ["/api/v1/generations", "/api/v1/quote"] {
                let answer = stranger.post(door, &wish).await;
                assert_eq!(answer.status(), StatusCode::NOT_FOUND);
                answers.push(answer.bytes().await.expect("bytes"));
            }
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let problem: Value = serde_json::from_slice(&answers[0]).expect("json");
    assert_eq!(problem["code"], "source_gone");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_painted_part_is_anew_and_a_picture_gets_more_room(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    let job = person.submit(&json!({"prompt": "a sea", "count": 1, "width": 256, "height": 192})).await;
    let media = person.finished(&job).await["outputs"][0]["id"].as_str().expect("a picture").to_owned();

    let mut cells = Cells::NONE;
    (0..32).for_each(|column| cells.set(column, 3, true));
    let painted = json!({"media": media, "strength": 1.0, "region": [{"cells": cells.encode()}]});
    let done = person.submit(&json!({"source": painted, "count": 1})).await;
    let done = person.finished(&done).await;
    assert_eq!((&done["status"], &done["price"]), (&json!("succeeded"), &json!(1)), "{done}");
    assert_eq!(done["request"]["source"]["region"], painted["region"]);

    // Half as much again across and a quarter down, which 32 does not divide.
    let extend = json!({"right": 0.5, "top": 0.25});
    let wish = json!({"source": {"media": media, "extend": extend}, "count": 2});
    let quote: Value = person.post("/api/v1/quote", &wish).await.json().await.expect("json");
    assert_eq!(quote["price"], json!(4), "{quote}");
    let done = person.submit(&wish).await;
    let done = person.finished(&done).await;
    assert_eq!((&done["status"], &done["request"]["prompt"]), (&json!("succeeded"), &json!("a sea")), "{done}");
    assert_eq!((&done["outputs"][1]["width"], &done["outputs"][1]["height"]), (&json!(384), &json!(256)));
    let source = &done["request"]["source"];
    let placed = json!({"left": 0, "top": 64, "width": 256, "height": 192});
    assert_eq!((&source["extend"], &source["placed"]), (&extend, &placed));

    for (bad, why) in [
        (json!({"region": [{"cells": Cells::NONE.encode()}]}), "painted"),
        (json!({"region": [{"cells": "AAAA"}]}), "base64"),
        (json!({"extend": {}}), "extend"),
        (json!({"extend": {"left": 0.3}}), "extend"),
        (json!({"extend": {"left": 1.25}}), "extend"),
        (json!({"extend": {"left": -0.25}}), "extend"),
        (json!({"extend": {"up": 0.5}}), "up"),
        (json!({"extend": {"left": 0.5}, "region": ["sky"]}), "region"),
        (json!({"extend": {"left": 0.5}, "strength": 0.5}), "strength"),
    ] {
        let mut source = bad.clone();
        source["media"] = json!(media);
        for door in ["/api/v1/generations", "/api/v1/quote"] {
            let answer = person.post(door, &json!({ "source": source })).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
            let problem: Value = answer.json().await.expect("json");
            assert_eq!(problem["code"], "bad_request", "{problem}");
            assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{bad}: {problem}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_picture_becomes_larger_where_a_worker_can(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    let job = person.submit(&json!({"prompt": "a sea", "count": 1, "width": 128, "height": 96, "steps": 2})).await;
    let media = person.finished(&job).await["outputs"][0]["id"].clone();
    let larger = json!({"upscale": {"media": media, "factor": 4}});
    assert_eq!(person.post("/api/v1/generations", &larger).await.status(), StatusCode::UNPROCESSABLE_ENTITY);

    let _guest = studio.guest_with("upscaler", "fake:10ms", "starter,upscale");
    let known = || async { (person.post("/api/v1/quote", &larger).await.status() == StatusCode::OK).then_some(()) };
    until("the worker has come", known).await;
    let done = person.submit(&larger).await;
    let done = person.finished(&done).await;
    assert_eq!((&done["status"], &done["price"]), (&json!("succeeded"), &json!(1)), "{done}");
    let output = &done["outputs"][0];
    assert_eq!((&output["width"], &output["height"]), (&json!(512), &json!(384)));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_job_whose_picture_vanishes_ends_kindly_and_free(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let person = studio.person();
    let job = person.submit(&json!({"prompt": "a sea", "count": 1, "steps": 2})).await;
    let media = person.finished(&job).await["outputs"][0]["id"].as_str().expect("a picture").to_owned();
    // The worker is busy, so that the next job waits for long enough.
    let long = person.submit(&json!({"prompt": "a sea", "count": 8, "steps": 50})).await;
    let waits = person.submit(&json!({"source": {"media": media}, "count": 1})).await;
    sqlx::query("DELETE FROM outputs WHERE id = $1::uuid").bind(&media).execute(&pool).await.expect("gone");
    let failed = person.finished(&waits).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("source_gone")), "{failed}");
    assert_eq!(person.finished(&long).await["status"], "succeeded");
    let charges: Vec<String> =
        sqlx::query_scalar("SELECT kind FROM credit_entries WHERE job_id = $1::uuid ORDER BY id")
            .bind(&waits)
            .fetch_all(&pool)
            .await
            .expect("charges");
    assert_eq!(charges, ["hold", "release"]);
}
