//! Sums over what a pointer, fingers and keys did: never where or what, and nothing of it in order.

use domain::Behaviour;
use domain::behaviour::Input;

/// Movements shorter than this many pixels have no direction worth counting.
const SHORTEST_MOVE: f64 = 3.0;
/// A longer pause, in milliseconds, is somebody thinking: no rhythm.
const LONGEST_PAUSE: f64 = 10_000.0;
/// What [`Behaviour`] has room for.
const MOST_SAMPLES: u32 = 9_999;
const MOST_RHYTHM: f64 = 999.0;
const A_DAY: f64 = 86_400_000.0;

/// Counts while a page is open.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    moves: u32,
    /// The last place and the last direction: what the next change of direction is measured from.
    last_place: Option<(f64, f64)>,
    last_direction: Option<f64>,
    /// Changes of direction, by eighths of a turn.
    turns: [u32; 8],
    touches: Pauses,
    keys: Pauses,
    blurs: u32,
    first_ms: Option<f64>,
}

/// Pauses between events, as their number, mean and spread (Welford, Technometrics 4, 1962).
#[derive(Clone, Debug, Default)]
struct Pauses {
    events: u32,
    last_at: Option<f64>,
    count: f64,
    mean: f64,
    squares: f64,
}

impl Tally {
    /// A mouse moved to this place.
    pub fn moved(&mut self, x: f64, y: f64) {
        let Some((from_x, from_y)) = self.last_place else {
            self.last_place = Some((x, y));
            return;
        };
        let (dx, dy) = (x - from_x, y - from_y);
        if dx.hypot(dy) < SHORTEST_MOVE {
            return;
        }
        let direction = dy.atan2(dx);
        if let Some(before) = self.last_direction {
            self.turns[eighth(direction - before)] += 1;
        }
        self.moves = self.moves.saturating_add(1);
        self.last_place = Some((x, y));
        self.last_direction = Some(direction);
    }

    /// A finger came down, at so many milliseconds.
    pub fn touched(&mut self, at: f64) {
        self.touches.event(at);
    }

    /// A key went down, at so many milliseconds.
    pub fn pressed(&mut self, at: f64) {
        self.keys.event(at);
    }

    /// The page lost the focus.
    pub fn blurred(&mut self) {
        self.blurs = self.blurs.saturating_add(1);
    }

    /// All of it, for a request at so many milliseconds after the page was opened.
    pub fn summary(&mut self, at: f64, driven: bool) -> Behaviour {
        let first = *self.first_ms.get_or_insert(at);
        let counts =
            [(Input::Mouse, self.moves), (Input::Touch, self.touches.events), (Input::Keyboard, self.keys.events)];
        let (input, samples) = counts.into_iter().max_by_key(|(_, count)| *count).unwrap_or_default();
        let input = if samples == 0 { Input::None } else { input };
        Behaviour {
            input,
            samples: samples.min(MOST_SAMPLES) as u16,
            entropy: if input == Input::Mouse { entropy(&self.turns) } else { 0 },
            rhythm: match input {
                Input::Touch => self.touches.variation(),
                Input::Keyboard => self.keys.variation(),
                Input::Mouse | Input::None => 0,
            },
            first_ms: first.clamp(0.0, A_DAY) as u32,
            blurs: self.blurs.min(MOST_SAMPLES) as u16,
            driven,
        }
    }
}

impl Pauses {
    fn event(&mut self, at: f64) {
        self.events = self.events.saturating_add(1);
        let pause = self.last_at.replace(at).map(|last| at - last);
        if let Some(pause) = pause.filter(|pause| (0.0..=LONGEST_PAUSE).contains(pause)) {
            self.count += 1.0;
            let off = pause - self.mean;
            self.mean += off / self.count;
            self.squares += off * (pause - self.mean);
        }
    }

    /// Standard deviation over mean, in hundredths. What has no two pauses is as irregular as can be: nothing is
    /// known of it, and that is not to be held against anyone.
    fn variation(&self) -> u16 {
        if self.count < 2.0 || self.mean <= 0.0 {
            return MOST_RHYTHM as u16;
        }
        let deviation = (self.squares / (self.count - 1.0)).sqrt();
        (100.0 * deviation / self.mean).min(MOST_RHYTHM).round() as u16
    }
}

/// Which eighth of a turn an angle lies in, counted from straight on.
fn eighth(angle: f64) -> usize {
    let eighths = angle / std::f64::consts::TAU * 8.0;
    eighths.round().rem_euclid(8.0) as usize % 8
}

/// Shannon entropy, in hundredths of a bit.
fn entropy(counts: &[u32; 8]) -> u16 {
    let all: f64 = counts.iter().copied().map(f64::from).sum();
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / all)
        .map(|share| -share * share.log2())
        .sum();
    (100.0 * bits).round().clamp(0.0, 300.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_has_no_entropy() {
        let mut tally = Tally::default();
        for step in 0..100 {
            tally.moved(f64::from(step) * 5.0, f64::from(step) * 2.0);
        }
        let summary = tally.summary(1_000.0, false);
        assert_eq!((summary.input, summary.samples, summary.entropy), (Input::Mouse, 99, 0));
    }

    #[test]
    fn a_wandering_hand_has_much() {
        let mut tally = Tally::default();
        let (mut x, mut y, mut drawn) = (0.0, 0.0, 7_u64);
        for _ in 0..400 {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let angle = (drawn >> 33) as f64;
            (x, y) = (x + 9.0 * angle.cos(), y + 9.0 * angle.sin());
            tally.moved(x, y);
        }
        let entropy = tally.summary(1_000.0, false).entropy;
        assert!((280..=300).contains(&entropy), "{entropy}");
    }

    #[test]
    fn equal_turns_are_one_eighth() {
        assert_eq!(entropy(&[0; 8]), 0);
        assert_eq!(entropy(&[5, 5, 0, 0, 0, 0, 0, 0]), 100);
        assert_eq!(entropy(&[1; 8]), 300);
        let quarter = std::f64::consts::FRAC_PI_2;
        assert_eq!([0.0, quarter, -quarter, 2.0 * quarter, 8.0 * quarter].map(eighth), [0, 2, 6, 4, 0]);
    }

    #[test]
    fn a_trembling_pointer_is_no_movement() {
        let mut tally = Tally::default();
        for step in 0..50 {
            tally.moved(f64::from(step % 2), 0.0);
        }
        assert_eq!(tally.summary(0.0, false).input, Input::None);
    }

    #[test]
    fn a_metronome_has_no_variation_and_a_person_has() {
        let rhythm = |pauses: &[f64]| {
            let (mut tally, mut at) = (Tally::default(), 0.0);
            for pause in pauses {
                at += pause;
                tally.touched(at);
            }
            tally.summary(at, false).rhythm
        };
        assert_eq!(rhythm(&[100.0; 20]), 0);
        assert!(rhythm(&[120.0, 310.0, 90.0, 560.0, 240.0, 150.0, 800.0, 210.0]) > 50);
        // Nothing is known of one tap, and a night's sleep is no rhythm.
        assert_eq!(rhythm(&[100.0]), 999);
        assert_eq!(rhythm(&[100.0, 100.0, 100.0, 30_000_000.0, 100.0]), 0);
    }

    #[test]
    fn what_was_used_most_is_told_and_the_first_request_is_timed_once() {
        let mut tally = Tally::default();
        for at in 0..9 {
            tally.pressed(f64::from(at) * 130.0);
        }
        tally.touched(5.0);
        tally.blurred();
        let first = tally.summary(8_400.4, true);
        assert_eq!((first.input, first.samples, first.blurs, first.driven), (Input::Keyboard, 9, 1, true));
        assert_eq!(tally.summary(90_000.0, false).first_ms, first.first_ms);
        assert_eq!(Tally::default().summary(f64::INFINITY, false).first_ms, 86_400_000);
        assert!(Behaviour::parse(&first.header()).is_some());
    }
}
