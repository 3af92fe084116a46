use super::*;

fn names(now: &ModelsNow) -> Vec<&str> {
    now.warm.iter().map(|warm| warm.card.name.as_str()).collect()
}

fn with(models: &[&'static str], settings: Settings) -> Rig<Stub> {
    Rig::new(Stub::new(models), settings)
}

fn one_slot() -> Settings {
    Settings { slots: Some(1), ..Settings::default() }
}

#[test]
fn models_are_loaded_and_unloaded_on_demand() {
    let mut rig = with(&["starter", "other"], Settings::default());
    for model in ["starter", "other"] {
        rig.bench.take(Order::Load(model.into()));
    }
    let now = rig.models();
    assert_eq!(names(&now), ["other", "starter"]);
    assert_eq!(now.available.len(), 2);
    rig.bench.take(Order::Load("other".into()));
    assert_eq!(names(&rig.models()), ["other", "starter"], "already there");
    rig.bench.take(Order::Unload("starter".into()));
    assert_eq!(names(&rig.models()), ["other"]);
    rig.bench.take(Order::Unload("starter".into()));
    assert!(rig.models().problem.is_some());
    rig.bench.take(Order::Load("stranger".into()));
    assert!(rig.models().problem.is_some_and(|problem| problem.contains("stranger")));
}

#[test]
fn a_model_in_use_is_unloaded_later() {
    let mut rig = Rig::ready(Stub::new(&["starter"]), "starter", Sharing::Always);
    rig.start(1, request("a"));
    rig.bench.turn();
    rig.bench.take(Order::Unload("starter".into()));
    let mut made = false;
    loop {
        match rig.next() {
            Event::Picture { .. } => made = true,
            Event::Models(now) => break assert!(made && now.warm.is_empty()),
            Event::Step { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_job_brings_its_model_and_the_idle_one_goes() {
    let mut rig = with(&["starter", "other"], one_slot());
    rig.bench.take(Order::Stock(vec!["starter".into(), "other".into()]));
    assert!(matches!(rig.next(), Event::Models(now) if names(&now) == ["starter"]));
    assert!(rig.finish().is_empty(), "stocking stops where room ends");
    rig.start(1, ValidRequest { model: "other".into(), ..request("a") });
    loop {
        match rig.next() {
            Event::Picture { lease: made, .. } => break assert_eq!(made, lease(1)),
            Event::Models(now) => assert!(!names(&now).contains(&"starter")),
            Event::Step { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_cancelled_job_does_not_begin_when_its_model_arrives() {
    let mut rig = with(&["starter"], Settings::default());
    rig.start(1, request("a"));
    rig.bench.take(Order::Cancel(lease(1)));
    assert_eq!(names(&rig.models()), ["starter"]);
    assert!(rig.finish().is_empty());
}

#[test]
fn pinned_models_stay() {
    let settings = Settings { pinned: vec!["starter".into()], ..one_slot() };
    let mut rig = with(&["starter", "other"], settings);
    rig.bench.take(Order::Load("starter".into()));
    let now = rig.models();
    assert_eq!(now.available.iter().map(|model| model.pinned).collect::<Vec<_>>(), [true, false]);
    rig.bench.take(Order::Unload("starter".into()));
    assert!(rig.models().problem.is_some());
    rig.bench.take(Order::Load("other".into()));
    let now = rig.models();
    assert_eq!(names(&now), ["starter"]);
    assert!(now.problem.is_some());
}

#[test]
fn a_model_that_fails_its_trial_is_never_announced() {
    let mut rig =
        Rig::new(Stub { unfit: HashSet::from(["other"]), ..Stub::new(&["starter", "other"]) }, Settings::default());
    rig.bench.take(Order::Load("starter".into()));
    rig.bench.take(Order::Load("other".into()));
    let now = rig.models();
    assert_eq!(names(&now), ["starter"]);
    assert!(now.problem.is_some_and(|problem| problem.contains("other")));
    rig.start(1, ValidRequest { model: "other".into(), ..request("a") });
    loop {
        match rig.next() {
            Event::Failed { lease: failed, failure } => {
                assert_eq!((failed, failure.retryable), (lease(1), true));
                break;
            }
            Event::Models(now) => assert_eq!(names(&now), ["starter"]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn steps_go_on_while_a_model_is_loaded() {
    let (open, gate) = channel();
    let gates = HashMap::from([("slow", Mutex::new(gate))]);
    let mut rig = Rig::ready(Stub { gates, ..Stub::new(&["starter", "slow"]) }, "starter", Sharing::Always);
    rig.bench.take(Order::Load("slow".into()));
    rig.start(1, request("a"));
    assert_eq!(pictures(&rig.finish()), [lease(1)], "the gate is still shut");
    open.send(()).expect("the loader waits");
    assert_eq!(names(&rig.models()), ["slow", "starter"]);
}
