//! Placement, by example and by property.

mod examples;
mod fleet;
mod long_jobs;
mod properties;
mod starvation;
