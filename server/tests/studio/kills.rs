//! Killing anything loses no accepted job and charges nobody twice.

use serde_json::json;
use services::credits::drift;
use sqlx::PgPool;

use crate::studio::{Settings, Studio, until};

#[sqlx::test(migrations = "../migrations")]
async fn twenty_jobs_survive_the_death_of_the_worker_and_of_the_server(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:150ms")).await;
    let person = studio.person();
    let mut jobs = Vec::new();
    for number in 0..20 {
        jobs.push(
            person.submit(&json!({"prompt": format!("job {number}"), "count": 2, "width": 64, "height": 64})).await,
        );
    }
    // In the middle of a job: some pictures are there, more are to come.
    let made = || async {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM outputs").fetch_one(&pool).await.expect("a count");
        (count >= 3).then_some(())
    };
    until("a few pictures are there", made).await;
    assert_eq!(studio.kill_workers(), 1);
    let more = || async {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM outputs").fetch_one(&pool).await.expect("a count");
        (count >= 8).then_some(())
    };
    until("the next worker goes on", more).await;
    let studio = studio.kill_and_restart().await;

    for job in &jobs {
        let done = person.finished(job).await;
        assert_eq!(done["status"], "succeeded", "{done}");
        assert_eq!(done["outputs"].as_array().map(Vec::len), Some(2));
    }
    let charges: Vec<(String, i64)> = sqlx::query_as(
        "SELECT kind, count(*) FROM credit_entries WHERE job_id IS NOT NULL GROUP BY kind ORDER BY kind",
    )
    .fetch_all(&pool)
    .await
    .expect("charges");
    assert_eq!(charges, [("capture".to_owned(), 20), ("hold".to_owned(), 20)]);
    assert_eq!(drift(&pool).await.expect("audit"), []);
    let me: serde_json::Value = person.get("/api/v1/me").await.json().await.expect("json");
    assert_eq!(me["credits_left"], 10);
    drop(studio);
}

#[sqlx::test(migrations = "../migrations")]
async fn asked_to_stop_it_finishes_what_is_in_the_making(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    let mut studio = Studio::start(&Settings::new(&pool, data.path(), "fake:400ms")).await;
    let person = studio.person();
    let job = person.submit(&json!({"prompt": "a sea", "count": 2, "width": 64, "height": 64})).await;
    let running = || async {
        let state: String = sqlx::query_scalar("SELECT state FROM jobs").fetch_one(&pool).await.expect("a job");
        (state == "running").then_some(())
    };
    until("the job runs", running).await;
    assert!(studio.stop(), "it leaves cleanly");
    let (id, state): (String, String) =
        sqlx::query_as("SELECT id::text, state FROM jobs").fetch_one(&pool).await.expect("a job");
    assert_eq!((id, state.as_str()), (job, "succeeded"));
}

/// Needs no database of its own: it brings one along.
#[tokio::test]
async fn the_private_postgres_survives_a_killed_server_and_stops_with_a_clean_one() {
    let data = tempfile::tempdir().expect("a folder");
    let settings = Settings::private(&data.path().join("data"), "fake:1ms");
    let studio = Studio::start(&settings).await;
    let person = studio.person();
    let job = person.submit(&json!({"prompt": "a sea", "count": 1, "width": 64, "height": 64})).await;
    person.finished(&job).await;
    let pid = postmaster(&settings);
    let mut studio = studio.kill_and_restart().await;
    assert_eq!(postmaster(&settings), pid, "the running Postgres is adopted");
    assert_eq!(person.finished(&job).await["status"], "succeeded");
    assert!(studio.stop());
    assert_eq!(postmaster(&settings), None, "a clean stop takes it along");
}

fn postmaster(settings: &Settings) -> Option<String> {
    let file = settings.data.join("pg/cluster/postmaster.pid");
    std::fs::read_to_string(file).ok()?.lines().next().map(str::to_owned)
}
