//! Which models lie on which worker: pinned ones stay, the other places rotate with the last hour's demand.

use std::collections::HashMap;

use domain::WorkerId;

/// A worker's models, as the rule sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct Shelf {
    pub worker: WorkerId,
    /// Memory for models, in MiB; 0 when unknown, and then what is loaded is all that fits.
    pub memory_mb: u64,
    pub models: Vec<ShelvedModel>,
    /// It has nothing to do now: loading holds nobody up.
    pub idle: bool,
}

/// A model that a worker has or could load.
#[derive(Clone, Debug, PartialEq)]
pub struct ShelvedModel {
    pub name: String,
    pub memory_mb: u64,
    pub load_ms: f64,
    pub warm: bool,
    pub pinned: bool,
    /// A job holds it.
    pub in_use: bool,
}

/// One change on one worker. What is to be unloaded comes first.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub worker: WorkerId,
    pub unload: Vec<String>,
    pub load: String,
}

/// The next changes, one a worker at most, the model that is most in need first.
///
/// `demand` is the work that lately arrived for each model, in milliseconds of
/// device time a millisecond: how many workers it would keep busy. A model is
/// in need when its demand outweighs the workers that have it; one without any
/// demand is never loaded ahead. It goes to an idle worker, where it pushes out
/// the loaded model that is least in demand for the workers that have it, and
/// only one of clearly less, so that two models never chase each other.
pub fn changes(shelves: &[Shelf], demand: &HashMap<String, f64>) -> Vec<Change> {
    /// A model has to be in demand this many times more than one it pushes out.
    const CLEARLY: f64 = 2.0;
    let mut copies: HashMap<&str, f64> = HashMap::new();
    for model in shelves.iter().flat_map(|shelf| &shelf.models).filter(|model| model.warm) {
        *copies.entry(model.name.as_str()).or_default() += 1.0;
    }
    let wanted = |name: &str| demand.get(name).copied().unwrap_or(0.0);
    let mut in_need: Vec<(&str, f64)> = demand.iter().map(|(name, demand)| (name.as_str(), *demand)).collect();
    // Most in need first; the name settles ties, so that the same state gives the same plan.
    in_need.sort_by(|a, b| {
        let need = |(name, demand): &(&str, f64)| demand / (copies.get(name).copied().unwrap_or(0.0) + 1.0);
        need(b).total_cmp(&need(a)).then(a.0.cmp(b.0))
    });
    let mut changes: Vec<Change> = Vec::new();
    for (name, demand) in in_need {
        let has = copies.get(name).copied().unwrap_or(0.0);
        // One warm copy for every device that its demand would fill; at least one while there is any demand.
        if demand <= 0.0 || has >= demand.ceil().max(1.0) {
            continue;
        }
        let need = demand / (has + 1.0);
        let fits = |shelf: &Shelf| -> Option<(f64, Change)> {
            if !shelf.idle || changes.iter().any(|change| change.worker == shelf.worker) {
                return None;
            }
            let model = shelf.models.iter().find(|model| model.name == name && !model.warm)?;
            let unload = make_room(shelf, model, |other| {
                let copies = copies.get(other).copied().unwrap_or(1.0).max(1.0);
                need > CLEARLY * wanted(other) / copies
            })?;
            Some((model.load_ms, Change { worker: shelf.worker.clone(), unload, load: name.to_owned() }))
        };
        let best = shelves.iter().filter_map(fits).min_by(|(a, x), (b, y)| {
            (x.unload.len().cmp(&y.unload.len())).then(a.total_cmp(b)).then(x.worker.cmp(&y.worker))
        });
        if let Some((_, change)) = best {
            *copies.entry(name).or_default() += 1.0;
            changes.push(change);
        }
    }
    changes
}

/// The models to unload so that `model` fits, largest first; `None` where that can't be.
fn make_room(shelf: &Shelf, model: &ShelvedModel, may_go: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let used: u64 = shelf.models.iter().filter(|other| other.warm).map(|other| other.memory_mb).sum();
    // Of a worker that does not know its memory, all that is loaded is known to fit.
    let memory = if shelf.memory_mb == 0 { used } else { shelf.memory_mb };
    let mut free = memory.saturating_sub(used);
    let mut candidates: Vec<&ShelvedModel> = shelf
        .models
        .iter()
        .filter(|other| other.warm && !other.pinned && !other.in_use && may_go(&other.name))
        .collect();
    candidates.sort_by(|a, b| b.memory_mb.cmp(&a.memory_mb).then(a.name.cmp(&b.name)));
    let mut unload = Vec::new();
    for other in candidates {
        if free >= model.memory_mb {
            break;
        }
        free += other.memory_mb;
        unload.push(other.name.clone());
    }
    (free >= model.memory_mb).then_some(unload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, warm: bool) -> ShelvedModel {
        ShelvedModel { name: name.into(), memory_mb: 100, load_ms: 8_000.0, warm, pinned: false, in_use: false }
    }

    fn shelf(worker: &str, memory_mb: u64, models: &[ShelvedModel]) -> Shelf {
        Shelf { worker: WorkerId(worker.into()), memory_mb, models: models.to_vec(), idle: true }
    }

    fn demand(of: &[(&str, f64)]) -> HashMap<String, f64> {
        of.iter().map(|(name, demand)| ((*name).to_owned(), *demand)).collect()
    }

    #[test]
    fn a_model_in_demand_is_loaded_where_there_is_room() {
        let shelves = [
            shelf("full", 100, &[model("a", true), model("b", false)]),
            shelf("roomy", 200, &[model("a", true), model("b", false)]),
        ];
        let plan = changes(&shelves, &demand(&[("a", 1.5), ("b", 0.2)]));
        assert_eq!(plan, [Change { worker: WorkerId("roomy".into()), unload: vec![], load: "b".into() }]);
    }

    #[test]
    fn what_nobody_wants_makes_room_and_what_is_wanted_stays() {
        let shelves = [shelf("one", 100, &[model("a", true), model("b", false)])];
        let pushed_out = changes(&shelves, &demand(&[("b", 0.2)]));
        assert_eq!(pushed_out, [Change { worker: WorkerId("one".into()), unload: vec!["a".into()], load: "b".into() }]);
        assert_eq!(changes(&shelves, &demand(&[("a", 0.2), ("b", 0.3)])), [], "not clearly more: they would chase");
    }

    #[test]
    fn pinned_busy_and_unwanted_models_are_left_alone() {
        let mut pinned = shelf("one", 100, &[model("a", true), model("b", false)]);
        pinned.models[0].pinned = true;
        assert_eq!(changes(&[pinned], &demand(&[("b", 1.0)])), []);
        let mut busy = shelf("one", 100, &[model("a", true), model("b", false)]);
        busy.models[0].in_use = true;
        assert_eq!(changes(&[busy], &demand(&[("b", 1.0)])), []);
        let working = Shelf { idle: false, ..shelf("one", 200, &[model("a", true), model("b", false)]) };
        assert_eq!(changes(&[working], &demand(&[("b", 1.0)])), []);
        assert_eq!(changes(&[shelf("one", 200, &[model("b", false)])], &demand(&[])), []);
    }

    #[test]
    fn copies_follow_demand() {
        let shelves: Vec<Shelf> = ["one", "two", "three"]
            .iter()
            .map(|name| shelf(name, 200, &[model("a", true), model("b", false)]))
            .collect();
        let loads = |wanted: f64| changes(&shelves, &demand(&[("b", wanted)])).len();
        // One change for a model at a time: the next plan sees what became of it.
        assert_eq!((loads(0.1), loads(2.5)), (1, 1));
    }
}
