//! What was promised, and whether it was kept.

use crate::crowd::{BOTS, Group, PEOPLE, Pays};
use crate::report::Report;
use crate::tally::{BotTally, PeopleTally};

/// One promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub promise: String,
    pub found: String,
    pub kept: bool,
}

/// Groups that share an address.
const SHARING: [Group; 4] = [Group::Offices, Group::Campus, Group::Lab, Group::Mobile];

/// All promises, judged by the worst world.
pub fn bars(report: &Report) -> Vec<Bar> {
    let everybody = report.people(&PEOPLE);
    let sharing = report.people(&SHARING);
    let heavy = report.people(&[Group::Heavy]);
    let mut bars = vec![
        bar("under 2 % of people are challenged in any way", everybody.challenged.highest(), |found| found < 2.0),
        bar("nobody is blocked hard at a shared address", sharing.hard.highest(), |found| found <= 0.0),
        bar("under 1 % of heavy users are stopped before their 50", heavy.refused.highest(), |found| found < 1.0),
    ];
    let stopped = [
        (Group::ClearedPerJob, 99.0),
        (Group::ClearedWhenUsedUp, 99.0),
        (Group::FingerprintRotated, 95.0),
        (Group::AddressRotated, 99.0),
    ];
    for (group, least) in stopped {
        let promise = format!("{}: at least {least} % of what is over the quota is stopped", group.name());
        bars.push(bar(&promise, report.bots(group, Pays::Never).stopped.lowest(), |found| found >= least));
    }
    let spent = 100.0 * report.budget.fullest_hour();
    bars.push(bar("everything rotated: no hour gives away more than its budget", spent, |found| found <= 100.0));
    let worse = worse_than_reference(report);
    bars.push(Bar {
        promise: "no row of people or bots is worse than under the published rules, headers forged or not".into(),
        found: if worse.is_empty() { "none is".into() } else { worse.join(", ") },
        kept: worse.is_empty(),
    });
    bars
}

fn bar(promise: &str, found: f64, kept: impl Fn(f64) -> bool) -> Bar {
    Bar { promise: promise.to_owned(), found: format!("{found:.1} %"), kept: kept(found) }
}

/// Rows in which the published rules would have done better, by more than the pictures of a job or two.
fn worse_than_reference(report: &Report) -> Vec<String> {
    let people = PEOPLE.iter().filter(|group| {
        let (ours, theirs): (PeopleTally, PeopleTally) =
            (report.people(&[**group]), report.reference_people(&[**group]));
        ours.refused.mean() > theirs.refused.mean()
    });
    let bots = BOTS.iter().filter(|group| {
        let ours: BotTally = report.bots(**group, Pays::Never);
        let theirs = [report.reference_bots(**group, Pays::Never), report.forged_bots(**group, Pays::Never)];
        theirs.iter().any(|theirs| ours.stopped.mean() + 0.5 < theirs.stopped.mean())
    });
    people.chain(bots).map(|group| group.name().to_owned()).collect()
}
