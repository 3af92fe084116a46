//! Everything that was measured, and the tables that say it.

use std::fmt::Write as _;

use crate::bars::bars;
use crate::crowd::{Actor, BOTS, Group, LOOKALIKE, PEOPLE, Pays};
use crate::play::Outcomes;
use crate::store::Hour;
use crate::tally::{self, BotTally, PeopleTally, Shares};

const BEGIN: &str = "<!-- people: begin -->";
const END: &str = "<!-- people: end -->";

/// The ordinary day and the day of the proxy network.
#[derive(Clone, Debug)]
pub struct Report {
    pub seeds: Vec<u64>,
    pub actors: Vec<Actor>,
    pub ours: Outcomes,
    pub reference: Outcomes,
    /// The published rules, with an invented address before the real one in what bots send.
    pub forged: Outcomes,
    pub budget: Budget,
}

/// What the day of the proxy network gave away.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    pub hourly_ms: f64,
    pub hours: Vec<Hour>,
    /// As measured by the worker.
    pub standard_ms: f64,
    pub asked: u32,
    pub served: u32,
    /// Served by the published rules.
    pub reference_served: u32,
    /// Share of people who came on that day and were told that the hour is spent.
    pub people_refused: f64,
}

impl Budget {
    /// The largest share of an hour's budget that was given away, by what was set aside and by what was made.
    pub fn fullest_hour(&self) -> f64 {
        let hour = |hour: &Hour| (hour.reserved_ms as f64).max(hour.standard_pictures * self.standard_ms);
        self.hours.iter().map(hour).fold(0.0, f64::max) / self.hourly_ms
    }
}

impl Report {
    pub fn people(&self, groups: &[Group]) -> PeopleTally {
        tally::people(groups, self.seeds.len(), &self.actors, &self.ours)
    }

    pub fn reference_people(&self, groups: &[Group]) -> PeopleTally {
        tally::people(groups, self.seeds.len(), &self.actors, &self.reference)
    }

    pub fn bots(&self, group: Group, pays: Pays) -> BotTally {
        tally::bots(group, pays, self.seeds.len(), &self.actors, &self.ours)
    }

    pub fn reference_bots(&self, group: Group, pays: Pays) -> BotTally {
        tally::bots(group, pays, self.seeds.len(), &self.actors, &self.reference)
    }

    pub fn forged_bots(&self, group: Group, pays: Pays) -> BotTally {
        tally::bots(group, pays, self.seeds.len(), &self.actors, &self.forged)
    }

    /// The tables, as Markdown.
    pub fn tables(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        writeln!(
            text,
            "Seeds {}; shares are the mean over the seeds, with the worst one in brackets.\n",
            seeds.join(", ")
        )?;
        writeln!(
            text,
            "| people | how many | pictures asked | silently challenged | visibly challenged | refused before their 50 | refused hard | refused by the published rules |"
        )?;
        writeln!(text, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
        for group in PEOPLE {
            self.people_row(text, group.name(), &[group])?;
        }
        self.people_row(text, "**everybody**", &PEOPLE)?;
        self.bots_table(text, "bots", &BOTS)?;
        writeln!(
            text,
            "\nOne more keeps its cookies and takes turns with them as a campus does. Nothing tells it from one: what stops \
             it stops the campus (above), so it is no part of the comparison below."
        )?;
        self.bots_table(text, "a bot like a crowd", &[LOOKALIKE])?;
        self.write_budget(text)?;
        writeln!(text, "\n| promised | found, in the worst seed | kept |\n|---|---|---|")?;
        for bar in bars(self) {
            writeln!(text, "| {} | {} | {} |", bar.promise, bar.found, if bar.kept { "yes" } else { "**no**" })?;
        }
        Ok(())
    }

    fn bots_table(&self, text: &mut String, title: &str, groups: &[Group]) -> std::fmt::Result {
        writeln!(
            text,
            "\n| {title} | pictures asked | over the quota | stopped | stopped if it pays silent challenges | stopped by the published rules | the same, headers forged |"
        )?;
        writeln!(text, "|---|---:|---:|---:|---:|---:|---:|")?;
        for group in groups.iter().copied() {
            let (ours, paying) = (self.bots(group, Pays::Never), self.bots(group, Pays::Silent));
            let (theirs, forged) = (self.reference_bots(group, Pays::Never), self.forged_bots(group, Pays::Never));
            let least = |shares: &Shares| format!("{:.1} % ({:.1})", shares.mean(), shares.lowest());
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                group.name(),
                ours.pictures,
                ours.over_quota,
                least(&ours.stopped),
                least(&paying.stopped),
                least(&theirs.stopped),
                least(&forged.stopped)
            )?;
        }
        Ok(())
    }

    fn people_row(&self, text: &mut String, name: &str, groups: &[Group]) -> std::fmt::Result {
        let (ours, theirs) = (self.people(groups), self.reference_people(groups));
        let most = |shares: &Shares| format!("{:.1} % ({:.1})", shares.mean(), shares.highest());
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            ours.people,
            ours.pictures,
            most(&ours.silent),
            most(&ours.visible),
            most(&ours.refused),
            most(&ours.hard),
            most(&theirs.refused)
        )
    }

    fn write_budget(&self, text: &mut String) -> std::fmt::Result {
        let budget = &self.budget;
        let reserved: i64 = budget.hours.iter().map(|hour| hour.reserved_ms).sum();
        let fullest = 100.0 * budget.fullest_hour();
        writeln!(
            text,
            "\nEverything rotated, on days of its own with {:.0} s of device time an hour for visitors: {} pictures asked, \
             {} made ({:.1} % stopped; the published rules would have made {}). Given away in all {} hours together: \
             {:.1} s; in the fullest hour {fullest:.1} % of its budget. Of the people who came on these days, {:.1} % \
             were told that the hour is spent.",
            budget.hourly_ms / 1_000.0,
            budget.asked,
            budget.served,
            100.0 * (1.0 - f64::from(budget.served) / f64::from(budget.asked.max(1))),
            budget.reference_served,
            budget.hours.len(),
            reserved as f64 / 1_000.0,
            budget.people_refused
        )
    }
}

/// Puts the tables between the two marks of a document.
///
/// # Errors
/// When the marks are missing.
pub fn between_marks(document: &str, tables: &str) -> Result<String, String> {
    let missing = || format!("the document lacks {BEGIN} or {END}");
    let (before, rest) = document.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_what_is_between_the_marks() {
        let document = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let replaced = between_marks(&document, "new\n").expect("replaced");
        assert_eq!(replaced, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(between_marks(&replaced, "new\n").as_deref(), Ok(replaced.as_str()));
        assert!(between_marks("no marks", "new").is_err());
    }
}
