//! Workers that come and go, are slow, full or hot.

use domain::worker::{AvailableModel, Failure, FromWorker, Heat, Lease};
use domain::{JobState, ModelCard, WorkerId};
use services::fleet::{Fleet, KeyError, KeyHash, WorkerKeys};
use sqlx::PgPool;

use crate::studio::{Studio, card, hello, until};

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_dials_in_again_goes_on_where_it_was(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut before = studio.worker("a").await;
    let job = studio.submit(owner, 2).await;
    let assignment = before.assignment().await;
    studio.deliver(&assignment, 0).await.expect("taken");
    studio.fleet.disconnect(&before.id, before.connection.number).await;
    // A picture that was finished meanwhile is taken without a connection, too.
    studio.deliver(&assignment, 1).await.expect("taken");

    let lease = Lease { job: job.id, epoch: assignment.epoch };
    let gone = Lease { job: domain::JobId::from_random(9), epoch: 1 };
    let mut hello = hello("a");
    hello.holding = vec![gone, lease];
    let after = studio.join(hello).await;
    assert_eq!(after.connection.resumed, [lease], "only what stands is resumed");
    studio.hear(&after, FromWorker::Done { job: job.id, epoch: lease.epoch, busy_ms: 900.0 }).await;
    let done = studio.jobs.get(owner, job.id).await.expect("mine");
    assert_eq!((done.status, done.outputs.len()), (JobState::Succeeded, 2));
    let (attempts, crashes): (i32, i32) =
        sqlx::query_as("SELECT attempts, crashes FROM jobs").fetch_one(&studio.pool).await.expect("a job");
    assert_eq!((attempts, crashes), (1, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn too_large_for_one_device_goes_to_another(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut small = studio.worker("a-small").await;
    let job = studio.submit(owner, 1).await;
    let assignment = small.assignment().await;
    let failure = Failure { out_of_memory: true, ..Failure::retryable("out of memory") };
    studio.hear(&small, FromWorker::Failed { job: job.id, epoch: assignment.epoch, failure }).await;
    let mut large = studio.worker("b-large").await;
    let again = large.assignment().await;
    assert_eq!((again.job, again.epoch), (job.id, 2));
    assert!(small.connection.outbox.try_recv().is_err(), "the small one is left alone");
    studio.work(&large, &again).await;
    assert_eq!(studio.entries(job.id).await, ["hold", "capture"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_measured_is_remembered(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut slow = studio.worker("slow").await;
    for _ in 0..3 {
        studio.submit(owner, 1).await;
        let assignment = slow.assignment().await;
        studio.deliver(&assignment, 0).await.expect("taken");
        let (job, epoch) = (assignment.job, assignment.epoch);
        // It announced one second for a standard picture, and takes four.
        studio.hear(&slow, FromWorker::Done { job, epoch, busy_ms: 4_000.0 }).await;
    }
    let (standard_ms, count) = until("it is written down", || async {
        let row: Option<(f64, i64)> =
            sqlx::query_as("SELECT standard_ms, count FROM observations WHERE worker_id = 'slow'")
                .fetch_optional(&studio.pool)
                .await
                .expect("rows");
        row.filter(|(_, count)| *count == 3)
    })
    .await;
    assert!(standard_ms > 2_000.0, "{standard_ms} after {count}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_drained_worker_finishes_and_takes_nothing_new(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut leaving = studio.worker("a").await;
    studio.submit(owner, 1).await;
    let assignment = leaving.assignment().await;
    Fleet::set_draining(&studio.pool, &WorkerId("a".into()), true).await.expect("set");
    until("it is heard", || async { studio.fleet.workers()[0].draining.then_some(()) }).await;
    let next = studio.submit(owner, 1).await;
    studio.work(&leaving, &assignment).await;
    // Dialling in again changes nothing: it stays, and is given nothing.
    let mut leaving = studio.worker("a").await;
    assert!(studio.fleet.workers()[0].draining, "from the first moment on");
    let mut other = studio.worker("b").await;
    let assignment = other.assignment().await;
    assert_eq!(assignment.job, next.id);
    studio.work(&other, &assignment).await;
    studio.fleet.disconnect(&other.id, other.connection.number).await;
    let last = studio.submit(owner, 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert!(leaving.connection.outbox.try_recv().is_err());
    Fleet::set_draining(&studio.pool, &WorkerId("a".into()), false).await.expect("set");
    assert_eq!(leaving.assignment().await.job, last.id, "it may work again");
    until("it is heard", || async { (!studio.fleet.workers()[0].draining).then_some(()) }).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_holds_itself_back_is_given_less(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut hot = studio.worker("a-hot").await;
    let heat = Heat {
        temperature: 90.0,
        clock_mhz: 500,
        max_clock_mhz: 2_000,
        throttle: vec!["sw_thermal_slowdown".into()],
        ..Heat::default()
    };
    studio.hear(&hot, FromWorker::Heartbeat { heat: Some(heat) }).await;
    let mut cool = studio.worker("b-cool").await;
    let job = studio.submit(owner, 1).await;
    // Were they alike, the first by name would have it.
    assert_eq!(cool.assignment().await.job, job.id);
    assert!(hot.connection.outbox.try_recv().is_err());
    assert_eq!(studio.fleet.workers()[0].heat.as_ref().map(|heat| heat.temperature), Some(90.0));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_model_that_could_be_loaded_is_offered_and_placed(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut hello = hello("a");
    let other = ModelCard { name: "other".into(), ..card() };
    hello.available = vec![AvailableModel { card: other, memory_mb: 100, load_ms: 2_000.0, pinned: false }];
    let mut worker = studio.join(hello).await;
    let wish = domain::GenerationRequest { model: Some("other".into()), ..crate::studio::wish(1) };
    let job = studio.jobs.submit(owner, wish).await.expect("accepted");
    assert_eq!(worker.assignment().await.job, job.id);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_is_for_one_worker_and_can_be_revoked(pool: PgPool) {
    let keys = WorkerKeys::new(pool);
    let key = keys.create("attic").await.expect("a key");
    assert!(matches!(keys.create("attic").await, Err(KeyError::Exists(_))));
    assert!(matches!(keys.create("Local Box").await, Err(KeyError::Name(_))));
    let attic = WorkerId("attic".into());
    assert_eq!(keys.owner(&key).await, Ok(Some(attic.clone())));
    assert_eq!(keys.owner("mw_wrong").await, Ok(None));
    let hash = KeyHash::of(&key);
    assert_eq!(keys.stands(&hash).await, Ok(true));
    keys.revoke("attic").await.expect("revoked");
    assert_eq!(keys.owner(&key).await, Ok(None));
    assert_eq!(keys.stands(&hash).await, Ok(false));
    assert!(matches!(keys.revoke("attic").await, Err(KeyError::Unknown(_))));
    let other = keys.create("attic").await.expect("a new key");
    assert_eq!(keys.stands(&KeyHash::of(&other)).await, Ok(true));
    assert_eq!(keys.stands(&hash).await, Ok(false), "a new key of that name is no use to who has the old one");
}
