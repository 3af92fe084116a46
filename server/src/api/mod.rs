//! REST for programs: thin doors to the services.

pub mod admin;
pub mod credits;
pub mod feed;
pub mod generations;
pub mod health;
pub mod library;
pub mod me;
pub mod media;
pub mod photos;
pub mod quote;
