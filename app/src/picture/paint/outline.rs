//! What is painted, as paths of an SVG that is 32 by 32.

use std::fmt::Write;

use domain::source::{Cells, GRID};

/// Everything that is not painted. To be filled by the rule `evenodd`; nothing where nothing is painted.
pub fn around(cells: &Cells) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let mut path = format!("M0 0H{GRID}V{GRID}H0Z");
    for row in 0..GRID {
        for (start, length) in runs(|column| cells.has(column, row)) {
            let _ = write!(path, "M{start} {row}h{length}v1h-{length}z");
        }
    }
    path
}

/// The line between what is painted and what is not.
pub fn border(cells: &Cells) -> String {
    let mut path = String::new();
    for at in 0..=GRID {
        // A cell before the first is none, like those after the last.
        let before = at.wrapping_sub(1);
        for (start, length) in runs(|column| cells.has(column, at) != cells.has(column, before)) {
            let _ = write!(path, "M{start} {at}h{length}");
        }
        for (start, length) in runs(|row| cells.has(at, row) != cells.has(before, row)) {
            let _ = write!(path, "M{at} {start}v{length}");
        }
    }
    path
}

/// Where it holds along a side: each beginning and how long it is.
fn runs(holds: impl Fn(usize) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = (at..GRID).find(|at| holds(*at))?;
        let end = (start..GRID).find(|at| !holds(*at)).unwrap_or(GRID);
        at = end;
        Some((start, end - start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_cells_have_a_border_and_something_around_them() {
        assert_eq!((around(&Cells::NONE), border(&Cells::NONE)), (String::new(), String::new()));
        let mut cells = Cells::NONE;
        for column in 3..6 {
            cells.set(column, 7, true);
        }
        assert_eq!(around(&cells), "M0 0H32V32H0ZM3 7h3v1h-3z");
        assert_eq!(border(&cells), "M3 7v1M6 7v1M3 7h3M3 8h3");
        assert_eq!(border(&Cells::ALL), "M0 0h32M0 0v32M0 32h32M32 0v32");
    }
}
