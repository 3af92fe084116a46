//! Jobs that follow jobs.

use domain::source::SourceRequest;
use domain::{GenerationRequest, JobId};
use services::jobs::{History, Search};
use sqlx::PgPool;

use crate::studio::{Studio, wish};

fn after(parent: JobId) -> GenerationRequest {
    GenerationRequest { parent: Some(parent), ..wish(1) }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_step_is_told_from_wherever_one_stands(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    let first = studio.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    studio.work(&worker, &assignment).await;
    let media = studio.jobs.get(owner, first.id).await.expect("mine").outputs[0].id;

    // A picture says itself which job it follows, whatever else is named.
    let source = SourceRequest { media, strength: None, region: None, extend: None };
    let from_picture = GenerationRequest { source: Some(source), parent: Some(JobId::from_random(7)), ..wish(1) };
    let second = studio.jobs.submit(owner, from_picture).await.expect("accepted");
    let third = studio.jobs.submit(owner, after(second.id)).await.expect("accepted");
    studio.wait(1);
    let fourth = studio.jobs.submit(owner, after(second.id)).await.expect("accepted");

    let told = async |job: JobId| {
        let trail = studio.jobs.trail(owner, job).await.expect("mine");
        assert_eq!(trail.job.id, job);
        let ids = |views: &[domain::JobView]| views.iter().map(|view| view.id).collect::<Vec<_>>();
        (ids(&trail.before), ids(&trail.after))
    };
    assert_eq!(told(first.id).await, (vec![], vec![second.id]));
    assert_eq!(told(second.id).await, (vec![first.id], vec![fourth.id, third.id]));
    assert_eq!(told(third.id).await, (vec![first.id, second.id], vec![]));
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_follows_somebody_elses_job(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, stranger) = (studio.visitor().await, studio.visitor().await);
    let theirs = studio.submit(stranger, 1).await;
    let mine = studio.jobs.submit(owner, after(theirs.id)).await.expect("accepted, and follows nothing");
    assert!(studio.jobs.trail(owner, mine.id).await.expect("mine").before.is_empty());
    assert!(studio.jobs.trail(stranger, theirs.id).await.expect("theirs").after.is_empty());
    assert_eq!(studio.jobs.trail(owner, theirs.id).await.expect_err("not mine").code(), "not_found");
    let nothing = studio.jobs.submit(owner, after(JobId::from_random(9))).await.expect("accepted");
    assert!(studio.jobs.trail(owner, nothing.id).await.expect("mine").before.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_history_is_searched_page_by_page(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, stranger) = (studio.visitor().await, studio.visitor().await);
    let say = async |owner, prompt: &str| {
        // Two made in one moment have no order that anyone could expect.
        studio.wait(1);
        let request = GenerationRequest { prompt: prompt.into(), ..wish(1) };
        studio.jobs.submit(owner, request).await.expect("accepted").id
    };
    let (red, blue, odd) =
        (say(owner, "a Red boat").await, say(owner, "a blue boat").await, say(owner, "100%_a\\").await);
    say(stranger, "a red boat").await;

    let found = async |search: Search, limit| {
        let History { jobs, more, .. } = studio.jobs.history(owner, &search, limit).await.expect("found");
        (jobs.iter().map(|(job, _)| job.id).collect::<Vec<_>>(), more)
    };
    let words = |words: &str| Search { words: words.into(), ..Search::default() };
    assert_eq!(found(words(""), 9).await, (vec![odd, blue, red], false));
    assert_eq!(found(words("boat red"), 9).await, (vec![red], false));
    assert_eq!(found(words("%_a\\"), 9).await, (vec![odd], false));
    assert_eq!(found(words("%boat"), 9).await, (vec![], false));
    assert_eq!(found(words("boat"), 1).await, (vec![blue], true));
    assert_eq!(found(Search { before: Some(blue), ..words("boat") }, 1).await, (vec![red], false));

    studio.jobs.pin(owner, red, true).await.expect("mine");
    let pinned = Search { pinned: true, ..Search::default() };
    assert_eq!(found(pinned.clone(), 9).await, (vec![red], false));
    assert_eq!(studio.jobs.pin(stranger, red, false).await.expect_err("not theirs").code(), "not_found");
    studio.jobs.pin(owner, red, false).await.expect("mine");
    assert_eq!(found(pinned, 9).await, (vec![], false));
}
