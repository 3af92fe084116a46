//! How long something takes, for people.

/// A range of seconds, as far as it is worth telling apart.
pub fn about(low: f64, high: f64) -> String {
    let low = low.floor().max(1.0);
    let high = high.ceil().max(low + 1.0);
    if high < 90.0 {
        format!("about {low:.0} to {high:.0} s")
    } else {
        format!("about {:.0} to {:.0} min", (low / 60.0).floor().max(1.0), (high / 60.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn times_are_ranges() {
        assert_eq!(about(4.8, 9.0), "about 4 to 9 s");
        assert_eq!(about(0.2, 0.4), "about 1 to 2 s");
        assert_eq!(about(240.0, 450.0), "about 4 to 8 min");
    }
}
