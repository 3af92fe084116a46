//! Whether one more model fits on the device, and which would have to go. Pure.

/// Share of the device's memory that weights may fill; the rest is for pictures in the making.
const WEIGHTS_SHARE: f64 = 0.8;

/// How much there is room for.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// Most models at once.
    pub most: usize,
    /// Memory of the device in MiB; 0 when unknown.
    pub memory_mb: u64,
}

/// A model that is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    pub name: &'a str,
    pub memory_mb: u64,
    pub pinned: bool,
    pub in_use: bool,
    /// Larger is later.
    pub last_used: u64,
}

/// Whether there is room for one more.
#[derive(Debug, PartialEq, Eq)]
pub enum Room {
    Free,
    /// Once these are unloaded, which nothing uses.
    After(Vec<String>),
    /// Once something that is used now is not any more.
    Busy,
    /// Only pinned models are left, and they leave too little.
    Never,
}

/// Room for a model that takes `memory_mb` beside those that are `kept`.
///
/// Those that were used last stay. A model that is alone on the device is
/// always let in: its size is an estimate, and loading it will tell.
pub fn room(slots: Slots, kept: &[Kept<'_>], memory_mb: u64) -> Room {
    let fits = |rest: &[Kept<'_>]| {
        let taken: u64 = rest.iter().map(|model| model.memory_mb).sum::<u64>() + memory_mb;
        let usable = slots.memory_mb as f64 * WEIGHTS_SHARE;
        let memory = slots.memory_mb == 0 || rest.is_empty() || taken as f64 <= usable;
        memory && rest.len() < slots.most.max(1)
    };
    if fits(kept) {
        return Room::Free;
    }
    let mut rest = kept.to_vec();
    rest.sort_by_key(|model| model.last_used);
    let mut gone = Vec::new();
    while let Some(at) = rest.iter().position(|model| !model.pinned && !model.in_use) {
        gone.push(rest.remove(at).name.to_owned());
        if fits(&rest) {
            return Room::After(gone);
        }
    }
    rest.retain(|model| model.pinned);
    if fits(&rest) { Room::Busy } else { Room::Never }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str, memory_mb: u64, last_used: u64) -> Kept<'_> {
        Kept { name, memory_mb, pinned: false, in_use: false, last_used }
    }

    fn after(names: &[&str]) -> Room {
        Room::After(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_least_lately_used_goes_first() {
        let slots = Slots { most: 2, memory_mb: 0 };
        assert_eq!(room(slots, &[kept("a", 1, 5)], 1), Room::Free);
        assert_eq!(room(slots, &[kept("a", 1, 5), kept("b", 1, 4)], 1), after(&["b"]));
    }

    #[test]
    fn as_many_go_as_memory_asks_for() {
        let slots = Slots { most: 9, memory_mb: 1_000 };
        let three = [kept("a", 300, 1), kept("b", 200, 2), kept("c", 200, 3)];
        assert_eq!(room(slots, &three, 100), Room::Free);
        assert_eq!(room(slots, &three, 200), after(&["a"]));
        assert_eq!(room(slots, &three, 500), after(&["a", "b"]));
        assert_eq!(room(slots, &[], 5_000), Room::Free, "alone, it is tried");
        assert_eq!(room(slots, &three, 5_000), after(&["a", "b", "c"]));
    }

    #[test]
    fn what_is_used_is_waited_for_and_what_is_pinned_is_not() {
        let slots = Slots { most: 1, memory_mb: 0 };
        assert_eq!(room(slots, &[Kept { in_use: true, ..kept("a", 1, 1) }], 1), Room::Busy);
        assert_eq!(room(slots, &[Kept { pinned: true, ..kept("a", 1, 1) }], 1), Room::Never);
    }
}
