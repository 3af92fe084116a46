//! Small fleets and queues, and plans as a person reads them.

use dispatch::{HeldJob, Lane, Length, ModelState, Plan, Policy, QueuedJob, Snapshot, WorkerState, plan};
use domain::{DeviceId, JobId, WorkerId};

/// A standard picture of its own owner.
pub fn image(id: u128) -> QueuedJob {
    QueuedJob {
        id: JobId::from_random(id),
        owner: DeviceId::from_random(1_000 + id),
        lane: Lane::Standard,
        length: Length::Short,
        model: "image".into(),
        batch_key: 1,
        work: 1.0,
        waited_ms: 0.0,
        avoid: Vec::new(),
    }
}

/// A clip that costs as much as sixty standard pictures.
pub fn video(id: u128) -> QueuedJob {
    QueuedJob { length: Length::Long, model: "video".into(), batch_key: 2, work: 60.0, ..image(id) }
}

/// A worker that takes `standard_ms` for a standard picture, has both models loaded and steps aside.
pub fn worker(name: &str, standard_ms: f64) -> WorkerState {
    let model = |model: &str| ModelState { name: model.into(), standard_ms, load_ms: 0.0 };
    WorkerState {
        id: WorkerId(name.into()),
        models: vec![model("image"), model("video")],
        concurrency: 1,
        batch_gain: 1.0,
        steps_aside: true,
        hands_over: true,
        slowdown: 1.0,
        held: Vec::new(),
        draining: false,
    }
}

pub fn holding(mut worker: WorkerState, held: impl IntoIterator<Item = HeldJob>) -> WorkerState {
    worker.held.extend(held);
    worker
}

pub fn held_image(remaining_ms: f64) -> HeldJob {
    HeldJob {
        owner: DeviceId::from_random(1),
        lane: Lane::Standard,
        length: Length::Short,
        batch_key: 1,
        remaining_ms,
        step_left_ms: 0.0,
    }
}

pub fn held_video(remaining_ms: f64, step_left_ms: f64) -> HeldJob {
    HeldJob { length: Length::Long, batch_key: 2, step_left_ms, ..held_image(remaining_ms) }
}

pub fn snapshot(
    queue: impl IntoIterator<Item = QueuedJob>,
    workers: impl IntoIterator<Item = WorkerState>,
) -> Snapshot {
    Snapshot {
        queue: queue.into_iter().collect(),
        workers: workers.into_iter().collect(),
        short_demand: 0.5,
        ..Snapshot::default()
    }
}

/// In the order of service: the job's number, when it starts and finishes, and where it goes now.
pub fn timeline(snapshot: &Snapshot) -> String {
    timeline_of(snapshot, &plan(snapshot, &Policy::default()))
}

pub fn timeline_of(snapshot: &Snapshot, plan: &Plan) -> String {
    let mut text = String::new();
    for projection in &plan.projections {
        let at = snapshot.queue.iter().position(|job| job.id == projection.job).expect("a queued job");
        let job = &snapshot.queue[at];
        let kind = if job.length == Length::Long { "video" } else { "image" };
        let place = plan.assignments.iter().find(|(id, _)| *id == projection.job);
        let place = place.map_or("waits".into(), |(_, worker)| format!("goes to {worker}"));
        assert_eq!(projection.bound, place != "waits");
        let (start, finish) = (projection.start_ms, projection.finish_ms);
        text += &format!("{kind} {at}: {start:.0} to {finish:.0} ms, {place}\n");
    }
    if let Some(look_ms) = plan.look_again_ms {
        text += &format!("look again in {look_ms:.0} ms\n");
    }
    text
}

#[track_caller]
pub fn assert_timeline(snapshot: &Snapshot, expected: &str) {
    let actual = timeline(snapshot);
    let expected: String =
        expected.lines().map(str::trim).filter(|l| !l.is_empty()).map(|l| format!("{l}\n")).collect();
    assert!(actual == expected, "the plan is\n{actual}\nand not\n{expected}");
}
