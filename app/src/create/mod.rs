//! The studio: describe, see four, again.

pub mod api;
mod composer;
pub mod request;
pub mod room;
pub mod settings;
mod starts;
mod studio;

pub use studio::{CreditsReturned, StudioPage};
