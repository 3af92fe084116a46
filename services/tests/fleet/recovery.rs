//! What the dispatcher finds out by itself when nobody tells it, and who is blamed for a dead worker.

use std::sync::Arc;
use std::time::Duration;

use domain::worker::{FromWorker, Hello, WarmModel};
use domain::{JobId, JobState, ModelCard};
use services::bus::{HeadId, LocalBus};
use services::clock::SystemClock;
use sqlx::PgPool;

use crate::studio::{Studio, card, hello, until};

/// Longer than the dispatcher waits between two sweeps.
const SWEEP: Duration = Duration::from_millis(2_500);

async fn crashes(studio: &Studio, job: JobId) -> i32 {
    sqlx::query_scalar("SELECT crashes FROM jobs WHERE id = $1")
        .bind(job.0)
        .fetch_one(&studio.pool)
        .await
        .expect("a job")
}

#[sqlx::test(migrations = "../migrations")]
async fn a_lease_that_ended_unheard_does_not_keep_its_worker_busy(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    let lost = studio.submit(owner, 1).await;
    worker.assignment().await;
    // The dispatcher looks once more after it has sent a job, which is not what is meant here.
    tokio::time::sleep(Duration::from_millis(500)).await;
    // The job ends, and the letter that would have said so is lost.
    sqlx::query("UPDATE jobs SET state = 'failed', lease_until = NULL WHERE id = $1")
        .bind(lost.id.0)
        .execute(&studio.pool)
        .await
        .expect("ended");
    let next = studio.submit(owner, 1).await;
    tokio::time::sleep(SWEEP).await;
    assert!(worker.connection.outbox.try_recv().is_err(), "it may just have been given");
    studio.wait(2_001);
    assert_eq!(worker.assignment().await.job, next.id);
}

/// A worker with another model than the studio's.
fn stranger(name: &str) -> Hello {
    let other = ModelCard { name: "other".into(), ..card() };
    Hello { models: vec![WarmModel { card: other, standard_ms: 1_000.0 }], ..hello(name) }
}

#[sqlx::test(migrations = "../migrations")]
async fn after_a_downtime_the_right_worker_is_waited_for(pool: PgPool) {
    let bus = Arc::new(LocalBus::alone(HeadId::from_random(1), Arc::new(SystemClock)));
    let studio = Studio::head(pool, bus).await;
    let owner = studio.visitor().await;
    let old = studio.submit(owner, 1).await;
    studio.wait(20 * 60_000);
    studio.lead();
    let _stranger = studio.join(stranger("a-stranger")).await;
    tokio::time::sleep(SWEEP).await;
    assert_eq!(studio.jobs.get(owner, old.id).await.expect("mine").status, JobState::Queued);
    let mut late = studio.worker("b-late").await;
    let assignment = late.assignment().await;
    assert_eq!(assignment.job, old.id);
    studio.deliver(&assignment, 0).await.expect("taken");
    // Given back with a picture, and then nobody comes any more who could go on.
    sqlx::query(
        "UPDATE jobs SET state = 'queued', lease_until = NULL, worker_id = NULL, model = 'gone', \
        request = jsonb_set(request, '{model}', '\"gone\"'), queued_seq = nextval('jobs_queued_seq')",
    )
    .execute(&studio.pool)
    .await
    .expect("queued");
    tokio::time::sleep(SWEEP).await;
    studio.wait(14 * 60_000);
    tokio::time::sleep(SWEEP).await;
    assert_eq!(studio.jobs.get(owner, old.id).await.expect("mine").status, JobState::Queued);
    studio.wait(2 * 60_000);
    let ended = until("it is given up", || async {
        studio.jobs.get(owner, old.id).await.ok().filter(|job| job.status.is_final())
    })
    .await;
    assert_eq!((ended.status, ended.outputs.len()), (JobState::Failed, 0), "no picture without its price");
    assert_eq!(studio.entries(old.id).await, ["hold", "release"]);
    // Files go after the rows.
    until("the files are gone", || async { (studio.pictures() == 0).then_some(()) }).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_job_that_kills_workers_takes_no_other_down_with_it(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let broad = |name: &str| Hello { concurrency: 4, batch_gain: 2.0, ..hello(name) };
    let mut first = studio.join(broad("a")).await;
    let poison = studio.submit(owner, 1).await.id;
    let (one, two) = (studio.submit(owner, 1).await.id, studio.submit(owner, 1).await.id);
    for _ in 0..3 {
        first.assignment().await;
    }
    studio.fleet.disconnect(&first.id, first.connection.number).await;
    // It may have been any of them: from now on each goes alone.
    let mut second = studio.join(broad("b")).await;
    let (mut left, mut killed) = (2, false);
    while left > 0 || !killed {
        let assignment = second.assignment().await;
        assert_eq!(crashes(&studio, assignment.job).await, 1);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(second.connection.outbox.try_recv().is_err(), "it is alone there");
        if assignment.job == poison {
            studio.fleet.disconnect(&second.id, second.connection.number).await;
            second = studio.join(broad("c")).await;
            killed = true;
            continue;
        }
        studio.work(&second, &assignment).await;
        left -= 1;
    }
    let ended = until("it is set aside", || async {
        studio.jobs.get(owner, poison).await.ok().filter(|job| job.status.is_final())
    })
    .await;
    assert_eq!(ended.status, JobState::Failed);
    assert_eq!((crashes(&studio, one).await, crashes(&studio, two).await), (1, 1), "each of the others once");
    for job in [one, two] {
        assert_eq!(studio.jobs.get(owner, job).await.expect("mine").status, JobState::Succeeded);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_dead_workers_job_goes_to_another_one_if_there_is_one(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut first = studio.worker("a").await;
    let job = studio.submit(owner, 1).await;
    first.assignment().await;
    let mut other = studio.worker("b").await;
    studio.fleet.disconnect(&first.id, first.connection.number).await;
    // It dials in again at once, without the job.
    let mut again = studio.worker("a").await;
    let assignment = other.assignment().await;
    assert_eq!(assignment.job, job.id);
    assert!(again.connection.outbox.try_recv().is_err());
    let (id, epoch) = (assignment.job, assignment.epoch);
    studio.deliver(&assignment, 0).await.expect("taken");
    studio.hear(&other, FromWorker::Done { job: id, epoch, busy_ms: 900.0 }).await;
    assert_eq!(studio.jobs.get(owner, job.id).await.expect("mine").status, JobState::Succeeded);
}
