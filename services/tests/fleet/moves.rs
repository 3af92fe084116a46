//! A job that goes to another worker while it runs, and whoever dies on the way.

use std::sync::Arc;

use domain::handover::{Begun, pack};
use domain::worker::{Assignment, AvailableModel, Failure, FromWorker, Hello, ToWorker, WarmModel};
use domain::{DeviceId, GenerationRequest, JobId, JobState, JobView, ModelCard, WorkerId};
use services::bus::{BusSettings, HeadId, LocalHub};
use services::clock::SystemClock;
use services::fleet::{DeliveryError, Fleet};
use sqlx::PgPool;
use tokio::io::AsyncReadExt;

use crate::studio::{Studio, Worker, card, hello, until, wish};

/// Milliseconds of a standard film on the two workers.
const SLOW_MS: f64 = 200_000.0;
const FAST_MS: f64 = 50_000.0;

/// A worker with a model for films beside the one for pictures.
fn cinema(name: &str, film_ms: f64) -> Hello {
    let film = ModelCard { name: "film".into(), capability: "video".into(), ..card() };
    let models = vec![WarmModel { card: card(), standard_ms: 1_000.0 }, WarmModel { card: film, standard_ms: film_ms }];
    Hello { models, ..hello(name) }
}

async fn film(studio: &Studio, owner: DeviceId) -> JobView {
    by(studio, owner, "film").await
}

async fn by(studio: &Studio, owner: DeviceId, model: &str) -> JobView {
    let wish = GenerationRequest { model: Some(model.into()), ..wish(1) };
    studio.jobs.submit(owner, wish).await.expect("accepted")
}

fn step(assignment: &Assignment, step: u32) -> FromWorker {
    let Assignment { job, epoch, .. } = *assignment;
    FromWorker::Progress { job, epoch, index: 0, step, steps: 12, preview: None }
}

fn begun() -> Vec<u8> {
    pack(&[Begun { index: 0, step: 2, steps: 12, state: vec![7; 1_000] }])
}

/// Brings what there is of a job's pictures, as its worker would.
async fn bring(studio: &Studio, assignment: &Assignment, bytes: Vec<u8>) -> Result<(), DeliveryError> {
    let expected = studio.fleet.expect_begun(None, assignment.job, assignment.epoch).await?;
    assert!(bytes.len() <= expected.most_bytes());
    studio.fleet.take_begun(expected, bytes.into()).await
}

async fn say_handed_over(studio: &Studio, worker: &Worker, assignment: &Assignment) {
    let Assignment { job, epoch, .. } = *assignment;
    studio.hear(worker, FromWorker::HandedOver { job, epoch }).await;
}

/// What the dispatcher has written down of a job: attempts, crashes, moves.
async fn counted(studio: &Studio, job: JobId) -> (i32, i32, i32) {
    sqlx::query_as("SELECT attempts, crashes, moves FROM jobs WHERE id = $1")
        .bind(job.0)
        .fetch_one(&studio.pool)
        .await
        .expect("a job")
}

/// A film that runs on the slow worker, which is asked to hand it over when the fast one comes.
async fn on_the_way(studio: &Studio) -> (DeviceId, Worker, Worker, Assignment) {
    let owner = studio.visitor().await;
    let mut slow = studio.join(cinema("slow", SLOW_MS)).await;
    film(studio, owner).await;
    let assignment = slow.assignment().await;
    assert!(!assignment.begun);
    studio.hear(&slow, step(&assignment, 1)).await;
    studio.hear(&slow, step(&assignment, 2)).await;
    let fast = studio.join(cinema("fast", FAST_MS)).await;
    let Assignment { job, epoch, .. } = assignment;
    assert_eq!(slow.message().await, ToWorker::HandOver { job, epoch });
    (owner, slow, fast, assignment)
}

/// Ends a job well, and looks that it was charged and published once and that nothing is left lying.
async fn ends_well(studio: &Studio, owner: DeviceId, worker: &Worker, assignment: &Assignment) {
    studio.work(worker, assignment).await;
    let job = studio.jobs.get(owner, assignment.job).await.expect("mine");
    assert_eq!((job.status, job.outputs.len()), (JobState::Succeeded, 1));
    assert_eq!(studio.entries(assignment.job).await, ["hold", "capture"]);
    studio.no_drift().await;
    until("only the picture is left", || async { (studio.pictures() == 1).then_some(()) }).await;
}

/// What a worker is given of a job's pictures.
async fn kept(studio: &Studio, by: Option<&Worker>, job: JobId, epoch: i32) -> Option<Vec<u8>> {
    let mut file = studio.fleet.begun(by.map(|worker| &worker.id), job, epoch).await.expect("an answer")?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).await.expect("read");
    Some(bytes)
}

#[sqlx::test(migrations = "../migrations")]
async fn a_film_goes_on_at_a_faster_worker_and_the_old_ones_late_word_is_refused(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, mut slow, mut fast, old) = on_the_way(&studio).await;
    let (job, epoch) = (old.job, old.epoch);
    bring(&studio, &old, begun()).await.expect("taken");
    // Whoever does not hold it can say what they like.
    say_handed_over(&studio, &fast, &old).await;
    say_handed_over(&studio, &slow, &old).await;
    assert_eq!(slow.message().await, ToWorker::Cancel { job, epoch });
    let new = fast.assignment().await;
    assert_eq!((new.job, new.epoch, new.begun, new.indices.as_slice()), (job, 2, true, [0].as_slice()));
    assert_eq!(kept(&studio, Some(&fast), job, 2).await, Some(begun()));

    // Whatever the old one still says.
    assert!(matches!(studio.deliver(&old, 0).await, Err(DeliveryError::Stale)));
    assert!(matches!(bring(&studio, &old, begun()).await, Err(DeliveryError::Stale)));
    assert!(matches!(studio.fleet.begun(None, job, epoch).await, Err(DeliveryError::Stale)));
    assert!(matches!(studio.fleet.begun(Some(&slow.id), job, 2).await, Err(DeliveryError::Stale)));
    say_handed_over(&studio, &slow, &old).await;
    studio.hear(&slow, FromWorker::Done { job, epoch, busy_ms: 1.0 }).await;
    studio.hear(&slow, FromWorker::Failed { job, epoch, failure: Failure::permanent("late") }).await;
    assert_eq!(studio.jobs.get(owner, job).await.expect("mine").status, JobState::Running);
    assert_eq!(counted(&studio, job).await, (1, 0, 1), "a move is neither an attempt nor a crash");

    studio.hear(&fast, step(&new, 3)).await;
    ends_well(&studio, owner, &fast, &new).await;
    // The old worker is free.
    let next = film(&studio, owner).await;
    assert_eq!(fast.assignment().await.job, next.id, "what is faster comes first, as ever");
    let last = by(&studio, owner, "starter").await;
    let other = until("somebody has it", || async {
        studio.jobs.get(owner, last.id).await.ok().filter(|job| job.status == JobState::Running)
    });
    other.await;
}

#[sqlx::test(migrations = "../migrations")]
async fn when_the_new_worker_dies_the_job_goes_on_from_what_is_kept(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, mut slow, mut fast, old) = on_the_way(&studio).await;
    bring(&studio, &old, begun()).await.expect("taken");
    say_handed_over(&studio, &slow, &old).await;
    assert!(matches!(slow.message().await, ToWorker::Cancel { .. }));
    fast.assignment().await;
    studio.fleet.disconnect(&fast.id, fast.connection.number).await;
    let again = slow.assignment().await;
    assert_eq!((again.job, again.epoch, again.begun), (old.job, 3, true));
    assert_eq!(kept(&studio, None, old.job, 3).await, Some(begun()));
    ends_well(&studio, owner, &slow, &again).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn when_the_old_worker_dies_the_job_goes_on_with_what_it_brought(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, slow, mut fast, old) = on_the_way(&studio).await;
    bring(&studio, &old, begun()).await.expect("taken");
    studio.fleet.disconnect(&slow.id, slow.connection.number).await;
    let new = fast.assignment().await;
    assert_eq!((new.job, new.epoch, new.begun), (old.job, 2, true));
    ends_well(&studio, owner, &fast, &new).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn when_the_old_worker_dies_before_it_brought_anything_the_job_begins_anew(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, slow, mut fast, old) = on_the_way(&studio).await;
    assert!(matches!(bring(&studio, &old, b"nonsense".to_vec()).await, Err(DeliveryError::Unfit(_))));
    studio.fleet.disconnect(&slow.id, slow.connection.number).await;
    let new = fast.assignment().await;
    assert_eq!((new.job, new.epoch, new.begun), (old.job, 2, false));
    assert_eq!(kept(&studio, None, new.job, 2).await, None);
    ends_well(&studio, owner, &fast, &new).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn when_the_new_worker_is_gone_in_time_the_old_one_goes_on(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, mut slow, fast, old) = on_the_way(&studio).await;
    let (job, epoch) = (old.job, old.epoch);
    bring(&studio, &old, begun()).await.expect("taken");
    studio.fleet.disconnect(&fast.id, fast.connection.number).await;
    say_handed_over(&studio, &slow, &old).await;
    assert_eq!(slow.message().await, ToWorker::GoOn { job, epoch });
    assert_eq!(counted(&studio, job).await, (1, 0, 0));
    ends_well(&studio, owner, &slow, &old).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_dispatcher_knows_nothing_of_it_and_the_old_worker_goes_on(pool: PgPool) {
    let hub = LocalHub::new(Arc::new(SystemClock), BusSettings::default());
    let head = |number| Studio::head(pool.clone(), Arc::new(hub.join(HeadId::from_random(number))));
    let (first, second) = (head(1).await, head(2).await);
    let leading = first.lead();
    let (owner, mut slow, _fast, old) = on_the_way(&second).await;
    leading.abort();
    first.die();
    bring(&second, &old, begun()).await.expect("taken");
    second.lead();
    say_handed_over(&second, &slow, &old).await;
    let (job, epoch) = (old.job, old.epoch);
    assert_eq!(slow.message().await, ToWorker::GoOn { job, epoch });
    ends_well(&second, owner, &slow, &old).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_move_that_was_committed_and_never_told_is_found_out(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, mut slow, mut fast, old) = on_the_way(&studio).await;
    bring(&studio, &old, begun()).await.expect("taken");
    // The dispatcher dies right after its statement, and the new lease runs out.
    sqlx::query("UPDATE jobs SET epoch = 2, worker_id = 'fast', moves = 1, lease_until = now() - interval '1 second'")
        .execute(&studio.pool)
        .await
        .expect("moved");
    let new = fast.assignment().await;
    assert_eq!((new.job, new.epoch, new.begun), (old.job, 3, true));
    studio.hear(&slow, FromWorker::Heartbeat { heat: None }).await;
    assert_eq!(slow.message().await, ToWorker::Cancel { job: old.job, epoch: 1 }, "it learns that its lease is over");
    ends_well(&studio, owner, &fast, &new).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_worker_fails_with_is_not_gone_on_with(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, mut slow, mut fast, old) = on_the_way(&studio).await;
    bring(&studio, &old, begun()).await.expect("taken");
    say_handed_over(&studio, &slow, &old).await;
    assert!(matches!(slow.message().await, ToWorker::Cancel { .. }));
    let new = fast.assignment().await;
    let failure = Failure::retryable("a damaged picture");
    studio.hear(&fast, FromWorker::Failed { job: new.job, epoch: new.epoch, failure }).await;
    let again = slow.assignment().await;
    assert_eq!((again.job, kept(&studio, Some(&slow), again.job, again.epoch).await), (old.job, None));
    ends_well(&studio, owner, &slow, &again).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_job_that_is_cancelled_on_the_way_leaves_nothing_behind(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, mut slow, mut fast, old) = on_the_way(&studio).await;
    let (job, epoch) = (old.job, old.epoch);
    bring(&studio, &old, begun()).await.expect("taken");
    studio.jobs.cancel(owner, job).await.expect("cancelled");
    assert_eq!(slow.message().await, ToWorker::Cancel { job, epoch });
    say_handed_over(&studio, &slow, &old).await;
    until("nothing is left", || async { (studio.pictures() == 0).then_some(()) }).await;
    assert_eq!(studio.entries(job).await, ["hold", "release"]);
    assert!(fast.connection.outbox.try_recv().is_err());
}

#[sqlx::test(migrations = "../migrations")]
async fn only_workers_that_can_are_asked(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut slow = studio.join(cinema("slow", SLOW_MS)).await;
    let job = film(&studio, owner).await;
    let assignment = slow.assignment().await;
    studio.hear(&slow, step(&assignment, 1)).await;
    let _old = studio.join(Hello { hands_over: false, ..cinema("old", FAST_MS) }).await;
    studio.hear(&slow, step(&assignment, 2)).await;
    // It is no faster, and yet takes what a worker has that is to get empty.
    let mut refuge = studio.join(cinema("refuge", SLOW_MS)).await;
    studio.hear(&slow, step(&assignment, 3)).await;
    until("the dispatcher has heard of it", || async { (studio.fleet.workers().len() == 3).then_some(()) }).await;
    assert!(slow.connection.outbox.try_recv().is_err(), "there was no reason to ask");
    Fleet::set_draining(&studio.pool, &WorkerId("slow".into()), true).await.expect("set");
    assert_eq!(slow.message().await, ToWorker::HandOver { job: job.id, epoch: 1 });
    bring(&studio, &assignment, begun()).await.expect("taken");
    say_handed_over(&studio, &slow, &assignment).await;
    let moved = refuge.assignment().await;
    assert_eq!((moved.job, moved.begun), (job.id, true));
    ends_well(&studio, owner, &refuge, &moved).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_film_gives_way_where_it_cannot_step_aside_and_goes_on_later(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    // Room for one model: the other one would have to be loaded, which is quick.
    let mut hello = cinema("narrow", SLOW_MS);
    let starter = hello.models.remove(0);
    let load = AvailableModel { card: starter.card.clone(), memory_mb: 1, load_ms: 100.0, pinned: false };
    let mut worker = studio.join(Hello { available: vec![load], ..hello }).await;
    let long = film(&studio, owner).await;
    let old = worker.assignment().await;
    studio.hear(&worker, step(&old, 1)).await;
    let short = by(&studio, owner, "starter").await;
    studio.wait(9_000);
    studio.hear(&worker, step(&old, 2)).await;
    studio.wait(1_000);
    let (job, epoch) = (old.job, old.epoch);
    assert_eq!(worker.message().await, ToWorker::HandOver { job, epoch });
    bring(&studio, &old, begun()).await.expect("taken");
    say_handed_over(&studio, &worker, &old).await;
    assert_eq!(worker.message().await, ToWorker::Cancel { job, epoch });
    let first = worker.assignment().await;
    assert_eq!(first.job, short.id, "it waits for the one it gave way to");
    studio.work(&worker, &first).await;
    let again = worker.assignment().await;
    assert_eq!((again.job, again.epoch, again.begun), (long.id, 2, true));
    assert_eq!(counted(&studio, job).await, (1, 0, 1), "it is no second attempt");
    assert!(matches!(studio.deliver(&old, 0).await, Err(DeliveryError::Stale)));
    studio.work(&worker, &again).await;
    assert_eq!(studio.jobs.get(owner, job).await.expect("mine").status, JobState::Succeeded);
    assert_eq!(studio.entries(job).await, ["hold", "capture"]);
}
