//! Pictures that go on at another worker.

use domain::handover::Begun;

use super::*;
use crate::backend::{DeviceSpec, EngineBackend, FakeBackend};

/// What a bench hands over of a job, after `steps` steps of its pictures.
fn handed_over<B: Backend>(rig: &mut Rig<B>, job: u128, steps: usize) -> Vec<Begun> {
    for _ in 0..steps {
        rig.bench.turn();
    }
    rig.bench.take(Order::HandOver(lease(job)));
    loop {
        match rig.next() {
            Event::HandedOver { lease: handed, begun } => {
                assert_eq!(handed, lease(job));
                return begun;
            }
            Event::Picture { .. } | Event::Failed { .. } => panic!("it should have been handed over"),
            _ => {}
        }
    }
}

fn resumed<B: Backend>(rig: &mut Rig<B>, job: u128, request: ValidRequest, begun: Vec<Begun>) -> Vec<Vec<u8>> {
    rig.bench.take(Order::StartWith(assignment(job, request), Given { begun, start: None }));
    made(&rig.finish())
}

fn made(events: &[Event]) -> Vec<Vec<u8>> {
    let png = |event: &Event| match event {
        Event::Picture { png, .. } => Some(png.clone()),
        _ => None,
    };
    events.iter().filter_map(png).collect()
}

#[test]
fn pictures_of_the_starter_that_move_at_any_step_are_those_that_stayed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let rig = || {
        let backend = EngineBackend::new(&DeviceSpec::Cpu, &folder, 0).expect("a processor");
        Rig::ready(backend, "starter", Sharing::Never)
    };
    let (mut here, mut there) = (rig(), rig());
    let wanted = ValidRequest { count: 2, ..request("a red boat on a calm sea") };
    here.start(1, wanted.clone());
    let stayed = made(&here.finish());
    assert_eq!(stayed.len(), 2);
    for steps in 1..4 {
        here.start(2, wanted.clone());
        let begun = handed_over(&mut here, 2, steps);
        assert_eq!(begun.iter().map(|begun| begun.step as usize).sum::<usize>(), steps);
        assert!(resumed(&mut there, 2, wanted.clone(), begun) == stayed, "moved after {steps} steps");
        here.bench.take(Order::Cancel(lease(2)));
    }
}

#[test]
fn test_cards_go_on_where_they_were() {
    let rig = || Rig::ready(FakeBackend::new(std::time::Duration::ZERO, 1), "starter", Sharing::Never);
    let (mut here, mut there) = (rig(), rig());
    here.start(1, request("a card"));
    let begun = handed_over(&mut here, 1, 3);
    assert_eq!((begun[0].index, begun[0].step, begun[0].steps), (0, 3, 4));
    there.bench.take(Order::StartWith(assignment(1, request("a card")), Given { begun, start: None }));
    let Event::Step { step, .. } = there.next() else { panic!("a step comes first") };
    assert_eq!(step, 4);
    let moved = made(&there.finish());
    here.bench.take(Order::GoOn(lease(1)));
    assert_eq!(made(&here.finish()), moved, "what nobody takes over goes on, and is the same");
}

#[test]
fn what_was_handed_over_stands_still_beside_others() {
    let stub = Stub::new(&["starter"]);
    let log = stub.log.clone();
    let mut rig = Rig::ready(stub, "starter", Sharing::Never);
    rig.start(1, request("a"));
    let begun = handed_over(&mut rig, 1, 2);
    assert_eq!(begun[0].step, 2);
    assert!(rig.bench.is_idle(), "nothing is to be done before an order comes");
    passes(&log);
    rig.start(2, request("b"));
    assert_eq!(pictures(&rig.finish()), [lease(2)]);
    assert_eq!(passes(&log), ["b"; 4]);
    rig.bench.take(Order::GoOn(lease(1)));
    assert_eq!(pictures(&rig.finish()), [lease(1)]);
    assert_eq!(passes(&log), ["a"; 2]);
    rig.bench.take(Order::HandOver(lease(1)));
    assert!(rig.finish().is_empty(), "there is nothing to hand over");
}

#[test]
fn a_picture_that_cannot_be_written_down_goes_on_where_it_is() {
    let mut rig = Rig::ready(Stub::new(&["starter"]), "starter", Sharing::Never);
    rig.start(1, request("stays"));
    rig.bench.turn();
    rig.bench.take(Order::HandOver(lease(1)));
    assert_eq!(pictures(&rig.finish()), [lease(1)]);
}

#[test]
fn a_state_that_is_of_no_use_means_a_picture_from_the_beginning() {
    let stub = Stub::new(&["starter"]);
    let log = stub.log.clone();
    let mut rig = Rig::ready(stub, "starter", Sharing::Never);
    passes(&log);
    let begun = |index, step, state: &[u8]| Begun { index, step, steps: 4, state: state.to_vec() };
    let useless = [begun(0, 3, b"nonsense"), begun(0, 2, &3_u32.to_le_bytes()), begun(1, 3, &3_u32.to_le_bytes())];
    for useless in useless {
        assert_eq!(resumed(&mut rig, 1, request("a"), vec![useless]).len(), 1);
        assert_eq!(passes(&log), ["a"; 4]);
    }
    let good = begun(0, 3, &3_u32.to_le_bytes());
    assert_eq!(resumed(&mut rig, 1, request("a"), vec![good]).len(), 1);
    assert_eq!(passes(&log), ["a"]);
}
