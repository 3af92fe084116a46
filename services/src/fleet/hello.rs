//! What a worker may say of itself. Plans are made by these numbers, so nonsense is refused at the door.

use domain::worker::{Heat, Hello, PROTOCOL, WarmModel};
use domain::{ModelCard, ValidRequest};

/// Most jobs a worker may work on at the same time.
const MOST_JOBS: u32 = 64;
/// Most models of one worker, loaded or not.
const MOST_MODELS: usize = 64;
/// Most leases a worker may bring along.
const MOST_LEASES: usize = 1_024;
/// Longest time for a standard picture or for loading a model, in milliseconds.
pub(super) const LONGEST_MS: f64 = 3_600_000.0;
/// Longest name, title or description, in characters.
const LONGEST_TEXT: usize = 120;
/// Most memory a device may have, in MiB.
const MOST_MEMORY_MB: u64 = 1 << 24;
/// Most steps of one picture.
const MOST_STEPS: u32 = 100_000;
/// Longest preview, in characters.
const LONGEST_PREVIEW: usize = 256 * 1024;
/// Most reasons for which a device holds itself back at once.
const MOST_REASONS: usize = 16;

/// Whether a worker may be taken in; a sentence if not.
pub(super) fn check(hello: &Hello) -> Result<(), String> {
    if hello.protocol != PROTOCOL {
        return Err(format!(
            "this worker speaks protocol {}, the head speaks {PROTOCOL}: update the older one",
            hello.protocol
        ));
    }
    name("its name", &hello.id.0)?;
    text("its host", &hello.host)?;
    text("its device", &hello.device)?;
    if !(1..=MOST_JOBS).contains(&hello.concurrency) {
        return Err(format!("a worker does 1 to {MOST_JOBS} jobs at a time, not {}", hello.concurrency));
    }
    if !(hello.batch_gain > 0.0 && hello.batch_gain <= f64::from(MOST_JOBS)) {
        return Err(format!("sharing passes can't gain {} times", hello.batch_gain));
    }
    memory("its memory", hello.memory_mb)?;
    if hello.holding.len() > MOST_LEASES {
        return Err(format!("a worker holds {MOST_LEASES} leases at most, not {}", hello.holding.len()));
    }
    models(&hello.models)?;
    if hello.available.len() > MOST_MODELS {
        return Err(format!("a worker has {MOST_MODELS} models at most, not {}", hello.available.len()));
    }
    for model in &hello.available {
        card(&model.card)?;
        memory(&model.card.name, model.memory_mb)?;
        if !(model.load_ms >= 0.0 && model.load_ms <= LONGEST_MS) {
            return Err(format!("loading {} can't take {} ms", model.card.name, model.load_ms));
        }
    }
    Ok(())
}

/// Whether these may be a worker's loaded models; a sentence if not.
pub(super) fn models(warm: &[WarmModel]) -> Result<(), String> {
    if warm.len() > MOST_MODELS {
        return Err(format!("a worker has {MOST_MODELS} models at most, not {}", warm.len()));
    }
    for model in warm {
        card(&model.card)?;
        if !(model.standard_ms > 0.0 && model.standard_ms <= LONGEST_MS) {
            return Err(format!("a picture by {} can't take {} ms", model.card.name, model.standard_ms));
        }
    }
    Ok(())
}

/// Whether a device can be in this condition.
pub(super) fn is_plausible(heat: &Heat) -> bool {
    heat.throttle.len() <= MOST_REASONS && heat.throttle.iter().all(|reason| reason.chars().count() <= LONGEST_TEXT)
}

/// Whether a step of this request may be told to whoever watches.
pub(super) fn is_step(index: u32, step: u32, steps: u32, preview: Option<&str>, request: &ValidRequest) -> bool {
    index < request.count && step <= steps && steps <= MOST_STEPS && preview.is_none_or(is_preview)
}

/// A small picture as workers send it, and nothing that a browser might take for something else.
fn is_preview(url: &str) -> bool {
    let data = ["data:image/png;base64,", "data:image/jpeg;base64,"].iter().find_map(|kind| url.strip_prefix(kind));
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=');
    data.is_some_and(|data| data.len() <= LONGEST_PREVIEW && data.bytes().all(fits))
}

fn card(card: &ModelCard) -> Result<(), String> {
    name("a model's name", &card.name)?;
    text("a model's title", &card.title)?;
    name("a model's capability", &card.capability)?;
    card.check().map_err(|why| format!("the card of {}: {why}", card.name))
}

fn memory(what: &str, mb: u64) -> Result<(), String> {
    if mb <= MOST_MEMORY_MB { Ok(()) } else { Err(format!("{what}: {mb} MiB is more than any device has")) }
}

fn name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("{what} is missing"));
    }
    text(what, name)
}

fn text(what: &str, text: &str) -> Result<(), String> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(format!("{what} is longer than {LONGEST_TEXT} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{what} has characters that no name has"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::WorkerId;
    use domain::worker::{AvailableModel, Lease};

    use super::*;

    fn starter() -> ModelCard {
        ModelCard {
            name: "starter".into(),
            title: "Starter".into(),
            capability: "image.fast".into(),
            native_size: 256,
            default_steps: 12,
            max_steps: 50,
            default_guidance: 3.0,
            size_multiple: 32,
        }
    }

    fn good() -> Hello {
        let load = AvailableModel { card: starter(), memory_mb: 100, load_ms: 0.0, pinned: true };
        Hello {
            protocol: PROTOCOL,
            id: WorkerId("attic".into()),
            host: "attic".into(),
            device: "cpu (2 threads)".into(),
            memory_mb: 8_000,
            concurrency: 4,
            batch_gain: 1.5,
            models: vec![WarmModel { card: starter(), standard_ms: 900.0 }],
            available: vec![load],
            holding: Vec::new(),
            hands_over: false,
            goes_on: false,
            extends: false,
        }
    }

    #[test]
    fn a_worker_that_makes_sense_is_taken_in() {
        assert_eq!(check(&good()), Ok(()));
    }

    #[test]
    fn only_steps_of_the_request_and_small_pictures_are_passed_on() {
        let request = ValidRequest {
            prompt: "a sea".into(),
            negative_prompt: String::new(),
            model: "starter".into(),
            capability: "image.fast".into(),
            count: 2,
            seed: 5,
            width: 64,
            height: 64,
            steps: 12,
            guidance: 3.0,
            source: None,
        };
        let told = |index, preview: Option<&str>| is_step(index, 3, 12, preview, &request);
        assert!(told(1, None) && told(0, Some("data:image/png;base64,aGk=")));
        assert!(!told(2, None), "a picture that nobody asked for");
        for bad in ["https://elsewhere.example/x.png", "data:text/html;base64,aGk=", "data:image/svg+xml;base64,aGk="] {
            assert!(!told(0, Some(bad)), "{bad}");
        }
        assert!(!told(0, Some("data:image/png;base64,\"><script>")));
        assert!(!told(0, Some(&format!("data:image/png;base64,{}", "A".repeat(LONGEST_PREVIEW + 1)))));
    }

    #[test]
    fn nonsense_is_refused_with_a_sentence() {
        let lease = Lease { job: domain::JobId::from_random(1), epoch: 1 };
        type Spoil = (&'static str, fn(&mut Hello));
        let spoil: &[Spoil] = &[
            ("another protocol", |hello| hello.protocol += 1),
            ("no name", |hello| hello.id.0.clear()),
            ("a long name", |hello| hello.id.0 = "a".repeat(121)),
            ("a name with a line break", |hello| hello.id.0.push('\n')),
            ("no jobs", |hello| hello.concurrency = 0),
            ("too many jobs", |hello| hello.concurrency = u32::MAX),
            ("no gain", |hello| hello.batch_gain = f64::NAN),
            ("an endless picture", |hello| hello.models[0].standard_ms = 1e17),
            ("a picture in no time", |hello| hello.models[0].standard_ms = 0.0),
            ("an endless load", |hello| hello.available[0].load_ms = 1e17),
            ("a load in less than no time", |hello| hello.available[0].load_ms = -1.0),
            ("too much memory", |hello| hello.memory_mb = u64::MAX),
            ("a size of nothing", |hello| hello.available[0].card.native_size = 0),
            ("a size that overflows", |hello| hello.models[0].card.native_size = u32::MAX),
            ("a model without a name", |hello| hello.models[0].card.name.clear()),
            ("too many models", |hello| hello.models = vec![hello.models[0].clone(); 65]),
            ("too many models to load", |hello| hello.available = vec![hello.available[0].clone(); 65]),
        ];
        for (what, spoil) in spoil {
            let mut hello = good();
            spoil(&mut hello);
            assert!(check(&hello).is_err_and(|why| why.len() > 10), "{what}");
        }
        assert!(check(&Hello { holding: vec![lease; 1_025], ..good() }).is_err());
    }
}
