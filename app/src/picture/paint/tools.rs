use leptos::prelude::*;

use super::Painting;
use super::easel::{Easel, Size, Tool};

const TOOLS: [(Tool, &str); 3] = [(Tool::Brush, "Brush"), (Tool::Eraser, "Eraser"), (Tool::Rectangle, "Rectangle")];
const SIZES: [(Size, &str); 3] = [(Size::Small, "Small"), (Size::Medium, "Medium"), (Size::Large, "Large")];

/// What a picture is painted with. What is painted is a field of the form around it.
#[component]
pub fn PaintTools(painting: Painting) -> impl IntoView {
    let easel = painting.easel;
    let tools = TOOLS.map(|(tool, name)| {
        view! {
            <button
                class="chip chip-choice"
                type="button"
                aria-pressed=move || easel.with(|easel| easel.tool == tool).to_string()
                on:click=move |_| painting.change(|easel| {
                    easel.drop_corner();
                    easel.tool = tool;
                })
            >
                {name}
            </button>
        }
    });
    let sizes = SIZES.map(|(size, name)| {
        view! {
            <button
                class="chip chip-choice"
                type="button"
                aria-pressed=move || easel.with(|easel| easel.size == size).to_string()
                on:click=move |_| easel.update(|easel| easel.size = size)
            >
                {name}
            </button>
        }
    });
    // Not disabled where there is nothing to do: a button that has the focus must not lose it.
    let idle = move |idle: bool| if idle { "true" } else { "false" };
    view! {
        <div class="paint-tools">
            <input type="hidden" name="cells" value=move || easel.with(|easel| easel.cells().encode()) />
            <div class="flex flex-wrap gap-2" role="group" aria-label="Paint with">
                {tools.into_iter().collect_view()}
            </div>
            <div class="flex flex-wrap gap-2" role="group" aria-label="How wide">
                {sizes.into_iter().collect_view()}
            </div>
            <div class="flex flex-wrap gap-2">
                <button
                    class="button-quiet"
                    type="button"
                    aria-disabled=move || idle(!easel.with(Easel::can_undo))
                    on:click=move |_| painting.change(Easel::undo)
                >
                    "Undo"
                </button>
                <button
                    class="button-quiet"
                    type="button"
                    aria-disabled=move || idle(easel.with(|easel| easel.cells().is_empty()))
                    on:click=move |_| painting.change(Easel::clear)
                >
                    "Clear"
                </button>
                <button
                    class="button-quiet"
                    type="button"
                    node_ref=painting.way_back
                    on:click=move |_| {
                        if let Some(sheet) = painting.sheet.get_untracked() {
                            let _ = sheet.focus();
                        }
                    }
                >
                    "Use the keyboard"
                </button>
            </div>
            <p class="text-sm" role="status">
                {painting.told}
            </p>
            <p class="text-muted text-sm">
                "Draw on the picture, or tap it: a tap paints a spot, and a tap on paint takes it back. With the rectangle, tap two corners or drag."
            </p>
            <p class="text-muted text-sm" id="paint-keys">
                "On the keyboard: arrows move, with Shift by four. Space paints, R begins and ends a rectangle, Ctrl Z takes back, Escape leaves."
            </p>
        </div>
    }
}
