use domain::{ImportReport, Tally};
use leptos::prelude::*;

use crate::error::PageError;
use crate::ui::ErrorNotice;

/// What the file chooser offers first; what a file is, the server sees by itself.
const ACCEPTED: &str = ".zip,.txt,.md,.json,.jsonl,.csv,.tsv,.png,.jpg,.jpeg,.webp,text/*,image/*";
/// Most notes that are shown: the rest are counted.
const MOST_NOTES: usize = 20;

/// A form that brings a file or a list in, and everything taken along: both work without scripts.
#[component]
pub fn BringIn() -> impl IntoView {
    view! {
        <section class="panel mt-10" aria-labelledby="bring-in">
            <h2 id="bring-in" class="words mb-2 text-2xl">
                "Bring something in"
            </h2>
            <p class="text-muted mb-4 max-w-2xl">
                "An archive from here or from another studio of this kind: everything in it comes back, for you alone and free of charge. Or the prompts of another tool, as text, Markdown, JSON, CSV, or a picture that holds its recipe. What you have already is left as it is."
            </p>
            <form class="grid max-w-2xl gap-4" method="post" action="/library" enctype="multipart/form-data">
                <label class="field">
                    "A file"
                    <input class="kept-file" type="file" name="file" accept=ACCEPTED />
                </label>
                <label class="field">
                    "Or a list, with a prompt on each line"
                    <textarea name="text" rows="4" maxlength="100000"></textarea>
                </label>
                <div>
                    <button class="button-accent" type="submit">
                        "Bring it in"
                    </button>
                </div>
            </form>
        </section>
        <section class="panel mt-6" aria-labelledby="take-along">
            <h2 id="take-along" class="words mb-2 text-2xl">
                "Take everything along"
            </h2>
            <p class="text-muted mb-4 max-w-2xl">
                "One ZIP archive, at any time: every picture and photo of yours that is still here, every prompt with its seed and settings, your pins, tags and notes. "
                <code>"mindseye.json"</code>" is for programs, "<code>"prompts.md"</code>
                " for reading. Bring it in again here or elsewhere, and it is all back."
            </p>
            <div class="flex flex-wrap gap-2">
                <a class="button-quiet" href="/api/v1/export" rel="external" download="">
                    "Download everything"
                </a>
                <a class="button-quiet" href="/api/v1/library.md" rel="external" download="">
                    "Kept prompts as Markdown"
                </a>
                <a class="button-quiet" href="/api/v1/library.json" rel="external" download="">
                    "Kept prompts as JSON"
                </a>
            </div>
        </section>
    }
}

/// What came of a file.
#[component]
pub fn Outcome(outcome: Result<ImportReport, Box<PageError>>) -> impl IntoView {
    let report = match outcome {
        Ok(report) => report,
        Err(error) => return view! { <ErrorNotice error=*error /> }.into_any(),
    };
    let (title, message) = told(&report);
    let more = report.notes.len().saturating_sub(MOST_NOTES);
    let notes = report.notes.into_iter().take(MOST_NOTES).map(|note| view! { <li>{note}</li> }).collect_view();
    view! {
        <div class="notice mb-6" role="status">
            <p class="font-semibold">{title}</p>
            <p>{message}</p>
            <ul class="mt-2 list-disc ps-5 text-sm empty:hidden">{notes}</ul>
            {(more > 0).then(|| view! { <p class="text-sm">{format!("And {more} more notes.")}</p> })}
        </div>
    }
    .into_any()
}

/// What was kept and what was not, in two sentences.
fn told(report: &ImportReport) -> (&'static str, String) {
    let ImportReport { jobs, pictures, photos, prompts, .. } = report;
    let kinds = [(prompts, "prompt"), (jobs, "work"), (pictures, "picture"), (photos, "photo")];
    let list = |count: fn(&Tally) -> usize| {
        let said = |(tally, name): &(&Tally, &str)| match count(tally) {
            0 => None,
            1 => Some(format!("1 {name}")),
            many => Some(format!("{many} {name}s")),
        };
        kinds.iter().filter_map(said).collect::<Vec<_>>().join(", ")
    };
    let (kept, skipped) = (list(|tally| tally.kept), list(|tally| tally.skipped));
    match (kept.is_empty(), skipped.is_empty()) {
        (true, true) => ("Nothing was in it", "It is an archive of somebody who had nothing yet.".to_owned()),
        (true, false) => {
            ("Nothing new", format!("Left out, because you have it already or for the reason below: {skipped}."))
        }
        (false, true) => ("It is all here", format!("Kept: {kept}.")),
        (false, false) => (
            "It is here",
            format!("Kept: {kept}. Left out, because you have it already or for the reason below: {skipped}."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_counted_in_words() {
        let tally = |kept, skipped| Tally { kept, skipped };
        let report = ImportReport { jobs: tally(1, 0), pictures: tally(4, 2), ..ImportReport::default() };
        let (title, message) = told(&report);
        assert_eq!(title, "It is here");
        assert!(message.starts_with("Kept: 1 work, 4 pictures. Left out"), "{message}");
        assert!(message.ends_with("2 pictures."), "{message}");
        assert_eq!(told(&ImportReport::default()).0, "Nothing was in it");
    }
}
