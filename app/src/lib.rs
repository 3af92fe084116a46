//! The pages: rendered on the server, hydrated in the browser, usable without scripts.

#![recursion_limit = "256"]
#![expect(clippy::needless_pass_by_value, reason = "components and event handlers own what they are given")]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("the server side and the browser side are never compiled together");

#[cfg(not(erase_components))]
compile_error!(
    "views are erased, in the browser and on the server alike: RUSTFLAGS hides .cargo/config.toml, so add `--cfg \
     erase_components` to it"
);

mod checks;
mod compare;
mod create;
mod credits;
mod design;
mod error;
mod history;
mod job;
mod keys;
mod later;
mod library;
mod live;
mod minds_eye;
mod notify;
mod offline;
mod page;
mod photo;
mod picture;
mod result;
mod rewrite;
mod signals;
mod trail;
mod ui;

pub use library::ImportOutcome;
pub use page::{App, shell};
pub use photo::PhotoProblem;

#[cfg(feature = "ssr")]
pub mod server;
