//! A job that goes to a faster worker while it runs, between real processes.

use serde_json::json;
use services::credits::drift;
use sqlx::PgPool;

use crate::studio::{Settings, Studio, until};

#[sqlx::test(migrations = "../migrations")]
async fn a_clip_goes_on_at_a_faster_worker_that_comes(pool: PgPool) {
    let data = tempfile::tempdir().expect("a folder");
    // A worker of its own, which has no model for clips.
    let studio = Studio::start(&Settings::new(&pool, data.path(), "fake:10ms")).await;
    let _slow = studio.guest_with("slow", "fake:500ms", "starter,clip");
    let person = studio.person();
    let wish = json!({"prompt": "waves", "model": "clip", "count": 1, "steps": 50});
    let known = || async {
        let known: i64 = sqlx::query_scalar("SELECT count(*) FROM models WHERE name = 'clip'")
            .fetch_one(&pool)
            .await
            .expect("a count");
        (known == 1).then_some(())
    };
    until("the worker has come", known).await;
    let job = person.submit(&wish).await;
    let holder = |name: &'static str| {
        let pool = pool.clone();
        move || {
            let pool = pool.clone();
            async move {
                let held: i64 =
                    sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state = 'running' AND worker_id = $1")
                        .bind(name)
                        .fetch_one(&pool)
                        .await
                        .expect("a count");
                (held == 1).then_some(())
            }
        }
    };
    until("it runs on the slow one", holder("slow")).await;
    let _fast = studio.guest_with("fast", "fake:50ms", "starter,clip");
    until("it runs on the fast one", holder("fast")).await;
    let kept = data.path().join("media/begun");
    assert_eq!(std::fs::read_dir(&kept).expect("a folder").count(), 1, "what there is of it is kept");
    let done = person.finished(&job).await;
    assert_eq!(done["status"], "succeeded", "{done}");
    assert_eq!(done["outputs"].as_array().map(Vec::len), Some(1));
    let counted: (i32, i32, i32, i32) =
        sqlx::query_as("SELECT epoch, attempts, crashes, moves FROM jobs").fetch_one(&pool).await.expect("a job");
    assert_eq!(counted, (2, 1, 0, 1));
    let charges: Vec<String> =
        sqlx::query_scalar("SELECT kind FROM credit_entries WHERE job_id IS NOT NULL ORDER BY id")
            .fetch_all(&pool)
            .await
            .expect("charges");
    assert_eq!(charges, ["hold", "capture"]);
    assert_eq!(drift(&pool).await.expect("audit"), []);
    let empty = || async { (std::fs::read_dir(&kept).ok()?.count() == 0).then_some(()) };
    until("nothing is kept of it any more", empty).await;
}
