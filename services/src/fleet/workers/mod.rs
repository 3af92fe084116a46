//! What is kept of workers beyond their connections: measured times, and what the operator wants of them.

pub(super) mod store;
