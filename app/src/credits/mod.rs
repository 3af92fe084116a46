//! `/credits`: somebody's own statement.

mod api;
mod entries;
mod page;
mod prices;

pub use page::CreditsPage;
