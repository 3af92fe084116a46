//! When somebody asks, how often, and for how many pictures.
//!
//! No public log of such a studio exists, so these are assumptions, made before anything was measured: a quarter of
//! people try it once; the others ask 2 to 15 times, fewer more often than many, in one to three sittings; one in
//! twenty-five goes on until the day's 50 are used. Within a sitting the pauses are log-normal around 45 s, the time it
//! takes to look at a picture and change some words (web sessions are heavy-tailed in this way: Downey 2005).

use crate::chance::Chance;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;

/// Credits that one person may have.
pub const QUOTA: u32 = 50;

/// Hours at which sittings begin, with how often.
pub type Hours = &'static [((f64, f64), f64)];

pub const AT_HOME: Hours = &[((7.0, 9.0), 1.0), ((9.0, 17.0), 3.0), ((17.0, 20.0), 3.0), ((20.0, 23.0), 5.0)];
pub const AT_WORK: Hours = &[((8.0, 11.5), 3.0), ((11.5, 13.5), 4.0), ((13.5, 18.0), 3.0)];
pub const AT_COLLEGE: Hours = &[((8.0, 12.0), 3.0), ((12.0, 14.0), 3.0), ((14.0, 18.0), 3.0), ((18.0, 22.0), 2.0)];
pub const ON_THE_WAY: Hours = &[((6.5, 9.0), 3.0), ((9.0, 17.0), 4.0), ((17.0, 19.0), 3.0), ((19.0, 23.5), 4.0)];

/// How much somebody does in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    /// As most people.
    Ordinary,
    /// Until the day's credits are used.
    Everything,
}

/// One press of Create, without who and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    pub at_ms: u64,
    pub count: u32,
    pub sitting: u32,
}

impl Appetite {
    pub fn draw(chance: &mut Chance) -> Self {
        if chance.often(0.04) { Self::Everything } else { Self::Ordinary }
    }

    /// The counts of a day's requests, never above [`QUOTA`] together.
    fn counts(self, chance: &mut Chance) -> Vec<u32> {
        let requests = match self {
            Self::Everything => u32::MAX,
            Self::Ordinary if chance.often(0.25) => 1,
            Self::Ordinary => 1 + (chance.log_normal(3.0, 0.7).round() as u32).clamp(1, 14),
        };
        let (mut counts, mut sum) = (Vec::new(), 0);
        while counts.len() < requests as usize && sum < QUOTA {
            // Four is what the page offers; the others are chips beside it.
            let count = chance.weighted(&[(4, 0.6), (1, 0.25), (2, 0.1), (8, 0.05)]).min(QUOTA - sum);
            sum += count;
            counts.push(count);
        }
        counts
    }
}

/// A person's day.
pub fn day(appetite: Appetite, hours: Hours, chance: &mut Chance) -> Vec<Press> {
    let counts = appetite.counts(chance);
    let most = counts.len().min(3);
    let sittings = (chance.weighted(&[(1_usize, 0.6), (2, 0.3), (3, 0.1)])).min(most);
    let mut starts: Vec<f64> = (0..sittings)
        .map(|_| {
            let (from, to) = chance.weighted(hours);
            chance.between(from, to) * 3_600.0
        })
        .collect();
    starts.sort_by(f64::total_cmp);
    // As many requests in each sitting, the remainder in the first.
    let each = counts.len().div_ceil(sittings.max(1));
    let mut presses: Vec<Press> = Vec::new();
    let mut now = 0.0;
    for (number, chunk) in counts.chunks(each).enumerate() {
        now = f64::max(now + 60.0, starts.get(number).copied().unwrap_or(now));
        for count in chunk {
            presses.push(Press { at_ms: (now * 1_000.0) as u64, count: *count, sitting: number as u32 });
            now += chance.log_normal(45.0, 0.9).clamp(4.0, 1_500.0);
        }
    }
    presses.retain(|press| press.at_ms < DAY_MS);
    presses
}

/// What is asked for in a sitting: some words, and sometimes the same again.
#[derive(Debug, Default)]
pub struct Words(Option<String>);

impl Words {
    pub fn next(&mut self, chance: &mut Chance) -> String {
        const WHAT: [&str; 16] = [
            "a cat",
            "a dragon",
            "a harbour",
            "my garden",
            "an old car",
            "a robot",
            "a castle",
            "a fox",
            "a mountain",
            "a city",
            "a ship",
            "a portrait",
            "a forest",
            "a cake",
            "a house",
            "an owl",
        ];
        const HOW: [&str; 12] = [
            "at dusk",
            "in watercolour",
            "in the snow",
            "as a logo",
            "on the moon",
            "made of paper",
            "in the rain",
            "from above",
            "in neon light",
            "asleep",
            "as an oil painting",
            "in spring",
        ];
        if let Some(last) = self.0.as_ref().filter(|_| chance.often(0.35)) {
            return last.clone();
        }
        let what = WHAT[chance.below(WHAT.len() as u32) as usize];
        let how = HOW[chance.below(HOW.len() as u32) as usize];
        // Most people write something of their own besides.
        let own = if chance.often(0.7) { format!(", {}", chance.below(100_000)) } else { String::new() };
        let words = format!("{what} {how}{own}");
        self.0 = Some(words.clone());
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_as_described() {
        let mut chance = Chance::new(1);
        let days: Vec<Vec<Press>> =
            (0..2_000).map(|_| day(Appetite::draw(&mut chance), AT_HOME, &mut chance)).collect();
        let pictures = |day: &Vec<Press>| day.iter().map(|press| press.count).sum::<u32>();
        let share = |of: &dyn Fn(&Vec<Press>) -> bool| days.iter().filter(|day| of(day)).count() as f64 / 2_000.0;
        assert!((0.20..0.30).contains(&share(&|day| day.len() == 1)));
        assert!((0.03..0.09).contains(&share(&|day| pictures(day) == QUOTA)));
        assert!(days.iter().all(|day| pictures(day) <= QUOTA && day.is_sorted_by_key(|press| press.at_ms)));
        assert!(share(&|day| day.iter().any(|press| press.sitting == 2)) > 0.04);
    }
}
