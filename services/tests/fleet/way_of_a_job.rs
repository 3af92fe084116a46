//! The way of a job against a real Postgres.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::worker::{Assignment, Failure, FromWorker, ToWorker};
use domain::{AppError, JobEvent, JobId, JobState};
use services::bus::{HeadId, LocalBus};
use services::clock::SystemClock;
use services::fleet::DeliveryError;
use sqlx::PgPool;

use crate::studio::{DAILY, Studio, png, until, wish};

#[sqlx::test(migrations = "../migrations")]
async fn a_job_is_held_made_published_and_captured_once(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    let job = studio.submit(owner, 4).await;
    assert_eq!(studio.balance(owner).await, DAILY - 4);

    let (_, mut events) = studio.jobs.watch(owner, job.id).await.expect("watch");
    let assignment = worker.assignment().await;
    assert_eq!((assignment.job, assignment.epoch, assignment.indices.as_slice()), (job.id, 1, [0, 1, 2, 3].as_slice()));
    studio.work(&worker, &assignment).await;

    let done = studio.jobs.get(owner, job.id).await.expect("mine");
    assert_eq!(done.status, JobState::Succeeded);
    assert_eq!(done.outputs.iter().map(|output| output.seed).collect::<Vec<_>>(), [7, 8, 9, 10]);
    assert_eq!(studio.entries(job.id).await, ["hold", "capture"]);
    assert_eq!(studio.balance(owner).await, DAILY - 4);
    studio.no_drift().await;

    // The watcher saw pictures arrive one by one, and the end.
    let mut counts = Vec::new();
    loop {
        let event = events.next().await.expect("open").expect("not behind").event;
        if let JobEvent::State(view) = event {
            counts.push(view.outputs.len());
            if view.status.is_final() {
                break;
            }
        }
    }
    assert!(counts.is_sorted() && counts.ends_with(&[4]) && counts.contains(&1), "{counts:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn parallel_requests_against_one_remaining_credit_admit_exactly_one(pool: PgPool) {
    let studio = Arc::new(Studio::open(pool).await);
    let owner = studio.visitor().await;
    for _ in 0..6 {
        studio.submit(owner, 8).await;
    }
    studio.submit(owner, 1).await;
    assert_eq!(studio.balance(owner).await, 1);
    let attempts: Vec<_> = (0..60)
        .map(|_| {
            let studio = studio.clone();
            tokio::spawn(async move { studio.jobs.submit(owner, wish(1)).await })
        })
        .collect();
    let (mut admitted, mut refused) = (0, 0);
    for attempt in attempts {
        match attempt.await.expect("no panic") {
            Ok(_) => admitted += 1,
            Err(AppError::DailyLimit { left: 0, .. }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((admitted, refused), (1, 59));
    studio.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_lost_workers_job_goes_on_elsewhere_without_making_a_picture_twice(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut first = studio.worker("a").await;
    let job = studio.submit(owner, 3).await;
    let stale = first.assignment().await;
    studio.deliver(&stale, 0).await.expect("taken");
    studio.fleet.disconnect(&first.id, first.connection.number).await;

    let mut second = studio.worker("b").await;
    let fresh = second.assignment().await;
    assert_eq!((fresh.epoch, fresh.indices.as_slice()), (2, [1, 2].as_slice()));

    // The first one wakes up late: refused, whatever it says.
    assert!(matches!(studio.deliver(&stale, 1).await, Err(DeliveryError::Stale)));
    let late = FromWorker::Done { job: job.id, epoch: stale.epoch, busy_ms: 1.0 };
    studio.hear(&first, late).await;
    assert_eq!(studio.jobs.get(owner, job.id).await.expect("mine").status, JobState::Running);

    studio.work(&second, &fresh).await;
    let done = studio.jobs.get(owner, job.id).await.expect("mine");
    assert_eq!((done.status, done.outputs.len()), (JobState::Succeeded, 3));
    assert_eq!(studio.entries(job.id).await, ["hold", "capture"]);
    studio.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_silent_workers_lease_runs_out_and_its_late_word_is_refused(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut silent = studio.worker("a").await;
    let job = studio.submit(owner, 1).await;
    let stale = silent.assignment().await;
    // Its lease ends by the database's clock, without a disconnect.
    sqlx::query("UPDATE jobs SET lease_until = now() - interval '1 second'").execute(&studio.pool).await.expect("age");
    let mut other = studio.worker("b").await;
    let fresh = other.assignment().await;
    assert_eq!((fresh.job, fresh.epoch), (job.id, 2));
    assert!(matches!(studio.deliver(&stale, 0).await, Err(DeliveryError::Stale)));
    studio.work(&other, &fresh).await;
    assert_eq!(studio.entries(job.id).await, ["hold", "capture"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_has_no_say_in_what_another_one_makes(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut maker = studio.worker("a").await;
    let job = studio.submit(owner, 1).await;
    let assignment = maker.assignment().await;
    let meddler = studio.worker("b").await;

    let Assignment { job: id, epoch, .. } = assignment;
    studio.deliver(&assignment, 0).await.expect("taken");
    let failure = Failure::retryable("not mine to judge");
    studio.hear(&meddler, FromWorker::Failed { job: id, epoch, failure }).await;
    studio.hear(&meddler, FromWorker::Done { job: id, epoch, busy_ms: 1.0 }).await;
    assert_eq!(studio.jobs.get(owner, job.id).await.expect("mine").status, JobState::Running);

    studio.hear(&maker, FromWorker::Done { job: id, epoch, busy_ms: 900.0 }).await;
    assert_eq!(studio.jobs.get(owner, job.id).await.expect("mine").status, JobState::Succeeded);
    assert_eq!(studio.entries(job.id).await, ["hold", "capture"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_delivery_whose_answer_was_lost_may_be_repeated(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    let job = studio.submit(owner, 2).await;
    let assignment = worker.assignment().await;
    studio.deliver(&assignment, 0).await.expect("taken");
    studio.deliver(&assignment, 0).await.expect("taken again");
    assert_eq!(studio.jobs.get(owner, job.id).await.expect("mine").outputs.len(), 1);
    // Saying done with a picture missing makes the job wait for that picture, not end.
    let early = FromWorker::Done { job: job.id, epoch: assignment.epoch, busy_ms: 1.0 };
    studio.hear(&worker, early).await;
    let again = worker.assignment().await;
    assert_eq!((again.epoch, again.indices.as_slice()), (2, [1].as_slice()));
}

#[sqlx::test(migrations = "../migrations")]
async fn unfit_pictures_are_refused(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    studio.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    let Assignment { job, epoch, .. } = assignment;
    let whole = png(256, 256);
    // The last has a whole header, and no end.
    for bytes in [Vec::new(), b"GIF89a".to_vec(), png(64, 64), whole[..20].to_vec(), whole[..whole.len() / 2].to_vec()]
    {
        assert!(matches!(studio.fleet.deliver(None, job, epoch, 0, bytes).await, Err(DeliveryError::Unfit(_))));
    }
    assert!(matches!(studio.deliver(&assignment, 5).await, Err(DeliveryError::Unfit(_))));
}

#[sqlx::test(migrations = "../migrations")]
async fn cancelling_gives_credits_back_and_takes_pictures_away(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let waiting = studio.submit(owner, 4).await;
    assert_eq!(studio.jobs.cancel(owner, waiting.id).await.expect("cancelled").status, JobState::Cancelled);
    assert_eq!(studio.balance(owner).await, DAILY);

    let mut worker = studio.worker("a").await;
    let running = studio.submit(owner, 2).await;
    let assignment = worker.assignment().await;
    studio.deliver(&assignment, 0).await.expect("taken");
    let view = studio.jobs.cancel(owner, running.id).await.expect("cancelled");
    assert_eq!((view.status, view.outputs.len()), (JobState::Cancelled, 0));
    assert_eq!(worker.message().await, ToWorker::Cancel { job: running.id, epoch: 1 });
    assert!(matches!(studio.deliver(&assignment, 1).await, Err(DeliveryError::Stale)));
    // Cancelling again, or finishing late, moves no money.
    studio.jobs.cancel(owner, running.id).await.expect("still cancelled");
    let late = FromWorker::Done { job: running.id, epoch: 1, busy_ms: 1.0 };
    studio.hear(&worker, late).await;
    assert_eq!(studio.entries(running.id).await, ["hold", "release"]);
    assert_eq!(studio.balance(owner).await, DAILY);
    studio.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_job_that_takes_workers_down_is_set_aside_free_of_charge(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let job = studio.submit(owner, 1).await;
    for round in 0..2 {
        let mut worker = studio.worker(&format!("w{round}")).await;
        worker.assignment().await;
        studio.fleet.disconnect(&worker.id, worker.connection.number).await;
    }
    let view = until("it is set aside", || async {
        studio.jobs.get(owner, job.id).await.ok().filter(|job| job.status.is_final())
    })
    .await;
    assert_eq!(view.status, JobState::Failed);
    assert_eq!(view.error.expect("a reason").code, "generation_failed");
    assert_eq!(studio.entries(job.id).await, ["hold", "release"]);
    assert_eq!(studio.balance(owner).await, DAILY);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_joins_again_is_given_its_jobs_anew(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut before = studio.worker("a").await;
    let job = studio.submit(owner, 1).await;
    let stale = before.assignment().await;
    let mut after = studio.worker("a").await;
    let fresh = after.assignment().await;
    assert_eq!((fresh.job, fresh.epoch), (job.id, stale.epoch + 1));
    // The older connection learns that it is over, and its end takes nothing from the newer one.
    assert!(before.connection.outbox.recv().await.is_none());
    studio.fleet.disconnect(&before.id, before.connection.number).await;
    studio.work(&after, &fresh).await;
    assert_eq!(studio.jobs.get(owner, job.id).await.expect("mine").status, JobState::Succeeded);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_assignment_that_died_with_a_head_is_not_held_against_its_job(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    let job = studio.submit(owner, 1).await;
    for _ in 0..4 {
        worker.assignment().await;
        // No disconnect: as if the head that had the connection was killed with the letter in its hands.
        worker = studio.worker("a").await;
    }
    let assignment = worker.assignment().await;
    studio.work(&worker, &assignment).await;
    assert_eq!(studio.jobs.get(owner, job.id).await.expect("mine").status, JobState::Succeeded);
    let crashes: i32 = sqlx::query_scalar("SELECT crashes FROM jobs").fetch_one(&studio.pool).await.expect("a job");
    assert_eq!(crashes, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_model_that_is_gone_holds_nobody_up_and_is_paid_back(pool: PgPool) {
    let bus = Arc::new(LocalBus::alone(HeadId::from_random(1), Arc::new(SystemClock)));
    let studio = Studio::head(pool, bus).await;
    let owner = studio.visitor().await;
    let waiting = studio.submit(owner, 1).await;
    // As if its model had been removed between two runs of the studio, long ago.
    sqlx::query("UPDATE jobs SET model = 'gone', request = jsonb_set(request, '{model}', '\"gone\"'), created_at = created_at - interval '1 hour'")
        .execute(&studio.pool)
        .await
        .expect("age");
    studio.lead();
    let next = studio.submit(owner, 1).await;
    let mut worker = studio.worker("a").await;
    assert_eq!(worker.assignment().await.job, next.id);
    let given_up = until("it is given up", || async {
        studio.wait(60_000);
        studio.jobs.get(owner, waiting.id).await.ok().filter(|job| job.status.is_final())
    });
    assert_eq!(given_up.await.status, JobState::Failed);
    assert_eq!(studio.entries(waiting.id).await, ["hold", "release"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn missing_and_forbidden_look_the_same(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, stranger) = (studio.visitor().await, studio.visitor().await);
    let mut worker = studio.worker("a").await;
    let job = studio.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    studio.work(&worker, &assignment).await;
    let output = studio.jobs.get(owner, job.id).await.expect("mine").outputs[0].id;

    assert_eq!(studio.jobs.get(stranger, job.id).await, Err(AppError::NotFound));
    assert_eq!(studio.jobs.get(stranger, JobId::from_random(1)).await, Err(AppError::NotFound));
    assert_eq!(studio.jobs.cancel(stranger, job.id).await, Err(AppError::NotFound));
    assert!(studio.jobs.watch(stranger, job.id).await.is_err());
    assert!(studio.jobs.picture(Some(owner), output).await.is_ok());
    for nobody in [Some(stranger), None] {
        assert_eq!(studio.jobs.picture(nobody, output).await, Err(AppError::NotFound));
    }
    assert_eq!(studio.jobs.recent(stranger, 10).await.expect("an empty list"), []);
}

#[sqlx::test(migrations = "../migrations")]
async fn credits_return_at_midnight_and_a_late_release_stays_with_its_day(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let job = studio.submit(owner, 8).await;
    *studio.clock.0.lock().expect("clock") += TimeDelta::hours(12);
    assert_eq!(studio.balance(owner).await, DAILY);
    studio.jobs.cancel(owner, job.id).await.expect("cancelled");
    assert_eq!(studio.balance(owner).await, DAILY);
    studio.submit(owner, 8).await;
    assert_eq!(studio.balance(owner).await, DAILY - 8);
    studio.no_drift().await;
}
