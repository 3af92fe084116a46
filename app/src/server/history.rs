//! The history as its page shows it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::credits::until;
use services::jobs::History;

use crate::history::api::{HistoryPageData, Made};
use crate::job::remix::remix_link;

pub(crate) fn history_page(found: History) -> HistoryPageData {
    let History { jobs, more, at } = found;
    let next = jobs.last().filter(|_| more).map(|(job, _)| job.id);
    let made = jobs.into_iter().map(|(job, pinned)| Made {
        job: job.id,
        pictures: job.outputs.iter().map(|output| output.id).collect(),
        status: job.status,
        ago: ago(at, job.created_at),
        pinned,
        again: remix_link(&job.request, job.id, None),
        prompt: job.request.prompt,
    });
    HistoryPageData { made: made.collect(), next }
}

/// How long ago that was, or its day.
fn ago(now: DateTime<Utc>, then: DateTime<Utc>) -> String {
    match now - then {
        moment if moment < TimeDelta::minutes(1) => "just now".to_owned(),
        span if span < TimeDelta::hours(24) => format!("{} ago", until(then, now)),
        _ => then.format("%-d %b %Y").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_do() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a date");
        let now = at("2026-11-20T20:40:00Z");
        assert_eq!(ago(now, at("2026-11-20T20:39:30Z")), "just now");
        assert_eq!(ago(now, at("2026-11-20T17:20:00Z")), "3 h 20 min ago");
        assert_eq!(ago(now, at("2026-11-18T09:00:00Z")), "18 Nov 2026");
        // A clock that was set back.
        assert_eq!(ago(now, at("2026-11-20T20:41:00Z")), "just now");
    }
}
