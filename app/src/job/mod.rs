//! A job on a page: its words, its pictures filling in, and what can be done with them.

pub mod api;
mod card;
mod remix;
mod tile;

pub use card::JobCard;
