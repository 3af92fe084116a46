//! The real model in the repository: sharing passes must not change a picture.

use std::path::Path;

use super::*;
use crate::backend::diffusion::{EngineModel, EngineSession};
use crate::backend::enlarging::Loaded;
use crate::backend::{DeviceSpec, EngineBackend};

/// The engine, with its passes counted and the latents of finished pictures kept.
struct Watched {
    inner: EngineBackend,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    sizes: Mutex<Vec<usize>>,
    latents: Mutex<Vec<Vec<f32>>>,
}

struct WatchedModel {
    inner: EngineModel,
    seen: Arc<Seen>,
}

impl Backend for Watched {
    type Model = WatchedModel;

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn memory_mb(&self) -> u64 {
        self.inner.memory_mb()
    }

    fn concurrency(&self, batch_gain: f64) -> u32 {
        self.inner.concurrency(batch_gain)
    }

    fn catalogue(&self) -> Vec<Offer> {
        self.inner.catalogue()
    }

    fn load(&self, model: &str) -> Result<WatchedModel, BackendError> {
        let Loaded::Draws(inner) = self.inner.load(model)? else { panic!("it draws") };
        Ok(WatchedModel { inner: *inner, seen: self.seen.clone() })
    }
}

impl Model for WatchedModel {
    type Session = EngineSession;

    fn card(&self) -> &ModelCard {
        self.inner.card()
    }

    fn open(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
    ) -> Result<EngineSession, BackendError> {
        self.inner.open(request, seed, start)
    }

    fn export(&self, session: &EngineSession) -> Result<Vec<u8>, BackendError> {
        self.inner.export(session)
    }

    fn resume(
        &self,
        request: &ValidRequest,
        seed: u64,
        start: Option<&Arc<StartPicture>>,
        state: &[u8],
    ) -> Result<EngineSession, BackendError> {
        self.inner.resume(request, seed, start, state)
    }

    fn key(&self, session: &EngineSession) -> u64 {
        self.inner.key(session)
    }

    fn batch_cap(&self, session: &EngineSession) -> usize {
        self.inner.batch_cap(session)
    }

    fn progress(&self, session: &EngineSession) -> (u32, u32) {
        self.inner.progress(session)
    }

    fn step(&self, sessions: &mut [&mut EngineSession]) -> Result<(), BackendError> {
        self.seen.sizes.lock().expect("the sizes").push(sessions.len());
        self.inner.step(sessions)
    }

    fn preview(&self, session: &EngineSession) -> Option<Vec<u8>> {
        self.inner.preview(session)
    }

    fn finish(&self, session: &EngineSession, recipe: &str) -> Result<Vec<u8>, BackendError> {
        let latents = session.session.latents().flatten_all().and_then(|flat| flat.to_vec1::<f32>());
        self.seen.latents.lock().expect("the latents").push(latents.expect("latents"));
        self.inner.finish(session, recipe)
    }
}

/// Pictures of different lengths, guidance and negative prompts.
fn requests() -> [ValidRequest; 3] {
    let small = ValidRequest { width: 128, height: 128, ..request("a red boat on a calm sea at sunset") };
    [
        ValidRequest { steps: 7, ..small.clone() },
        ValidRequest { steps: 6, seed: 77, guidance: 4.5, ..small.clone() },
        ValidRequest {
            steps: 4,
            seed: 9,
            prompt: "snowy mountains at night".into(),
            negative_prompt: "moon".into(),
            ..small
        },
    ]
}

fn made(events: &[Event]) -> HashMap<Lease, image::RgbImage> {
    let decoded = events.iter().map(|event| match event {
        Event::Picture { lease, png, .. } => (*lease, image::load_from_memory(png).expect("a PNG").to_rgb8()),
        other => panic!("{other:?}"),
    });
    decoded.collect()
}

#[test]
fn pictures_that_shared_passes_equal_those_made_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let seen = Arc::<Seen>::default();
    let inner = EngineBackend::new(&DeviceSpec::Cpu, &folder, 0).expect("a processor");
    let mut rig = Rig::ready(Watched { inner, seen: seen.clone() }, "starter", Sharing::Never);
    let take = |seen: &Seen| {
        let sizes = std::mem::take(&mut *seen.sizes.lock().expect("the sizes"));
        (sizes, std::mem::take(&mut *seen.latents.lock().expect("the latents")))
    };
    take(&seen);

    let mut alone = HashMap::new();
    for (job, request) in (1..).zip(requests()) {
        rig.start(job, request);
        alone.extend(made(&rig.finish()));
    }
    let (sizes, alone_latents) = take(&seen);
    assert_eq!(sizes, [1; 17]);

    rig.bench.take(Order::Share(Sharing::Always));
    for (job, request) in (1..).zip(requests()) {
        rig.start(job, request);
        rig.bench.turn();
    }
    let together = made(&rig.finish());
    let (sizes, latents) = take(&seen);
    assert_eq!(sizes, [1, 2, 3, 3, 3, 3, 2], "the second joined after one step, the third after two");

    // Pictures end in another order when they share passes: the shortest first.
    for (latents, alone) in
        [(&latents[0], &alone_latents[2]), (&latents[1], &alone_latents[0]), (&latents[2], &alone_latents[1])]
    {
        let difference = latents.iter().zip(alone).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(difference <= 1e-4, "latents differ by {difference}");
    }
    for (lease, picture) in &together {
        let difference = picture.iter().zip(alone[lease].iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference <= Some(1), "a picture differs by {difference:?} of 255");
    }
    assert_eq!(together.len(), 3);
}
