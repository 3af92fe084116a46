//! Painting the part of a picture that should change: on the picture, and what to paint with beside it.

mod easel;
mod outline;
mod tools;

pub use self::easel::Easel;
pub use self::tools::PaintTools;

use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use self::easel::{Cell, cell_at};

/// How far the cursor moves with Shift, in cells.
const FAR: isize = 4;

/// What is painted on a picture, shared by everything on the page that has to do with it.
#[derive(Clone, Copy, Debug)]
pub struct Painting {
    pub easel: RwSignal<Easel>,
    /// What is told about it, to the eye and to screen readers.
    told: RwSignal<String>,
    /// The picture that is painted on.
    sheet: NodeRef<Div>,
    /// Whether the cursor was last moved by keys: only then is it shown.
    walked: RwSignal<bool>,
    /// Where Escape leads back to.
    way_back: NodeRef<leptos::html::Button>,
}

impl Painting {
    /// With what was painted before.
    pub fn new(cells: &str) -> Self {
        let easel = Easel::new(cells);
        let told = RwSignal::new(share(&easel));
        let (easel, walked) = (RwSignal::new(easel), RwSignal::new(false));
        Self { easel, told, walked, sheet: NodeRef::new(), way_back: NodeRef::new() }
    }

    /// Does something, and tells how much is painted then.
    fn change(self, change: impl FnOnce(&mut Easel)) {
        self.easel.update(change);
        self.told.set(self.easel.with_untracked(share));
    }

    /// Does something with the cursor, and tells where it is then.
    fn walk(self, change: impl FnOnce(&mut Easel)) {
        self.easel.update(change);
        self.walked.set(true);
        self.told.set(self.easel.with_untracked(place));
    }
}

/// Lies over the picture, which is painted on by pointers of all kinds, and by keys. The page shows it by its style
/// alone while it is asked for.
#[component]
pub fn PaintSheet(painting: Painting) -> impl IntoView {
    let easel = painting.easel;
    let corners = |((left, top), (right, bottom)): (Cell, Cell)| {
        (left.to_string(), top.to_string(), (right + 1 - left).to_string(), (bottom + 1 - top).to_string())
    };
    let cursor = move || {
        let (x, y, width, height) = easel.with(|easel| corners(easel.spot()));
        view! {
            <rect class="paint-cursor paint-under" x=x.clone() y=y.clone() width=width.clone() height=height.clone() />
            <rect class="paint-cursor" x=x y=y width=width height=height />
        }
    };
    let pending = move || {
        easel.with(Easel::pending).map(|pending| {
            let (x, y, width, height) = corners(pending);
            view! { <rect class="paint-pending" x=x y=y width=width height=height /> }
        })
    };
    let press = move |event: PointerEvent| {
        if !event.is_primary() || event.button() != 0 {
            return;
        }
        let Some((sheet, cell)) = pointed(&event) else { return };
        // A stroke that leaves the picture goes on along its edge.
        let _ = sheet.set_pointer_capture(event.pointer_id());
        painting.walked.set(false);
        easel.update(|easel| easel.press(cell));
    };
    let drag = move |event: PointerEvent| {
        if let Some((_, cell)) = pointed(&event).filter(|_| event.is_primary()) {
            // Most moves stay within their cell, or mean nothing: they are not to draw anything anew.
            easel.maybe_update(|easel| {
                let before = (easel.cursor(), *easel.cells());
                easel.drag(cell);
                before != (easel.cursor(), *easel.cells())
            });
        }
    };
    let border = move || easel.with(|easel| outline::border(easel.cells()));
    view! {
        <div
            class="paint"
            class:paint-walked=painting.walked
            node_ref=painting.sheet
            role="application"
            tabindex="0"
            aria-label="The picture, to paint on"
            aria-describedby="paint-keys"
            on:pointerdown=press
            on:pointermove=drag
            on:pointerup=move |event: PointerEvent| {
                if event.is_primary() {
                    painting.change(Easel::lift);
                }
            }
            on:pointercancel=move |event: PointerEvent| {
                if event.is_primary() {
                    painting.change(Easel::forget);
                }
            }
            on:keydown=move |event: KeyboardEvent| {
                if pressed(painting, &event) {
                    event.prevent_default();
                }
            }
        >
            <svg class="paint-cells" viewBox="0 0 32 32" preserveAspectRatio="none" aria-hidden="true">
                <path class="paint-around" fill-rule="evenodd" d=move || easel.with(|easel| outline::around(easel.cells())) />
                <path class="paint-border paint-under" d=border />
                <path class="paint-border" d=border />
                {pending}
                {cursor}
            </svg>
        </div>
    }
}

/// The picture, and the cell of it that is pointed at.
fn pointed(event: &PointerEvent) -> Option<(Element, Cell)> {
    let sheet = event.current_target()?.dyn_into::<Element>().ok()?;
    let place = (f64::from(event.offset_x()), f64::from(event.offset_y()));
    let cell = cell_at(place, (f64::from(sheet.client_width()), f64::from(sheet.client_height())));
    Some((sheet, cell))
}

/// Does what a key stands for; says whether it stands for something.
fn pressed(painting: Painting, event: &KeyboardEvent) -> bool {
    if event.alt_key() || event.is_composing() {
        return false;
    }
    let by = if event.shift_key() { FAR } else { 1 };
    let key = event.key();
    if event.ctrl_key() || event.meta_key() {
        let undoes = key.eq_ignore_ascii_case("z");
        if undoes {
            painting.change(Easel::undo);
        }
        return undoes;
    }
    match key.as_str() {
        "ArrowLeft" => painting.walk(|easel| easel.step(-by, 0)),
        "ArrowRight" => painting.walk(|easel| easel.step(by, 0)),
        "ArrowUp" => painting.walk(|easel| easel.step(0, -by)),
        "ArrowDown" => painting.walk(|easel| easel.step(0, by)),
        // Held down it would paint and take back by turns.
        " " if event.repeat() => {}
        " " => painting.change(Easel::tap),
        "r" | "R" if event.repeat() => {}
        "r" | "R" => painting.change(Easel::turn_corner),
        "Escape" if painting.easel.with_untracked(Easel::pending).is_some() => painting.change(Easel::drop_corner),
        "Escape" => {
            if let Some(button) = painting.way_back.get_untracked() {
                let _ = button.focus();
            }
        }
        _ => return false,
    }
    true
}

/// How much is painted, and what is begun.
fn share(easel: &Easel) -> String {
    match (easel.pending(), easel.percent()) {
        (Some(_), _) => "A rectangle is begun: its opposite corner ends it.".to_owned(),
        (None, 0) => "Nothing is painted yet.".to_owned(),
        (None, 100) => "All of the picture is painted.".to_owned(),
        (None, percent) => format!("Painted: {percent} of 100 of the picture."),
    }
}

/// Where the cursor is, and what is there.
fn place(easel: &Easel) -> String {
    let (column, row) = easel.cursor();
    let there = if easel.cells().has(column, row) { "painted" } else { "not painted" };
    format!("Column {}, row {}: {there}", column + 1, row + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_how_much_is_painted_and_where_the_cursor_is() {
        let mut easel = Easel::new("");
        assert_eq!(
            (share(&easel), place(&easel)),
            ("Nothing is painted yet.".into(), "Column 17, row 17: not painted".into())
        );
        easel.tap();
        assert_eq!(
            (share(&easel), place(&easel)),
            ("Painted: 2 of 100 of the picture.".into(), "Column 17, row 17: painted".into())
        );
        easel.turn_corner();
        assert!(share(&easel).contains("rectangle"));
        assert_eq!(share(&Easel::new(&domain::source::Cells::ALL.encode())), "All of the picture is painted.");
    }
}
