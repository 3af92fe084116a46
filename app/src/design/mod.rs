//! The components, each as it is: for whoever builds the next page, and for a look at all of them at once.

use domain::examples::{STARTS, example_picture};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};

use crate::error::PageError;
use crate::trail::words::{Change, ChangedWords, Word};
use crate::ui::{ErrorNotice, Notice};

/// Colours by the names they have in `style/tailwind.css`: what each is for.
const COLOURS: [(&str, &str, &str); 8] = [
    ("ground", "--ground", "Behind everything"),
    ("surface", "--surface", "What lies on the ground"),
    ("raised", "--raised", "What is pointed at, or speaks"),
    ("line", "--line", "Edges"),
    ("ink", "--ink", "Words"),
    ("muted", "--muted", "Words that may be skipped"),
    ("accent", "--accent", "The one thing to press"),
    ("on-accent", "--on-accent", "Words on it"),
];

/// `/design`
#[component]
pub fn DesignPage() -> impl IntoView {
    view! {
        <Title text="Components" />
        <Meta name="robots" content="noindex" />
        <section class="space-y-12 pt-8 sm:pt-12">
            <header>
                <h1 class="words mb-3 text-3xl sm:text-5xl">"Components"</h1>
                <p class="text-muted max-w-2xl">
                    "Everything that pages are made of, as it looks in the theme you chose. Pictures are the brightest thing on a page; one accent says what to press; words are large where they matter. A component is one file below "
                    <code>"app/src"</code> ", its look is in " <code>"style/tailwind.css"</code> "."
                </p>
            </header>
            <Colours />
            <Words />
            <Buttons />
            <Choices />
            <Fields />
            <Notices />
            <Progress />
            <Pictures />
            <Tables />
        </section>
    }
}

/// A group of components under a heading, with the classes or components that make it.
#[component]
fn Group(title: &'static str, made_by: &'static str, children: Children) -> impl IntoView {
    let id = title.to_lowercase();
    view! {
        <section aria-labelledby=id.clone()>
            <h2 class="words text-2xl" id=id.clone()>
                {title}
            </h2>
            <p class="text-muted mb-4 text-sm">
                <code>{made_by}</code>
            </p>
            {children()}
        </section>
    }
}

#[component]
fn Colours() -> impl IntoView {
    let swatches = COLOURS.map(|(name, variable, told)| {
        view! {
            <li>
                <span class=format!("swatch swatch-{name}") aria-hidden="true"></span>
                <span class="block">{name}</span>
                <span class="text-muted block text-sm">{told}</span>
                <code class="text-muted text-sm">{variable}</code>
            </li>
        }
    });
    view! {
        <Group title="Colours" made_by="var(--name), text-muted, bg-surface">
            <ul class="swatches">{swatches.into_iter().collect_view()}</ul>
        </Group>
    }
}

#[component]
fn Words() -> impl IntoView {
    let word = |text: &str, change| Word { text: text.to_owned(), change };
    let words = vec![
        word("a calm lake at", Change::Same),
        word(" sunset", Change::Removed),
        word(" night, stars", Change::Added),
    ];
    view! {
        <Group title="Words" made_by="words, text-muted, <ChangedWords>, key">
            <p class="words text-3xl sm:text-5xl">"What would you like to see?"</p>
            <p class="words mt-3 text-3xl sm:text-4xl">"a red sailing boat on a calm lake"</p>
            <p class="words mt-3 text-xl">"a lighthouse in the snow"</p>
            <p class="mt-3">"What is read in passing is set plainly, at the size that the browser was told."</p>
            <p class="text-muted text-sm">"256×256 · 8 steps · seed 7"</p>
            <p class="words mt-3 text-xl">
                <ChangedWords words />
            </p>
            <p class="mt-3">
                <kbd class="key">"Ctrl + Enter"</kbd>
            </p>
        </Group>
    }
}

#[component]
fn Buttons() -> impl IntoView {
    view! {
        <Group title="Buttons" made_by="button-accent, button-quiet, button-icon, go-on-choice; form[aria-busy]">
            <div class="flex flex-wrap items-center gap-3">
                <button class="button-accent" type="button">
                    "Create"
                </button>
                <button class="button-accent" type="button" aria-disabled="true">
                    "Sending…"
                </button>
                <button class="button-quiet" type="button">
                    "More like this"
                </button>
                <button class="button-quiet is-pinned" type="button" aria-pressed="true">
                    "Pinned"
                </button>
                <button class="button-icon" type="button" aria-label="Close">
                    <svg class="h-5 w-5" viewBox="0 0 24 24" aria-hidden="true">
                        <path d="M6 6l12 12M18 6L6 18" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
                    </svg>
                </button>
                <a class="footer-link" href="#buttons">
                    "A link that stands alone"
                </a>
            </div>
            <div class="mt-4 max-w-sm">
                <button class="go-on-choice" type="button">
                    <span>"Vary a little"</span>
                    <span class="go-on-told">"The same scene, slightly different"</span>
                </button>
            </div>
        </Group>
    }
}

#[component]
fn Choices() -> impl IntoView {
    let choice = |name: &'static str, checked: bool| {
        view! {
            <label class="chip chip-choice">
                <input class="sr-only" type="radio" name="shape" value=name checked=checked />
                {name}
            </label>
        }
    };
    view! {
        <Group title="Choices" made_by="chip chip-choice, scroll-row, chip[aria-current]">
            <fieldset class="scroll-row">
                <legend class="sr-only">"An example of a choice"</legend>
                {choice("Square", true)}
                {choice("Landscape", false)}
                {choice("Portrait", false)}
            </fieldset>
            <p class="mt-3 flex flex-wrap gap-2">
                <a class="chip" href="#choices" aria-current="true">
                    "All"
                </a>
                <a class="chip" href="#choices">
                    "Pinned"
                </a>
            </p>
        </Group>
    }
}

#[component]
fn Fields() -> impl IntoView {
    view! {
        <Group title="Fields" made_by="field, search, settings">
            <div class="grid max-w-2xl grid-cols-2 gap-4">
                <label class="field">"Seed" <input inputmode="numeric" placeholder="random" /></label>
                <label class="field">
                    "Pictures"
                    <select>
                        <option>"4"</option>
                        <option>"8"</option>
                    </select>
                </label>
                <label class="field col-span-2">"Keep away from" <input placeholder="for example: people, text" /></label>
            </div>
        </Group>
    }
}

#[component]
fn Notices() -> impl IntoView {
    view! {
        <Group title="Notices" made_by="<Notice>, <ErrorNotice>: what happened, that nothing was lost, what to do">
            <div class="max-w-2xl">
                <Notice title="Warming up" message="The first pictures can be made in a few seconds, when the model is loaded." />
                <ErrorNotice error=PageError::offline() />
            </div>
        </Group>
    }
}

#[component]
fn Progress() -> impl IntoView {
    view! {
        <Group title="Progress" made_by="checking, check-progress, tile-waiting, tile-progress">
            <div class="grid max-w-2xl gap-4">
                <p class="checking">"Checking…"</p>
                <progress class="check-progress" max="1" value="0.6" aria-label="An example, at 60 %"></progress>
                <div class="grid grid-many">
                    <div class="tile">
                        <svg class="tile-place tile-waiting" viewBox="0 0 1 1" aria-hidden="true"></svg>
                    </div>
                    <div class="tile">
                        <svg class="tile-place" viewBox="0 0 1 1" aria-hidden="true"></svg>
                        <img class="tile-preview" src=example_picture(STARTS[0].slug) alt="" />
                        <progress class="tile-progress" max="8" value="5" aria-label="An example, at step 5 of 8"></progress>
                    </div>
                </div>
            </div>
        </Group>
    }
}

#[component]
fn Pictures() -> impl IntoView {
    let tiles = STARTS.into_iter().take(4).map(|start| {
        view! {
            <li class="tile">
                <img class="block h-auto w-full" src=example_picture(start.slug) width="256" height="256" alt=start.prompt loading="lazy" />
                <div class="tile-bar">
                    <button class="tile-action tile-go-on" type="button">
                        "Go on"
                    </button>
                    <button class="tile-action" type="button">
                        "Download"
                    </button>
                </div>
            </li>
        }
    });
    view! {
        <Group title="Pictures" made_by="grid grid-many, tile, tile-action, picture-frame, start">
            <ul class="grid grid-many">{tiles.collect_view()}</ul>
        </Group>
    }
}

#[component]
fn Tables() -> impl IntoView {
    let rows = [("A grid of four", "4"), ("Vary a little", "2"), ("Upscale 2×", "1")].map(|(name, price)| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="number">{price}</td>
            </tr>
        }
    });
    view! {
        <Group title="Tables" made_by="ledger, panel, badge">
            <div class="panel max-w-md">
                <table class="ledger">
                    <thead>
                        <tr>
                            <th scope="col">"What"</th>
                            <th scope="col" class="number">
                                "Credits"
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().collect_view()}</tbody>
                </table>
                <p class="mt-4">
                    <span class="badge">"Ultra"</span>
                </p>
            </div>
        </Group>
    }
}
