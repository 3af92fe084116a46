//! Pictures that are made from a picture.

use domain::source::{A_LITTLE, Area, Cells, Extend, SourceRequest, UpscaleRequest};
use domain::worker::{Failure, FromWorker, Hello, WarmModel};
use domain::{AppError, DeviceId, GenerationRequest, JobState, JobView, ModelCard, OutputId, Way};
use services::fleet::DeliveryError;
use sqlx::PgPool;
use tokio::io::AsyncReadExt;

use crate::studio::{DAILY, Studio, Worker, card, hello, png, until};

fn vary(media: OutputId) -> GenerationRequest {
    let source = SourceRequest { media, strength: Some(A_LITTLE), region: None, extend: None };
    GenerationRequest { source: Some(source), count: Some(2), ..GenerationRequest::default() }
}

fn larger(media: OutputId) -> GenerationRequest {
    GenerationRequest { upscale: Some(UpscaleRequest { media, factor: 2 }), ..GenerationRequest::default() }
}

/// One picture, made and paid.
async fn picture(studio: &Studio, owner: DeviceId, worker: &mut Worker) -> OutputId {
    let job = studio.submit(owner, 1).await;
    let assignment = worker.assignment().await;
    studio.work(worker, &assignment).await;
    studio.jobs.get(owner, job.id).await.expect("mine").outputs[0].id
}

async fn ended(studio: &Studio, owner: DeviceId, job: &JobView) -> JobView {
    let look = || async {
        let view = studio.jobs.get(owner, job.id).await.expect("mine");
        view.status.is_final().then_some(view)
    };
    until("an end", look).await
}

/// As if the picture had been deleted.
async fn vanish(studio: &Studio, media: OutputId) {
    sqlx::query("DELETE FROM outputs WHERE id = $1").bind(media.0).execute(&studio.pool).await.expect("gone");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_picture_is_made_from_ones_own(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    let media = picture(&studio, owner, &mut worker).await;

    let job = studio.jobs.submit(owner, vary(media)).await.expect("accepted");
    assert_eq!((job.price, job.request.prompt.as_str()), (2, "a red sun over a dark sea"));
    assert_eq!((job.request.width, job.request.height, job.request.passes()), (256, 256, 4));
    let assignment = worker.assignment().await;
    let source = assignment.request.source.as_ref().expect("a source");
    assert_eq!(
        (source.media, source.width, &source.way),
        (media, 256, &Way::Vary { strength: A_LITTLE, region: vec![] })
    );

    let file = studio.fleet.source(Some(&worker.id), assignment.job, assignment.epoch).await.expect("a lease");
    let mut bytes = Vec::new();
    file.expect("a picture").read_to_end(&mut bytes).await.expect("read");
    assert_eq!(bytes, png(256, 256));
    let foreign = domain::WorkerId("b".into());
    let stale = [(Some(&foreign), assignment.epoch), (Some(&worker.id), assignment.epoch + 1)];
    for (by, epoch) in stale {
        let refused = studio.fleet.source(by, assignment.job, epoch).await;
        assert!(matches!(refused, Err(DeliveryError::Stale)), "{by:?} {epoch}");
    }

    studio.work(&worker, &assignment).await;
    let done = ended(&studio, owner, &job).await;
    assert_eq!((done.status, done.outputs.len()), (JobState::Succeeded, 2));
    assert_eq!(done.request.source.map(|source| source.media), Some(media));
    assert_eq!(studio.entries(job.id).await, ["hold", "capture"]);
    assert_eq!(studio.balance(owner).await, DAILY - 3);
    studio.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_strangers_picture_looks_like_none_and_nothing_is_held(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let (owner, stranger) = (studio.visitor().await, studio.visitor().await);
    let mut worker = studio.worker("a").await;
    let media = picture(&studio, owner, &mut worker).await;
    let nowhere = OutputId::from_random(1);
    for wish in [vary(media), vary(nowhere), larger(media), larger(nowhere)] {
        assert_eq!(studio.jobs.submit(stranger, wish.clone()).await, Err(AppError::SourceGone));
        assert_eq!(studio.jobs.quote(None, wish).await, Err(AppError::SourceGone));
    }
    assert_eq!(studio.balance(stranger).await, DAILY);
    vanish(&studio, media).await;
    assert_eq!(studio.jobs.submit(owner, vary(media)).await, Err(AppError::SourceGone));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_job_whose_picture_vanishes_before_it_runs_is_free(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut worker = studio.worker("a").await;
    let media = picture(&studio, owner, &mut worker).await;
    let before = studio.balance(owner).await;
    let job = studio.jobs.submit(owner, vary(media)).await.expect("accepted");
    let mut assignment = worker.assignment().await;

    // A worker's word alone ends nothing: the picture is there.
    let failure = Failure { source_gone: true, ..Failure::permanent("the picture to go on from is gone") };
    let failed = |epoch| FromWorker::Failed { job: job.id, epoch, failure: failure.clone() };
    studio.hear(&worker, failed(assignment.epoch)).await;
    assert!(!studio.jobs.get(owner, job.id).await.expect("mine").status.is_final());

    assignment = worker.assignment().await;
    vanish(&studio, media).await;
    let source = studio.fleet.source(Some(&worker.id), assignment.job, assignment.epoch).await;
    assert!(source.expect("a lease").is_none());
    studio.hear(&worker, failed(assignment.epoch)).await;
    let view = ended(&studio, owner, &job).await;
    assert_eq!(view.status, JobState::Failed);
    let error = view.error.expect("an error");
    assert_eq!(error.code, "source_gone");
    assert!(error.message.contains("Nothing was charged"), "{}", error.message);
    assert_eq!(studio.entries(job.id).await, ["hold", "release"]);
    assert_eq!(studio.balance(owner).await, before);
    studio.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn workers_that_would_make_it_of_words_alone_do_not_get_it(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut old = studio.join(Hello { goes_on: false, concurrency: 2, ..hello("old") }).await;
    let media = picture(&studio, owner, &mut old).await;
    let job = studio.jobs.submit(owner, vary(media)).await.expect("accepted");
    let plain = studio.submit(owner, 1).await;
    // What came later is handed out, and this is not.
    assert_eq!(old.assignment().await.job, plain.id);
    let mut new = studio.worker("new").await;
    assert_eq!(new.assignment().await.job, job.id);
}

#[sqlx::test(migrations = "../migrations")]
async fn workers_that_know_neither_painted_parts_nor_more_room_do_not_get_them(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut old = studio.join(Hello { extends: false, concurrency: 4, ..hello("old") }).await;
    let media = picture(&studio, owner, &mut old).await;
    let wish = |region, extend| GenerationRequest {
        source: Some(SourceRequest { media, strength: None, region, extend }),
        count: Some(1),
        ..GenerationRequest::default()
    };
    let painted = wish(Some(vec![Area::Cells { cells: Cells::ALL }]), None);
    let roomier = wish(None, Some(Extend { right: 0.5, ..Extend::default() }));
    let painted = studio.jobs.submit(owner, painted).await.expect("accepted");
    let roomier = studio.jobs.submit(owner, roomier).await.expect("accepted");
    assert_eq!((roomier.request.width, roomier.request.height, roomier.price), (384, 256, 2));
    // What came later is handed out, for it knows that.
    let known = studio.jobs.submit(owner, vary(media)).await.expect("accepted");
    assert_eq!(old.assignment().await.job, known.id);
    let mut new = studio.join(Hello { concurrency: 2, ..hello("new") }).await;
    assert_eq!(new.assignment().await.job, painted.id);
    assert_eq!(new.assignment().await.job, roomier.id);
}

#[sqlx::test(migrations = "../migrations")]
async fn larger_pictures_are_made_by_those_who_can(pool: PgPool) {
    let studio = Studio::open(pool).await;
    let owner = studio.visitor().await;
    let mut drawer = studio.worker("drawer").await;
    let media = picture(&studio, owner, &mut drawer).await;
    assert!(matches!(studio.jobs.submit(owner, larger(media)).await, Err(AppError::UnknownModel { .. })));

    let upscaler = ModelCard {
        name: "larger".into(),
        capability: "upscale".into(),
        native_size: 512,
        default_steps: 1,
        max_steps: 1,
        ..card()
    };
    let models = vec![WarmModel { card: upscaler, standard_ms: 300.0 }];
    let mut worker = studio.join(Hello { models, ..hello("upscaler") }).await;
    let job = studio.jobs.submit(owner, larger(media)).await.expect("accepted");
    assert_eq!((job.price, job.request.width, job.request.capability.as_str()), (1, 512, "upscale"));
    let assignment = worker.assignment().await;
    assert_eq!((assignment.job, assignment.indices.len()), (job.id, 1));
    studio.work(&worker, &assignment).await;
    let done = ended(&studio, owner, &job).await;
    assert_eq!((done.status, done.outputs[0].width), (JobState::Succeeded, 512));
    assert_eq!(studio.entries(job.id).await, ["hold", "capture"]);
    studio.no_drift().await;
}
