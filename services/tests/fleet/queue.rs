//! What those who wait are told.

use std::sync::Arc;

use domain::{AppError, JobState};
use services::bus::{HeadId, LocalBus};
use services::clock::SystemClock;
use sqlx::PgPool;

use crate::studio::{Studio, until, wish};

#[sqlx::test(migrations = "../migrations")]
async fn past_the_depth_people_are_told_when_to_come_back(pool: PgPool) {
    let bus = Arc::new(LocalBus::alone(HeadId::from_random(1), Arc::new(SystemClock)));
    let studio = Studio::with_room(pool, bus, 3).await;
    studio.lead();
    let owner = studio.visitor().await;
    for _ in 0..3 {
        studio.submit(owner, 1).await;
    }
    let refused = studio.jobs.submit(owner, wish(1)).await.expect_err("too many wait");
    assert_eq!(refused, AppError::Busy { retry_seconds: None }, "without a worker nobody knows");
    assert_eq!((refused.status(), refused.retry_after()), (503, None));
    assert_eq!(studio.balance(owner).await, crate::studio::DAILY - 3, "nothing was charged");
    // As soon as one is taken there is room again.
    let mut worker = studio.worker("a").await;
    worker.assignment().await;
    until("there is room", || async { studio.jobs.submit(owner, wish(1)).await.ok() }).await;
    until("it is known how long it takes", || async {
        studio.wait(300);
        let refused = studio.jobs.submit(owner, wish(1)).await.err()?;
        refused.retry_after().filter(|seconds| (5..60).contains(seconds))
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_place_only_goes_down_and_a_strangers_first_job_is_not_held_up(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (hog, stranger) = (studio.visitor().await, studio.visitor().await);
    let mut worker = studio.worker("a").await;
    let mut mine = Vec::new();
    for _ in 0..6 {
        mine.push(studio.submit(hog, 1).await.id);
    }
    let mut assignment = worker.assignment().await;
    let last = *mine.last().expect("jobs");
    let place = || async {
        studio.wait(300);
        studio.jobs.get(hog, last).await.expect("mine").position
    };
    let mut before = until("it has a place", place).await;
    let first_of_stranger = studio.submit(stranger, 1).await.id;
    // By the plan it goes up now: somebody else is before it.
    until("the stranger has a place", || async {
        studio.wait(300);
        studio.jobs.get(stranger, first_of_stranger).await.expect("mine").position
    })
    .await;
    let now = place().await.expect("it waits");
    assert!(now <= before, "{now} after {before}");
    let mut order = vec![assignment.job];
    while studio.jobs.get(hog, last).await.expect("mine").status == JobState::Queued {
        studio.work(&worker, &assignment).await;
        assignment = worker.assignment().await;
        order.push(assignment.job);
        if let Some(now) = place().await {
            assert!(now <= before, "{now} after {before}");
            before = now;
        }
    }
    assert_eq!(order[1], first_of_stranger, "the stranger comes next, whatever the other one has waiting");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_range_is_told_once_enough_is_known_and_holds(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let mut worker = studio.worker("a").await;
    let (mut told, mut right) = (0, 0);
    for round in 0..40 {
        let owner = studio.visitor().await;
        let job = studio.submit(owner, 1).await;
        let assignment = worker.assignment().await;
        let range = studio.jobs.get(owner, job.id).await.expect("mine").eta_range_seconds;
        assert!(range.is_none() || round >= 8, "nothing is said before enough is known");
        // It announced one second for a standard picture; it takes 0.8 to 1.6.
        let took = 800 + (round * 37) % 800;
        studio.wait(took);
        studio.work(&worker, &assignment).await;
        if let Some([low, high]) = range {
            told += 1;
            let seconds = took as f64 / 1_000.0;
            right += i32::from(low <= seconds && seconds <= high);
        }
    }
    assert!(told >= 25 && f64::from(right) >= 0.8 * f64::from(told), "{right} of {told}");
}
