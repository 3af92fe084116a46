use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use domain::worker::WarmModel;
use domain::{ModelCard, ValidRequest};

use super::{Backend, BackendError};

/// A worker for load tests: takes a fixed time per picture and draws a labelled test card.
#[derive(Debug)]
pub struct FakeBackend {
    per_image: Duration,
}

/// One test card in the making.
#[derive(Debug)]
pub struct FakeSession {
    prompt: String,
    width: u32,
    height: u32,
    seed: u64,
    steps: u32,
    done: u32,
}

impl FakeBackend {
    pub fn new(per_image: Duration) -> Self {
        Self { per_image }
    }
}

impl Backend for FakeBackend {
    type Session = FakeSession;

    fn describe(&self) -> String {
        format!("fake ({} ms a picture)", self.per_image.as_millis())
    }

    fn warm_up(&self) -> Result<Vec<WarmModel>, BackendError> {
        let card = ModelCard {
            name: "starter".into(),
            title: "Test card".into(),
            capability: "image.fast".into(),
            native_size: 256,
            default_steps: 12,
            max_steps: 50,
            default_guidance: 3.0,
            size_multiple: 32,
        };
        Ok(vec![WarmModel { card, standard_ms: self.per_image.as_secs_f64() * 1_000.0 }])
    }

    fn open(&self, request: &ValidRequest, seed: u64) -> Result<Self::Session, BackendError> {
        Ok(FakeSession {
            prompt: request.prompt.clone(),
            width: request.width,
            height: request.height,
            seed,
            steps: request.steps.max(1),
            done: 0,
        })
    }

    fn key(&self, _session: &Self::Session) -> u64 {
        0
    }

    fn progress(&self, session: &Self::Session) -> (u32, u32) {
        (session.done, session.steps)
    }

    #[expect(clippy::disallowed_methods, reason = "standing in for work is this backend's purpose")]
    fn step(&self, sessions: &mut [&mut Self::Session]) -> Result<(), BackendError> {
        for session in sessions {
            std::thread::sleep(self.per_image / session.steps);
            session.done += 1;
        }
        Ok(())
    }

    fn preview(&self, session: &Self::Session) -> Option<Vec<u8>> {
        let picture = engine::RgbImage::from_pixel(8, 8, colour(session));
        engine::encode_png(&picture, None).ok()
    }

    fn finish(&self, session: &Self::Session, recipe: &str) -> Result<Vec<u8>, BackendError> {
        // A colour and a stripe that depend on the words and the seed: enough to tell cards apart.
        let stripe = (session.seed % u64::from(session.height.max(1))) as u32;
        let picture = engine::RgbImage::from_fn(session.width, session.height, |_, y| {
            if y / 8 == stripe / 8 { engine::Rgb([255, 255, 255]) } else { colour(session) }
        });
        engine::encode_png(&picture, Some(recipe)).map_err(|error| BackendError::Failed(error.to_string()))
    }

    fn max_batch(&self) -> usize {
        1
    }
}

fn colour(session: &FakeSession) -> engine::Rgb<u8> {
    let mut hasher = DefaultHasher::new();
    (&session.prompt, session.seed).hash(&mut hasher);
    let [r, g, b, ..] = hasher.finish().to_be_bytes();
    engine::Rgb([r, g, b])
}
