//! What an archive may say. It may have been written by anybody.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use domain::{AppError, JobState};

use super::format::{ArchivedFile, ArchivedJob, FORMAT, Manifest, VERSION};

/// Most jobs of an owner who brings some in.
pub(super) const MOST_JOBS: usize = 20_000;
/// Most photos in an archive.
const MOST_PHOTOS: usize = 1_000;
/// Most bytes of pictures that an owner brings in.
pub(super) const MOST_BYTES: u64 = 2 << 30;
/// Most pixels of an archive: they are all decoded once.
pub(super) const MOST_PIXELS: u64 = 3_000_000_000;
/// Most pixels of one picture.
const LARGEST_PICTURE: u64 = 4_096 * 4_096;
/// How far two studios' clocks may be apart.
const CLOCKS_APART: TimeDelta = TimeDelta::days(1);

/// What a failed job may say why.
pub(super) fn error(code: &str) -> Option<AppError> {
    [AppError::GenerationFailed, AppError::SourceGone].into_iter().find(|error| error.code() == code)
}

/// # Errors
/// What is wrong with it, as part of a sentence.
pub(super) fn check(manifest: &Manifest, now: DateTime<Utc>) -> Result<(), String> {
    let Manifest { format, version, jobs, photos, prompts } = manifest;
    if format != FORMAT {
        return Err("its mindseye.json is no export of Mindseye".into());
    }
    if *version != VERSION {
        return Err(format!("it is of version {version}, and version {VERSION} is read here"));
    }
    if jobs.len() > MOST_JOBS || photos.len() > MOST_PHOTOS || prompts.len() > crate::library::MOST_ENTRIES {
        return Err("it holds more than one file may bring".into());
    }
    let mut ids = HashSet::new();
    if !jobs.iter().all(|job| ids.insert(job.id.0)) {
        return Err("a job is in it twice".into());
    }
    let mut ids = HashSet::new();
    if !manifest.files().all(|file| ids.insert(file.id.0)) {
        return Err("a picture is in it twice".into());
    }
    manifest.files().try_for_each(check_file)?;
    for job in jobs {
        check_job(job, now).map_err(|why| format!("job {}: {why}", job.id))?;
    }
    let times = prompts.iter().map(|kept| kept.created_at);
    if !times.into_iter().all(|time| believable(time, now)) {
        return Err("a kept prompt has a time that can't be".into());
    }
    Ok(())
}

fn check_file(file: &ArchivedFile) -> Result<(), String> {
    let pixels = u64::from(file.width) * u64::from(file.height);
    if (1..=LARGEST_PICTURE).contains(&pixels) { Ok(()) } else { Err(format!("picture {}: no such size", file.id)) }
}

fn check_job(job: &ArchivedJob, now: DateTime<Utc>) -> Result<(), String> {
    let ArchivedJob { status, request, error: code, created_at, finished_at, outputs, .. } = job;
    if !status.is_final() {
        return Err("it has not ended".into());
    }
    request.check_restored().map_err(|error| error.code().to_owned())?;
    if code.as_deref().is_some_and(|code| *status != JobState::Failed || error(code).is_none()) {
        return Err("no such error".into());
    }
    let mut times = [Some(*created_at), *finished_at].into_iter().flatten();
    if !times.all(|time| believable(time, now)) {
        return Err("a time that can't be".into());
    }
    if *status != JobState::Succeeded && !outputs.is_empty() {
        return Err("pictures of a job that made none".into());
    }
    let mut places = HashSet::new();
    for output in outputs {
        let fits = output.index < request.count
            && places.insert(output.index)
            && output.seed == request.seed_of(output.index)
            && (output.file.width, output.file.height) == (request.width, request.height)
            && believable(output.created_at, now);
        if !fits {
            return Err("a picture that is not what was asked for".into());
        }
    }
    Ok(())
}

fn believable(time: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    time.year() >= 1970 && time <= now + CLOCKS_APART
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn manifest() -> Value {
        json!({
            "format": "mindseye-archive", "version": 1,
            "jobs": [{
                "id": "00000000-0000-4000-8000-000000000001", "status": "succeeded",
                "created_at": "2026-11-20T12:00:00Z", "finished_at": "2026-11-20T12:00:01Z",
                "request": {
                    "prompt": "a sea", "negative_prompt": "", "model": "starter", "capability": "image.fast",
                    "count": 2, "seed": 7, "width": 128, "height": 96, "steps": 12, "guidance": 3.0
                },
                "outputs": [{
                    "id": "00000000-0000-4000-8000-000000000002", "index": 1, "seed": 8, "width": 128, "height": 96,
                    "bytes": 10, "sha256": "", "created_at": "2026-11-20T12:00:01Z"
                }]
            }],
            "photos": [], "prompts": []
        })
    }

    fn told(manifest: Value) -> Result<(), String> {
        let manifest: Manifest = serde_json::from_value(manifest).expect("a manifest");
        check(&manifest, "2026-11-20T13:00:00Z".parse().expect("a time"))
    }

    #[test]
    fn what_this_studio_writes_is_taken() {
        assert_eq!(told(manifest()), Ok(()));
    }

    #[test]
    fn what_it_never_writes_is_not() {
        let changes: [(&str, Value); 14] = [
            ("/format", json!("other")),
            ("/version", json!(2)),
            ("/jobs/0/status", json!("queued")),
            ("/jobs/0/status", json!("cancelled")),
            ("/jobs/0/error", json!("generation_failed")),
            ("/jobs/0/created_at", json!("2027-11-20T12:00:00Z")),
            ("/jobs/0/created_at", json!("0001-11-20T12:00:00Z")),
            ("/jobs/0/request/count", json!(1)),
            ("/jobs/0/request/prompt", json!("")),
            ("/jobs/0/outputs/0/seed", json!(7)),
            ("/jobs/0/outputs/0/width", json!(127)),
            ("/jobs/0/outputs/0/height", json!(0)),
            ("/jobs/0/outputs/0/created_at", json!("2030-01-01T00:00:00Z")),
            ("/jobs/0/request/width", json!(4_000_000)),
        ];
        for (at, value) in changes {
            let mut changed = manifest();
            let parts: Vec<&str> = at.rsplitn(2, '/').collect();
            changed.pointer_mut(parts[1]).expect("a place")[parts[0]] = value.clone();
            assert!(told(changed).is_err(), "{at}: {value}");
        }
        let mut twice = manifest();
        let job = twice["jobs"][0].clone();
        twice["jobs"].as_array_mut().expect("jobs").push(job);
        assert!(told(twice).is_err());
    }
}
