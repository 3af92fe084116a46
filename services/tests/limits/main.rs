//! Limits and the ledger against a real Postgres, through the way in that people take.

mod challenges;
mod counting;
mod desk;
mod ledger;
mod races;
mod rules;
