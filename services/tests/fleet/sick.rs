//! Workers that fail, and workers that talk nonsense.

use domain::JobState;
use domain::worker::{Failure, FromWorker};
use services::fleet::JoinError;
use sqlx::PgPool;

use crate::studio::{Studio, hello, until};

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_fails_at_once_costs_nobody_their_job(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    // By name it comes first, and it is always idle.
    let mut sick = studio.worker("a-sick").await;
    let mut well = studio.worker("b-well").await;
    let (mut failed, mut done, mut jobs) = (0, 0, Vec::new());
    for _ in 0..12 {
        jobs.push(studio.submit(owner, 1).await.id);
    }
    while done < 12 {
        tokio::select! {
            assignment = sick.assignment() => {
                failed += 1;
                let (job, epoch) = (assignment.job, assignment.epoch);
                let failure = Failure::retryable("an illegal memory access");
                studio.hear(&sick, FromWorker::Failed { job, epoch, failure }).await;
            }
            assignment = well.assignment() => {
                done += 1;
                studio.work(&well, &assignment).await;
            }
        }
    }
    for job in jobs {
        assert_eq!(studio.jobs.get(owner, job).await.expect("mine").status, JobState::Succeeded);
    }
    // After three it sits out; one more may have been on its way already.
    assert!((3..=4).contains(&failed), "{failed}");
    let rests = |conditions: Vec<services::fleet::Condition>| conditions.into_iter().filter(|c| c.rests).count();
    assert_eq!(rests(studio.fleet.conditions()), 1);
    studio.wait(5_001);
    assert_eq!(rests(studio.fleet.conditions()), 0, "and is tried again");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_job_that_fails_on_the_only_worker_waits_longer_each_time(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut only = studio.worker("a").await;
    studio.submit(owner, 1).await;
    for attempt in 1..=3 {
        let assignment = only.assignment().await;
        assert_eq!(assignment.epoch, attempt);
        let (job, epoch) = (assignment.job, assignment.epoch);
        studio.hear(&only, FromWorker::Failed { job, epoch, failure: Failure::retryable("a hiccup") }).await;
        if attempt > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
            assert!(only.connection.outbox.try_recv().is_err(), "not before its time");
            studio.wait(1_000 << (attempt - 2));
        }
    }
    let assignment = only.assignment().await;
    studio.work(&only, &assignment).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn nonsense_is_turned_away_and_the_studio_goes_on(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut endless = hello("a");
    endless.models[0].standard_ms = 1e17;
    let mut crowd = hello("b");
    crowd.concurrency = u32::MAX;
    for nonsense in [endless.clone(), crowd] {
        assert!(matches!(studio.fleet.connect(nonsense, false).await, Err(JoinError::Refused(_))));
    }
    let mut worker = studio.worker("c").await;
    let warm = FromWorker::Models { warm: endless.models, problem: None };
    let stays = studio.fleet.receive(&worker.id, worker.connection.number, warm).await.expect("handled");
    assert!(!stays, "its connection is to be closed");
    // What was measured is not believed whatever it is, either.
    studio.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    studio.deliver(&assignment, 0).await.expect("taken");
    let (job, epoch) = (assignment.job, assignment.epoch);
    studio.hear(&worker, FromWorker::Done { job, epoch, busy_ms: 1e300 }).await;
    let next = studio.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    assert_eq!(assignment.job, next.id);
    let eta = until("it is told", || async { studio.jobs.get(owner, next.id).await.expect("mine").eta_seconds }).await;
    assert!(eta < 60.0, "{eta}");
}
