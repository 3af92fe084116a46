//! What painting on a picture does, whichever way it is done: by a finger, by taps alone, or by keys.

use domain::source::{Cells, GRID};

/// A cell's column and row.
pub type Cell = (usize, usize);

/// Most steps that can be taken back.
const MOST_STEPS: usize = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    #[default]
    Brush,
    Eraser,
    Rectangle,
}

/// How wide the brush and the eraser are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    Small,
    #[default]
    Medium,
    Large,
}

/// What is painted, how it came to be, and with what it goes on.
#[derive(Clone, Debug)]
pub struct Easel {
    pub tool: Tool,
    pub size: Size,
    cells: Cells,
    /// Where keys paint.
    cursor: Cell,
    /// Where a rectangle was begun.
    corner: Option<Cell>,
    stroke: Option<Stroke>,
    /// What was there before each step, the latest last.
    earlier: Vec<Cells>,
}

/// From pressing to lifting.
#[derive(Clone, Copy, Debug)]
struct Stroke {
    before: Cells,
    last: Cell,
    moved: bool,
    /// Whether it began where something was painted.
    on_paint: bool,
    /// It was the second corner of a rectangle: lifting does nothing more.
    closing: bool,
}

impl Size {
    /// In cells, from the middle of a spot.
    fn radius(self) -> usize {
        match self {
            Self::Small => 0,
            Self::Medium => 2,
            Self::Large => 4,
        }
    }
}

impl Easel {
    /// With what was painted before, if that can be read.
    pub fn new(cells: &str) -> Self {
        Self {
            tool: Tool::default(),
            size: Size::default(),
            cells: Cells::decode(cells.trim()).unwrap_or_default(),
            cursor: (GRID / 2, GRID / 2),
            corner: None,
            stroke: None,
            earlier: Vec::new(),
        }
    }

    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    pub fn cursor(&self) -> Cell {
        self.cursor
    }

    /// The cells that what is pressed next would paint: left top and right bottom, both among them.
    pub fn spot(&self) -> (Cell, Cell) {
        let radius = if self.tool == Tool::Rectangle { 0 } else { self.size.radius() };
        let ((x, y), last) = (self.cursor, GRID - 1);
        ((x.saturating_sub(radius), y.saturating_sub(radius)), ((x + radius).min(last), (y + radius).min(last)))
    }

    /// The rectangle that is being drawn, in the same way.
    pub fn pending(&self) -> Option<(Cell, Cell)> {
        self.corner.map(|corner| ordered(corner, self.cursor))
    }

    /// How much of the picture is painted, of 100; none only where there is nothing.
    pub fn percent(&self) -> usize {
        let exact = self.cells.count() * 100;
        if exact == 0 { 0 } else { (exact / (GRID * GRID)).max(1) }
    }

    pub fn can_undo(&self) -> bool {
        !self.earlier.is_empty()
    }

    /// A finger comes down.
    pub fn press(&mut self, cell: Cell) {
        self.cursor = cell;
        let closing = self.tool == Tool::Rectangle && self.corner.is_some();
        let on_paint = self.cells.has(cell.0, cell.1);
        self.stroke = Some(Stroke { before: self.cells, last: cell, moved: false, on_paint, closing });
        if closing {
            self.close();
        } else if self.tool == Tool::Rectangle {
            self.corner = Some(cell);
        } else {
            self.dab(cell, self.tool == Tool::Brush);
        }
    }

    /// It moves: what it passes is painted without gaps, however fast it is. Where nothing is pressed, a rectangle that
    /// was begun follows.
    pub fn drag(&mut self, cell: Cell) {
        let Some(mut stroke) = self.stroke else {
            if self.corner.is_some() {
                self.cursor = cell;
            }
            return;
        };
        if cell == stroke.last || stroke.closing {
            return;
        }
        self.cursor = cell;
        if self.tool != Tool::Rectangle {
            for passed in line(stroke.last, cell) {
                self.dab(passed, self.tool == Tool::Brush);
            }
        }
        (stroke.last, stroke.moved) = (cell, true);
        self.stroke = Some(stroke);
    }

    /// It is lifted. A tap on what is painted takes a spot of it back; a tap with the rectangle is its first corner.
    pub fn lift(&mut self) {
        let Some(stroke) = self.stroke.take() else { return };
        match self.tool {
            _ if stroke.closing => {}
            Tool::Rectangle if stroke.moved => self.close(),
            Tool::Rectangle => {}
            Tool::Brush if stroke.on_paint && !stroke.moved => {
                self.cells = stroke.before;
                self.dab(stroke.last, false);
                self.remember(stroke.before);
            }
            Tool::Brush | Tool::Eraser => self.remember(stroke.before),
        }
    }

    /// The browser took the finger for something else: as if it had never come down.
    pub fn forget(&mut self) {
        if let Some(stroke) = self.stroke.take() {
            self.cells = stroke.before;
            self.corner = None;
        }
    }

    /// Keys move the cursor, within the picture.
    pub fn step(&mut self, columns: isize, rows: isize) {
        let moved = |at: usize, by: isize| at.saturating_add_signed(by).min(GRID - 1);
        self.cursor = (moved(self.cursor.0, columns), moved(self.cursor.1, rows));
    }

    /// Paints where the cursor is, as a tap there would.
    pub fn tap(&mut self) {
        self.press(self.cursor);
        self.lift();
    }

    /// Begins a rectangle at the cursor, or ends it there, whatever the tool.
    pub fn turn_corner(&mut self) {
        if self.corner.is_some() {
            self.close();
        } else {
            self.corner = Some(self.cursor);
        }
    }

    /// Drops a rectangle that was begun.
    pub fn drop_corner(&mut self) {
        self.corner = None;
    }

    pub fn undo(&mut self) {
        self.corner = None;
        if let Some(before) = self.earlier.pop() {
            self.cells = before;
        }
    }

    pub fn clear(&mut self) {
        self.corner = None;
        let before = std::mem::take(&mut self.cells);
        self.remember(before);
    }

    /// Fills the rectangle between its corner and the cursor; with the eraser, empties it.
    fn close(&mut self) {
        let Some(corner) = self.corner.take() else { return };
        let before = self.cells;
        let ((left, top), (right, bottom)) = ordered(corner, self.cursor);
        for row in top..=bottom {
            for column in left..=right {
                self.cells.set(column, row, self.tool != Tool::Eraser);
            }
        }
        self.remember(before);
    }

    /// A round spot of the brush's size.
    fn dab(&mut self, (column, row): Cell, painted: bool) {
        let radius = self.size.radius();
        for y in row.saturating_sub(radius)..=row + radius {
            for x in column.saturating_sub(radius)..=column + radius {
                // A little more than the radius, so that spots are round and not pointed.
                let (dx, dy) = (x.abs_diff(column), y.abs_diff(row));
                if dx * dx + dy * dy <= radius * radius + radius / 2 {
                    self.cells.set(x, y, painted);
                }
            }
        }
    }

    fn remember(&mut self, before: Cells) {
        if before == self.cells {
            return;
        }
        if self.earlier.len() == MOST_STEPS {
            self.earlier.remove(0);
        }
        self.earlier.push(before);
    }
}

/// The cell at a point of a box of this size; points beside it belong to its edge.
pub fn cell_at((x, y): (f64, f64), (width, height): (f64, f64)) -> Cell {
    let along = |at: f64, side: f64| {
        // What is no number becomes 0, as all casts of it do.
        let cell = (at / side * GRID as f64).floor().clamp(0.0, GRID as f64 - 1.0);
        cell as usize
    };
    (along(x, width), along(y, height))
}

/// Left top and right bottom of the two.
fn ordered((ax, ay): Cell, (bx, by): Cell) -> (Cell, Cell) {
    ((ax.min(bx), ay.min(by)), (ax.max(bx), ay.max(by)))
}

/// The cells between two, the first left out and the last among them.
fn line((ax, ay): Cell, (bx, by): Cell) -> impl Iterator<Item = Cell> {
    let steps = ax.abs_diff(bx).max(ay.abs_diff(by));
    let between = move |a: usize, b: usize, step: usize| {
        let along = (b as f64 - a as f64) * step as f64 / steps as f64;
        (a as f64 + along).round() as usize
    };
    (1..=steps).map(move |step| (between(ax, bx, step), between(ay, by, step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn easel(tool: Tool, size: Size) -> Easel {
        Easel { tool, size, ..Easel::new("") }
    }

    fn count(easel: &Easel) -> usize {
        easel.cells().count()
    }

    #[test]
    fn spots_are_round_and_end_at_the_edge() {
        let spot = |size, cell| {
            let mut easel = easel(Tool::Brush, size);
            easel.press(cell);
            easel.lift();
            count(&easel)
        };
        assert_eq!([Size::Small, Size::Medium, Size::Large].map(|size| spot(size, (16, 16))), [1, 21, 61]);
        assert_eq!(spot(Size::Medium, (0, 0)), 8);
        assert_eq!(spot(Size::Large, (31, 31)), spot(Size::Large, (0, 0)));
    }

    #[test]
    fn a_fast_stroke_has_no_gaps() {
        let mut easel = easel(Tool::Brush, Size::Small);
        easel.press((0, 3));
        easel.drag((20, 3));
        easel.drag((20, 13));
        easel.drag((10, 23));
        easel.lift();
        assert_eq!(count(&easel), 21 + 10 + 10);
        assert!(
            (0..=20).all(|x| easel.cells().has(x, 3)) && (0..=10).all(|step| easel.cells().has(20 - step, 13 + step))
        );
        // All of it is one step back.
        easel.undo();
        assert!(easel.cells().is_empty() && !easel.can_undo());
    }

    #[test]
    fn taps_alone_paint_and_take_back() {
        let mut easel = easel(Tool::Brush, Size::Medium);
        let mut tap = |cell| {
            easel.press(cell);
            easel.lift();
            count(&easel)
        };
        assert_eq!((tap((8, 8)), tap((24, 24)), tap((8, 8))), (21, 42, 21));
        // Beside it, it grows; a stroke that begins on paint goes on painting.
        easel.press((24, 24));
        easel.drag((25, 24));
        easel.lift();
        assert!(count(&easel) > 21);
        easel.tool = Tool::Eraser;
        easel.press((24, 24));
        easel.drag((25, 24));
        easel.lift();
        assert_eq!(count(&easel), 0);
    }

    #[test]
    fn rectangles_are_dragged_or_tapped_corner_by_corner() {
        let mut dragged = easel(Tool::Rectangle, Size::Large);
        dragged.press((10, 12));
        dragged.drag((4, 20));
        assert_eq!(dragged.pending(), Some(((4, 12), (10, 20))));
        dragged.lift();
        assert_eq!((count(&dragged), dragged.pending()), (7 * 9, None));
        let mut tapped = easel(Tool::Rectangle, Size::Small);
        for corner in [(10, 12), (4, 20)] {
            tapped.press(corner);
            tapped.lift();
        }
        assert_eq!(tapped.cells(), dragged.cells());
        tapped.undo();
        assert_eq!(count(&tapped), 0);
    }

    #[test]
    fn keys_do_all_of_it() {
        let mut easel = easel(Tool::Brush, Size::Small);
        easel.step(-100, -4);
        assert_eq!(easel.cursor(), (0, 12));
        easel.tap();
        assert!(easel.cells().has(0, 12));
        easel.tap();
        assert!(easel.cells().is_empty());
        easel.turn_corner();
        easel.step(3, 0);
        easel.step(0, 100);
        assert_eq!(easel.pending(), Some(((0, 12), (3, 31))));
        easel.turn_corner();
        assert_eq!(count(&easel), 4 * 20);
        easel.tool = Tool::Eraser;
        easel.turn_corner();
        easel.step(0, -100);
        easel.turn_corner();
        assert_eq!(count(&easel), 3 * 20);
        easel.turn_corner();
        easel.drop_corner();
        assert_eq!((easel.pending(), count(&easel)), (None, 3 * 20));
    }

    #[test]
    fn steps_are_taken_back_one_by_one() {
        let mut easel = easel(Tool::Brush, Size::Small);
        for _ in 0..MOST_STEPS + 5 {
            easel.tap();
        }
        easel.clear();
        let back = std::iter::from_fn(|| easel.can_undo().then(|| easel.undo())).count();
        assert_eq!(back, MOST_STEPS);
        // What changes nothing is no step.
        easel.clear();
        easel.clear();
        assert!(easel.earlier.len() <= 1);
        // A finger that the browser took away was never there.
        easel.press((3, 3));
        easel.drag((9, 9));
        easel.forget();
        assert!(!easel.cells().has(3, 3));
    }

    #[test]
    fn what_was_painted_comes_back_and_nonsense_is_nothing() {
        let mut easel = easel(Tool::Brush, Size::Large);
        easel.tap();
        assert_eq!(Easel::new(&easel.cells().encode()).cells(), easel.cells());
        assert!(Easel::new("nonsense").cells().is_empty());
        assert_eq!((easel.percent(), Easel::new("").percent()), (5, 0));
        let mut one = super::Easel { size: Size::Small, ..Easel::new("") };
        one.tap();
        assert_eq!(one.percent(), 1, "a little is not nothing");
    }

    #[test]
    fn points_have_cells() {
        let side = (320.0, 160.0);
        assert_eq!(cell_at((0.0, 0.0), side), (0, 0));
        assert_eq!(cell_at((319.9, 159.9), side), (31, 31));
        assert_eq!(cell_at((15.0, 15.0), side), (1, 3));
        assert_eq!(cell_at((-40.0, 900.0), side), (0, 31));
        assert_eq!(cell_at((1.0, f64::NAN), side), (0, 0));
    }
}
