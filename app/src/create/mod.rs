//! The studio: describe, see four, again.

pub mod api;
mod composer;
mod settings;
mod studio;
mod starts;

pub use studio::StudioPage;
