use chrono::NaiveDate;
use domain::credits::{EntryKind, Statement, StatementLine};
use leptos::prelude::*;

/// What came and what went, the newest first.
#[component]
pub fn Entries(
    statement: Statement,
    /// This is not the first page.
    paging: bool,
) -> impl IntoView {
    let Statement { entries, older, .. } = statement;
    // A capture closes a hold and moves nothing: people would read it as paying twice.
    let rows: Vec<_> = entries.iter().filter(|line| line.kind != EntryKind::Capture).map(row).collect();
    let body = if rows.is_empty() {
        view! {
            <div class="panel text-center">
                <p class="words text-xl">"Nothing here yet"</p>
                <p class="text-muted mt-1 mb-4">
                    "Your first pictures will be the first line. One picture of the usual size is one credit."
                </p>
                <a class="button-quiet" href="/">
                    "To the studio"
                </a>
            </div>
        }
        .into_any()
    } else {
        view! {
            <table class="ledger">
                <caption class="sr-only">"Credits that came and went, the newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"When (UTC)"</th>
                        <th scope="col">"What for"</th>
                        <th scope="col" class="number">
                            "Credits"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <section class="mt-10">
            <h2 class="words mb-3 text-2xl">{if paging { "Before that" } else { "What came and went" }}</h2>
            {body}
            <nav class="mt-4 flex flex-wrap gap-2" aria-label="Pages of the statement">
                {older
                    .map(|key| {
                        view! {
                            <a class="button-quiet" href=format!("/credits?before={key}")>
                                "Older entries"
                            </a>
                        }
                    })}
                {paging
                    .then(|| {
                        view! {
                            <a class="button-quiet" href="/credits">
                                "The newest"
                            </a>
                        }
                    })}
            </nav>
        </section>
    }
}

fn row(line: &StatementLine) -> impl IntoView + use<> {
    let effect = line.kind.effect(line.credits);
    let what = what_for(line.kind, line.day);
    let what = match line.job {
        Some(job) => view! {
            <a class="underline underline-offset-4" href=format!("/g/{job}")>
                {what}
            </a>
        }
        .into_any(),
        None => what.into_any(),
    };
    view! {
        <tr data-entry=line.kind.as_str()>
            <td class="text-muted whitespace-nowrap">
                <time datetime=line.at.to_rfc3339()>{line.at.format("%-d %b, %H:%M").to_string()}</time>
            </td>
            <td>{what}</td>
            <td class="number" class=("text-accent", effect > 0)>
                {signed(effect)}
            </td>
        </tr>
    }
}

/// What an entry was for, in words.
fn what_for(kind: EntryKind, day: NaiveDate) -> String {
    let date = day.format("%-d %B");
    match kind {
        EntryKind::Grant => format!("New credits for {date}"),
        EntryKind::Plan => format!("Mind’s Eye: more for {date}"),
        EntryKind::SignUp => "Welcome: these stay until you use them".into(),
        EntryKind::Hold => "Pictures".into(),
        EntryKind::Capture => "Pictures were made".into(),
        EntryKind::Release => "Back: pictures that were not made".into(),
        EntryKind::Refund => "Back: pictures that were no good".into(),
        EntryKind::Expire => format!("What was left of {date}"),
    }
}

/// With the sign that typographers use: it is as wide as the plus.
fn signed(credits: i64) -> String {
    if credits < 0 { format!("−{}", credits.unsigned_abs()) } else { format!("+{credits}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coming_and_going_look_different() {
        assert_eq!((signed(4), signed(-4), signed(0)), ("+4".into(), "−4".into(), "+0".into()));
    }

    #[test]
    fn every_kind_of_entry_has_words_of_its_own() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a date");
        let mut words: Vec<_> = EntryKind::ALL.into_iter().map(|kind| what_for(kind, day)).collect();
        assert!(words.contains(&"New credits for 21 November".to_owned()));
        words.sort();
        words.dedup();
        assert_eq!(words.len(), EntryKind::ALL.len());
    }
}
