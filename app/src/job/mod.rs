//! A job on a page: its words, its pictures filling in, and what can be done with them.

mod again;
pub mod api;
mod card;
pub mod from;
pub mod go_on;
pub mod remix;
mod sheet;
mod tile;
pub mod time;

pub use card::{FirstPicture, JobCard};
