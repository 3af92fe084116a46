//! What whoever runs the trials may choose.

/// `MINDSEYE_CHAOS_SEED`; another one every time when unset. Said aloud, so that a run can be repeated.
pub fn seed() -> u64 {
    let seed = number("SEED").unwrap_or_else(|| services::clock::random_u128() as u64 >> 32);
    eprintln!("    MINDSEYE_CHAOS_SEED={seed}");
    seed
}

/// `MINDSEYE_CHAOS_{NAME}`, a whole number.
pub fn size(name: &str, default: usize) -> usize {
    number(name).and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(format!("MINDSEYE_CHAOS_{name}")).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("MINDSEYE_CHAOS_{name} is “{text}”, which is not a whole number")))
}
