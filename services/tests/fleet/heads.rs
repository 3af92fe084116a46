//! Several heads on one database and one bus.

use std::sync::Arc;
use std::time::Duration;

use domain::worker::{FromWorker, Lease, ToWorker, WarmModel};
use domain::{GenerationRequest, JobEvent, JobState};
use services::bus::{Bus, BusSettings, HeadId, LocalHub, WorkerRecord};
use services::clock::SystemClock;
use services::fleet::JoinError;
use sqlx::PgPool;

use crate::studio::{Studio, card, hello, until, wish};

async fn two_heads(pool: &PgPool) -> (Studio, Studio) {
    let hub = LocalHub::new(Arc::new(SystemClock), BusSettings::default());
    let first = Studio::head(pool.clone(), Arc::new(hub.join(HeadId::from_random(1)))).await;
    let second = Studio::head(pool.clone(), Arc::new(hub.join(HeadId::from_random(2)))).await;
    (first, second)
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_at_one_head_does_the_work_of_another(pool: PgPool) {
    let (first, second) = two_heads(&pool).await;
    first.lead();
    let owner = second.visitor().await;
    let mut worker = second.worker("a").await;
    let job = first.submit(owner, 2).await;
    let (_, mut events) = first.jobs.watch(owner, job.id).await.expect("watch");
    let assignment = worker.assignment().await;
    assert_eq!(assignment.job, job.id);
    let (job_id, epoch) = (assignment.job, assignment.epoch);
    let step = FromWorker::Progress { job: job_id, epoch, index: 0, step: 3, steps: 12, preview: None };
    second.hear(&worker, step).await;
    second.work(&worker, &assignment).await;

    let (mut steps, mut last) = (0, None);
    while last != Some(JobState::Succeeded) {
        match events.next().await.expect("open").expect("not behind").event {
            JobEvent::Progress(progress) => steps += progress.step,
            JobEvent::State(view) => last = Some(view.status),
        }
    }
    assert_eq!(steps, 3, "progress reached the watcher at the other head");
    first.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cancellation_at_one_head_reaches_a_worker_at_another(pool: PgPool) {
    let (first, second) = two_heads(&pool).await;
    first.lead();
    let owner = first.visitor().await;
    let mut worker = second.worker("a").await;
    let job = first.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    first.jobs.cancel(owner, job.id).await.expect("cancelled");
    assert_eq!(worker.message().await, ToWorker::Cancel { job: job.id, epoch: assignment.epoch });
}

#[sqlx::test(migrations = "../migrations")]
async fn the_next_dispatcher_knows_who_is_busy_and_goes_on(pool: PgPool) {
    let (first, second) = two_heads(&pool).await;
    let leading = first.lead();
    let owner = first.visitor().await;
    let mut worker = second.worker("a").await;
    let running = first.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    leading.abort();
    first.die();
    second.lead();
    let waiting = second.submit(owner, 1).await;
    let told = until("the new dispatcher tells what to expect", || async {
        second.wait(300);
        second.jobs.get(owner, waiting.id).await.expect("mine").eta_seconds
    })
    .await;
    assert!(told > 0.0);
    assert!(worker.connection.outbox.try_recv().is_err(), "one job at a time, by the new one's count as well");
    second.work(&worker, &assignment).await;
    let next = worker.assignment().await;
    assert_eq!(next.job, waiting.id);
    assert_eq!(second.jobs.get(owner, running.id).await.expect("mine").status, JobState::Succeeded);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_head_that_is_out_of_reach_costs_no_attempts(pool: PgPool) {
    let hub = LocalHub::new(Arc::new(SystemClock), BusSettings::default());
    let first = Studio::head(pool.clone(), Arc::new(hub.join(HeadId::from_random(1)))).await;
    // A head that died leaves its workers' records behind for a while, and no mailbox.
    let dead = hub.join(HeadId::from_random(2));
    let record = WorkerRecord { head: dead.head(), connection: 1, hello: hello("a"), draining: false, named: false };
    dead.announce(&record, Duration::from_secs(60)).await.expect("announced");
    let owner = first.visitor().await;
    let job = first.submit(owner, 1).await;
    first.lead();
    let placed = || async {
        let leases: i32 = sqlx::query_scalar("SELECT epoch FROM jobs").fetch_one(&pool).await.expect("a job");
        (leases >= 2).then_some(())
    };
    until("the job was placed there more than once", placed).await;
    let mut worker = first.worker("b").await;
    let assignment = worker.assignment().await;
    assert_eq!(assignment.job, job.id);
    let attempts: i32 = sqlx::query_scalar("SELECT attempts FROM jobs").fetch_one(&pool).await.expect("a job");
    assert_eq!(attempts, 1, "only this one counts");
    first.work(&worker, &assignment).await;
    assert_eq!(first.jobs.get(owner, job.id).await.expect("mine").status, JobState::Succeeded);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_head_that_leaves_sends_its_workers_elsewhere_and_blames_nobody(pool: PgPool) {
    let (first, second) = two_heads(&pool).await;
    second.lead();
    let owner = second.visitor().await;
    let mut remote = first.worker("attic").await;
    let going_on = second.submit(owner, 1).await;
    let assignment = remote.assignment().await;
    let mut local = first.worker("local-0").await;
    let interrupted = second.submit(owner, 1).await;
    let stale = local.assignment().await;
    assert_eq!((assignment.job, stale.job), (going_on.id, interrupted.id));

    first.fleet.drain().await;
    assert_eq!((remote.message().await, local.message().await), (ToWorker::HeadLeaves, ToWorker::HeadLeaves));
    assert!(matches!(first.fleet.connect(hello("late"), false).await, Err(JoinError::Unavailable(_))), "nobody new");
    // The time is up: what its own worker holds waits again, though no attempt was used up.
    first.fleet.take_back(&[local.id.clone()]).await;
    // The dispatcher may have chosen it once more before it heard; a head that leaves hands it back.
    let waits = || async {
        let waits: (String, i32, i32) = sqlx::query_as("SELECT state, attempts, crashes FROM jobs WHERE id = $1")
            .bind(interrupted.id.0)
            .fetch_one(&pool)
            .await
            .expect("a job");
        ((waits.0.as_str(), waits.1, waits.2) == ("queued", 0, 0)).then_some(())
    };
    until("it waits as if nobody had begun it", waits).await;
    first.fleet.disconnect(&local.id, local.connection.number).await;
    first.fleet.disconnect(&remote.id, remote.connection.number).await;
    // Longer than a lease outlives a connection that ended while its head did not.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let mut again = hello("attic");
    again.holding = vec![Lease { job: assignment.job, epoch: assignment.epoch }];
    let mut remote = second.join(again).await;
    assert_eq!(remote.connection.resumed.len(), 1, "its lease has stood for all of its time");
    second.work(&remote, &assignment).await;
    let next = remote.assignment().await;
    assert_eq!(next.job, interrupted.id);
    second.work(&remote, &next).await;
    assert_eq!(second.jobs.get(owner, interrupted.id).await.expect("mine").status, JobState::Succeeded);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_model_of_another_heads_worker_may_be_asked_for_while_it_is_there(pool: PgPool) {
    let (first, second) = two_heads(&pool).await;
    first.lead();
    let owner = first.visitor().await;
    let _own = first.worker("a").await;
    let mut with_other = hello("b");
    let other = domain::ModelCard { name: "other".into(), ..card() };
    with_other.models.push(WarmModel { card: other, standard_ms: 1_000.0 });
    let mut worker = second.join(with_other).await;
    let wish = || GenerationRequest { model: Some("other".into()), ..wish(1) };
    let job = until("it is heard of", || async { first.jobs.submit(owner, wish()).await.ok() }).await;
    assert_eq!(worker.assignment().await.job, job.id);
    second.fleet.disconnect(&worker.id, worker.connection.number).await;
    first.wait(61_000);
    let refused = || async { first.jobs.quote(None, wish()).await.err() };
    let why = until("it is gone", refused).await;
    assert_eq!(why.status(), 422, "{why:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_rewrites_another_ones_model(pool: PgPool) {
    let (studio, _) = two_heads(&pool).await;
    let owner = studio.visitor().await;
    let tampered = |size| domain::ModelCard { native_size: size, ..card() };
    let as_worker = |name: &str, size| {
        let models = vec![WarmModel { card: tampered(size), standard_ms: 1_000.0 }];
        domain::worker::Hello { models, ..hello(name) }
    };
    let size = || async {
        let quote = studio.jobs.quote(None, wish(1)).await.expect("a quote");
        (quote.card.native_size, quote.request.width)
    };
    let _own = studio.worker("a").await;
    let _thief = studio.fleet.connect(as_worker("0-thief", 1_024), true).await.expect("taken in");
    assert_eq!(size().await, (256, 256), "what the studio's own workers say counts");
    // The operator may change it.
    let _own = studio.join(as_worker("a", 512)).await;
    assert_eq!(size().await, (512, 512));
    let many = (0..70).map(|number| domain::ModelCard { name: format!("m{number}"), ..card() });
    let thief = services::jobs::Source::Worker(domain::WorkerId("0-thief".into()));
    let models = services::jobs::Models::new(pool.clone());
    models.announce(&thief, &many.collect::<Vec<_>>()).await.expect("heard");
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM models").fetch_one(&pool).await.expect("a count");
    assert_eq!(kept, 65);
    assert!(studio.jobs.submit(owner, wish(1)).await.is_ok());
}
