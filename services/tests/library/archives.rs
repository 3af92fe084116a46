//! Everything of somebody's, out and in again.

use domain::JobId;
use services::jobs::Search;
use sqlx::PgPool;

use crate::desk::{Desk, nobody, png, told, unpacked};

/// Somebody with two jobs, of which one follows the other, a job without pictures, a photo and a kept prompt.
async fn filled(desk: &Desk) -> (services::identity::Visitor, domain::DeviceId, JobId) {
    let (me, owner) = desk.somebody().await;
    let first = desk.made(owner, "a sea\u{2019}s édge & \"more\"", 2, None).await;
    let second = desk.made(owner, "a storm", 1, Some(first)).await;
    sqlx::query(
        "UPDATE jobs SET request = request || jsonb_build_object('source', jsonb_build_object('media',
             (SELECT id FROM outputs WHERE job_id = $1 AND index = 0), 'width', 64, 'height', 48, 'strength', 0.35,
             'region', '[\"sky\"]'::jsonb))
         WHERE id = $2",
    )
    .bind(first.0)
    .bind(second.0)
    .execute(&desk.pool)
    .await
    .expect("a source");
    let failed = desk.made(owner, "nothing", 1, None).await;
    sqlx::query("DELETE FROM outputs WHERE job_id = $1").bind(failed.0).execute(&desk.pool).await.expect("gone");
    sqlx::query("UPDATE jobs SET state = 'failed', error = '{\"kind\": \"generation_failed\"}' WHERE id = $1")
        .bind(failed.0)
        .execute(&desk.pool)
        .await
        .expect("failed");
    let photo = domain::OutputId::from_random(services::clock::random_u128());
    desk.media.write(photo, &png(40, 30, 9)).await.expect("written");
    sqlx::query("INSERT INTO photos (id, device_id, width, height, bytes) VALUES ($1, $2, 40, 30, 5)")
        .bind(photo.0)
        .bind(owner.0)
        .execute(&desk.pool)
        .await
        .expect("a photo");
    desk.library.keep_job(&me, second).await.expect("kept");
    (me, owner, first)
}

#[sqlx::test(migrations = "../migrations")]
async fn all_of_it_comes_back_byte_for_byte_where_nothing_is(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (me, _, first) = filled(&desk).await;
    let archive = desk.export(&me).await;
    let files = unpacked(&archive);
    assert_eq!(files.last().expect("files").0, "mindseye.json");
    assert_eq!(files.len(), 6, "three pictures, a photo, the words and the facts");
    let words = files.iter().find(|(name, _)| name == "prompts.md").expect("words");
    let back = prompts::import(Some("prompts.md"), &words.1).expect("what people read, programs read too");
    assert_eq!(back.entries.len(), 4);

    desk.forget_everything().await;
    let brought = desk.import(&nobody(), &archive, None).await.expect("taken");
    let report = &brought.report;
    let kept = (report.jobs.kept, report.pictures.kept, report.photos.kept, report.prompts.kept);
    assert_eq!((kept, &report.notes), ((3, 3, 1, 1), &Vec::new()));
    let owner = crate::desk::holder(brought.cookie.as_deref().expect("a cookie"));
    let again = desk.export(&owner).await;
    assert_eq!(told(&again), told(&archive));
    let sorted = |archive: &[u8]| {
        let mut files = unpacked(archive);
        files.retain(|(name, _)| name != "mindseye.json");
        files.sort();
        files
    };
    assert_eq!(sorted(&again), sorted(&archive));

    // It is there like all else, and followed as before.
    let device = desk.identity.device(&owner).await.expect("found").expect("somebody");
    let history = desk.jobs.history(device, &Search { pinned: true, ..Search::default() }, 9).await.expect("found");
    assert_eq!(history.jobs.len(), 3);
    let trail = desk.jobs.trail(device, first).await.expect("a trail");
    assert_eq!(trail.after.len(), 1);
    assert_eq!(trail.job.price, 0);

    // A second time brings nothing.
    let twice = desk.import(&owner, &archive, None).await.expect("taken").report;
    assert_eq!((twice.jobs.kept, twice.jobs.skipped, twice.photos.kept, twice.prompts.kept), (0, 3, 0, 0));
    assert_eq!((desk.rows("jobs").await, desk.files()), (3, 4));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_somebody_elses_stays_theirs(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (me, owner, first) = filled(&desk).await;
    let archive = desk.export(&me).await;
    let (other, theirs) = desk.somebody().await;
    for kept in [3, 0] {
        let report = desk.import(&other, &archive, None).await.expect("taken").report;
        assert_eq!(report.jobs.kept, kept, "the second time, it is there");
    }
    assert_eq!(told(&desk.export(&me).await), told(&archive), "nothing of mine has changed");
    assert_eq!(desk.jobs.get(theirs, first).await.expect_err("another id").code(), "not_found");
    let copies = desk.jobs.history(theirs, &Search::default(), 9).await.expect("found").jobs;
    let (storm, _) = copies.iter().find(|(job, _)| job.request.prompt == "a storm").expect("a storm");
    let trail = desk.jobs.trail(theirs, storm.id).await.expect("a trail");
    let source = storm.request.source.as_ref().expect("a source").media;
    assert_eq!(source, trail.before[0].outputs[0].id, "it names the copy");
    assert!(
        desk.jobs.picture(Some(theirs), source).await.is_ok() && desk.jobs.picture(Some(owner), source).await.is_err()
    );
    let told = told(&desk.export(&other).await);
    let hashes = |told: &serde_json::Value| {
        let jobs = told["jobs"].as_array().expect("jobs").clone();
        jobs.iter()
            .map(|job| (job["request"]["prompt"].clone(), job["outputs"][0]["sha256"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(hashes(&told), hashes(&crate::desk::told(&archive)));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_comes_in_counts_nowhere(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (me, _, _) = filled(&desk).await;
    let archive = desk.export(&me).await;
    desk.forget_everything().await;
    let brought = desk.import(&nobody(), &archive, None).await.expect("taken");
    let visitor = crate::desk::holder(&brought.cookie.expect("a cookie"));
    desk.wait(100_000);
    let actor = desk.identity.actor(&visitor).await.expect("known");
    assert!(actor.first && !actor.kept, "nothing was made here");
    assert_eq!((desk.rows("credit_entries").await, desk.rows("credit_balances").await), (0, 0));
    assert_eq!(services::credits::drift(&desk.pool).await.expect("audit"), []);
    assert_eq!(desk.rows("jobs WHERE NOT imported OR state IN ('queued', 'running')").await, 0);
    assert_eq!(desk.rows("outputs WHERE NOT imported OR public").await, 0);
    let public = sqlx::query("UPDATE outputs SET public = true").execute(&desk.pool).await;
    assert!(public.is_err(), "the database holds it, too");
}

#[sqlx::test(migrations = "../migrations")]
async fn pictures_that_are_gone_are_told(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (me, owner, first) = filled(&desk).await;
    let gone = desk.jobs.get(owner, first).await.expect("mine").outputs[1].id;
    desk.media.delete(gone).await.expect("deleted");
    let archive = desk.export(&me).await;
    assert_eq!(told(&archive)["missing"], serde_json::json!([gone]));
    desk.forget_everything().await;
    let report = desk.import(&nobody(), &archive, None).await.expect("taken").report;
    assert_eq!((report.jobs.kept, report.pictures.kept), (3, 2));
}

#[sqlx::test(migrations = "../migrations")]
async fn one_archive_at_a_time_and_none_that_ends_early_looks_whole(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (me, owner, _) = filled(&desk).await;
    for _ in 0..40 {
        desk.made(owner, "a wave", 8, None).await;
    }
    let slow = desk.archive.export(&me).await.expect("an archive");
    assert_eq!(desk.archive.export(&me).await.expect_err("one at a time").code(), "busy");
    drop(slow);
    // Whoever leaves is noticed with the next chunk.
    let (other, _) = desk.somebody().await;
    assert!(!desk.export(&other).await.is_empty(), "others are served meanwhile");
    let begun = crate::desk::until(|| async { desk.archive.export(&me).await.ok() }).await;
    assert!(begun.name.starts_with("mindseye-2026-11-20"));
}
