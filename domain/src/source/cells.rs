//! A part of a picture that was painted: a grid of cells, some of which may change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Cells a side, whatever the picture's shape.
pub const GRID: usize = 32;

const BYTES: usize = GRID * GRID / 8;

/// Which of the 32 by 32 cells of a picture are painted.
///
/// As text it is unpadded URL-safe base64 of 128 bytes: a bit for each cell, row after row from the left top, the
/// highest bit of a byte first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cells([u8; BYTES]);

impl Cells {
    pub const NONE: Self = Self([0; BYTES]);
    pub const ALL: Self = Self([u8::MAX; BYTES]);

    /// Whether a cell is painted; none is outside of the grid.
    pub fn has(&self, column: usize, row: usize) -> bool {
        column < GRID && row < GRID && self.0[place(column, row).0] & place(column, row).1 != 0
    }

    /// Paints a cell, or clears it; outside of the grid there is none.
    pub fn set(&mut self, column: usize, row: usize, painted: bool) {
        if column >= GRID || row >= GRID {
            return;
        }
        let (byte, bit) = place(column, row);
        if painted {
            self.0[byte] |= bit;
        } else {
            self.0[byte] &= !bit;
        }
    }

    /// How many are painted.
    pub fn count(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether a point of the picture, in fractions of its sides, lies in a painted cell.
    pub fn is_within(&self, x: f64, y: f64) -> bool {
        let cell = |at: f64| (0.0..1.0).contains(&at).then_some((at * GRID as f64) as usize);
        cell(x).zip(cell(y)).is_some_and(|(column, row)| self.has(column, row))
    }

    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads what [`Cells::encode`] wrote.
    pub fn decode(text: &str) -> Option<Self> {
        let mut bytes = [0; BYTES];
        let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (read == BYTES).then_some(Self(bytes))
    }
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cells({})", self.encode())
    }
}

impl Default for Cells {
    fn default() -> Self {
        Self::NONE
    }
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encode())
    }
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::decode(&text).ok_or_else(|| de::Error::custom("painted cells are 128 bytes in unpadded URL-safe base64"))
    }
}

/// The byte that a cell is in, and its bit there.
fn place(column: usize, row: usize) -> (usize, u8) {
    let at = row * GRID + column;
    (at / 8, 0x80 >> (at % 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_painted_and_cleared_one_by_one() {
        let mut cells = Cells::NONE;
        for (column, row) in [(0, 0), (31, 0), (0, 31), (31, 31), (9, 17)] {
            cells.set(column, row, true);
            assert!(cells.has(column, row));
        }
        assert_eq!(cells.count(), 5);
        cells.set(9, 17, false);
        assert!(!cells.has(9, 17) && cells.count() == 4);
        // Outside there is nothing to paint.
        cells.set(32, 0, true);
        cells.set(0, 32, true);
        assert!(cells.count() == 4 && !cells.has(32, 0) && !cells.has(0, 32));
        assert!(Cells::NONE.is_empty() && Cells::ALL.count() == GRID * GRID);
    }

    #[test]
    fn points_are_within_the_cells_they_lie_in() {
        let mut cells = Cells::NONE;
        cells.set(1, 30, true);
        let side = 1.0 / GRID as f64;
        assert!(cells.is_within(1.5 * side, 30.5 * side) && cells.is_within(side, 30.0 * side));
        for (x, y) in
            [(0.99 * side, 30.5 * side), (2.0 * side, 30.5 * side), (1.0, 1.0), (-0.1, 0.95), (f64::NAN, 0.95)]
        {
            assert!(!cells.is_within(x, y), "{x} {y}");
        }
    }

    #[test]
    fn they_are_text_of_one_length_and_read_in_one_way() {
        let mut cells = Cells::NONE;
        cells.set(0, 0, true);
        cells.set(31, 31, true);
        let text = cells.encode();
        assert_eq!((text.len(), &text[..4], &text[167..]), (171, "gAAA", "AAAE"));
        assert_eq!(Cells::decode(&text), Some(cells));
        assert_eq!(serde_json::to_value(cells).expect("json"), text);
        for bad in ["", "gAAA", &format!("{text}="), &format!("{text}A"), &text.replace('g', "/"), &"A".repeat(4_000)] {
            assert_eq!(Cells::decode(bad), None, "{bad}");
        }
        // Two texts for the same cells would be two requests for the same picture.
        assert_eq!(Cells::decode(&format!("{}B", "A".repeat(170))), None);
    }
}
