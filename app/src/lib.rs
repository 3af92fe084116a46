//! The pages: rendered on the server, hydrated in the browser, usable without scripts.

#![recursion_limit = "256"]

mod create;
mod error;
mod job;
mod live;
mod page;
mod result;
mod ui;

pub use page::{App, shell};

#[cfg(feature = "ssr")]
pub mod server;
